//! `portcullis connect` against our own server, and against servers that do not behave. That its initiators log on to
//! others' servers is shown in `initiator.rs`.

use crate::harness::{ANN, PASSWORD, Server};
use portcullis::{Credential, negotiate::Negotiate, ntlm::Ntlm};
use portcullis_testkit::{Foretold, Host, Settings, server_names};
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Files with the right password, and with a wrong one.
struct Secrets(tempfile::TempDir);

impl Secrets {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("password", format!("{PASSWORD}\n")), ("wrong", "battery staple 2\n".to_owned())] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        Self(folder)
    }

    fn file(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }
}

fn connect(address: SocketAddr, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command.arg("connect").arg(format!("http://{address}/")).args(args).stdin(Stdio::null()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The exit code, and what it printed.
fn ended(output: &Output) -> (i32, String, String) {
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn each_scheme_logs_on_and_shows_its_legs() {
    let (server, secrets) = (Server::start(), Secrets::new());
    let password = secrets.file("password");
    let rows = [
        (Some("negotiate"), "SPNEGO NegTokenInit", "Negotiate by NTLM, NTLMv2"),
        (Some("ntlm"), "NTLM NEGOTIATE", "NTLM by NTLM, NTLMv2"),
        (Some("basic"), "Authorization: Basic, ann (password not shown)", "logged on"),
        (None, "SPNEGO NegTokenInit", "Negotiate by NTLM"),
    ];
    for (scheme, shown, last) in rows {
        let scheme: Vec<_> = scheme.iter().flat_map(|name| ["--scheme", name]).collect();
        let output = connect(server.http, &[&["--user", ANN, "--password-file", &password], &scheme[..]].concat());
        let (code, out, err) = ended(&output);
        assert_eq!((code, err.as_str()), (0, ""), "{out}");
        assert!(out.contains(shown) && out.contains(last) && out.contains("\\ann\n"), "{out}");
        assert!(out.starts_with("> GET / HTTP/1.1\n< 401 Unauthorized\n<   WWW-Authenticate: Negotiate\n"), "{out}");
        assert!(!out.contains(PASSWORD) && !out.contains("YW5uOm"), "the password is in what is printed");
    }
}

#[test]
fn names_and_hashes() {
    let (server, secrets) = (Server::start(), Secrets::new());
    let hash = portcullis::ntlm::keys::nt_hash(PASSWORD);
    let digits: String = hash.expose().iter().map(|byte| format!("{byte:02x}")).collect();
    fs::write(secrets.file("hash"), format!("{digits}\n")).unwrap();
    let (code, out, _) = ended(&connect(server.http, &["--user", ANN, "--nt-hash-file", &secrets.file("hash")]));
    assert_eq!(code, 0, "{out}");
    let place = connect(
        server.http,
        &[
            "--user",
            ".\\ann",
            "--password-file",
            &secrets.file("password"),
            "--target",
            "HTTP/elsewhere",
            "--workstation",
            "PC7",
        ],
    );
    let (code, out, _) = ended(&place);
    assert!(code == 0 && out.contains("MsvAvTargetName: HTTP/elsewhere") && out.contains("Workstation: PC7"), "{out}");
    fs::write(secrets.file("short"), "0123").unwrap();
    let (code, _, err) = ended(&connect(server.http, &["--user", ANN, "--nt-hash-file", &secrets.file("short")]));
    assert!(code == 1 && err.contains("32 hexadecimal digits"), "{err}");
    let basic = ["--user", ANN, "--scheme", "basic", "--nt-hash-file", &secrets.file("hash")];
    let (code, _, err) = ended(&connect(server.http, &basic));
    assert!(code == 2 && err.contains("Basic needs the password"), "{err}");
}

#[test]
fn a_refusal_says_what_to_do() {
    let (server, secrets) = (Server::start(), Secrets::new());
    for scheme in ["negotiate", "ntlm", "basic"] {
        let args = ["--user", ANN, "--scheme", scheme, "--password-file", &secrets.file("wrong")];
        let (code, out, err) = ended(&connect(server.http, &args));
        assert_eq!(code, 1, "{out}");
        assert!(err.starts_with("portcullis: not logged on: the server refuses\n"), "{err}");
        let id = err.rsplit(' ').next().unwrap().trim();
        let line = server.expect_last_cause("account/wrong-proof");
        assert_eq!(line["correlation"], id, "the id is the audit log's");
    }
}

#[test]
fn what_is_offered() {
    let (server, secrets) = (Server::with("[http]\nschemes = [\"NTLM\"]\n"), Secrets::new());
    let (code, out, _) = ended(&connect(server.http, &[]));
    assert_eq!((code, out.as_str()), (0, "> GET / HTTP/1.1\n< 401 Unauthorized\n<   WWW-Authenticate: NTLM\n"));
    let args = ["--user", ANN, "--scheme", "negotiate", "--password-file", &secrets.file("password")];
    let (code, _, err) = ended(&connect(server.http, &args));
    assert!(code == 1 && err.contains("does not offer Negotiate"), "{err}");
    // The best that is there.
    let (code, out, _) = ended(&connect(server.http, &["--user", ANN, "--password-file", &secrets.file("password")]));
    assert!(code == 0 && out.contains("NTLM by NTLM"), "{out}");
}

#[test]
fn json_for_programs() {
    let (server, secrets) = (Server::start(), Secrets::new());
    let (code, out, _) =
        ended(&connect(server.http, &["--user", ANN, "--json", "--password-file", &secrets.file("password")]));
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &report["authenticated"], &report["status"]), (0, &true.into(), &200.into()));
    assert_eq!(report["answer"]["name"], ANN);
    assert_eq!(report["context"]["package"], "Negotiate");
    let legs = report["legs"].as_array().unwrap();
    assert_eq!(legs.len(), 6);
    assert_eq!(legs[2]["token"]["fields"]["mechToken"]["kind"], "NTLM NEGOTIATE");
    let (code, out, _) =
        ended(&connect(server.http, &["--user", ANN, "--json", "--password-file", &secrets.file("wrong")]));
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (code, &report["authenticated"], &report["why"]["cause"]),
        (1, &false.into(), &"the server refuses".into())
    );
    assert!(report["correlation_id"].is_string());
}

