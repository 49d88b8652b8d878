//! The crate `sspi`, server side: AP-REQs accepted, messages protected.

use bench_harness::{Command, Counting, Figures, Heap, cpu, serve};
use bench_kerberos::{Client, REALM, SERVICE, Session, TOKEN, tokens};
use portcullis_wire::kerberos::Keytab;
use sspi::kerberos::ServerProperties;
use sspi::{
    BufferType, DataRepresentation, EncryptionFlags, Kerberos, KerberosConfig, Secret, SecurityBuffer,
    SecurityBufferRef, SecurityStatus, ServerRequestFlags, Sspi, SspiImpl,
};
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

#[global_allocator]
static HEAP: Counting = Counting;

/// How many contexts there are at a time.
const BATCH: usize = 64;

fn main() {
    let folder: PathBuf = std::env::args().nth(1).expect("usage: bench-kerberos-sspi-rs FOLDER").into();
    let key = key(&folder);
    serve(|command| match command {
        Command::Accept(n) => accept(&folder, &key, n),
        Command::Seal(size, n) => seal(&folder, &key, size, n),
        other => panic!("{other:?} is not asked of this peer"),
    });
}

/// The service's key: this acceptor reads no keytab.
fn key(folder: &Path) -> Vec<u8> {
    let file = std::fs::read(folder.join("keytab")).expect("the realm's files are readable");
    let keytab = Keytab::decode(&file).expect("a keytab");
    let entry = keytab.entries().next().expect("an entry").expect("that is whole");
    entry.key.to_vec()
}

/// The server's one call, and the context's release. What the context is made of (its properties, with a replay cache
/// that no other context shares) is there before.
fn accept(folder: &Path, key: &[u8], n: usize) -> Figures {
    let tokens = tokens(folder, "tokens");
    assert_eq!(tokens.len(), n, "the realm has made as many as are asked for");
    let mut time = Duration::ZERO;
    for batch in tokens.chunks(BATCH) {
        let inputs = batch.iter().map(|token| (server(key), token.clone(), Vec::with_capacity(1024)));
        let inputs: Vec<_> = inputs.collect();
        let start = cpu();
        for (mut server, token, room) in inputs {
            black_box(call(&mut server, token, room).expect("a fresh AP-REQ is accepted"));
        }
        time += cpu() - start;
    }
    let (mut fresh, token, room) = (server(key), tokens[0].clone(), Vec::with_capacity(1024));
    let (reply, heap) = Heap::during(|| call(&mut fresh, token, room).expect("a fresh AP-REQ is accepted"));
    let refused = |mut server: Kerberos, token: &[u8]| call(&mut server, token.to_vec(), Vec::new()).is_err();
    let flag = |refused: bool| f64::from(u8::from(refused));
    vec![
        ("accept_us", time.as_secs_f64() * 1e6 / n as f64),
        ("allocations", heap.allocations as f64),
        ("reply_bytes", reply.len() as f64),
        ("refuses_forged", flag(refused(server(key), &bench_kerberos::tokens(folder, "forged")[0]))),
        ("refuses_replayed", flag(refused(server(key), &tokens[0]))),
    ]
}

fn seal(folder: &Path, key: &[u8], size: usize, n: usize) -> Figures {
    let rate = |seconds: f64| (size * n) as f64 / 1e6 / seconds;
    let plain = vec![0x5a_u8; size];
    let mut messages = vec![([0u8; TOKEN], plain.clone()); n];
    let (mut client, mut server) = handshake(folder, key);
    let start = cpu();
    for (token, data) in &mut messages {
        let mut buffers = [SecurityBufferRef::token_buf(token), SecurityBufferRef::data_buf(data)];
        server.encrypt_message(EncryptionFlags::empty(), &mut buffers).expect("sealed");
    }
    let sealed = cpu() - start;
    for (token, data) in &mut messages {
        assert!(client.unseal(data, token) && *data == plain, "the client reads what the server sealed");
        *token = client.seal(data);
    }
    let start = cpu();
    for (token, data) in &mut messages {
        let mut buffers = [SecurityBufferRef::token_buf(token), SecurityBufferRef::data_buf(data)];
        server.decrypt_message(&mut buffers).expect("unsealed");
    }
    let unsealed = cpu() - start;
    assert!(messages.iter().all(|(_, data)| *data == plain), "the server reads what the client sealed");
    vec![("seal", rate(sealed.as_secs_f64())), ("unseal", rate(unsealed.as_secs_f64()))]
}

fn handshake(folder: &Path, key: &[u8]) -> (Session, Kerberos) {
    let client = Client::from_ccache(&std::fs::read(folder.join("ccache")).expect("the realm's files are readable"));
    let (token, pending) = client.request(SystemTime::now());
    let mut server = server(key);
    let reply = call(&mut server, token, Vec::with_capacity(1024)).expect("a fresh AP-REQ is accepted");
    (pending.finish(&reply), server)
}

fn server(key: &[u8]) -> Kerberos {
    let config = KerberosConfig::new_with_kdc_url(&format!("tcp://127.0.0.1:1/{REALM}"), "BENCH".to_owned());
    let (skew, key) = (Duration::from_secs(300), Secret::new(key.to_vec()));
    let properties = ServerProperties::new(&SERVICE, None, skew, Some(key)).expect("properties");
    Kerberos::new_server_from_config(config, properties).expect("a server")
}

/// `room` is the caller's output buffer: its allocation is none of the acceptor's.
fn call(server: &mut Kerberos, token: Vec<u8>, room: Vec<u8>) -> sspi::Result<Vec<u8>> {
    let mut input = [SecurityBuffer::new(token, BufferType::Token)];
    let mut output = [SecurityBuffer::new(room, BufferType::Token)];
    let mut credentials = None;
    let builder = server
        .accept_security_context()
        .with_credentials_handle(&mut credentials)
        .with_context_requirements(ServerRequestFlags::empty())
        .with_target_data_representation(DataRepresentation::Native)
        .with_input(&mut input)
        .with_output(&mut output);
    let mut step = server.accept_security_context_impl(builder)?;
    let done = step.resolve_to_result()?;
    drop(step);
    assert_eq!(done.status, SecurityStatus::Ok, "one token is enough");
    Ok(std::mem::take(&mut output[0].buffer))
}
