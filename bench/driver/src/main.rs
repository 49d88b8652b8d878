//! Asks every peer in turn, round by round, and sets the figures side by side.
//!
//! usage: bench ROUNDS OUT NAME=PROGRAM… [http-portcullis=PROGRAM] [http-apache=DIR] [kerberos-NAME=PROGRAM]… [tls=PROGRAM]
//!
//! OUT has a part for logons, one for Kerberos and one for TLS; a part of which nothing is named here stays as it is.

mod http;
mod kerberos;
mod machine;
mod peer;
mod report;
mod tls;

use peer::Peer;
use report::{Goal, Report, Series};

const OURS: &str = "portcullis";

// One program in C over function tables: our library with an account given, the same with a hash set, and libwinpr2.
const C: &str = "c";
const C_HASH: &str = "c-hash";
const C_WINPR: &str = "c-winpr";

/// The headings of the parts, in the order in which they stand.
const LOGONS: &str = "# Side by side";
const KERBEROS: &str = "# Kerberos, side by side";
const TLS: &str = "# TLS, side by side";
const PARTS: [&str; 3] = [LOGONS, KERBEROS, TLS];

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [rounds, out, programs @ ..] = &args[..] else {
        panic!("usage: bench ROUNDS OUT NAME=PROGRAM…; bench/run.sh calls it");
    };
    let rounds: usize = rounds.parse().expect("a number of rounds");
    let programs: Vec<_> = programs.iter().map(|arg| arg.split_once('=').expect("NAME=PROGRAM")).collect();
    let (servers, peers): (Vec<_>, Vec<_>) = programs.into_iter().partition(|(name, _)| name.starts_with("http-"));
    let (tls, peers): (Vec<_>, Vec<_>) = peers.into_iter().partition(|(name, _)| *name == "tls");
    let (realm, peers): (Vec<_>, Vec<_>) = peers.into_iter().partition(|(name, _)| name.starts_with("kerberos-"));
    let mut parts = parts(&std::fs::read_to_string(out).unwrap_or_default());
    let [logons, tickets, streams] = &mut parts;
    if !peers.is_empty() {
        *logons = measure(rounds, &peers, &servers);
        print!("{logons}");
    }
    if !realm.is_empty() {
        let mut report = Report::new(KERBEROS, machine::describe(), rounds, include_str!("kerberos.md"));
        kerberos::measure(&mut report, rounds, &realm);
        *tickets = report.text();
        print!("{tickets}");
    }
    for (_, program) in tls {
        let mut report = Report::new(TLS, machine::describe(), rounds, include_str!("tls.md"));
        tls::measure(&mut report, rounds, program);
        *streams = report.text();
        print!("{streams}");
    }
    let parts: Vec<_> = parts.iter().map(|part| part.trim_end()).filter(|part| !part.is_empty()).collect();
    std::fs::write(out, parts.join("\n\n") + "\n").expect("the report is written");
}

/// The parts of a report as it was written before; empty where there was none.
fn parts(text: &str) -> [String; PARTS.len()] {
    let start = |heading: &str| {
        text.lines()
            .scan(0, |at, line| {
                let here = *at;
                *at += line.len() + 1;
                Some((here, line))
            })
            .find_map(|(at, line)| (line == heading).then_some(at))
    };
    let starts = PARTS.map(start);
    starts.map(|start| {
        let end = starts.into_iter().flatten().filter(|other| Some(*other) > start).min().unwrap_or(text.len());
        start.map_or_else(String::new, |start| text[start..end].to_owned())
    })
}

/// The part for logons.
fn measure(rounds: usize, peers: &[(&str, &str)], servers: &[(&str, &str)]) -> String {
    let mut report = Report::new(LOGONS, machine::describe(), rounds, include_str!("caveats.md"));
    let mut peers: Vec<_> = peers.iter().map(|(name, program)| Peer::start(name, program)).collect();
    let accept = ask(&mut peers, rounds, "accept 2048");
    let small = ask(&mut peers, rounds, "seal 1024 4096");
    let large = ask(&mut peers, rounds, "seal 65536 64");
    drop(peers);
    library(&mut report, &accept, &small, &large);
    c_library(&mut report, &accept, &small, &large);
    http::measure(&mut report, rounds, servers);
    report.text()
}

fn ask(peers: &mut [Peer], rounds: usize, command: &str) -> Series {
    ask_prepared(peers, rounds, command, || {})
}

