//! Twenty connections of two users, interleaved: nobody ever gets the other's name.

use crate::harness::{ANN, PASSWORD, Server};
use crate::peers::{self, Logon};
use std::collections::BTreeMap;

#[test]
fn twenty_connections_of_two_users_never_mix_names() {
    let server = Server::start();
    server.account("ben", "Battery staple 8");
    let besides = [("PEER_ODD", "none"), ("PEER_OTHER", "ben"), ("PEER_OTHER_PASSWORD", "Battery staple 8")];
    let logon = Logon { times: 100, besides: &besides, ..Logon::new(ANN, PASSWORD) };
    // A line is `connection expected status name`.
    let text = peers::mix(&server, &logon);
    let mut counts = BTreeMap::new();
    for line in text.lines() {
        let [_, expected, status, name] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line:?}") };
        assert_eq!((status, name), ("200", expected), "{line}");
        *counts.entry(expected.to_owned()).or_insert(0) += 1;
    }
    // 20 handshakes, then 20 × 100 requests, 10 connections of each user at first and 5 of them changed hands.
    assert_eq!(counts.values().sum::<i32>(), 20 + 20 * 100 + 10, "{counts:?}");
    assert!(counts[ANN] > 500 && counts["ben"] > 500, "{counts:?}");
}
