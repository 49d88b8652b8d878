//! Writes down a conversation with a client that nobody here wrote, so that it can be replayed for ever:
//! `capture-vector FILE "captured from curl 7.88.1" "what it shows"`.
//!
//! It reads the client's tokens from stdin, a line of hexadecimal each, and answers the first with a line that is the
//! CHALLENGE, of the time and the server challenge that all vectors have. Whoever starts it carries the tokens between
//! it and the client. The account is `DOMAIN\User` with the password `Password`.
#![allow(clippy::unwrap_used, reason = "a tool of the developers, which may stop at anything")]

use portcullis::Status;
use portcullis_testkit::vector::{Facts, Setup, Vector};
use portcullis_testkit::{exchange, hex};
use std::io::{BufRead, Write};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(file), Some(source), Some(shows)) = (arguments.next(), arguments.next(), arguments.next()) else {
        return Err("usage: capture-vector FILE SOURCE SHOWS, then the client's tokens on stdin".into());
    };
    let mut lines = std::io::stdin().lock().lines();
    let mut token = || hex::decode(&lines.next()?.ok()?);
    let setup = Setup::default();
    let first = token().ok_or("no NEGOTIATE")?;
    let outcome = exchange(&setup.credential(), &setup.realm, &setup.settings, &first, |challenge| {
        println!("{}", hex::encode(challenge));
        std::io::stdout().flush().ok()?;
        token()
    });
    let vector = Vector {
        source,
        shows,
        setup: setup.clone(),
        expect: outcome.statuses.last().copied().unwrap_or(Status::SEC_E_INTERNAL_ERROR),
        cause: outcome.cause_name().to_owned(),
        facts: Facts::of(&outcome),
        tokens: outcome.messages.iter().step_by(2).cloned().collect(),
        replies: outcome.messages.iter().skip(1).step_by(2).cloned().map(Some).collect(),
    };
    vector.replay()?;
    std::fs::write(&file, vector.print())?;
    println!("{} {}", vector.expect, vector.cause);
    Ok(())
}
