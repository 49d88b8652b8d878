//! The crate `sspi`, server side: NTLMv2 accepted, messages protected.

use bench_harness::{Command, Counting, Figures, Heap, Identity, Initiator, cpu, fresh, serve};
use sspi::ntlm::NtlmConfig;
use sspi::*;
use std::hint::black_box;
use std::time::Duration;

#[global_allocator]
static HEAP: Counting = Counting;

const BATCH: usize = 64;
const TARGET: &str = "HTTP/web1.corp.example";
const PASSWORD: &str = "Bench.Passw0rd";

/// One side of a handshake with its credentials.
struct Side {
    ntlm: Ntlm,
    credentials: Option<AuthIdentityBuffers>,
}

fn main() {
    let identity = AuthIdentity {
        username: Username::parse("CORP\\ann").expect("a name"),
        password: Secret::from(PASSWORD.to_owned()),
    };
    serve(|command| match command {
        Command::Accept(n) => accept(&identity, n),
        Command::Seal(size, n) => seal(&identity, size, n),
        // It draws its own challenges: a recorded conversation cannot be replayed.
        other => panic!("{other:?} is not asked of this peer"),
    });
}

/// All of the server's calls: CHALLENGE made, AUTHENTICATE parsed, CompleteAuthToken, which is where it judges, and
/// the context's release. The client is the same that logs on to Portcullis.
fn accept(identity: &AuthIdentity, n: usize) -> Figures {
    let ann = Identity::new("ann", "CORP", PASSWORD);
    let batches = n.div_ceil(BATCH);
    let time: Duration = (0..batches).map(|_| accept_batch(identity, &ann)).sum();

    let (client, mut server) = (Initiator::new(&ann, TARGET), Side::server(identity));
    let (negotiate, room) = (client.negotiate().to_vec(), Vec::with_capacity(1024));
    let (challenge, first) = Heap::during(|| server.accept(negotiate, room));
    let token = client.authenticate(&challenge, fresh(n)).0;
    let (token_bytes, room) = (token.len(), Vec::with_capacity(1024));
    let ((), second) = Heap::during(|| server.judge(token, room));
    vec![
        ("accept_us", time.as_secs_f64() * 1e6 / (batches * BATCH) as f64),
        ("allocations", (first.allocations + second.allocations) as f64),
        ("challenge_bytes", challenge.len() as f64),
        ("authenticate_bytes", token_bytes as f64),
    ]
}

/// The server's time for one batch. A batch keeps the client's work apart from the server's and is small enough to
/// stay in the cache.
fn accept_batch(identity: &AuthIdentity, ann: &Identity) -> Duration {
    let client = Initiator::new(ann, TARGET);
    let mut servers: Vec<_> = (0..BATCH).map(|_| Side::server(identity)).collect();
    let mut rooms: Vec<Vec<u8>> = (0..2 * BATCH).map(|_| Vec::with_capacity(1024)).collect();
    let negotiates = vec![client.negotiate().to_vec(); BATCH];
    let mut challenges = Vec::with_capacity(BATCH);
    let start = cpu();
    for (server, token) in servers.iter_mut().zip(negotiates) {
        challenges.push(server.accept(token, rooms.pop().expect("two a logon")));
    }
    let first = cpu() - start;
    let answer = |(n, challenge): (usize, &Vec<u8>)| client.authenticate(challenge, fresh(n)).0;
    let tokens: Vec<_> = challenges.iter().enumerate().map(answer).collect();
    let start = cpu();
    for (mut server, token) in servers.into_iter().zip(tokens) {
        server.judge(token, rooms.pop().expect("two a logon"));
        drop(black_box(server));
    }
    first + (cpu() - start)
}

