//! TLS: every promise of streams, and the documentation's server and client over sockets, with curl and openssl in the place
//! of either.

use crate::compile::{COMPILERS, Program, compile, compile_with, run, success};
use crate::harness;
use crate::sample::Server;
use crate::semantics::VALGRIND;
use crate::store::Store;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis_authority::{Directory, LocalNames, Sqlite, identities};
use portcullis_testkit::tls::Ca;
use portcullis_wire::x509::Certificate;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};
use tempfile::TempDir;

/// Certificates, and a data folder whose account `ann` has the one of `client`.
pub struct Files {
    folder: TempDir,
    store: Store,
}

impl Files {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        for (name, subject) in [("ca", "/CN=Test CA"), ("other", "/CN=Other CA")] {
            let made = format!(
                "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.key -out {name}.pem -days 30 \
                 -addext basicConstraints=critical,CA:TRUE -subj"
            );
            openssl(at, &made, &[subject]);
        }
        let names = "subjectAltName=DNS:www.server.example,DNS:localhost";
        for (name, issuer, usage, more) in [
            ("server", "ca", "serverAuth", names),
            ("client", "ca", "clientAuth", ""),
            ("nobody", "ca", "clientAuth", ""),
            ("foreign", "other", "clientAuth", ""),
        ] {
            let extensions = format!("basicConstraints=critical,CA:FALSE\nextendedKeyUsage={usage}\n{more}\n");
            fs::write(at.join("extensions"), extensions).unwrap();
            let request = format!(
                "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.key -out {name}.csr -subj /CN={name}"
            );
            openssl(at, &request, &[]);
            let signed = format!(
                "x509 -req -in {name}.csr -CA {issuer}.pem -CAkey {issuer}.key -days 20 -out {name}.pem -extfile extensions"
            );
            openssl(at, &signed, &[]);
        }
        openssl(
            at,
            "pkcs12 -export -inkey server.key -in server.pem -certfile ca.pem -out server.pfx",
            &["-passout", "pass:pw"],
        );
        openssl(at, "x509 -in client.pem -outform DER -out client.der", &[]);
        let store = Store::new();
        let directory: Directory<Sqlite> = Directory::open_sqlite(&store.data, LocalNames::default()).unwrap();
        let der = fs::read(at.join("client.der")).unwrap();
        let known = identities(&Certificate::decode(&der).unwrap()).unwrap();
        let strong = known.iter().find(|identity| identity.form().is_strong()).unwrap();
        directory.map_certificate("ann", strong).unwrap();
        Self { folder, store }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the programs.
    pub fn run(&self, build: impl Fn(&str) -> Program, front: &[&str], environment: &[(&str, &str)]) {
        let brief = (!front.is_empty()).then_some("short");
        let folder = self.folder.path().to_str().unwrap();
        let data = self.store.data.to_str().unwrap();
        for (name, more) in
            [("semantics_schannel", brief), ("semantics_channel", None), ("semantics_clients", Some(data))]
        {
            let program = build(name);
            let mut command = program.under(front);
            let said = success(command.arg(folder).args(more).envs(environment.iter().copied()));
            assert!(said.ends_with(" 0 failed\n"), "{said}");
        }
    }
}

fn openssl(at: &Path, arguments: &str, more: &[&str]) {
    success(Command::new("openssl").args(arguments.split_whitespace()).args(more).current_dir(at));
}

pub fn sources(name: &str) -> [String; 4] {
    [format!("{name}.c"), "stream.c".to_owned(), "talk.c".to_owned(), "check.c".to_owned()]
}

fn built(compiler: &str, name: &str, flags: &[&str]) -> Program {
    compile(compiler, &sources(name).each_ref().map(String::as_str), flags)
}

#[test]
fn streams() {
    let files = Files::new();
    for compiler in COMPILERS {
        files.run(|name| built(compiler, name, &["-O2"]), &[], &[]);
    }
    // Who was let in by certificate, and who was not; a channel alone is no logon.
    let lines = files.store.audit();
    let of_tls: Vec<_> = lines.iter().filter(|line| line["package"] == "Schannel").collect();
    let count = |cause: &str| of_tls.iter().filter(|line| line["cause"] == cause).count();
    assert_eq!((count("ok"), of_tls.len() - count("ok")), (2, 2), "{of_tls:#?}");
}

