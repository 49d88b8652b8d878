//! What is set, where, and when it counts.

use crate::harness::{ANN, PASSWORD};
use crate::peers;
use crate::tls::certificates::{self, Own};
use crate::tls::clients::{curl, curl_as, s_client, with_certificate};
use crate::tls::listener::{Listener, map_to_ann};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn portcullis() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command.env_remove("PORTCULLIS_DATA").stdin(Stdio::null());
    command
}

/// The folder that nobody named lies where the command is given.
#[test]
fn a_first_start_with_the_default_folder() {
    let own = Own::new();
    for start in 0..2 {
        let mut command = portcullis();
        command.args(["serve", "--https", "127.0.0.1:0"]).current_dir(own.path("")).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(line.starts_with("listening https 127.0.0.1:"), "{start}: {line}");
    }
    let folder = own.path("portcullis-data");
    for (file, mode) in [("tls.key", 0o600), ("tickets.key", 0o600)] {
        let metadata = std::fs::metadata(folder.join(file)).unwrap();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777, mode, "{file}");
    }
}

/// Certificate and key in one file: it is noticed when that changes, without anybody saying so.
#[test]
fn a_changed_file_is_noticed() {
    let own = Own::new();
    let write = |name: &str| {
        let read = |end: &str| std::fs::read_to_string(certificates::file(&format!("{name}.{end}"))).unwrap();
        std::fs::write(own.path("own.pem"), read("pem") + &read("key")).unwrap();
    };
    write("p256");
    let server = Listener::new().files(own.path("own.pem"), None).start();
    let shows = |name: &str| {
        let none: [&str; 0] = [];
        let mut client = s_client(server.https(), &none);
        client.ask(1, 401);
        client.said().contains(&format!("subject=CN = {name}\n"))
    };
    assert!(shows("p256"));
    write("rsa");
    let until = Instant::now() + Duration::from_secs(60);
    while !shows("rsa") {
        assert!(Instant::now() < until, "the new certificate is not shown");
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// A proxy's own certificate is not its clients': requests that show one are nobody's.
#[test]
fn a_certificate_does_not_speak_for_who_is_behind_a_proxy() {
    let server = Listener::new().client_auth("request").start();
    map_to_ann(&server, "ann");
    curl_as(&server, "ann").expect_account("ann");
    for http in ["--http1.1", "--http2"] {
        let shown = ["-H".to_owned(), "X-Forwarded-For: 192.0.2.1".to_owned(), http.to_owned()];
        curl(&server, &[&with_certificate("ann")[..], &shown].concat()).expect(401);
    }
    let trusting = Listener::new().client_auth("request").settings("[http]\ntrusted_proxies = [\"127.0.0.1\"]").start();
    map_to_ann(&trusting, "ann");
    let shown = ["-H".to_owned(), "X-Forwarded-For: 192.0.2.1".to_owned()];
    curl(&trusting, &[&with_certificate("ann")[..], &shown].concat()).expect_account("ann");
}

/// Where it listens is read at the start only; reading it again closes nothing.
#[test]
fn an_endpoint_survives_its_line() {
    let server = Listener::new().start();
    let none: [&str; 0] = [];
    curl(&server, &none).expect(401);
    let file = server.data().join("portcullis.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}\n[tls]\nlisten = []\n")).unwrap();
    server.reload();
    curl(&server, &none).expect(401);
}

/// A connection that waits too long is ended with a word, so that its end is told from a cut.
#[test]
fn an_idle_connection_is_ended_with_close_notify() {
    let server = Listener::new().settings("[limits]\nidle_seconds = 1").start();
    let script = "import socket, ssl, sys\n\
        context = ssl._create_unverified_context()\n\
        plain = socket.create_connection((sys.argv[1], int(sys.argv[2])))\n\
        print(context.wrap_socket(plain, suppress_ragged_eofs=False).recv(1))\n";
    let address = server.https();
    let mut command = Command::new("/usr/bin/python3");
    command.args(["-c", script, &address.ip().to_string(), &address.port().to_string()]);
    let output = peers::run(command);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "b''\n", "{output:?}");
}

/// Our own client over TLS: it believes whom it is told to, and binds its logon to the channel.
#[test]
fn connect_is_bound_to_the_channel() {
    let server = Listener::new().settings("[ntlm]\nbindings = \"require\"").start();
    let own = Own::new();
    std::fs::write(own.path("password"), PASSWORD).unwrap();
    let connect = |more: &[&str]| {
        let mut command = portcullis();
        command.args(["connect", &format!("https://{}/", server.https()), "--user", ANN, "--json", "--password-file"]);
        let output = command.arg(own.path("password")).args(more).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let roots = certificates::argument("roots.pem");
    for scheme in ["negotiate", "ntlm"] {
        let (code, out, err) = connect(&["--ca", &roots, "--scheme", scheme]);
        assert_eq!(code, Some(0), "{out}{err}");
        let report: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(report["answer"]["channel_bindings"], "matched", "{out}");
        assert_eq!(report["tls"]["verified"], true, "{out}");
    }
    let foreign = certificates::argument("foreign-root.pem");
    let (code, _, err) = connect(&["--ca", &foreign]);
    assert!(code == Some(1) && err.contains("schannel/untrusted-root"), "{err}");
    assert_eq!(connect(&["--danger-any-certificate"]).0, Some(0));
}

/// What would be left out without a word is an error with one.
#[test]
fn settings_without_effect_are_errors() {
    let own = Own::new();
    let refuses = |config: &str, arguments: &[&str], why: &str| {
        let data = own.path("data");
        std::fs::create_dir_all(&data).unwrap();
        std::fs::write(data.join("portcullis.toml"), config).unwrap();
        let output = portcullis().arg("serve").arg("--data").arg(&data).args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(why), "{config} {arguments:?}: {said}");
    };
    let https = ["--https", "127.0.0.1:0"];
    refuses("", &["--http", "127.0.0.1:0", "--tls-client-auth", "require"], "--https");
    refuses("", &[&https[..], &["--tls-client-auth", "require"]].concat(), "--tls-client-ca");
    for line in ["revocation = \"require\"", "client_mapping = \"required\"", "client_crls = [\"no.crl\"]"] {
        refuses(&format!("[tls]\n{line}\n"), &https, "tls.client_ca names no authority");
    }
    let other = certificates::argument("rsa.key");
    let p256 = certificates::argument("p256.pem");
    refuses("", &[&https[..], &["--tls-cert", &p256, "--tls-key", &other]].concat(), "not the certificate's");
    assert!(Path::new(&p256).exists());
}
