//! Beside a store: who logs on is written down, another process may have the keys, and several may know what was seen.

use crate::compile::{Program, compile, run, success};
use crate::realm::Realm;
use crate::store::Store;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The client's token in the file `token`, made by the tickets of a cache.
fn make(program: &Program, cache: &Path) {
    let said = success(program.command().args(["make", "token"]).env("KRB5CCNAME", cache));
    assert!(said.ends_with(" 0 failed\n"), "{said}");
}

/// What a service with this configuration says to the token.
fn take(program: &Program, config: &str) -> String {
    let path = program.folder().join("portcullis.toml");
    fs::write(&path, config).unwrap();
    let said = success(program.command().args(["take", "token"]).env("PORTCULLIS_CONFIG", path));
    assert!(said.ends_with(" 0 failed\n"), "{said}");
    said.lines().next().unwrap().trim_end().to_owned()
}

fn program() -> Program {
    compile("gcc", &["kerberos_replay.c", "realm.c", "talk.c", "check.c"], &["-O1"])
}

fn lines(audit: &[Value]) -> Vec<[&str; 3]> {
    audit.iter().map(|line| ["cause", "package", "account"].map(|name| line[name].as_str().unwrap_or(""))).collect()
}

#[test]
fn decisions_are_written_down() {
    let files = Realm::shared().files();
    let store = Store::new();
    let program = program();
    let config = |keytab: &str| {
        format!("authority = {:?}\n[kerberos]\nkeytab = {:?}\n", store.source(), files.path().join(keytab))
    };
    make(&program, &files.path().join("alice"));
    assert_eq!(take(&program, &config("http.keytab")), "00000000");
    make(&program, &files.path().join("alice"));
    assert_eq!(take(&program, &config("wrong.keytab")), "8009030C kerberos/ticket-not-decryptable");
    assert_eq!(take(&program, &config("old.keytab")), "80090348 kerberos/no-key-version");
    let audit = store.audit();
    assert_eq!(
        lines(&audit),
        [
            ["ok", "Kerberos", "alice@MIT.EXAMPLE"],
            ["kerberos/ticket-not-decryptable", "Kerberos", ""],
            ["kerberos/no-key-version", "Kerberos", ""],
        ]
    );
    assert!(audit.iter().all(|line| line["peer"] == "192.0.2.7:4711"), "{audit:?}");
    let detail = audit[2]["detail"].as_str().unwrap();
    assert!(detail.contains("HTTP/web1.corp.example@MIT.EXAMPLE, kvno 2"), "{detail}");
    assert!(detail.contains("held: HTTP/web1.corp.example@MIT.EXAMPLE kvno 1"), "{detail}");
}

#[test]
fn the_keys_of_another_process() {
    let files = Realm::shared().files();
    let program = program();
    let served = Store::new().serve_with(Some(&files.path().join("http.keytab")));
    let config = format!("authority = {:?}\n", served.source());
    make(&program, &files.path().join("alice"));
    assert_eq!(take(&program, &config), "00000000");
    // What was seen is the authority's to know: each of these is a process of its own.
    assert_eq!(take(&program, &config), "8009030C kerberos/replayed");
    let found = lines(&served.store.audit()).iter().map(|line| line.map(str::to_owned)).collect::<Vec<_>>();
    let of_alice = |cause| [cause, "Kerberos", "alice@MIT.EXAMPLE"];
    assert_eq!(found, [of_alice("ok"), of_alice("kerberos/replayed")]);
    drop(served);
    let without = Store::new().serve();
    let config = program.folder().join("portcullis.toml");
    fs::write(&config, format!("authority = {:?}\n", without.source())).unwrap();
    let output = run(program.command().args(["take", "token"]).env("PORTCULLIS_CONFIG", config));
    assert!(String::from_utf8_lossy(&output.stdout).contains("8009030E and not 00000000"), "{output:?}");
}

#[test]
fn processes_that_share_what_was_seen() {
    let files = Realm::shared().files();
    let store = Store::new();
    let program = program();
    let keytab = files.path().join("http.keytab");
    let config = |place: &str| {
        format!("authority = {:?}\n[kerberos]\nkeytab = {keytab:?}\nreplay = {place:?}\n", store.source())
    };
    make(&program, &files.path().join("alice"));
    assert_eq!(take(&program, &config("store")), "00000000");
    assert_eq!(take(&program, &config("store")), "8009030C kerberos/replayed");
    // Without a store each process knows its own.
    make(&program, &files.path().join("alice"));
    assert_eq!(take(&program, &config("memory")), "00000000");
    assert_eq!(take(&program, &config("memory")), "00000000");
    // A store that is asked for and is not there lets nobody in.
    let none = format!("authority = \"none\"\n[kerberos]\nkeytab = {keytab:?}\nreplay = \"store\"\n");
    make(&program, &files.path().join("alice"));
    let path = program.folder().join("portcullis.toml");
    fs::write(&path, none).unwrap();
    let mut command: Command = program.command();
    let output = run(command.args(["take", "token"]).env("PORTCULLIS_CONFIG", path));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!said.starts_with("00000000"), "{said}");
}
