//! Ten thousand clients begin a handshake and none goes on; another one wants to log on.

use crate::harness::{ANN, PASSWORD, Server};
use crate::peers::{self, Logon};
use crate::raw::{Connection, NEGOTIATE};
use std::process::Command;
use std::time::{Duration, Instant};

const CONNECTIONS: usize = 10_000;

#[test]
fn a_good_logon_is_served_among_ten_thousand_half_open_handshakes() {
    allow_open_files(2 * CONNECTIONS + 2000);
    let server = Server::start();
    let mut held = Vec::with_capacity(CONNECTIONS);
    for _ in 0..CONNECTIONS {
        let mut connection = Connection::open(server.http);
        let reply = connection.get(&[&format!("Authorization: NTLM {NEGOTIATE}")]);
        // Each is answered: a newcomer is served and an old handshake makes room.
        assert_eq!(reply.status, 401);
        assert!(reply.challenge().is_some(), "connection {}: {reply:?}", held.len());
        held.push(connection);
    }
    let begun = Instant::now();
    peers::curl(&server, &Logon::new(ANN, PASSWORD)).expect_user(ANN, 1);
    peers::requests_ntlm(&server, &Logon::new(ANN, PASSWORD)).expect_user(ANN, 1);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());

    // Those that made room are in the log, and only they are refused.
    let causes = server.causes();
    assert!(causes.iter().any(|cause| cause == "host/half-open-limit"), "no handshake made room");
    assert!(causes.iter().all(|cause| cause == "host/half-open-limit" || cause == "ok"), "{:?}", causes.last());
}

/// Raises this process's limit of open files; the server inherits it.
fn allow_open_files(count: usize) {
    let pid = std::process::id().to_string();
    let raised = Command::new("prlimit").args(["--pid", &pid, &format!("--nofile={count}:{count}")]).output();
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let soft = line.split_whitespace().nth(3).unwrap();
    let enough = soft == "unlimited" || soft.parse::<usize>().unwrap() >= CONNECTIONS + 1000;
    assert!(enough, "this test needs {count} open files: run it as root or after `ulimit -n {count}` ({raised:?})");
}