#[test]
fn called_wrongly() {
    let run = |args: &[&str]| {
        let output =
            Command::new(env!("CARGO_BIN_EXE_portcullis")).arg("connect").args(args).stdin(Stdio::null()).output();
        ended(&output.unwrap())
    };
    for (args, why) in [
        (&["ftp://web.example/", "--user", ANN][..], "only http:// and https://"),
        (&["http://ann:secret@127.0.0.1/"], "--user"),
        (&["http://127.0.0.1:1/", "--user", ANN], "--password-file"),
        (&["http://127.0.0.1:1/", "--scheme", "ntlm"], "needs a --user"),
        (&["http://127.0.0.1:1/", "--user", ANN, "--scheme", "digest"], "digest"),
    ] {
        let (code, out, err) = run(args);
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}");
        assert!(err.contains(why), "{args:?}: {err}");
        assert!(!err.contains("secret@") || why == "--user", "{err}");
    }
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (code, _, err) = ended(&connect(closed, &[]));
    assert!(code == 1 && err.contains("cannot connect"), "{err}");
}

/// A server of one connection: each request gets the next answer, made from its token.
fn fake(answers: Vec<Answer>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        for answer in answers {
            let Some(token) = request(&mut stream) else { return };
            let Some(answer) = answer(&token) else { return };
            stream.write_all(answer.as_bytes()).unwrap();
        }
        // What more comes is not answered.
        let _ = stream.read(&mut [0; 4096]);
    });
    address
}

/// The token of a request; `None` when there is no request.
fn request(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        (stream.read(&mut byte).ok()? == 1).then_some(())?;
        head.push(byte[0]);
    }
    let head = text(&head);
    let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with("authorization:"));
    Some(line.map_or_else(Vec::new, |line| decode(line.rsplit(' ').next().unwrap())))
}

fn decode(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).unwrap_or_default()
}

fn answer(status: &str, authenticate: &str) -> String {
    let offer = if authenticate.is_empty() { String::new() } else { format!("WWW-Authenticate: {authenticate}\r\n") };
    format!("HTTP/1.1 {status}\r\n{offer}Content-Length: 2\r\n\r\n{{}}")
}

fn encoded(token: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(token)
}

type Answer = Box<dyn FnOnce(&[u8]) -> Option<String> + Send>;

fn says(status: &'static str, authenticate: &str) -> Answer {
    let text = answer(status, authenticate);
    Box::new(move |_| Some(text))
}

/// The first reply of a real acceptor.
fn challenges(scheme: &'static str) -> Answer {
    Box::new(move |token| {
        let ntlm = Ntlm::new(server_names());
        let credential = match scheme {
            "NTLM" => Credential::acceptor(ntlm),
            _ => Credential::acceptor(Negotiate::offering([ntlm.into()])),
        };
        let settings = Settings::default();
        let mut host = Host::new(&settings, Foretold::seeded(5));
        let _ = host.call(|call| credential.begin().token(token, call));
        Some(answer("401 Unauthorized", &format!("{scheme} {}", encoded(&host.take_output()))))
    })
}

