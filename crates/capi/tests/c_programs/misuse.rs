//! Random calls with random handles, and two threads on one context: plain, under valgrind, and with sanitizers.

use crate::compile::{Program, compile, success};
use crate::schannel::Files;
use crate::semantics::VALGRIND;
use crate::store::Case;

const MISUSE: [&str; 5] = ["misuse.c", "chance.c", "stream.c", "talk.c", "check.c"];
const OVERLAP: [&str; 3] = ["overlap.c", "talk.c", "check.c"];
/// By gcc: clang's runtime is another package.
const SANITIZED: [&str; 2] = ["-fsanitize=address", "-fno-omit-frame-pointer"];

fn run(program: &Program, front: &[&str], arguments: &[&str]) {
    let text = format!("[export]\nkey_file = \"{}/export.key\"\n", program.folder().display());
    let case = Case::default().config(program.folder(), text.as_bytes());
    let files = Files::new();
    let mut command = program.under(front);
    command.args(arguments).env("PORTCULLIS_CONFIG", case.config.unwrap()).env("CERTIFICATES", files.folder());
    let said = success(&mut command);
    assert!(said.ends_with(" 0 failed\n"), "{said}");
}

#[test]
fn random_calls() {
    run(&compile("gcc", &MISUSE, &["-O2"]), &[], &["50000", "1"]);
    run(&compile("clang", &MISUSE, &[]), &[], &["50000", "2", "fork"]);
}

#[test]
fn random_calls_under_valgrind() {
    run(&compile("gcc", &MISUSE, &[]), &VALGRIND, &["600", "3"]);
    // A child ends with what the threads that it has no copy of were holding: there is no sense in looking for leaks.
    run(&compile("gcc", &MISUSE, &[]), &["valgrind", "-q", "--error-exitcode=9"], &["300", "4", "fork"]);
}

#[test]
fn random_calls_with_address_sanitizer() {
    run(&compile("gcc", &MISUSE, &SANITIZED), &[], &["20000", "5"]);
}

#[test]
fn one_seals_while_another_opens() {
    run(&compile("gcc", &OVERLAP, &["-O2"]), &[], &["20000"]);
    run(&compile("gcc", &OVERLAP, &SANITIZED), &[], &["20000"]);
    run(&compile("gcc", &OVERLAP, &[]), &VALGRIND, &["500"]);
}
