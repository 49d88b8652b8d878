//! Compiles the programs of `tests/c`, and runs them.

use crate::harness;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use tempfile::TempDir;

pub const COMPILERS: [&str; 2] = ["gcc", "clang"];

/// What every program is compiled with.
pub const STRICT: [&str; 5] = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-g"];

/// The package's folder.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A program that was compiled; its folder goes with it.
pub struct Program {
    folder: TempDir,
    pub path: PathBuf,
}

/// Compiles sources of `tests/c` and links the shared library.
pub fn compile(compiler: &str, sources: &[&str], flags: &[&str]) -> Program {
    let library = harness::library();
    let beside = format!("-L{}", library.parent().unwrap().display());
    compile_with(compiler, sources, &[flags, &[&beside, "-lportcullis", "-lpthread", "-ldl"]].concat())
}

/// Compiles sources of `tests/c` with these flags behind them.
pub fn compile_with(compiler: &str, sources: &[&str], flags: &[&str]) -> Program {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(Path::new(sources[0]).file_stem().unwrap());
    let mut command = Command::new(compiler);
    command.current_dir(root()).args(STRICT).args(["-I", "include", "-o"]).arg(&path);
    command.args(sources.iter().map(|source| format!("tests/c/{source}"))).args(flags);
    success(&mut command);
    Program { folder, path }
}

impl Program {
    /// It, ready to run: the library is found, and neither configuration nor tickets are inherited.
    pub fn command(&self) -> Command {
        self.under(&[])
    }

    /// The same with another program in front.
    pub fn under(&self, front: &[&str]) -> Command {
        let mut command = match front.split_first() {
            None => Command::new(&self.path),
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(&self.path);
                command
            }
        };
        let library = harness::library();
        command.env("LD_LIBRARY_PATH", library.parent().unwrap());
        for variable in ["PORTCULLIS_CONFIG", "KRB5CCNAME", "KRB5_KTNAME", "KRB5_CONFIG"] {
            command.env_remove(variable);
        }
        command.current_dir(self.folder.path());
        command
    }

    /// A folder for what it writes.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Runs to the end and gives what it printed; fails unless it succeeds.
pub fn success(command: &mut Command) -> String {
    let output = run(command);
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{out}\n{error}", output.status);
    out.into_owned()
}

/// Runs to the end, two minutes at most.
pub fn run(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command
        .spawn()
        .unwrap_or_else(|why| panic!("{command:?} does not start ({why}): run `cargo xtask peers`, which installs it"));
    let id = child.id().to_string();
    let (done, waiting) = mpsc::channel();
    let watch = std::thread::spawn(move || {
        if waiting.recv_timeout(Duration::from_secs(120)).is_err() {
            let _ = Command::new("kill").args(["-9", &id]).status();
        }
    });
    let output = child.wait_with_output().unwrap();
    let _ = done.send(());
    let _ = watch.join();
    output
}
