use crate::peer::Peer;
use crate::report::{Goal, Report, Series};
use crate::{OURS, ask, ask_prepared, machine};

const MIT: &str = "mit";
const HEIMDAL: &str = "heimdal";
const SSPI_RS: &str = "sspi-rs";

/// How many AP-REQs a round has; for threads a multiple of three times their slice.
const TOKENS: usize = 4096;
const FOR_THREADS: usize = 16 * 3 * 256;

/// A realm in a folder of its own, whose AP-REQs all peers are given, the same to each, made for each round: none of
/// them sees one twice, and none is old.
pub(crate) fn measure(report: &mut Report, rounds: usize, programs: &[(&str, &str)]) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let start = |name: &str, program: &str| Peer::start_in(name, program, &[folder.path()]);
    let named = programs.iter().map(|(name, program)| (name.trim_start_matches("kerberos-"), *program));
    let (realm, peers): (Vec<_>, Vec<_>) = named.partition(|(name, _)| *name == "realm");
    let mut realm = start("realm", realm.first().expect("a program that makes the realm").1);
    let made = realm.ask(&format!("tokens {TOKENS}"));
    let mut peers: Vec<_> = peers.into_iter().map(|(name, program)| start(name, program)).collect();
    let mut fresh = |peers: &mut [Peer], command: &str, count: usize| {
        let prepare = || drop(realm.ask(&format!("tokens {count}")));
        ask_prepared(peers, rounds, &format!("{command} {count}"), prepare)
    };
    let accept = fresh(&mut peers, "accept", TOKENS);
    let small = ask(&mut peers, rounds, "seal 1024 4096");
    let large = ask(&mut peers, rounds, "seal 65536 64");
    peers.retain(|peer| [OURS, MIT, HEIMDAL].contains(&peer.name.as_str()));
    let threads = fresh(&mut peers, "threads", FOR_THREADS);

    accepts(report, &accept);
    messages(report, &small, &large);
    scaling(report, &threads);
    let bytes = |key: &str| made.iter().find(|(name, _)| name == key).map_or(0.0, |(_, value)| *value);
    report.note(format!("AP-REQ of {} bytes with a PAC of {}", bytes("token_bytes"), bytes("pac_bytes")));
    for peer in std::iter::once(OURS).chain(accept.peers_but(OURS)) {
        let refuses = |key| accept.of(peer, key).is_some_and(|values| values.median > 0.0);
        let said = |refuses| if refuses { "refused" } else { "taken" };
        report.note(format!(
            "{peer}: a token that was seen before is {}, a PAC that the service's key did not sign is {}",
            said(refuses("refuses_replayed")),
            said(refuses("refuses_forged"))
        ));
    }
    report.note(format!("load at the end: {}", machine::load()));
}

fn accepts(report: &mut Report, accept: &Series) {
    let us = "accept_us";
    report.absolute("AP-REQ accepted, AP-REP made", "µs", accept, (OURS, us), None, Goal::AtMost(15.0));
    for peer in accept.peers_but(OURS) {
        let goal = if peer == MIT { Goal::AtMost(0.2) } else { Goal::None };
        report.compare("AP-REQ accepted, AP-REP made", "µs", accept, (OURS, us), (peer, us), goal);
    }
    let allocations = |of| (of, "allocations");
    report.absolute("allocations an accept", "", accept, allocations(OURS), Some(allocations(SSPI_RS)), Goal::None);
}

fn messages(report: &mut Report, small: &Series, large: &Series) {
    for (size, series) in [("1 KiB", small), ("64 KiB", large)] {
        for work in ["seal", "unseal"] {
            for peer in series.peers_but(OURS).into_iter().filter(|peer| !peer.ends_with("-none")) {
                let goal = if peer == SSPI_RS && size == "64 KiB" { Goal::AtLeast(1.0) } else { Goal::None };
                report.compare(&format!("{work} {size}"), "MB/s", series, (OURS, work), (peer, work), goal);
            }
        }
    }
    let allocations = (OURS, "seal_allocations");
    report.absolute("allocations a sealed message", "", small, allocations, None, Goal::None);
}

/// Two threads beside one, each peer beside itself.
fn scaling(report: &mut Report, threads: &Series) {
    let two = "two threads on one credential";
    report.compare(two, "/s", threads, (OURS, "two"), (OURS, "one"), Goal::AtLeast(1.8));
    report.compare("two threads that share nothing", "/s", threads, (OURS, "apart"), (OURS, "one"), Goal::None);
    report.compare("one credential beside two", "/s", threads, (OURS, "two"), (OURS, "apart"), Goal::None);
    for peer in threads.peers_but(OURS) {
        report.compare(&format!("{two}: {peer}"), "/s", threads, (peer, "two"), (peer, "one"), Goal::None);
    }
}
