//! `xfreerdp`, which logs on and leaves.

use crate::program::Program;
use crate::server::Server;
use std::path::Path;
use std::process::Command;

/// What xfreerdp says when the server breaks off, `XF_EXIT_CONNECT_TRANSPORT_FAILED`. FreeRDP's servers do that when the
/// proof is wrong, in place of an answer.
pub const BROKEN_OFF: i32 = 147;

/// What a client is to do.
#[derive(Debug, Clone, Copy)]
pub struct Logon<'a> {
    pub user: &'a str,
    pub domain: &'a str,
    pub password: &'a str,
}

impl<'a> Logon<'a> {
    pub fn new(user: &'a str, password: &'a str) -> Self {
        Self { user, domain: "", password }
    }
}

/// What became of it.
#[derive(Debug)]
pub struct Outcome {
    pub code: Option<i32>,
    pub output: String,
}

impl Outcome {
    /// The session stood: CredSSP is through, and all of RDP's own greetings that need its keys.
    pub fn expect_let_in(&self) {
        assert_eq!(self.code, Some(0), "{}", self.output);
        self.expect_said("Authentication only, exit status 0");
    }

    /// It came as far as the logon, and no further.
    pub fn expect_refused(&self) {
        assert_eq!(self.code, Some(BROKEN_OFF), "{}", self.output);
        self.expect_said("Authentication only, exit status 1");
    }

    fn expect_said(&self, what: &str) {
        assert!(self.output.contains(what), "{}", self.output);
    }
}

/// Logs on with FreeRDP's own SSPI.
pub fn log_on(server: &Server, logon: &Logon<'_>) -> Outcome {
    let home = tempfile::tempdir().unwrap();
    run(Program::start(&mut command(server, logon), home, server.display(), &[]))
}

/// Logs on with the hash of a password that nobody knows, in hexadecimal.
pub fn log_on_by_hash(server: &Server, user: &str, nt_hash: &str) -> Outcome {
    let home = tempfile::tempdir().unwrap();
    // It asks for a password too, and does not use it then.
    let mut command = command(server, &Logon::new(user, "-"));
    command.arg(format!("/pth:{nt_hash}"));
    run(Program::start(&mut command, home, server.display(), &[]))
}

/// Logs on with this library in place of FreeRDP's own: it has no option for that, but asks for the functions by name.
pub fn log_on_with(library: &Path, server: &Server, logon: &Logon<'_>) -> Outcome {
    let home = tempfile::tempdir().unwrap();
    let bindings = home.path().join("bindings");
    let environment = [
        ("LD_PRELOAD", library.to_str().unwrap()),
        ("LD_DEBUG", "bindings"),
        ("LD_DEBUG_OUTPUT", bindings.to_str().unwrap()),
    ];
    let program = Program::start(&mut command(server, logon), home, server.display(), &environment);
    let bindings = format!("{}.{}", bindings.display(), program.id());
    let (outcome, bindings) = read_after(program, Path::new(&bindings));
    let bound = bindings.lines().find(|line| line.contains("`InitSecurityInterfaceExA'")).unwrap_or_default();
    assert!(
        bound.contains("/libfreerdp2.so") && bound.contains(&format!("to {}", library.display())),
        "{bound}\n{outcome:?}"
    );
    outcome
}

fn command(server: &Server, logon: &Logon<'_>) -> Command {
    let mut command = Command::new("xfreerdp");
    command.arg(format!("/v:127.0.0.1:{}", server.port()));
    command.arg(format!("/u:{}", logon.user)).arg(format!("/p:{}", logon.password));
    if !logon.domain.is_empty() {
        command.arg(format!("/d:{}", logon.domain));
    }
    command.args(["/sec:nla", "/cert:ignore", "+auth-only"]);
    command
}

fn run(mut program: Program) -> Outcome {
    let code = program.end().code();
    Outcome { code, output: program.output() }
}

fn read_after(mut program: Program, file: &Path) -> (Outcome, String) {
    let code = program.end().code();
    let text = std::fs::read(file).unwrap_or_default();
    (Outcome { code, output: program.output() }, String::from_utf8_lossy(&text).into_owned())
}
