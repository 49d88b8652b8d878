//! The promises of the functions, one program for each theme: by both compilers, under valgrind, and with AddressSanitizer
//! and LeakSanitizer.

use crate::compile::{Program, compile, success};
use crate::realm::{Realm, SERVICE};
use portcullis_testkit::kdc::MitRealm;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

/// Caches whose session keys differ.
const CACHES: [&str; 4] = ["alice", "aes128", "sha384", "camellia"];

fn built(compiler: &str, name: &str, flags: &[&str]) -> Program {
    compile(compiler, &[&format!("{name}.c"), "realm.c", "talk.c", "check.c"], flags)
}

fn all(build: impl Fn(&str) -> Program, front: &[&str], environment: &[(&str, &str)]) {
    for (name, caches) in [
        ("kerberos_credentials", &[][..]),
        ("kerberos_legs", &[]),
        ("kerberos_messages", if front.is_empty() { &CACHES } else { &CACHES[..1] }),
        ("kerberos_contexts", &[]),
    ] {
        let program = build(name);
        run(program.under(front).envs(environment.iter().copied()), caches, "");
    }
    let program = build("kerberos_messages");
    let settings = "[kerberos]\ndanger_accept_rc4 = true\n";
    run(program.under(front).envs(environment.iter().copied()), &["rc4"], settings);
}

/// Runs a program with a copy of the realm's files, and a configuration of its own.
fn run(command: &mut Command, arguments: &[&str], settings: &str) {
    let files = Realm::shared().files();
    let folder = files.path();
    let config = folder.join("portcullis.toml");
    fs::write(
        &config,
        format!("authority = \"none\"\n{settings}[export]\nkey_file = {:?}\n", folder.join("export.key")),
    )
    .unwrap();
    let said = success(command.arg(folder).args(arguments).env("PORTCULLIS_CONFIG", &config));
    assert!(said.ends_with(" 0 failed\n"), "{said}");
    let delegated = folder.join("delegated");
    if delegated.exists() {
        looked_at(&delegated);
    }
}

/// What was delegated is a cache that MIT's programs read.
fn looked_at(cache: &std::path::Path) {
    fs::set_permissions(cache, fs::Permissions::from_mode(0o600)).unwrap();
    let said = success(Command::new("klist").arg("-f").arg(cache));
    assert!(said.contains("Default principal: alice@MIT.EXAMPLE"), "{said}");
    assert!(said.contains("krbtgt/MIT.EXAMPLE@MIT.EXAMPLE"), "{said}");
}

#[test]
fn by_gcc() {
    all(|name| built("gcc", name, &["-O2"]), &[], &[]);
}

#[test]
fn by_clang() {
    all(|name| built("clang", name, &[]), &[], &[]);
}

const VALGRIND: [&str; 7] = [
    "valgrind",
    "-q",
    "--error-exitcode=9",
    "--leak-check=full",
    "--show-leak-kinds=definite,indirect",
    "--errors-for-leak-kinds=definite,indirect",
    "--trace-children=no",
];

#[test]
fn under_valgrind() {
    all(|name| built("gcc", name, &[]), &VALGRIND, &[]);
}

#[test]
fn with_address_sanitizer() {
    let flags = ["-fsanitize=address", "-fno-omit-frame-pointer"];
    all(|name| built("gcc", name, &flags), &[], &[("ASAN_OPTIONS", "detect_leaks=1:abort_on_error=0")]);
}

/// MIT's library makes the client's tokens; its `kvno` and GSS-API know no user-to-user.
#[test]
fn user_to_user() {
    let realm = Realm::shared();
    let (alice, bob) = (realm.logged_on(MitRealm::ALICE), realm.logged_on(MitRealm::BOB));
    bob.ticket(SERVICE).unwrap();
    let program = compile("gcc", &["kerberos_user_to_user.c", "talk.c", "check.c"], &["-lkrb5"]);
    let mut command = program.command();
    command.arg(alice.cache()).arg(bob.cache()).arg("alice@MIT.EXAMPLE").env("KRB5_CONFIG", bob.config());
    let said = success(&mut command);
    assert!(said.ends_with(" 0 failed\n"), "{said}");
}

/// Forks, threads, and a log function that calls the library.
#[test]
fn what_a_host_does_meanwhile() {
    let files = Realm::shared().files();
    let program = compile("gcc", &["kerberos_process.c", "realm.c", "talk.c", "check.c"], &["-O1"]);
    let said = success(program.command().arg(files.path()).arg("20"));
    assert!(said.ends_with(" 0 failed\n"), "{said}");
}
