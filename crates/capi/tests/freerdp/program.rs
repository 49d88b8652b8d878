//! Programs that run beside a test: their folder, their display, their end.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long anything may take: a logon takes a second, a server's first start with its RSA key two or three.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A program in a home of its own; dropped, it ends.
pub struct Program {
    child: Child,
    home: TempDir,
}

impl Program {
    /// Starts the command with an empty home and with only these variables: what a developer has set changes nothing.
    pub fn start(command: &mut Command, home: TempDir, display: &str, environment: &[(&str, &str)]) -> Self {
        let output = File::create(output(home.path())).unwrap();
        command.env_clear().envs(environment.iter().copied());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", home.path()).env("DISPLAY", display).env("LC_ALL", "C.UTF-8");
        command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        let child = command.spawn().unwrap_or_else(|why| not_there(command, &why));
        Self { child, home }
    }

    /// What it has written so far, on both of its outputs.
    pub fn output(&self) -> String {
        String::from_utf8_lossy(&fs::read(output(self.home.path())).unwrap_or_default()).into_owned()
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The files that it has mapped, libraries among them.
    pub fn mapped(&self) -> String {
        fs::read_to_string(format!("/proc/{}/maps", self.child.id())).unwrap_or_default()
    }

    /// How it ended, where it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits for its end.
    pub fn end(&mut self) -> ExitStatus {
        match within(PATIENCE, || self.ended()) {
            Some(status) => status,
            None => panic!("it does not end: {}", self.output()),
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A screen that nobody sees: both of FreeRDP's programs want one before they talk to each other.
pub struct Display {
    child: Child,
    pub name: String,
}

impl Display {
    pub fn start() -> Self {
        let mut command = Command::new("Xvfb");
        command.args(["-displayfd", "1", "-screen", "0", "640x480x24", "-nolisten", "tcp"]);
        // It would start anew whenever its last client leaves, and the next could find it half away.
        command.arg("-noreset");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap_or_else(|why| not_there(&command, &why));
        // It writes the number of the display that it took, once it serves.
        let mut number = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut number).unwrap();
        assert!(!number.trim().is_empty(), "Xvfb found no free display");
        Self { child, name: format!(":{}", number.trim()) }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        // Asked to end, it takes its files in /tmp along.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

/// Asks again and again, until there is an answer or time is up.
pub fn within<T>(patience: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let until = Instant::now() + patience;
    loop {
        let answer = ask();
        if answer.is_some() || Instant::now() > until {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn output(home: &Path) -> PathBuf {
    home.join("output")
}

fn not_there(command: &Command, why: &std::io::Error) -> ! {
    panic!("{command:?} does not start ({why}): run `cargo xtask peers`, which installs it")
}
