//! Programs: run to their end, or until they are dropped.

use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The program's path: a KDC's programs stand where the PATH of an ordinary user does not lead.
pub(super) fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/local/sbin".into()])
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("there is no program `{name}`: run `cargo xtask peers`, which installs it"))
}

/// Runs a program to its end with `input` on its standard input.
pub(super) fn run(command: &mut Command, input: &str) -> Output {
    let shown = format!("{command:?}");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).env("LC_ALL", "C.UTF-8");
    let mut child = command.spawn().unwrap_or_else(|why| panic!("{shown} does not start: {why}"));
    // One that has refused already reads nothing more, and says why.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// Everything that a program said, on either output.
pub(super) fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)).trim().to_owned()
}

/// A program that runs until this is dropped, or until the process that holds it dies.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
}

impl Running {
    /// Starts one that ends when its standard input does.
    pub(super) fn start(command: &mut Command, log: &Path) -> Self {
        let shown = format!("{command:?}");
        let file = std::fs::File::create(log).unwrap();
        command.stdin(Stdio::piped()).stdout(file.try_clone().unwrap()).stderr(file);
        let child = command.spawn().unwrap_or_else(|why| panic!("{shown} does not start: {why}"));
        Self { child }
    }

    /// Starts one that does not look at its standard input.
    pub(super) fn start_watched(program: &Path, arguments: &[&str], environment: &[(&str, &Path)], log: &Path) -> Self {
        // A shell holds our end of the pipe: when that closes, for whatever reason, it ends the program.
        let script =
            r#"exec 3<&0; "$@" </dev/null 3<&- & child=$!; { cat <&3 >/dev/null; kill $child; } & wait $child"#;
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh"]).arg(program).args(arguments).envs(environment.iter().copied());
        Self::start(&mut command, log)
    }

    /// Waits until it listens on this port of loopback; `false` when it ended instead.
    pub(super) fn listens(&mut self, port: u16) -> bool {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            if self.child.try_wait().unwrap().is_some() {
                return false;
            }
            if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
                return true;
            }
            assert!(Instant::now() < until, "the KDC neither listens nor ends");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let until = Instant::now() + Duration::from_secs(5);
        while self.child.try_wait().is_ok_and(|ended| ended.is_none()) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port of loopback that was free a moment ago. Whoever uses it tries again with another when it is taken.
pub(super) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr()).unwrap().port()
}
