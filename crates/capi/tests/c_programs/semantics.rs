//! The promises of the functions, one program for each theme: by both compilers, under valgrind, and with AddressSanitizer
//! and LeakSanitizer.

use crate::compile::{Program, compile, success};
use crate::store::{Case, Store};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

/// Runs every program as `run` does; `compile` gives it its name.
pub fn all(build: impl Fn(&str) -> Program, front: &[&str], environment: &[(&str, &str)]) {
    // What is slow is done less often where everything is.
    let brief = !front.is_empty();
    let run = |program: &Program, case: &Case| {
        let mut command = program.under(front);
        command.envs(environment.iter().copied()).args(&case.arguments);
        if let Some(config) = &case.config {
            command.env("PORTCULLIS_CONFIG", config);
        }
        let said = success(&mut command);
        assert!(said.ends_with(" 0 failed\n"), "{said}");
    };
    for name in ["legs", "refusals", "handles", "messages", "bindings", "identity"] {
        run(&build(&format!("semantics_{name}")), &Case::default());
    }
    with_accounts(&build, brief, run);
    config(&build("semantics_config"), brief, run);
}

fn with_accounts(build: &impl Fn(&str) -> Program, brief: bool, run: impl Fn(&Program, &Case)) {
    let store = Store::new();
    run(&build("semantics_attributes"), &Case::new([store.data.to_str().unwrap()]));

    let program = build("semantics_winpr");
    run(&program, &Case::new([program.folder().to_str().unwrap()]));
    let program = build("semantics_hosts");
    run(&program, &Case::new([program.folder().to_str().unwrap()]));
    for name in ["semantics_spnego", "semantics_authority"] {
        let store = Store::new();
        run(&build(name), &Case::new([store.data.to_str().unwrap()]));
    }

    let program = build("semantics_transfer");
    let folder = program.folder().to_str().unwrap().to_owned();
    for (arguments, besides) in [("honest", ""), ("pretends", "[compatibility]\ndanger_pretend_impersonation = true\n")]
    {
        let text =
            format!("authority = \"{}\"\n[export]\nkey_file = \"{folder}/export.key\"\n{besides}", store.source());
        run(&program, &Case::new([arguments, &folder]).config(program.folder(), text.as_bytes()));
        let key = fs::metadata(program.folder().join("export.key")).unwrap();
        assert_eq!((key.len(), key.permissions().mode() & 0o777), (32, 0o600));
    }

    let store = Store::new();
    let mut case = Case::new([store.data.to_str().unwrap()]);
    case.arguments.extend(brief.then(|| "short".to_owned()));
    run(&build("semantics_password"), &case);

    let store = Store::new();
    run(&build("semantics_store"), &Case::new([store.data.to_str().unwrap()]));
    audited(&store.away());
}

/// What `semantics_store` must leave in the audit log.
fn audited(store: &Store) {
    let lines = store.audit();
    for package in ["NTLM", "Negotiate"] {
        let of_it: Vec<_> = lines.iter().filter(|line| line["package"] == package).collect();
        let count = |cause: &str| of_it.iter().filter(|line| line["cause"] == cause).count();
        assert_eq!(count("account/unknown-account"), 1, "{of_it:#?}");
        assert_eq!(count("call/requirement-not-met"), 2, "{of_it:#?}");
        let peers: Vec<_> = of_it.iter().filter(|line| !line["peer"].is_null()).collect();
        let told: Vec<_> =
            peers.iter().map(|line| (line["cause"].as_str().unwrap(), line["peer"].to_string())).collect();
        for (peer, cause) in [("192.0.2.7", "ok"), ("2001:db8::7", "ok"), ("192.0.2.8", "account/wrong-proof")] {
            assert_eq!(told.iter().filter(|(of, at)| *of == cause && at.contains(peer)).count(), 1, "{told:?}");
        }
        assert_eq!(told.len(), 3, "{told:?}");
        let names: Vec<_> = of_it.iter().filter(|line| line["cause"] == "ok").map(|line| &line["account"]).collect();
        assert!(names.iter().any(|name| *name == "CORP\\ann") && names.iter().any(|name| *name == "CORP\\ben"));
    }
    let count = |cause: &str| lines.iter().filter(|line| line["cause"] == cause).count();
    assert_eq!(count("account/store-unreachable"), 1, "that nobody could be asked is written down too");
}

fn config(program: &Program, brief: bool, run: impl Fn(&Program, &Case)) {
    let folder = program.folder();
    let path = folder.to_str().unwrap();
    let key = folder.join("key");
    fs::write(&key, [7; 32]).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    let fifo = folder.join("fifo");
    success(Command::new("mkfifo").args(["-m", "600"]).arg(&fifo));
    let texts = [
        ("config", "authority = \"file:/somewhere\"\n".to_owned()),
        ("config", "authority = 7\n".to_owned()),
        ("config", "authority = \"none\"\nunknown = true\n".to_owned()),
        ("config", "not TOML at all\n".to_owned()),
        ("config", format!("[log]\nfile = \"{path}/missing/log\"\n")),
        ("config", "[log]\nlevel = \"loud\"\n".to_owned()),
        ("store", format!("authority = \"sqlite:{path}/missing\"\n")),
        ("store", format!("authority = \"unix:{path}/missing\"\n")),
        ("key", format!("[export]\nkey_file = \"{}\"\n", key.display())),
        // Nobody writes into it: who waits for that waits for ever.
        ("key", format!("[export]\nkey_file = \"{}\"\n", fifo.display())),
    ];
    for (what, text) in texts.into_iter().step_by(if brief { 4 } else { 1 }) {
        run(program, &Case::new([what]).config(folder, text.as_bytes()));
    }
    if brief {
        return;
    }
    run(program, &Case::new(["config"]).config(folder, b"authority = \"\xff\"\n"));
    for unreadable in [folder.join("missing.toml"), folder.to_owned()] {
        run(program, &Case { config: Some(unreadable), ..Case::new(["config"]) });
    }
}

pub fn sources(name: &str) -> [String; 3] {
    [format!("{name}.c"), "talk.c".to_owned(), "check.c".to_owned()]
}

fn built(compiler: &str, name: &str, flags: &[&str]) -> Program {
    let sources = sources(name);
    compile(compiler, &sources.each_ref().map(String::as_str), flags)
}

#[test]
fn by_gcc() {
    all(|name| built("gcc", name, &["-O2"]), &[], &[]);
}

#[test]
fn by_clang() {
    all(|name| built("clang", name, &[]), &[], &[]);
}

pub const VALGRIND: [&str; 7] = [
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

/// The program is instrumented, and the library allocates by the sanitizer's functions: what the library hands out, and
/// whether it is given back.
#[test]
fn with_address_sanitizer() {
    let flags = ["-fsanitize=address", "-fno-omit-frame-pointer"];
    all(|name| built("gcc", name, &flags), &[], &[("ASAN_OPTIONS", "detect_leaks=1:abort_on_error=0")]);
}