#[test]
fn streams_under_valgrind() {
    Files::new().run(|name| built("gcc", name, &[]), &VALGRIND, &[]);
}

#[test]
fn streams_with_address_sanitizer() {
    let flags = ["-fsanitize=address", "-fno-omit-frame-pointer"];
    Files::new().run(|name| built("gcc", name, &flags), &[], &[("ASAN_OPTIONS", "detect_leaks=1:abort_on_error=0")]);
}

#[test]
fn forks_in_the_middle_of_tls() {
    let files = Files::new();
    let program = built("gcc", "schannel_fork", &[]);
    let said = success(program.command().arg(files.folder.path()).arg("20"));
    assert!(said.ends_with(" 0 failed\n"), "{said}");
}

/// The library stays in memory then, whoever closes it.
#[test]
fn unloaded_under_a_thread_that_used_tls() {
    let files = Files::new();
    let program = compile_with("gcc", &["schannel_unload.c", "check.c"], &["-ldl", "-lpthread"]);
    let said = success(program.command().arg(harness::library()).arg(files.folder.path()));
    assert!(said.ends_with(" 0 failed\n"), "{said}");
}

fn server(program: &Program, files: &Files, more: &[&str]) -> Server {
    Server::start(program.command().arg("0").arg(files.path("server.pfx")).arg("pw").args(more))
}

fn curl(files: &Files, port: u16, path: &str, flags: &[&str]) -> (String, bool) {
    let mut command = Command::new("curl");
    command.args(["-sS", "--max-time", "20", "--cacert"]).arg(files.path("ca.pem")).args(flags);
    let output = run(command.arg(format!("https://localhost:{port}{path}")));
    (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.success())
}

#[test]
fn a_server_for_curl() {
    let files = Files::new();
    let program = compile("gcc", &["sample_schannel_server.c"], &["-O2"]);
    for more in [&[][..], &["chunk", "1"]] {
        let mut server = server(&program, &files, more);
        for (flag, version) in [("--tls-max", "1.2"), ("--tlsv1.3", "1.3")] {
            let flags: &[&str] = if version == "1.2" { &[flag, version] } else { &[flag] };
            assert_eq!(curl(&files, server.port, "/", flags), ("hello\n".to_owned(), true));
            assert!(server.line().starts_with(&format!("established {version} TLS_")));
            assert_eq!(server.line(), "closed");
            assert_eq!(curl(&files, server.port, "/large", flags).0.len(), 200_000);
            assert!(server.line().starts_with("established"));
            assert_eq!(server.line(), "closed");
        }
        // Somebody who speaks no TLS.
        let mut plain = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
        plain.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        assert_eq!(server.line(), "refused 80090308 schannel/http");
        drop(TcpStream::connect(("127.0.0.1", server.port)).unwrap());
        assert_eq!(server.line(), "refused 80090318 left");
    }
}

#[test]
fn a_server_that_wants_certificates() {
    let files = Files::new();
    let program = compile("clang", &["sample_schannel_server.c"], &[]);
    let (ca, source) = (files.path("ca.pem"), files.store.source());
    let mut server = server(&program, &files, &["clients", ca.to_str().unwrap(), "authority", &source]);
    for version in [&["--tls-max", "1.2"][..], &["--tlsv1.3"]] {
        for (name, ending) in [("client", " CORP\\ann"), ("nobody", " certified")] {
            let (cert, key) = (files.path(&format!("{name}.pem")), files.path(&format!("{name}.key")));
            let flags = [version, &["--cert", cert.to_str().unwrap(), "--key", key.to_str().unwrap()]].concat();
            assert_eq!(curl(&files, server.port, "/", &flags), ("hello\n".to_owned(), true));
            let line = server.line();
            assert!(line.starts_with("established") && line.ends_with(ending), "{line}");
            assert_eq!(server.line(), "closed");
        }
        let (cert, key) = (files.path("foreign.pem"), files.path("foreign.key"));
        let foreign = [version, &["--cert", cert.to_str().unwrap(), "--key", key.to_str().unwrap()]].concat();
        assert!(!curl(&files, server.port, "/", &foreign).1);
        assert_eq!(server.line(), "refused 80090325 schannel/untrusted-root");
        assert!(!curl(&files, server.port, "/", version).1);
        assert_eq!(server.line(), "refused 8009030E schannel/no-client-certificate");
    }
}

