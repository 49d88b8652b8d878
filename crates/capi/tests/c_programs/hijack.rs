//! A host that has functions of the library's names, as everything linked to libwinpr2 2.11 has: not one of the library's
//! calls goes there.

use crate::compile::{COMPILERS, Program, compile_with, root, success};
use crate::harness;
use crate::header::exported;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

const WINPR: &str = "/usr/lib/x86_64-linux-gnu/libwinpr2.so.2";

fn run(program: &Program, with: &str, environment: Option<(&str, &Path)>) {
    for how in ["local", "global"] {
        let mut command = program.command();
        command.env_remove("LD_LIBRARY_PATH").envs(environment);
        let said = success(command.arg(harness::library()).args([how, with]));
        assert!(said.ends_with(" 0 failed\n"), "{said}");
    }
}

#[test]
fn functions_of_the_program() {
    for compiler in COMPILERS {
        let program = compile_with(compiler, &["hijack.c", "hijacker.c", "check.c"], &["-rdynamic", "-ldl"]);
        run(&program, "expected", None);
    }
}

#[test]
fn functions_of_a_preloaded_library() {
    let hijacker = compile_with("gcc", &["hijacker.c"], &["-shared", "-fPIC"]);
    let program = compile_with("gcc", &["hijack.c", "check.c"], &["-ldl"]);
    run(&program, "expected", Some(("LD_PRELOAD", &hijacker.path)));
}

#[test]
fn functions_of_libwinpr2() {
    let flags = ["-Wl,--no-as-needed", WINPR, "-ldl"];
    run(&compile_with("gcc", &["hijack.c", "check.c"], &flags), "none", None);
}

/// The names in `hijacker.c` are all that libwinpr2 shares with us.
#[test]
fn names_that_libwinpr2_has() {
    let text = success(Command::new("nm").args(["-D", "--defined-only", "--format=posix", WINPR]));
    let theirs: BTreeSet<&str> = text.lines().filter_map(|line| line.split(' ').next()).collect();
    let ours = exported("core-exports.txt") + &exported("crypt-exports.txt");
    let shared: BTreeSet<&str> = ours.lines().filter(|name| theirs.contains(name)).collect();
    let source = fs::read_to_string(root().join("tests/c/hijacker.c")).unwrap();
    let listed = source.lines().filter_map(|line| line.strip_prefix("THEIRS(")?.strip_suffix(')'));
    assert_eq!(listed.collect::<BTreeSet<_>>(), shared);
    assert_eq!(shared.len(), 40);
}