/// One round asks all peers the same, one after another, and each round begins with another peer: what disturbs the
/// machine disturbs all alike. A first round that nobody counts warms up. `prepare` makes each round ready.
fn ask_prepared(peers: &mut [Peer], rounds: usize, command: &str, mut prepare: impl FnMut()) -> Series {
    let mut series = Series::default();
    for round in 0..=rounds {
        prepare();
        for turn in 0..peers.len() {
            let at = (round + turn) % peers.len();
            let figures = peers[at].ask(command);
            if round > 0 {
                series.add(&peers[at].name, figures);
            }
        }
    }
    series
}

fn library(report: &mut Report, accept: &Series, small: &Series, large: &Series) {
    for peer in rust_and_winpr(accept) {
        let goal = if peer == "winpr" { Goal::AtMost(0.1) } else { Goal::AtMost(0.5) };
        report.compare("NTLMv2 accept, verified", "µs", accept, (OURS, "accept_us"), (peer, "accept_us"), goal);
        let keys = "NTLMv2 accept, and keys for messages";
        report.compare(keys, "µs", accept, (OURS, "accept_keys_us"), (peer, "accept_us"), Goal::None);
    }
    for (size, series) in [("1 KiB", small), ("64 KiB", large)] {
        for work in ["seal", "unseal", "sign", "verify"] {
            for peer in rust_and_winpr(series) {
                let goal = match (peer, work) {
                    ("sspi-rs", "seal" | "unseal") => Goal::AtLeast(1.4),
                    _ => Goal::None,
                };
                report.compare(&format!("{work} {size}"), "MB/s", series, (OURS, work), (peer, work), goal);
            }
        }
    }
    let (ours, peer) = ((OURS, "allocations"), ("sspi-rs", "allocations"));
    report.absolute("allocations a logon", "", accept, ours, Some(peer), Goal::AtMost(8.0));
    report.absolute("more for message keys", "", accept, (OURS, "keys_allocations"), None, Goal::None);
    report.absolute("allocations a sealed message", "", small, (OURS, "seal_allocations"), None, Goal::AtMost(0.0));
    let half_open = (OURS, "half_open_beyond_tokens");
    report.absolute("half-open, beyond its tokens", "B", accept, half_open, None, Goal::AtMost(1024.0));
    for peer in std::iter::once(OURS).chain(accept.peers_but(OURS)) {
        let bytes = |key| accept.of(peer, key).map_or(0.0, |values| values.median);
        report.note(format!(
            "{peer}: CHALLENGE of {} bytes, AUTHENTICATE of {}",
            bytes("challenge_bytes"),
            bytes("authenticate_bytes")
        ));
    }
}

/// The peers that are set beside our own Rust.
fn rust_and_winpr(series: &Series) -> impl Iterator<Item = &str> {
    series.peers_but(OURS).into_iter().filter(|peer| ![C, C_HASH, C_WINPR].contains(peer))
}

/// What the way through C costs, and the same program over libwinpr2.
fn c_library(report: &mut Report, accept: &Series, small: &Series, large: &Series) {
    let logon = "accept_us";
    let work = "C: NTLMv2 accept, verified";
    report.compare(work, "µs", accept, (C, logon), (OURS, logon), Goal::AtMost(1.1));
    report.compare(work, "µs", accept, (C, logon), (C_WINPR, logon), Goal::None);
    report.compare("C: the same, by a hash set", "µs", accept, (C_HASH, logon), (C_WINPR, logon), Goal::None);
    for (size, series) in [("1 KiB", small), ("64 KiB", large)] {
        for work in ["seal", "unseal"] {
            // A tenth more time is 1/1.1 of the rate.
            let goal = if work == "seal" && size == "1 KiB" { Goal::AtLeast(0.909) } else { Goal::None };
            report.compare(&format!("C: {work} {size}"), "MB/s", series, (C, work), (OURS, work), goal);
            report.compare(&format!("C: {work} {size}"), "MB/s", series, (C, work), (C_WINPR, work), Goal::None);
        }
    }
    let allocations = |of| (of, "allocations");
    report.absolute("C: allocations a logon", "", accept, allocations(C), Some(allocations(C_WINPR)), Goal::None);
    let sealed = |of| (of, "seal_allocations");
    report.absolute("C: allocations a sealed message", "", small, sealed(C), Some(sealed(C_WINPR)), Goal::None);
}