/// Key updates, of which every second one wants an answer, between lines that come back.
#[test]
fn a_server_for_openssl() {
    let files = Files::new();
    let program = compile("gcc", &["sample_schannel_server.c"], &[]);
    for more in [&["early", "1"][..], &["chunk", "1"]] {
        let mut server = server(&program, &files, more);
        let mut client = Command::new("openssl")
            .args(["s_client", "-tls1_3", "-servername", "localhost", "-verify_return_error", "-CAfile"])
            .arg(files.path("ca.pem"))
            .args(["-connect", &format!("127.0.0.1:{}", server.port)])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdin = client.stdin.take().unwrap();
        assert!(server.line().starts_with("established 1.3"));
        for round in 0..6 {
            // A line alone is a command: one read is one line.
            stdin.write_all(if round % 2 == 0 { b"K\n" } else { b"k\n" }).unwrap();
            std::thread::sleep(Duration::from_millis(150));
            stdin.write_all(format!("line {round}\n").as_bytes()).unwrap();
            std::thread::sleep(Duration::from_millis(150));
            if round % 2 == 0 {
                if more[0] == "early" {
                    assert_eq!(server.line(), "early 80090310", "SEC_E_OUT_OF_SEQUENCE, and nothing was sealed");
                }
                assert_eq!(server.line(), "renegotiated");
            }
        }
        stdin.write_all(b"bye\n").unwrap();
        let said = finished(client);
        for round in 0..6 {
            assert!(said.contains(&format!("line {round}")), "{said}");
        }
        drop(stdin);
    }
}

/// What a program printed, which ends by itself.
fn finished(mut child: Child) -> String {
    let mut stdout = child.stdout.take().unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while child.try_wait().unwrap().is_none() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = child.kill();
    let _ = child.wait();
    let mut said = Vec::new();
    stdout.read_to_end(&mut said).unwrap();
    String::from_utf8_lossy(&said).into_owned()
}

/// A server of openssl's that sends every line back to front.
struct Reverse {
    child: Child,
    port: u16,
}

impl Reverse {
    fn start(files: &Files, more: &[&str]) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new("openssl")
            .args(["s_server", "-rev", "-accept", &format!("127.0.0.1:{port}"), "-cert"])
            .arg(files.path("server.pem"))
            .arg("-key")
            .arg(files.path("server.key"))
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).is_err() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { child, port }
    }
}

