//! Portcullis' Kerberos acceptor with the authorities of a server: the service's keytab, and the replay cache in memory.

use bench_harness::{Command, Counting, Figures, Heap, cpu, serve};
use bench_kerberos::{Client, Session, TOKEN, tokens};
use portcullis::kerberos::{Kerberos, PacPolicy};
use portcullis::{
    Answer, Authority, Call, Context, Credential, Failure, Handshake, NoRandomness, Question, Refusal, Segment,
};
use portcullis_authority::{Authorities, KeytabAuthority, KeytabOptions, ReplayCache, Replays};
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::{Instant, SystemTime};

#[global_allocator]
static HEAP: Counting = Counting;

/// How many AP-REQs a thread accepts between two looks at the clock.
const SLICE: usize = 256;

struct Bench {
    folder: PathBuf,
    server: Server,
    /// Two more that share nothing.
    apart: [Server; 2],
}

struct Server {
    credential: Credential,
    authority: Authorities,
}

fn main() {
    let folder: PathBuf = std::env::args().nth(1).expect("usage: bench-kerberos FOLDER").into();
    let server = || Server::new(&folder);
    let bench = Bench { server: server(), apart: [server(), server()], folder: folder.clone() };
    serve(|command| match command {
        Command::Accept(n) => bench.accept(n),
        Command::Seal(size, n) => bench.seal(size, n),
        Command::Threads(n) => bench.threads(n),
        Command::Spin(n) => bench.spin(n),
        Command::Tokens(_) => panic!("the realm makes the tokens"),
    });
}

impl Bench {
    fn tokens(&self, n: usize) -> Vec<Vec<u8>> {
        let tokens = tokens(&self.folder, "tokens");
        assert_eq!(tokens.len(), n, "the realm has made as many as are asked for");
        tokens
    }

    /// All of the server's calls, and the context's release.
    fn accept(&self, n: usize) -> Figures {
        let tokens = self.tokens(n);
        let (counted, timed) = tokens.split_first().expect("a token");
        let mut reply = Vec::with_capacity(1024);
        let (context, heap) = Heap::during(|| self.server.accept(counted, &mut reply));
        drop(context);
        let start = cpu();
        for token in timed {
            reply.clear();
            drop(black_box(self.server.accept(token, &mut reply)));
        }
        let time = cpu() - start;
        let refused = |token: &[u8]| f64::from(u8::from(self.server.try_accept(token, &mut Vec::new()).is_err()));
        let forged = bench_kerberos::tokens(&self.folder, "forged");
        vec![
            ("accept_us", time.as_secs_f64() * 1e6 / timed.len() as f64),
            ("allocations", heap.allocations as f64),
            ("retained", heap.retained as f64),
            ("reply_bytes", reply.len() as f64),
            ("refuses_forged", refused(&forged[0])),
            ("refuses_replayed", refused(&tokens[n - 1])),
        ]
    }

    /// Accepts a second of wall time: by one thread, by two on one credential with one authority, and by two that share
    /// nothing, which says what two threads can do on this machine now. The best of several slices each, for what
    /// disturbs a slice only makes it slower.
    fn threads(&self, n: usize) -> Figures {
        let (shared, [left, right]) = (&self.server, &self.apart);
        let mut best = [0.0_f64; 3];
        for slice in self.tokens(n).chunks_exact(3 * SLICE) {
            let (first, rest) = slice.split_at(SLICE);
            let (second, third) = rest.split_at(SLICE);
            let rates = [
                rate(&[(shared, first)]),
                rate(&[(shared, second), (shared, third)]),
                rate(&[(left, second), (right, third)]),
            ];
            best.iter_mut().zip(rates).for_each(|(best, rate)| *best = best.max(rate));
        }
        vec![("one", best[0]), ("two", best[1]), ("apart", best[2])]
    }

    /// One token again and again, under a replay cache that is told another name for it each time. For profilers.
    fn spin(&self, n: usize) -> Figures {
        let client = client(&self.folder);
        let (token, _) = client.request(SystemTime::now());
        let renamed = Authorities { replays: Arc::new(Renamed::default()), ..self.server.authority.clone() };
        let server = Server { authority: renamed, credential: self.server.credential.clone() };
        let mut reply = Vec::with_capacity(1024);
        let start = cpu();
        for _ in 0..n {
            reply.clear();
            drop(black_box(server.accept(&token, &mut reply)));
        }
        vec![("spin_us", (cpu() - start).as_secs_f64() * 1e6 / n as f64)]
    }

