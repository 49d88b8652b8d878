//! Logons and authenticated requests over HTTP, ours beside Apache with mod_auth_gssapi and gss-ntlmssp.

mod load;
mod server;

use crate::report::{Goal, Report, Series};
use load::Client;
use server::Server;
use std::time::{Duration, Instant};

/// How many connections are open at a time. The load client and the server share the machine.
const CONNECTIONS: usize = 4;
const ROUND: Duration = Duration::from_millis(1500);

/// Starts the servers that `run.sh` found, and says of the others why they are not there.
pub(crate) fn measure(report: &mut Report, rounds: usize, programs: &[(&str, &str)]) {
    let mut servers = Vec::new();
    for (name, program) in programs {
        match Server::start(name.trim_start_matches("http-"), program) {
            Ok(server) => servers.push(server),
            Err(why) => report.note(format!("{}: not measurable: {why}", name.trim_start_matches("http-"))),
        }
    }
    let mut series = Series::default();
    for round in 0..=rounds {
        for turn in 0..servers.len() {
            let server = &servers[(round + turn) % servers.len()];
            let figures = figures(server);
            if round > 0 {
                series.add(server.name, figures);
            }
        }
    }
    let ours = |key| ("portcullis", key);
    for peer in series.peers_but("portcullis") {
        let mut row = |work, unit, key| report.compare(work, unit, &series, ours(key), (peer, key), Goal::None);
        row("HTTP logons", "/s", "logons");
        row("HTTP logon, the server's CPU", "µs", "logon_us");
        row("HTTP requests after a logon", "/s", "requests");
        row("HTTP request, the server's CPU", "µs", "request_us");
    }
    if servers.len() < 2 {
        for server in &servers {
            let show = |key, unit| series.of(server.name, key).map_or_else(String::new, |spread| spread.show(unit));
            let [logons, logon_us] = [show("logons", "logons/s"), show("logon_us", "µs of CPU each")];
            let [requests, request_us] = [show("requests", "requests/s"), show("request_us", "µs of CPU each")];
            report.note(format!("HTTP, {} alone: {logons}, {logon_us}; {requests}, {request_us}", server.name));
        }
    }
}

fn figures(server: &Server) -> Vec<(String, f64)> {
    let (logons, logon_us) = under_load(server, |client, until| {
        let mut done = 0;
        while Instant::now() < until {
            client.log_on().expect("a logon that went well before goes well again");
            done += 1;
        }
        done
    });
    let (requests, request_us) = under_load(server, |client, until| {
        let mut connection = client.log_on().expect("a logon that went well before goes well again");
        let mut done = 0;
        while Instant::now() < until {
            assert_eq!(connection.get(None).expect("the connection stays open").status, 200, "the logon is remembered");
            done += 1;
        }
        done
    });
    let figures = [("logons", logons), ("logon_us", logon_us), ("requests", requests), ("request_us", request_us)];
    figures.map(|(key, value)| (key.to_owned(), value)).to_vec()
}

/// Pieces of work a second over all connections, and the server's CPU time for each in microseconds.
fn under_load(server: &Server, work: impl Fn(&Client<'_>, Instant) -> u64 + Sync) -> (f64, f64) {
    let (start, cpu) = (Instant::now(), server.cpu());
    let until = start + ROUND;
    let done: u64 = std::thread::scope(|scope| {
        let run = |_| scope.spawn(|| work(&server.client(), until));
        let threads: Vec<_> = (0..CONNECTIONS).map(run).collect();
        threads.into_iter().map(|thread| thread.join().expect("a connection's work")).sum()
    });
    let (seconds, cpu) = (start.elapsed().as_secs_f64(), server.cpu() - cpu);
    (done as f64 / seconds, cpu.as_secs_f64() * 1e6 / done as f64)
}
