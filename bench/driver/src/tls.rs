use crate::OURS;
use crate::peer::Peer;
use crate::report::{Goal, Report, Series};

const RUSTLS: &str = "rustls";
const OPENSSL: &str = "openssl";

/// The servers of `bench-tls` take turns inside it, many times a round: it is asked alone.
pub(crate) fn measure(report: &mut Report, rounds: usize, program: &str) {
    let mut peer = Peer::start("tls", program);
    let mut ask = |command: &str| {
        let mut series = Series::default();
        for round in 0..=rounds {
            let figures = peer.ask(command);
            // The first warms up.
            for (key, value) in figures.into_iter().filter(|_| round > 0) {
                let (server, key) = key.split_once('/').expect("SERVER/FIGURE");
                series.add(server, vec![(key.to_owned(), value)]);
            }
        }
        series
    };
    let handshakes = ask("accept 512");
    let large = ask("seal 16384 2048");
    let small = ask("seal 1024 8192");

    let kinds = [
        ("TLS 1.3, X25519", "Full"),
        ("TLS 1.3, X25519MLKEM768", "Hybrid"),
        ("TLS 1.3, resumed", "Resumed"),
        ("TLS 1.2, X25519", "Tls12"),
    ];
    for (work, kind) in kinds {
        let goal = if work.starts_with("TLS 1.3") { Goal::AtLeast(0.97) } else { Goal::None };
        report.compare(work, "/s", &handshakes, (OURS, kind), (RUSTLS, kind), goal);
        report.compare(work, "/s", &handshakes, (OURS, kind), (OPENSSL, kind), Goal::None);
    }
    for (size, series) in [("16 KiB", &large), ("1 KiB", &small)] {
        for work in ["seal", "unseal"] {
            let goal = if size == "16 KiB" { Goal::AtLeast(0.9) } else { Goal::None };
            let name = format!("{work} {size}");
            report.compare(&name, "MB/s", series, (OURS, work), (RUSTLS, work), goal);
            report.compare(&name, "MB/s", series, (OURS, work), (OPENSSL, work), Goal::None);
        }
    }
    for (work, kind) in kinds {
        let key = format!("{kind}_allocations");
        let (ours, bare) = ((OURS, key.as_str()), (RUSTLS, key.as_str()));
        report.absolute(&format!("allocations: {work}"), "", &handshakes, ours, Some(bare), Goal::None);
    }
    let half_open = "Full_half_open";
    report.absolute("half-open", "B", &handshakes, (OURS, half_open), Some((RUSTLS, half_open)), Goal::None);
    let version = |kind| handshakes.of(OPENSSL, kind).is_some();
    report.note(match (version("Full"), version("Hybrid")) {
        (false, _) => "openssl is left out: libssl's headers are not installed".to_owned(),
        (true, false) => "openssl knows no X25519MLKEM768 here: it came with 3.5".to_owned(),
        (true, true) => "openssl is the system's".to_owned(),
    });
}