    fn seal(&self, size: usize, n: usize) -> Figures {
        let rate = |seconds: f64| (size * n) as f64 / 1e6 / seconds;
        let plain = vec![0x5a_u8; size];
        let mut messages = vec![([0u8; TOKEN], plain.clone()); n];
        let (mut client, mut server) = self.handshake();
        let start = cpu();
        for (token, data) in &mut messages {
            server.seal(&mut [Segment::Token(token), Segment::Data(data)]).expect("sealed");
        }
        let sealed = cpu() - start;
        for (token, data) in &mut messages {
            assert!(client.unseal(data, token) && *data == plain, "the client reads what the server sealed");
            *token = client.seal(data);
        }
        let start = cpu();
        for (token, data) in &mut messages {
            server.unseal(&mut [Segment::Token(token), Segment::Data(data)]).expect("unsealed");
        }
        let unsealed = cpu() - start;
        assert!(messages.iter().all(|(_, data)| *data == plain), "the server reads what the client sealed");

        let mut wrapped = Vec::with_capacity(size + TOKEN);
        let start = cpu();
        for (_, data) in &messages {
            wrapped.clear();
            server.wrap(data, true, &mut wrapped).expect("wrapped");
        }
        let copied = cpu() - start;
        let ((), heap) = Heap::during(|| {
            let (token, data) = &mut messages[0];
            server.seal(&mut [Segment::Token(token), Segment::Data(data)]).expect("sealed");
        });
        vec![
            ("seal", rate(sealed.as_secs_f64())),
            ("unseal", rate(unsealed.as_secs_f64())),
            ("wrap", rate(copied.as_secs_f64())),
            ("seal_allocations", heap.allocations as f64),
        ]
    }

    fn handshake(&self) -> (Session, Context) {
        let (token, pending) = client(&self.folder).request(SystemTime::now());
        let mut reply = Vec::new();
        let context = self.server.accept(&token, &mut reply);
        (pending.finish(&reply), context)
    }
}

impl Server {
    fn new(folder: &Path) -> Self {
        let keytab =
            KeytabAuthority::open(&folder.join("keytab"), KeytabOptions::default()).expect("the realm's keytab");
        let authority = Authorities {
            accounts: Arc::new(NoKdc),
            tickets: Some(Arc::new(keytab)),
            replays: Arc::new(Replays::in_memory(Arc::new(ReplayCache::default()))),
        };
        let kerberos = Kerberos { pac: PacPolicy::Require, ..Kerberos::new() };
        Self { credential: Credential::acceptor(kerberos), authority }
    }

    fn accept(&self, token: &[u8], reply: &mut Vec<u8>) -> Context {
        let context = self.try_accept(token, reply).expect("a fresh AP-REQ is accepted");
        assert!(context.facts().account.as_ref().is_some_and(|account| account.groups.len() == 13));
        context
    }

    /// As a server does it: with the system's clock and random source, and what is asked answered at once.
    fn try_accept(&self, token: &[u8], reply: &mut Vec<u8>) -> Result<Context, Failure> {
        let mut handshake = call(reply, |call| self.credential.begin().token(token, call))?;
        loop {
            handshake = match handshake {
                Handshake::NeedsAnswer(asked) => call(reply, |call| asked.ask(&self.authority, call))?,
                Handshake::Established(context) => return Ok(context),
                other => panic!("a context was expected: {other:?}"),
            }
        }
    }
}

fn call<T>(out: &mut Vec<u8>, work: impl FnOnce(Call<'_>) -> T) -> T {
    let mut random = |bytes: &mut [u8]| getrandom::fill(bytes).map_err(|_| NoRandomness);
    work(Call::new(SystemTime::now(), &mut random, &mut (), out))
}

fn client(folder: &Path) -> Client {
    Client::from_ccache(&std::fs::read(folder.join("ccache")).expect("the realm's files are readable"))
}

/// Accepts a second of wall time by as many threads. They wait for each other busily, so that all have a processor when
/// the first begins.
fn rate(jobs: &[(&Server, &[Vec<u8>])]) -> f64 {
    let waiting = AtomicUsize::new(jobs.len());
    let work = |(server, tokens): &(&Server, &[Vec<u8>])| {
        let mut reply = Vec::with_capacity(1024);
        waiting.fetch_sub(1, Relaxed);
        while waiting.load(Relaxed) > 0 {
            std::hint::spin_loop();
        }
        let start = Instant::now();
        for token in *tokens {
            reply.clear();
            drop(black_box(server.accept(token, &mut reply)));
        }
        (start, Instant::now())
    };
    let times: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = jobs.iter().map(|job| scope.spawn(|| work(job))).collect();
        threads.into_iter().map(|thread| thread.join().expect("the thread ends")).collect()
    });
    let (start, end) = (times.iter().map(|(start, _)| *start).min(), times.iter().map(|(_, end)| *end).max());
    let wall = end.expect("a job") - start.expect("a job");
    jobs.iter().map(|(_, tokens)| tokens.len()).sum::<usize>() as f64 / wall.as_secs_f64()
}

/// What a store of accounts says of a PAC: there is no KDC to ask.
struct NoKdc;

impl Authority for NoKdc {
    fn answer(&self, question: &Question) -> Answer {
        match question {
            Question::ConfirmPac(asked) => asked.not_asked(),
            other => other.refuse(Refusal::NotAnswered),
        }
    }
}

/// A replay cache for one token that comes again and again.
#[derive(Default)]
struct Renamed {
    cache: ReplayCache,
    count: AtomicU64,
}

impl Authority for Renamed {
    fn answer(&self, question: &Question) -> Answer {
        let Question::SeenBefore(asked) = question else { return question.refuse(Refusal::NotAnswered) };
        let mut tag = asked.tag;
        let count = self.count.fetch_add(1, Relaxed);
        tag.iter_mut().zip(count.to_le_bytes()).for_each(|(to, from)| *to ^= from);
        match self.cache.remember(&tag, asked.now, asked.until) {
            portcullis_authority::Seen::Never => asked.fresh(),
            other => panic!("{other:?}"),
        }
    }
}
