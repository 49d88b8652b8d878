//! Portcullis, through its public API as a server uses it.

mod authority;

use authority::OneAccount;
use bench_harness::{Command, Counting, Figures, Heap, Identity, Initiator, Session, cpu, fresh, serve};
use portcullis::{Call, Context, Credential, Failure, Handshake, NeedsToken, NoRandomness, Segment, ntlm};
use std::hint::black_box;
use std::time::{Duration, SystemTime};

#[global_allocator]
static HEAP: Counting = Counting;

const TARGET: &str = "HTTP/web1.corp.example";
const PASSWORD: &str = "Bench.Passw0rd";
const BATCH: usize = 64;

struct Bench {
    credential: Credential,
    authority: OneAccount,
    identity: Identity,
}

fn main() {
    // NetBIOS names alone: the peers' CHALLENGEs say as much or less, and every byte of it is hashed three times.
    let names = ntlm::ServerNames::standalone("WEB1");
    let bench = Bench {
        credential: Credential::acceptor(ntlm::Ntlm::new(names)),
        authority: OneAccount::new("ann", "CORP", PASSWORD),
        identity: Identity::new("ann", "CORP", PASSWORD),
    };
    assert!(bench.refuses("Another.Passw0rd"), "a wrong password must not be let in");
    serve(|command| match command {
        Command::Accept(n) => bench.accept(n),
        Command::Seal(size, n) => bench.seal(size, n),
        Command::Spin(n) => bench.spin(n),
        other => panic!("{other:?} is not asked of this peer"),
    });
}

impl Bench {
    /// `accept_us` ends where the context stands: who the client is, proof and MIC judged. Keys for messages come
    /// when the first message needs them; the peers derive theirs always, so `accept_keys_us` counts them in. Both
    /// count the context's release.
    fn accept(&self, n: usize) -> Figures {
        let batches = n.div_ceil(BATCH);
        let plain: Duration = (0..batches).map(|_| self.accept_batch(drop)).sum();
        let keys: Duration = (0..batches).map(|_| self.accept_batch(|context| drop(black_box(context.split())))).sum();
        let micros = |time: Duration| time.as_secs_f64() * 1e6 / (batches * BATCH) as f64;

        let (client, mut challenge) = (self.client(), Vec::with_capacity(1024));
        let (half_open, first) = Heap::during(|| self.challenge(client.negotiate(), &mut challenge));
        let (token, _) = client.authenticate(&challenge, fresh(n));
        let (context, second) = Heap::during(|| self.judge(half_open, &token));
        let (halves, third) = Heap::during(|| context.split());
        drop(halves);
        let tokens = client.negotiate().len() + challenge.len();
        vec![
            ("accept_us", micros(plain)),
            ("accept_keys_us", micros(keys)),
            ("allocations", (first.allocations + second.allocations) as f64),
            ("keys_allocations", third.allocations as f64),
            ("half_open_bytes", first.retained as f64),
            ("half_open_beyond_tokens", (first.retained - tokens as i64) as f64),
            ("challenge_bytes", challenge.len() as f64),
            ("authenticate_bytes", token.len() as f64),
        ]
    }

    /// The server's time for one batch. A batch keeps the client's work apart from the server's and is small enough
    /// to stay in the cache.
    fn accept_batch(&self, finish: impl Fn(Context)) -> Duration {
        let negotiates: Vec<_> = (0..BATCH).map(|_| self.client().negotiate().to_vec()).collect();
        let mut half_open = Vec::with_capacity(BATCH);
        let mut challenges: Vec<_> = (0..BATCH).map(|_| Vec::with_capacity(1024)).collect();
        let start = cpu();
        for (negotiate, challenge) in negotiates.iter().zip(&mut challenges) {
            half_open.push(self.challenge(negotiate, challenge));
        }
        let first = cpu() - start;
        let answer = |(n, challenge): (usize, &Vec<u8>)| self.client().authenticate(challenge, fresh(n)).0;
        let tokens: Vec<_> = challenges.iter().enumerate().map(answer).collect();
        let start = cpu();
        for (half_open, token) in half_open.into_iter().zip(&tokens) {
            finish(self.judge(half_open, token));
        }
        first + (cpu() - start)
    }

