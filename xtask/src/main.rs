//! The project's own commands.
//!
//! - `cargo xtask test` installs the real peers that the tests need, then runs every test and check;
//! - `cargo xtask check` asserts the invariants of ARCHITECTURE.md that a machine can assert;
//! - `cargo xtask ci` is what CI runs: formatting, lints, then `test`;
//! - `cargo xtask peers` only installs the peers;
//! - `cargo xtask install-c [PREFIX]` builds the C library and installs it with its header;
//! - `cargo xtask bench` measures beside the peers (minutes; never part of `test`).
#![forbid(unsafe_code)]

mod c_library;
mod check;
mod peers;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let task = std::env::args().nth(1).unwrap_or_default();
    let done = match task.as_str() {
        "test" => test(),
        "check" => check::run(&root()),
        "ci" => run(Command::new("bash").arg(".ci/run")),
        "peers" => peers::install(),
        "install-c" => {
            let prefix = std::env::args_os().nth(2).unwrap_or_else(|| "/usr/local".into());
            c_library::install(Path::new(&prefix))
        }
        "bench" => run(Command::new("bash").arg("bench/run.sh")),
        _ => Err("usage: cargo xtask test | check | ci | peers | install-c [PREFIX] | bench".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("xtask {task}: {why}");
            ExitCode::FAILURE
        }
    }
}

fn test() -> Result<(), String> {
    peers::install()?;
    check::run(&root())?;
    run(Command::new("cargo").args(["test", "--workspace", "--all-targets"]))?;
    run(Command::new("cargo").args(["test", "--workspace", "--doc"]))
}

/// Runs a command at the root and prints it first.
fn run(command: &mut Command) -> Result<(), String> {
    let shown = std::iter::once(command.get_program()).chain(command.get_args());
    let shown = shown.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
    println!("+ {shown}");
    if command.get_current_dir().is_none() {
        command.current_dir(root());
    }
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{shown}` ended with {status}")),
        Err(error) => Err(format!("`{shown}` did not start: {error}")),
    }
}

/// The workspace's root.
fn root() -> PathBuf {
    // What cargo says when it runs us; the path at compile time may be of another checkout with the same target folder.
    let here = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&here).parent().map(Path::to_path_buf).unwrap_or_default()
}
