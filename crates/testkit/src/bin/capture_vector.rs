//! Writes down a conversation with a client that nobody here wrote, so that it can be replayed for ever:
//! `capture-vector [--negotiate] [--now] FILE "captured from curl 7.88.1" "what it shows"`.
//!
//! It reads the client's tokens from stdin, a line of hexadecimal each, and answers each with a line that is the reply, of
//! the server challenge that all vectors have, and of their time: `--now` is for clients that compare it with their own.
//! The last line is the status and the cause. Whoever starts it carries the tokens between it and the client. The account
//! is `DOMAIN\User` with the password `Password`.
#![allow(clippy::unwrap_used, reason = "a tool of the developers, which may stop at anything")]

use portcullis::Status;
use portcullis_testkit::vector::{Facts, Package, Setup, Vector};
use portcullis_testkit::{hex, talk};
use portcullis_wire::filetime;
use std::io::{BufRead, Write};
use std::time::SystemTime;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments: Vec<_> = std::env::args().skip(1).collect();
    let mut setup = Setup::default();
    while arguments.first().is_some_and(|first| first.starts_with("--")) {
        match arguments.remove(0).as_str() {
            "--negotiate" => setup.package = Package::Negotiate,
            "--now" => setup.settings.now = filetime::from_system(SystemTime::now()),
            other => return Err(format!("{other} is no switch").into()),
        }
    }
    let Ok([file, source, shows]) = <[String; 3]>::try_from(arguments) else {
        return Err(
            "usage: capture-vector [--negotiate] [--now] FILE SOURCE SHOWS, then the client's tokens on stdin".into()
        );
    };
    let mut lines = std::io::stdin().lock().lines();
    let mut first = true;
    let outcome = talk(&setup.credential(), &setup.realm, &setup.settings, |reply| {
        if !std::mem::take(&mut first) {
            println!("{}", hex::encode(reply));
            std::io::stdout().flush().ok()?;
        }
        hex::decode(&lines.next()?.ok()?)
    });
    let replies = match setup.package {
        // What comes with the end is empty.
        Package::Ntlm => outcome.messages.iter().skip(1).step_by(2).cloned().map(Some).collect(),
        Package::Negotiate | Package::Password | Package::Kerberos => outcome.replies().cloned().map(Some).collect(),
    };
    println!("{}", hex::encode(&outcome.output));
    let vector = Vector {
        source,
        shows,
        setup: setup.clone(),
        expect: outcome.statuses.last().copied().unwrap_or(Status::SEC_E_INTERNAL_ERROR),
        cause: outcome.cause_name().to_owned(),
        facts: Facts::of(&outcome),
        tokens: outcome.messages.iter().step_by(2).cloned().collect(),
        replies,
    };
    vector.replay()?;
    std::fs::write(&file, vector.print())?;
    println!("{} {}", vector.expect, vector.cause);
    Ok(())
}