/// A CHALLENGE without names.
const CHALLENGE: &str = "TlRMTVNTUAACAAAAAAAAADgAAAAFgoriASNFZ4mrze8AAAAAAAAAAAAAAAA4AAAACgBjRQAAAA8=";

/// A server that says 200 is not believed for that alone.
#[test]
fn servers_that_do_not_behave() {
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("password");
    fs::write(&password, "Password").unwrap();
    let garbage = encoded(b"garbage");
    let reject = encoded(&[0xa1, 0x07, 0x30, 0x05, 0xa0, 0x03, 0x0a, 0x01, 0x02]);
    let unsigned = encoded(&[0xa1, 0x07, 0x30, 0x05, 0xa0, 0x03, 0x0a, 0x01, 0x00]);
    let offer = |scheme: &str| says("401 Unauthorized", scheme);
    let rows: Vec<(&str, Vec<Answer>, &str)> = vec![
        ("lets in at once", vec![says("200 OK", "")], "asks nobody who they are"),
        ("lets in after the first token", vec![offer("NTLM"), says("200 OK", "")], "before the handshake was over"),
        (
            "lets in without its last token",
            vec![offer("Negotiate"), challenges("Negotiate"), says("200 OK", "")],
            "before the handshake was over",
        ),
        (
            "has garbage for a last token",
            vec![offer("Negotiate"), challenges("Negotiate"), says("200 OK", &format!("Negotiate {garbage}"))],
            "negotiate/",
        ),
        (
            "does not sign its last token",
            vec![offer("Negotiate"), challenges("Negotiate"), says("200 OK", &format!("Negotiate {unsigned}"))],
            "negotiate/list-mic-missing",
        ),
        (
            "rejects and lets in",
            vec![offer("Negotiate"), challenges("Negotiate"), says("200 OK", &format!("Negotiate {reject}"))],
            "negotiate/rejected-by-peer",
        ),
        (
            "has a garbled challenge",
            vec![offer("NTLM"), says("401 Unauthorized", &format!("NTLM {garbage}"))],
            "ntlm/malformed-token",
        ),
        ("has no base64", vec![offer("NTLM"), says("401 Unauthorized", "NTLM ***")], "no base64"),
        (
            "goes on after the last token",
            vec![offer("NTLM"), challenges("NTLM"), says("401 Unauthorized", &format!("NTLM {CHALLENGE}"))],
            "goes on after the last token",
        ),
        (
            "closes between",
            vec![
                offer("NTLM"),
                Box::new(|_| {
                    let answer = answer("401 Unauthorized", &format!("NTLM {CHALLENGE}"));
                    Some(answer.replacen("\r\n", "\r\nConnection: close\r\n", 1))
                }),
            ],
            "closed the connection between",
        ),
        (
            "closes without an answer",
            vec![offer("NTLM"), Box::new(|_| None)],
            "closed the connection without an answer",
        ),
        ("fails", vec![offer("NTLM"), challenges("NTLM"), says("503 Service Unavailable", "")], "503"),
        (
            "offers nothing that is known",
            vec![offer("Digest realm=\"x\", nonce=\"y\"")],
            "does not offer a scheme that is known here",
        ),
        ("speaks another protocol", vec![Box::new(|_| Some("SSH-2.0-x\r\n".into()))], "does not answer in HTTP/1.1"),
        (
            "has endless headers",
            vec![Box::new(|_| Some(format!("HTTP/1.1 401 Unauthorized\r\n{}\r\n", "X: y\r\n".repeat(500))))],
            "more headers than are read",
        ),
        (
            "has a huge body",
            vec![Box::new(|_| {
                Some(format!("HTTP/1.1 401 Unauthorized\r\nContent-Length: 2000000\r\n\r\n{}", " ".repeat(2_000_000)))
            })],
            "body cannot be read",
        ),
    ];
    for (what, answers, why) in rows {
        let address = fake(answers);
        let output =
            connect(address, &["--user", "User", "--password-file", password.to_str().unwrap(), "--timeout", "5"]);
        let (code, out, err) = ended(&output);
        assert_eq!(code, 1, "{what}: {out}");
        assert!(err.contains(why), "{what}: {err}");
        assert!(!out.contains("logged on:"), "{what}: {out}");
    }
}

#[test]
fn nobody_waits_for_ever() {
    let address = fake(vec![Box::new(|_| {
        std::thread::sleep(Duration::from_secs(20));
        None
    })]);
    let start = Instant::now();
    let (code, _, err) = ended(&connect(address, &["--timeout", "1"]));
    assert!(code == 1 && err.contains("does not answer within 1 s"), "{err}");
    assert!(start.elapsed() < Duration::from_secs(10));
}
