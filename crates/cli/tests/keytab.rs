//! `portcullis keytab`: what it says of keytabs, and what it makes of several.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis::kerberos::ServiceKeys;
use portcullis::kerberos::crypto::Enctype::{self, Aes128Sha1, Aes256Sha1, Rc4};
use portcullis_testkit::kerberos::{Client, LongTerm, Ticket, keytab};
use portcullis_testkit::{Initiator, spnego};
use portcullis_wire::kerberos::{NewKeytabEntry, encode_keytab};
use portcullis_wire::spnego::KERBEROS;
use serde_json::{Value, json};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::{Command, Output, Stdio};
use std::slice::from_ref;

const WEB: &str = "HTTP/web.example@EXAMPLE";

fn key(kvno: u32, enctype: Enctype) -> LongTerm {
    LongTerm::of(WEB, kvno, enctype)
}

struct Site(tempfile::TempDir);

impl Site {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    /// A keytab for its owner alone; gives its name.
    fn write(&self, name: &str, bytes: &[u8]) -> String {
        fs::write(self.path(name), bytes).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o600)).unwrap();
        self.path(name)
    }

    fn keys(&self, name: &str, keys: &[LongTerm]) -> String {
        self.write(name, &keytab(keys))
    }
}

fn run(args: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command.arg("keytab").args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Whoever does not read it may end before it is written.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn ok(args: &[&str]) -> String {
    let output = run(args, "");
    assert!(output.status.success(), "{args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn fails(args: &[&str], code: i32, words: &str) {
    let output = run(args, "");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
    assert!(said.contains(words), "{args:?}: {said}");
}

/// What `check` finds, as `severity kind`, and its exit code.
fn check(file: &str, more: &[&str]) -> (Vec<String>, Value, i32) {
    let output = run(&[&["check", file, "--json"], more].concat(), "");
    let view: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    let finding = |finding: &Value| {
        assert!(finding["advice"].as_str().unwrap().len() > 20, "{finding}");
        format!("{} {}", finding["severity"].as_str().unwrap(), finding["kind"].as_str().unwrap())
    };
    let found = view["findings"].as_array().unwrap().iter().map(finding).collect();
    (found, view, output.status.code().unwrap())
}

#[test]
fn a_list_names_keys_and_shows_none() {
    let (site, key_of) = (Site::new(), key(3, Aes256Sha1));
    let file = site.keys("a", &[key_of.clone(), key(2, Rc4), LongTerm::of("krbtgt/EXAMPLE@EXAMPLE", 2, Aes256Sha1)]);
    let text = ok(&["list", &file]);
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].starts_with("KVNO  PRINCIPAL") && lines.len() == 4, "{text}");
    assert!(
        lines[1].contains("3     HTTP/web.example@EXAMPLE") && lines[1].contains("aes256-cts-hmac-sha1-96"),
        "{text}"
    );
    assert!(lines[2].ends_with("weak") && lines[3].ends_with("the KDC's own"), "{text}");
    let view: Value = serde_json::from_str(&ok(&["list", &file, "--json"])).unwrap();
    assert_eq!(
        view["keys"][0],
        json!({
            "principal": WEB, "kvno": 3, "enctype": "aes256-cts-hmac-sha1-96", "enctype_number": 18,
            "written": "2021-01-14T08:25:36Z", "use": "good",
        })
    );
    assert_eq!((&view["keys"][1]["use"], &view["keys"][2]["use"]), (&json!("weak"), &json!("of-the-kdc")));
    let all = [text, view.to_string(), ok(&["list", &file])].concat().to_lowercase();
    for form in [hex(&key_of.key.value), STANDARD.encode(&key_of.key.value).to_lowercase()] {
        assert!(!all.contains(&form[..16]), "{all}");
    }
    fails(&["list", &site.path("none")], 1, "is not there");
    fails(&["list", &site.write("text", b"no keytab")], 1, "not a keytab");
    fails(&["list"], 2, "required");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_good_keytab_has_nothing_wrong() {
    let site = Site::new();
    let file = site.keys("a", &[key(3, Aes256Sha1), key(3, Aes128Sha1), key(2, Aes256Sha1)]);
    let (found, view, code) = check(&file, &[]);
    assert_eq!((found, code, &view["keys"]), (Vec::new(), 0, &json!(3)));
    assert!(ok(&["check", &file]).contains("3 keys\nnothing is wrong"));
}

#[test]
fn what_is_wrong_is_said_with_what_to_do() {
    let site = Site::new();
    let both = |kvno| [key(kvno, Aes256Sha1), key(kvno, Aes128Sha1)];
    let with = |more: &[LongTerm]| site.keys("a", &[&both(3)[..], more].concat());
    let found = |file: &str| {
        let (found, _, code) = check(file, &[]);
        assert_eq!(code, i32::from(found.iter().any(|finding| finding.starts_with("error"))), "{found:?}");
        found
    };
    let other = LongTerm { key: key(9, Aes256Sha1).key, ..key(3, Aes256Sha1) };
    assert_eq!(found(&with(&[other])), ["error contradiction"]);
    assert_eq!(found(&with(&[key(3, Aes256Sha1)])), ["warning duplicate"]);
    assert_eq!(found(&with(&[LongTerm::of("krbtgt/EXAMPLE@EXAMPLE", 1, Aes256Sha1)])), ["error krbtgt"]);
    assert_eq!(found(&with(&[key(3, Rc4)])), ["warning weak"]);
    assert_eq!(found(&site.keys("a", &[key(3, Rc4), key(2, Aes256Sha1)])), ["error weak-only"]);
    assert_eq!(found(&site.keys("a", &[key(4, Aes256Sha1), key(3, Aes128Sha1)])), ["warning one-enctype"]);
    assert_eq!(found(&site.keys("a", &both(0))), ["warning kvno-0"]);
    assert_eq!(found(&site.keys("a", &[])), ["error no-key"]);
    let whole = keytab(&both(3));
    assert_eq!(found(&site.write("a", &whole[..whole.len() - 1])), ["error unreadable", "warning one-enctype"]);
    let entry = |etype, key| NewKeytabEntry {
        realm: b"EXAMPLE",
        name_type: 1,
        components: &[b"HTTP", b"old.example"],
        timestamp: 0,
        kvno: 1,
        etype,
        key,
    };
    let odd = encode_keytab(&[entry(3, &[1; 8]), entry(18, &[1; 16])]).unwrap();
    let odd = site.write("a", &[&whole, &odd[2..]].concat());
    assert_eq!(found(&odd), ["error wrong-length", "warning unknown-enctype"]);
    assert!(ok(&["list", &odd]).contains("des-cbc-md5"));

    let file = site.keys("a", &both(3));
    for (mode, expected) in
        [(0o640, "warning group-permissions"), (0o644, "error permissions"), (0o620, "error permissions")]
    {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(found(&file), [expected]);
    }
    let output = run(&["check", &file], "");
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(out.contains("error: others may read or write it") && out.contains("chmod 600"), "{out}");
    assert!(err.contains("one thing is wrong"), "{err}");
}

fn client(key: &LongTerm) -> Client {
    Client::of(Ticket::of(key, "ann@EXAMPLE", 1_767_225_600))
}

#[test]
fn a_ticket_is_compared_with_what_is_held() {
    let site = Site::new();
    let file = site.keys("a", &[key(3, Aes256Sha1), key(3, Aes128Sha1)]);
    let raw = client(&key(3, Aes256Sha1)).token();
    let in_spnego = spnego::offer(&[KERBEROS], Some(&raw), None);
    let bare = client(&key(3, Aes256Sha1)).dce().token();
    for token in [&raw, &in_spnego, &bare] {
        let token = STANDARD.encode(token);
        for text in [token.clone(), format!("Negotiate {token}"), format!("Authorization: negotiate {token}\n")] {
            let (found, view, code) = check(&file, &["--ticket", &text]);
            assert_eq!((found.len(), code), (0, 0), "{view}");
            let ticket = &view["ticket"];
            assert_eq!((&ticket["service"], &ticket["kvno"]), (&json!(WEB), &json!(3)));
            let opened = json!({
                "by": WEB, "kvno": 3, "client": "ann@EXAMPLE",
                "from": "2025-12-31T23:55:00Z", "until": "2026-01-01T09:55:00Z",
            });
            assert_eq!(ticket["opened"], opened);
        }
    }
    let from_stdin = run(&["check", &file, "--ticket", "-"], &STANDARD.encode(&raw));
    assert!(String::from_utf8(from_stdin.stdout).unwrap().contains("opens it: ann@EXAMPLE"));

    let judged = |key: &LongTerm| {
        let (found, view, code) = check(&file, &["--ticket", &STANDARD.encode(client(key).token())]);
        assert_eq!((found, code), (vec!["error ticket".to_owned()], 1));
        (view["findings"][0]["what"].as_str().unwrap().to_owned(), view["ticket"]["opened"].clone())
    };
    let (what, opened) = judged(&key(4, Aes256Sha1));
    assert!(
        what.starts_with("kerberos/no-key-version: ") && what.contains("kvno 4") && what.contains("kvno 3"),
        "{what}"
    );
    assert_eq!(opened, Value::Null);
    let stranger = LongTerm { key: key(8, Aes256Sha1).key, ..key(3, Aes256Sha1) };
    assert!(judged(&stranger).0.starts_with("kerberos/ticket-not-decryptable"));
    assert!(judged(&key(3, Rc4)).0.starts_with("kerberos/rc4-refused"));
    // With the RC4 key at hand the ticket could be opened, and is refused all the same.
    let file = site.keys("a", &[key(3, Aes256Sha1), key(3, Aes128Sha1), key(3, Rc4)]);
    let (found, view, code) = check(&file, &["--ticket", &STANDARD.encode(client(&key(3, Rc4)).token())]);
    assert_eq!((found, code), (vec!["error ticket".to_owned(), "warning weak".to_owned()], 1));
    assert_eq!(view["ticket"]["opened"]["client"], "ann@EXAMPLE");
    let empty = site.keys("empty", &[]);
    let (found, _, code) = check(&empty, &["--ticket", &STANDARD.encode(&raw)]);
    assert_eq!((found, code), (vec!["error no-key".to_owned(), "error ticket".to_owned()], 1));
}

#[test]
fn what_is_no_ticket_is_told_apart() {
    let site = Site::new();
    let file = site.keys("a", &[key(3, Aes256Sha1), key(3, Aes128Sha1)]);
    let token =
        |bytes: &[u8], code, words: &str| fails(&["check", &file, "--ticket", &STANDARD.encode(bytes)], code, words);
    let ntlm = Initiator::new("ann", "CORP", "x").negotiate();
    token(&ntlm, 1, "this is NTLM: the client got no ticket");
    token(&spnego::offer(&[KERBEROS], Some(&ntlm), None), 1, "this is NTLM");
    token(&spnego::offer(&[KERBEROS], None, None), 1, "brings no ticket");
    token(&spnego::response(None, Some(b"x"), None), 1, "an answer");
    token(b"", 1, "neither a Kerberos token");
    token(&client(&key(3, Aes256Sha1)).asks_for_ticket(), 1, "user-to-user");
    let raw = client(&key(3, Aes256Sha1)).token();
    token(&raw[..raw.len() - 1], 1, "cannot be read");
    fails(&["check", &file, "--ticket", "no base64!"], 2, "what stands behind `Negotiate`");
    let mut to_user = client(&key(3, Aes256Sha1));
    to_user.options = 0x4000_0000;
    let (found, _, code) = check(&file, &["--ticket", &STANDARD.encode(to_user.token())]);
    assert_eq!((found, code), (vec!["error user-to-user".to_owned()], 1));
}

/// The keys of a file, in their order.
fn held(file: &str) -> Vec<String> {
    let keys = ServiceKeys::from_keytab(&fs::read(file).unwrap()).unwrap();
    keys.keys().iter().map(|key| format!("{} {} {}", key.principal, key.kvno, key.enctype().number())).collect()
}

#[test]
fn several_keytabs_become_one() {
    let site = Site::new();
    let ldap = LongTerm::of("ldap/web.example@EXAMPLE", 1, Aes256Sha1);
    let old = site.keys("old", &[key(1, Aes256Sha1), key(2, Aes256Sha1), ldap]);
    let new = site.keys("new", &[key(3, Aes256Sha1), key(3, Aes128Sha1), key(2, Aes256Sha1)]);
    let all = [
        "HTTP/web.example@EXAMPLE 3 18",
        "HTTP/web.example@EXAMPLE 3 17",
        "HTTP/web.example@EXAMPLE 2 18",
        "HTTP/web.example@EXAMPLE 1 18",
        "ldap/web.example@EXAMPLE 1 18",
    ];
    let out = site.path("out");
    let text = ok(&["merge", &old, &new, "-o", &out, "--dry-run"]);
    assert!(text.contains("5 keys (1 were there twice) nothing is written") && !fs::exists(&out).unwrap(), "{text}");
    let view: Value = serde_json::from_str(&ok(&["merge", &old, &new, "-o", &out, "--json"])).unwrap();
    assert_eq!(
        (&view["written"], &view["duplicates"], &view["keys"][0]["from"]),
        (&json!(true), &json!(1), &json!(new))
    );
    assert_eq!(held(&out), all);
    assert_eq!(fs::metadata(&out).unwrap().mode() & 0o7777, 0o600);
    // What is there and is not named is not lost; what is named is replaced, through a link too.
    fails(&["merge", &new, "-o", &out], 1, "give --overwrite");
    assert_eq!(held(&out), all);
    let link = site.path("link");
    std::os::unix::fs::symlink(&old, &link).unwrap();
    ok(&["merge", &link, &new, "-o", &link]);
    assert_eq!(held(&old), all);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    ok(&["merge", &new, "-o", &out, "--overwrite"]);
    assert_eq!(held(&out).len(), 3);
    let mut left: Vec<_> = fs::read_dir(site.0.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["link", "new", "old", "out"], "nothing is left beside them");
}

#[test]
fn contradictions_are_somebodys_to_decide() {
    let site = Site::new();
    let (ours, theirs) = (key(3, Aes256Sha1), LongTerm { key: key(9, Aes256Sha1).key, ..key(3, Aes256Sha1) });
    let (a, b, out) = (site.keys("a", from_ref(&ours)), site.keys("b", from_ref(&theirs)), site.path("out"));
    fails(&["merge", &a, &b, "-o", &out], 1, "HTTP/web.example@EXAMPLE kvno 3 aes256-cts-hmac-sha1-96");
    fails(&["merge", &a, &b, "-o", &out, "--prefer", "newest"], 1, "both written at the same time");
    assert!(!fs::exists(&out).unwrap());
    for (prefer, expected) in [("first", &ours), ("last", &theirs)] {
        let text = ok(&["merge", &a, &b, "-o", &out, "--prefer", prefer, "--overwrite"]);
        assert!(text.contains("left out, another key was preferred"), "{text}");
        assert_eq!(fs::read(&out).unwrap(), keytab(from_ref(expected)));
    }
    let mut older = keytab(from_ref(&ours));
    let timestamp = older.windows(4).position(|bytes| bytes == 0x6000_0000_u32.to_be_bytes()).unwrap();
    older[timestamp] = 0x50;
    let older = site.write("older", &older);
    for files in [[&older, &b], [&b, &older]] {
        ok(&["merge", files[0], files[1], "-o", &out, "--prefer", "newest", "--overwrite"]);
        assert_eq!(fs::read(&out).unwrap(), keytab(from_ref(&theirs)));
    }
    let cut = keytab(&[ours]);
    let cut = site.write("cut", &cut[..cut.len() - 1]);
    fails(&["merge", &a, &cut, "-o", &out, "--overwrite"], 1, "an entry cannot be read");
    fails(&["merge", &a, "-o", "/nowhere/out"], 1, "/nowhere/out");
    fails(&["merge", "-o", &out], 2, "required");
}