    fn client(&self) -> Initiator<'_> {
        Initiator::new(&self.identity, TARGET)
    }

    /// One conversation, its challenge and clock held still, judged again and again: nothing but the server runs.
    fn spin(&self, n: usize) -> Figures {
        let negotiate = self.client().negotiate().to_vec();
        let mut random = |bytes: &mut [u8]| {
            bytes.fill(0x5a);
            Ok(())
        };
        let (now, mut events) = (SystemTime::now(), ());
        let mut token = Vec::new();
        let mut out = Vec::with_capacity(1024);
        let start = cpu();
        for round in 0..=n {
            out.clear();
            let call = Call::new(now, &mut random, &mut events, &mut out);
            let Ok(Handshake::NeedsToken(half_open)) = self.credential.begin().token(&negotiate, call) else {
                panic!("a CHALLENGE was expected")
            };
            if round == 0 {
                token = self.client().authenticate(&out, fresh(1)).0;
            }
            let call = Call::new(now, &mut random, &mut events, &mut out);
            let Ok(Handshake::NeedsAnswer(asked)) = half_open.token(&token, call) else {
                panic!("a question was expected")
            };
            let call = Call::new(now, &mut random, &mut events, &mut out);
            let Ok(Handshake::Established(context)) = asked.ask(&self.authority, call) else {
                panic!("a context was expected")
            };
            black_box(context);
        }
        vec![("spin_us", (cpu() - start).as_secs_f64() * 1e6 / n as f64)]
    }

    /// The first leg: the CHALLENGE is appended to `out`.
    fn challenge(&self, token: &[u8], out: &mut Vec<u8>) -> NeedsToken {
        match call(out, |call| self.credential.begin().token(token, call)) {
            Ok(Handshake::NeedsToken(half_open)) => half_open,
            other => panic!("a CHALLENGE was expected: {other:?}"),
        }
    }

    /// The second leg: the question, its answer, and the context.
    fn judge(&self, half_open: NeedsToken, token: &[u8]) -> Context {
        match self.try_judge(half_open, token) {
            Ok(Handshake::Established(context)) => context,
            other => panic!("a context was expected: {other:?}"),
        }
    }

    fn try_judge(&self, half_open: NeedsToken, token: &[u8]) -> Result<Handshake, Failure> {
        let mut none = Vec::new();
        match call(&mut none, |call| half_open.token(token, call))? {
            Handshake::NeedsAnswer(asked) => call(&mut none, |call| asked.ask(&self.authority, call)),
            other => Ok(other),
        }
    }

    fn refuses(&self, password: &str) -> bool {
        let identity = Identity::new("ann", "CORP", password);
        let client = Initiator::new(&identity, TARGET);
        let mut challenge = Vec::new();
        let half_open = self.challenge(client.negotiate(), &mut challenge);
        let (token, _) = client.authenticate(&challenge, fresh(0));
        self.try_judge(half_open, &token).is_err()
    }

    fn handshake(&self) -> (Session, Context) {
        let (client, mut challenge) = (self.client(), Vec::new());
        let half_open = self.challenge(client.negotiate(), &mut challenge);
        let (token, session) = client.authenticate(&challenge, fresh(7));
        (session, self.judge(half_open, &token))
    }

    fn seal(&self, size: usize, n: usize) -> Figures {
        let rate = |time: Duration| (size * n) as f64 / 1e6 / time.as_secs_f64();
        let plain = vec![0x5a_u8; size];
        let mut messages = vec![([0u8; 16], plain.clone()); n];

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

        let (mut client, mut server) = self.handshake();
        let start = cpu();
        for (token, data) in &mut messages {
            server.sign(&mut [Segment::Token(token), Segment::SignOnly(data)]).expect("signed");
        }
        let signed = cpu() - start;
        for (token, data) in &mut messages {
            assert!(client.verify(data, token), "the client verifies what the server signed");
            *token = client.sign(data);
        }
        let start = cpu();
        for (token, data) in &mut messages {
            server.verify(&mut [Segment::Token(token), Segment::SignOnly(data)]).expect("verified");
        }
        let verified = cpu() - start;

        let ((), heap) = Heap::during(|| {
            let (token, data) = &mut messages[0];
            server.seal(&mut [Segment::Token(token), Segment::Data(data)]).expect("sealed");
        });
        vec![
            ("seal", rate(sealed)),
            ("unseal", rate(unsealed)),
            ("sign", rate(signed)),
            ("verify", rate(verified)),
            ("seal_allocations", heap.allocations as f64),
        ]
    }
}

/// A call as a server makes it: with the system's clock and random source.
fn call<T>(out: &mut Vec<u8>, work: impl FnOnce(Call<'_>) -> T) -> T {
    let mut random = |bytes: &mut [u8]| getrandom::fill(bytes).map_err(|_| NoRandomness);
    work(Call::new(SystemTime::now(), &mut random, &mut (), out))
}