fn seal(identity: &AuthIdentity, size: usize, n: usize) -> Figures {
    let rate = |seconds: f64| (size * n) as f64 / 1e6 / seconds;
    let mut messages = vec![([0u8; 16], vec![0x5a_u8; size]); n];
    let (mut client, mut server) = handshake(identity);
    let start = cpu();
    for (token, data) in &mut messages {
        let mut buffers = [SecurityBufferRef::token_buf(token), SecurityBufferRef::data_buf(data)];
        server.encrypt_message(EncryptionFlags::empty(), &mut buffers).expect("sealed");
    }
    let sealed = cpu() - start;
    // The server unseals what a client sealed; both directions are one work, so the roles may be swapped.
    let start = cpu();
    for (token, data) in &mut messages {
        let mut buffers = [SecurityBufferRef::token_buf(token), SecurityBufferRef::data_buf(data)];
        client.decrypt_message(&mut buffers).expect("unsealed");
    }
    let unsealed = cpu() - start;
    assert!(messages.iter().all(|(_, data)| data.iter().all(|byte| *byte == 0x5a)));

    let (mut client, mut server) = handshake(identity);
    let start = cpu();
    for (sequence, (token, data)) in (0..).zip(&mut messages) {
        let mut buffers = [SecurityBufferRef::token_buf(token), SecurityBufferRef::data_buf(data)];
        server.make_signature(0, &mut buffers, sequence).expect("signed");
    }
    let signed = cpu() - start;
    let start = cpu();
    for (sequence, (token, data)) in (0..).zip(&mut messages) {
        let mut buffers = [SecurityBufferRef::token_buf(token), SecurityBufferRef::data_buf(data)];
        client.verify_signature(&mut buffers, sequence).expect("verified");
    }
    let verified = cpu() - start;
    vec![
        ("seal", rate(sealed.as_secs_f64())),
        ("unseal", rate(unsealed.as_secs_f64())),
        ("sign", rate(signed.as_secs_f64())),
        ("verify", rate(verified.as_secs_f64())),
    ]
}

fn handshake(identity: &AuthIdentity) -> (Ntlm, Ntlm) {
    let (mut client, mut server) = (Side::client(identity), Side::server(identity));
    let challenge = server.accept(client.initiate(Vec::new()), Vec::with_capacity(1024));
    server.judge(client.initiate(challenge), Vec::with_capacity(1024));
    (client.ntlm, server.ntlm)
}

impl Side {
    fn client(identity: &AuthIdentity) -> Self {
        Self::new(CredentialUse::Outbound, NtlmConfig { client_computer_name: Some("BENCH".into()) }, identity)
    }

    /// The identity goes in up front: this acceptor has no store to ask.
    fn server(identity: &AuthIdentity) -> Self {
        Self::new(CredentialUse::Inbound, NtlmConfig::default(), identity)
    }

    fn new(usage: CredentialUse, config: NtlmConfig, identity: &AuthIdentity) -> Self {
        let mut ntlm = Ntlm::with_config(config);
        let acquired = ntlm
            .acquire_credentials_handle()
            .with_credential_use(usage)
            .with_auth_data(identity)
            .execute(&mut ntlm)
            .expect("a credential");
        Self { ntlm, credentials: acquired.credentials_handle }
    }

    fn judge(&mut self, token: Vec<u8>, room: Vec<u8>) {
        self.accept(token, room);
        self.ntlm.complete_auth_token(&mut []).expect("the client proves itself");
    }

    fn initiate(&mut self, token: Vec<u8>) -> Vec<u8> {
        let wishes = ClientRequestFlags::MUTUAL_AUTH
            | ClientRequestFlags::USE_SESSION_KEY
            | ClientRequestFlags::INTEGRITY
            | ClientRequestFlags::CONFIDENTIALITY;
        let mut input = [SecurityBuffer::new(token, BufferType::Token)];
        let mut output = [SecurityBuffer::new(Vec::with_capacity(1024), BufferType::Token)];
        let mut call = self
            .ntlm
            .initialize_security_context()
            .with_credentials_handle(&mut self.credentials)
            .with_context_requirements(wishes)
            .with_target_data_representation(DataRepresentation::Native)
            .with_target_name(TARGET)
            .with_input(&mut input)
            .with_output(&mut output);
        let mut step = self.ntlm.initialize_security_context_impl(&mut call).expect("a token");
        step.resolve_to_result().expect("no network is asked");
        drop(step);
        std::mem::take(&mut output[0].buffer)
    }

    /// `room` is the caller's output buffer: its allocation is none of the acceptor's.
    fn accept(&mut self, token: Vec<u8>, room: Vec<u8>) -> Vec<u8> {
        let mut input = [SecurityBuffer::new(token, BufferType::Token)];
        let mut output = [SecurityBuffer::new(room, BufferType::Token)];
        let call = self
            .ntlm
            .accept_security_context()
            .with_credentials_handle(&mut self.credentials)
            .with_context_requirements(ServerRequestFlags::empty())
            .with_target_data_representation(DataRepresentation::Native)
            .with_input(&mut input)
            .with_output(&mut output);
        let mut step = self.ntlm.accept_security_context_impl(call).expect("a token");
        step.resolve_to_result().expect("no network is asked");
        drop(step);
        std::mem::take(&mut output[0].buffer)
    }
}
