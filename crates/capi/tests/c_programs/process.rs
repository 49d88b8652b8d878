//! What a host process may do with the library in it: fork, unload it, and have more rights than its user.

use crate::compile::{COMPILERS, Program, compile, compile_with, success};
use crate::harness;
use crate::store::{Case, Store};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;

#[test]
fn forks_while_eight_threads_work() {
    let store = Store::new();
    let program = compile("gcc", &["fork.c", "talk.c", "check.c"], &["-O1"]);
    let said = success(program.command().args([&store.source(), "12"]));
    assert!(said.ends_with(" 0 failed\n"), "{said}");
}

/// The connections to the authority's process are not shared with the children.
#[test]
fn forks_with_accounts_of_another_process() {
    let served = Store::new().serve();
    let program = compile("clang", &["fork.c", "talk.c", "check.c"], &[]);
    let said = success(program.command().args([&served.source(), "6"]));
    assert!(said.ends_with(" 0 failed\n"), "{said}");
}

/// Lines of the log in the way of other calls, and of forks.
#[test]
fn lines_of_the_log_in_the_way() {
    let program = compile("gcc", &["logging.c", "talk.c", "check.c"], &[]);
    let said = success(program.command().arg("calls"));
    assert!(said.ends_with(" 0 failed\n"), "{said}");
    let case = Case::new(["stderr", "200"]).config(program.folder(), b"[log]\n");
    let said = success(program.command().args(&case.arguments).env("PORTCULLIS_CONFIG", case.config.unwrap()));
    assert!(said.ends_with(" 0 failed\n"), "{said}");
}

/// What must be written down and cannot be is not done, and in nobody's way.
#[test]
fn an_audit_log_that_cannot_be_written() {
    let store = Store::new();
    let program = compile("gcc", &["unwritable.c", "talk.c", "check.c"], &[]);
    let audit = store.data.join("audit.jsonl");
    let _ = fs::remove_file(&audit);
    symlink("/dev/full", &audit).unwrap();
    let said = success(program.command().arg(&store.data).arg("20"));
    assert!(said.ends_with(" 0 failed\n"), "{said}");
    fs::remove_file(&audit).unwrap();
    let said = success(program.command().arg(&store.data));
    assert!(said.ends_with(" 0 failed\n"), "{said}");
    assert_eq!(store.audit().len(), 4, "two let in by each package");
}

fn unloaded(program: &Program, times: &str, config: Option<&str>, log: &[&str]) {
    let case = match config {
        Some(text) => Case::default().config(program.folder(), text.as_bytes()),
        None => Case::default(),
    };
    let mut command = program.command();
    command.arg(harness::library()).arg(times).args(log);
    command.env("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0").env_remove("LD_LIBRARY_PATH");
    command.envs(case.config.map(|path| ("PORTCULLIS_CONFIG", path)));
    let said = success(&mut command);
    assert!(said.ends_with(" 0 failed\n"), "{said}");
}

/// The program is not linked to the library. Neither memory nor files stay, and no thread is ever started.
#[test]
fn loads_and_unloads_many_times() {
    let store = Store::new();
    for compiler in COMPILERS {
        let program = compile_with(compiler, &["dlclose.c", "check.c"], &["-ldl", "-lpthread"]);
        unloaded(&program, "200", None, &[]);
        unloaded(&program, "50", None, &["log"]);
        let accounts = format!("authority = \"{}\"\n", store.source());
        unloaded(&program, "50", Some(&accounts), &[]);
        let log = format!("{accounts}[log]\nfile = \"{}/log\"\n", program.folder().display());
        unloaded(&program, "50", Some(&log), &["file"]);
        assert!(fs::read_to_string(program.folder().join("log")).unwrap().lines().count() >= 100);
    }
}

/// A user's environment says nothing to a program that has more rights than the user.
#[test]
fn more_rights_than_its_user() {
    let library = harness::library();
    let program = compile("gcc", &["privileged.c"], &[]);
    // Where everybody may look; the loader follows no LD_LIBRARY_PATH for such a program either.
    fs::set_permissions(program.folder(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::copy(&library, program.folder().join("libportcullis.so")).unwrap();
    symlink("libportcullis.so", program.folder().join("libportcullis.so.0")).unwrap();
    let here = program.folder().to_str().unwrap();
    let set_user = compile("gcc", &["privileged.c"], &[&format!("-Wl,-rpath,{here}")]);
    let path = program.folder().join("set-user");
    fs::copy(&set_user.path, &path).unwrap();
    let nobody = |mode: u32| {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&path);
        success(command.env("PORTCULLIS_CONFIG", "/nonexistent/portcullis.toml"))
    };
    assert_eq!(nobody(0o755), "follows plain\n");
    assert_eq!(nobody(0o4755), "ignores secure\n", "needs root, and a file system that knows set-user-ID");
}