impl Drop for Reverse {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_client_of_openssl() {
    let files = Files::new();
    let program = compile("gcc", &["sample_schannel_client.c"], &["-O2"]);
    let said = |port: u16, name: &str, ca: &str, own: Option<&str>| {
        let mut command = program.command();
        command.arg(port.to_string()).arg(name).arg(files.path(ca)).arg("CLOSE");
        if let Some(own) = own {
            command.arg(files.path(&format!("{own}.pem"))).arg(files.path(&format!("{own}.key")));
        }
        String::from_utf8(run(&mut command).stdout).unwrap()
    };
    for (flag, version) in [("-tls1_2", "1.2"), ("-tls1_3", "1.3")] {
        let server = Reverse::start(&files, &[flag]);
        // The server takes this word as the end.
        assert_eq!(said(server.port, "localhost", "ca.pem", None), format!("established {version}\nclosed\n"));
        assert_eq!(said(server.port, "localhost", "other.pem", None), "refused 80090325 schannel/untrusted-root\n");
        assert_eq!(
            said(server.port, "elsewhere.example", "ca.pem", None),
            "refused 80090322 schannel/certificate-wrong-name\n"
        );
        let ca = files.path("ca.pem");
        let server =
            Reverse::start(&files, &[flag, "-Verify", "1", "-verify_return_error", "-CAfile", ca.to_str().unwrap()]);
        assert_eq!(
            said(server.port, "localhost", "ca.pem", Some("client")),
            format!("established {version}\nclosed\n")
        );
    }
}

/// Clients' certificates are looked up in the lists that the file names.
#[test]
fn revoked_by_a_list_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, label: &str, der: &[u8]| {
        let text = STANDARD.encode(der);
        let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        let pem = format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"));
        fs::write(folder.path().join(name), pem).unwrap();
    };
    let authority = Ca::new("authority");
    write("ca.pem", "CERTIFICATE", &authority.certificate());
    let leaves = [
        ("server", authority.server(&["www.server.example"])),
        ("client", authority.client("client", 7)),
        ("revoked", authority.client("revoked", 8)),
    ];
    for (name, leaf) in leaves {
        write(&format!("{name}.pem"), "CERTIFICATE", &leaf.certificate);
        write(&format!("{name}.key"), "PRIVATE KEY", &leaf.key);
    }
    let from = SystemTime::now() - Duration::from_secs(3600);
    write("list.pem", "X509 CRL", &authority.revokes(&[8], from, Duration::from_secs(7 * 24 * 3600)));
    let program = compile("gcc", &["semantics_schannel_file.c", "stream.c", "talk.c", "check.c"], &[]);
    let path = |name: &str| folder.path().join(name);
    let config = path("portcullis.toml");
    let text = format!(
        "[tls]\ncert = {:?}\nkey = {:?}\nclient_ca = {:?}\nclient_crls = [{:?}]\n",
        path("server.pem"),
        path("server.key"),
        path("ca.pem"),
        path("list.pem"),
    );
    fs::write(&config, text).unwrap();
    let mut command = program.command();
    let said = success(command.arg(folder.path()).arg("revoked").env("PORTCULLIS_CONFIG", config));
    assert!(said.ends_with(" 0 failed\n"), "{said}");
}

/// Who begins with a certificate that has ended learns it from the log.
#[test]
fn an_own_certificate_that_has_expired() {
    let files = Files::new();
    let signed = "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -days -1 -out expired.pem -extfile extensions";
    openssl(files.folder(), signed, &[]);
    fs::copy(files.path("server.key"), files.path("expired.key")).unwrap();
    let program = compile("gcc", &["semantics_schannel_file.c", "stream.c", "talk.c", "check.c"], &[]);
    let said = success(program.command().arg(files.folder()).arg("expired"));
    assert!(said.ends_with(" 0 failed\n"), "{said}");
}

/// A credential without pAuthData is what the file says, which may be a server's.
#[test]
fn by_the_file() {
    let files = Files::new();
    let program = compile("gcc", &["semantics_schannel_file.c", "stream.c", "talk.c", "check.c"], &[]);
    let path = |name: &str| files.path(name).display().to_string();
    let whole = format!(
        "[tls]\nlisten = [\"127.0.0.1:443\"]\nalpn = [\"h2\"]\ncert = \"{}\"\nkey = \"{}\"\nclient_ca = \"{}\"\n\
         server_ca = \"{}\"\nticket_keys = \"{}\"\nversions = [\"1.3\"]\n",
        path("server.pem"),
        path("server.key"),
        path("ca.pem"),
        path("ca.pem"),
        path("tickets.key"),
    );
    for (mode, text) in [
        ("whole", whole.clone()),
        ("whole", whole),
        ("none", "[tls]\n".to_owned()),
        ("none", format!("[tls]\ncert = \"{}\"\n", path("missing.pem"))),
        ("none", format!("[tls]\ncert = \"{}\"\nkey = \"{}\"\n", path("server.pem"), path("client.key"))),
    ] {
        let config = program.folder().join("portcullis.toml");
        fs::write(&config, text).unwrap();
        let mut command = program.command();
        let said = success(command.arg(files.folder.path()).arg(mode).env("PORTCULLIS_CONFIG", config));
        assert!(said.ends_with(" 0 failed\n"), "{said}");
    }
}
