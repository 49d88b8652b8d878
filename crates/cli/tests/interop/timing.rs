//! How long an unknown user and a wrong password take, over a socket. Measured, not judged: machines are noisy.
//!
//! `cargo test -p portcullis-cli --test interop -- --ignored --nocapture timing`

use crate::harness::{ANN, PASSWORD, Server};
use crate::peers::{self, Logon};

#[test]
#[ignore = "a measurement; run it alone on a quiet machine"]
fn an_unknown_user_takes_as_long_as_a_wrong_password() {
    let server = Server::start();
    server.cli(&["policy", "set", "--lockout-threshold", "0"]);
    let text = peers::timing(&server, &Logon { times: 1000, ..Logon::new(ANN, PASSWORD) });
    println!("{text}");
    let ratio: f64 = text.lines().find_map(|line| line.strip_prefix("ratio ")).unwrap().parse().unwrap();
    assert!((0.5..2.0).contains(&ratio), "{text}");
}
