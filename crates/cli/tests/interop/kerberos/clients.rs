//! The clients: what each is called with and what it answers.

use crate::harness::root;
use crate::kerberos::services::{Target, python};
use crate::peers::{self, Answer, Outcome, installed, run};
use portcullis_testkit::kdc::Client;
use std::process::Command;

/// How a client is to log on, where it can be told.
#[derive(Debug, Clone, Copy)]
pub struct Way<'a> {
    /// How many requests.
    pub times: usize,
    /// Sent by POST, where there is one.
    pub body: Option<&'a str>,
    /// Kerberos' own tokens, and no SPNEGO around them.
    pub bare: bool,
    /// What is asked for, by SSPI's names.
    pub flags: &'a str,
    /// Over HTTPS: `right`, `wrong` or `absent`.
    pub bindings: &'a str,
}

impl Default for Way<'_> {
    fn default() -> Self {
        Self { times: 1, body: None, bare: false, flags: "MUTUAL_AUTH,INTEGRITY", bindings: "absent" }
    }
}

/// A program that can log on with somebody's tickets.
pub type Ask = fn(&Target, &Client, &Way<'_>) -> Outcome;

/// python-gssapi over MIT's library.
pub fn gssapi(target: &Target, client: &Client, way: &Way<'_>) -> Outcome {
    library("gssapi", target, client, way)
}

/// Heimdal's library.
pub fn heimdal(target: &Target, client: &Client, way: &Way<'_>) -> Outcome {
    library("heimdal", target, client, way)
}

/// pyspnego: a SPNEGO of its own around MIT's Kerberos.
pub fn pyspnego(target: &Target, client: &Client, way: &Way<'_>) -> Outcome {
    library("pyspnego", target, client, way)
}

fn library(library: &str, target: &Target, client: &Client, way: &Way<'_>) -> Outcome {
    told(python(library, "python/kerberos_client.py"), target, client, way)
}

/// curl by MIT's library.
pub fn curl(target: &Target, client: &Client, way: &Way<'_>) -> Outcome {
    let mut command = Command::new("curl");
    command.args(["--negotiate", "-u", ":"]).envs(client.environment());
    if target.url.starts_with("https:") {
        command.arg("--cacert").arg(&target.roots);
    }
    let logon = peers::Logon { times: way.times, body: way.body, ..peers::Logon::default() };
    peers::curl_to(command, &target.url, &logon)
}

/// The JDK's HttpURLConnection with its own SPNEGO and Kerberos.
pub fn java(target: &Target, client: &Client, way: &Way<'_>) -> Outcome {
    let (folder, mut command) = (tempfile::tempdir().unwrap(), Command::new("java"));
    command.current_dir(root().join("interop")).arg("java/Kerberos.java");
    if target.url.starts_with("https:") {
        let store = folder.path().join("roots.p12");
        let mut import = Command::new("keytool");
        import.args(["-importcert", "-noprompt", "-storetype", "PKCS12", "-storepass", "changeit", "-file"]);
        let imported = run({
            import.arg(&target.roots).arg("-keystore").arg(&store);
            import
        });
        assert!(imported.status.success(), "{imported:?}");
        command.env("PEER_TRUST", store).env("PEER_CBT", if way.bindings == "right" { "always" } else { "never" });
    }
    told(command, target, client, way)
}

/// The npm package `kerberos` over MIT's library.
pub fn node(target: &Target, client: &Client, way: &Way<'_>) -> Outcome {
    let mut command = Command::new("node");
    command.current_dir(root().join("interop")).arg("node/kerberos_client.js");
    told(command, target, client, way)
}

/// Chromium by MIT's library, which does not ask the server to prove itself. A new profile learns only in its first run
/// which servers it may log on to.
pub fn chromium(target: &Target, client: &Client, _: &Way<'_>) -> Outcome {
    let profile = tempfile::tempdir().unwrap();
    let ask = || {
        let mut command = Command::new("chromium");
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--no-proxy-server", "--dump-dom"]);
        command.args(["--auth-server-allowlist=localhost", "--auth-negotiate-delegate-allowlist=localhost"]);
        command.arg(format!("--user-data-dir={}", profile.path().display())).arg(&target.url);
        command.envs(client.environment());
        run(command)
    };
    ask();
    let output = ask();
    // A page, in which JSON stands as it is and everything else as HTML.
    let page = String::from_utf8_lossy(&output.stdout).into_owned();
    let body = page
        .split_once("<pre>")
        .and_then(|(_, rest)| rest.split_once("</pre>"))
        .map_or(page.as_str(), |(body, _)| body);
    let status = if page.contains("alice") { 200 } else { 401 };
    Outcome { answers: vec![Answer { status, body: peers::json(body) }], output }
}

fn told(mut command: Command, target: &Target, client: &Client, way: &Way<'_>) -> Outcome {
    command.envs(client.environment()).envs([
        ("PEER_URL", target.url.as_str()),
        ("PEER_TIMES", &way.times.to_string()),
        ("PEER_MECHANISM", if way.bare { "krb5" } else { "spnego" }),
        ("PEER_FLAGS", way.flags),
        ("PEER_BINDINGS", way.bindings),
    ]);
    command.env("PEER_CA", &target.roots).env("NODE_PATH", installed().join("node/node_modules"));
    command.envs(way.body.map(|body| ("PEER_BODY", body)));
    Outcome::of(run(command))
}

/// Every answer says that alice came by Kerberos.
pub fn expect_alice(outcome: &Outcome, times: usize) {
    assert!(outcome.output.status.success(), "{outcome:?}");
    assert_eq!(outcome.statuses(), vec![200; times], "{outcome:?}");
    for answer in &outcome.answers {
        // A principal and no account: MIT's PAC names none.
        assert_eq!(answer.body["name"], "alice", "{outcome:?}");
        assert_eq!(answer.body["domain"], "MIT.EXAMPLE", "{outcome:?}");
        assert!(answer.body["sid"].is_null(), "{outcome:?}");
        assert_eq!(answer.body["package"], "Negotiate", "{outcome:?}");
        assert_eq!(answer.body["mechanism"], "Kerberos", "{outcome:?}");
    }
}

/// The flags of the first answer, of those that both an acceptor of others and ours name.
pub fn flags(outcome: &Outcome) -> Vec<String> {
    const NAMED: [&str; 8] = [
        "DELEGATE",
        "MUTUAL_AUTH",
        "REPLAY_DETECT",
        "SEQUENCE_DETECT",
        "CONFIDENTIALITY",
        "INTEGRITY",
        "USE_DCE_STYLE",
        "IDENTIFY",
    ];
    let all = outcome.answers[0].body["flags"].as_array().unwrap_or_else(|| panic!("{outcome:?}"));
    NAMED.iter().filter(|name| all.iter().any(|flag| flag == **name)).map(|name| (*name).to_owned()).collect()
}
