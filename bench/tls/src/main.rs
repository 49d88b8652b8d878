//! TLS servers in one process, in turn, their side alone timed: the Schannel package, rustls bare, and OpenSSL. They have
//! one certificate and one client, which is rustls.

mod client;
mod identity;
mod libssl;
mod measure;
mod ours;
mod plain;

use bench_harness::{Command, Counting, serve};
use client::{Kind, Sessions};
use identity::Identity;
use measure::Measured;

#[global_allocator]
static HEAP: Counting = Counting;

/// Conversations at a time: the client's work stays apart from the servers', and all fit in the cache.
const BATCH: usize = 16;

/// The name in the certificate.
const NAMES: &str = "*.corp.example";

fn main() {
    let identity = Identity::new();
    let mut servers: Vec<Box<dyn Measured>> =
        vec![Box::new(ours::Schannel::new(&identity)), Box::new(plain::Rustls::new(&identity))];
    servers.extend(libssl::server(&identity));
    let sessions: Vec<_> = servers.iter().map(|_| Sessions::new(&identity)).collect();
    let turns = |n: usize| {
        let servers = &servers;
        // Each batch begins with another server.
        (0..n.div_ceil(BATCH)).flat_map(move |batch| (0..servers.len()).map(move |turn| (batch + turn) % servers.len()))
    };
    serve(|command| {
        let mut figures = Vec::new();
        match command {
            Command::Accept(n) => {
                for kind in Kind::ALL {
                    let able = |at: usize| servers[at].speaks(kind);
                    let mut seconds = vec![0.0; servers.len()];
                    for at in turns(n).filter(|&at| able(at)) {
                        seconds[at] += servers[at].handshakes(&sessions[at], kind).as_secs_f64();
                    }
                    let each = (n.div_ceil(BATCH) * BATCH) as f64;
                    for at in (0..servers.len()).filter(|&at| able(at)) {
                        let name = servers[at].name();
                        figures.push((format!("{name}/{kind:?}"), each / seconds[at]));
                        let heap = servers[at].heap(&sessions[at], kind);
                        figures.extend(heap.into_iter().map(|(key, value)| (format!("{name}/{kind:?}_{key}"), value)));
                    }
                }
            }
            Command::Seal(size, n) => {
                let mut seconds = vec![(0.0, 0.0); servers.len()];
                let mut streams: Vec<_> =
                    servers.iter().zip(&sessions).map(|(server, sessions)| server.stream(sessions)).collect();
                for at in turns(n) {
                    let (sealed, unsealed) = streams[at].records(size);
                    seconds[at].0 += sealed.as_secs_f64();
                    seconds[at].1 += unsealed.as_secs_f64();
                }
                let megabytes = (n.div_ceil(BATCH) * BATCH * size) as f64 / 1e6;
                for (server, (sealed, unsealed)) in servers.iter().zip(seconds) {
                    figures.push((format!("{}/seal", server.name()), megabytes / sealed));
                    figures.push((format!("{}/unseal", server.name()), megabytes / unsealed));
                }
            }
            Command::Spin(n) => {
                let spin = || servers[0].handshakes(&sessions[0], Kind::Full).as_secs_f64() * 1e6;
                figures.push(("spin_us".to_owned(), (0..n.div_ceil(BATCH)).map(|_| spin()).sum::<f64>() / n as f64));
            }
            other => panic!("{other:?} is not asked of this peer"),
        }
        figures
    });
}
