//! `freerdp-shadow-cli`, which shows a display to those who log on.

use crate::harness;
use crate::program::{Display, PATIENCE, Program, within};
use portcullis_authority::{
    AccountEdit, DataFolder, Directory, DomainNames, LocalNames, NewAccount, NewSecret, bootstrap,
};
use serde_json::Value;
use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// An account of a server: its name, password and NT hash.
#[derive(Debug, Clone, Copy)]
pub struct User {
    pub name: &'static str,
    pub password: &'static str,
    /// MD4 of the password in UTF-16LE, as WinPR's file has it.
    pub nt_hash: &'static str,
}

pub const ANN: User = User { name: "ann", password: "Correct-horse 7", nt_hash: "9e852e7d7422b2ed11117ec1705dbf67" };
pub const BEN: User = User { name: "ben", password: "Battery-staple 9", nt_hash: "09d491f8f7f58313645d9c74002624d1" };

/// The store's domain.
pub const DOMAIN: &str = "CORP";

/// A running server; dropped, it ends.
pub struct Server {
    program: Program,
    display: Display,
    port: u16,
    library: Option<PathBuf>,
    data: TempDir,
}

impl Server {
    /// FreeRDP alone, with these lines as WinPR's file of users.
    pub fn stock(users: &str) -> Self {
        Self::start(None, Some(users), "")
    }

    /// The library in it, without a store: WinPR's file decides.
    pub fn with_sam(users: &str) -> Self {
        Self::start(Some(harness::library()), Some(users), SETTINGS)
    }

    /// The library in it, with a store of these users. WinPR's file is there too, and nobody must ask it.
    pub fn with_store(users: &[User], file: &str) -> Self {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().join("data");
        make_store(&folder, users);
        let settings = format!("authority = \"sqlite:{}\"\n{SETTINGS}", folder.display());
        Self::start_in(data, Some(harness::library()), Some(file), &settings)
    }

    fn start(library: Option<PathBuf>, users: Option<&str>, settings: &str) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), library, users, settings)
    }

    fn start_in(data: TempDir, library: Option<PathBuf>, users: Option<&str>, settings: &str) -> Self {
        let display = Display::start();
        let home = tempfile::tempdir().unwrap();
        let port = free_port();
        let mut command = match &library {
            None => Command::new("freerdp-shadow-cli"),
            Some(library) => with_module(library, data.path()),
        };
        command.args(["/bind-address:127.0.0.1", &format!("/port:{port}"), "/sec:nla", "+auth"]);
        if let Some(users) = users {
            let file = data.path().join("SAM");
            fs::write(&file, users).unwrap();
            command.arg(format!("/sam-file:{}", file.display()));
        }
        let config = data.path().join("portcullis.toml");
        fs::write(&config, settings).unwrap();
        let environment = [("PORTCULLIS_CONFIG", config.to_str().unwrap())];
        let environment = if library.is_some() { &environment[..] } else { &[] };
        let program = Program::start(&mut command, home, &display.name, environment);
        let mut server = Self { program, display, port, library, data };
        server.wait();
        server
    }

    fn wait(&mut self) {
        let listening = within(PATIENCE, || match self.program.ended() {
            Some(status) => Some(Err(status)),
            None => TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).ok().map(|_| Ok(())),
        });
        assert!(matches!(listening, Some(Ok(()))), "the server does not listen: {listening:?}\n{}", self.log());
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn display(&self) -> &str {
        &self.display.name
    }

    /// What the server and the library in it have written so far.
    pub fn log(&self) -> String {
        self.program.output()
    }

    /// Waits until its log has this text: lines may be written after the client has gone.
    pub fn expect_logged(&self, what: &str) {
        if within(PATIENCE, || self.log().contains(what).then_some(())).is_none() {
            panic!("the log has no `{what}`: {}", self.log());
        }
    }

    /// How often the library has said that this user came through, of whatever domain.
    pub fn established(&self, user: User) -> usize {
        let name = format!("{}\"", user.name);
        let accounts =
            |line: &str| Some(line.split_once("established package=\"Negotiate\" account=")?.1.contains(&name));
        self.log().lines().filter_map(accounts).filter(|is_theirs| *is_theirs).count()
    }

    /// The module is in the process: nothing else could have decided.
    pub fn expect_module(&self) {
        let library = self.library.as_ref().expect("a server with the module");
        let mapped = self.program.mapped();
        assert!(mapped.contains(library.to_str().unwrap()), "the module was never loaded: {}", self.log());
    }

    /// The audit log's lines, once there are this many.
    pub fn audit(&self, count: usize) -> Vec<Value> {
        let file = DataFolder::new(&self.data.path().join("data")).audit();
        let lines = || -> Vec<Value> {
            let text = fs::read_to_string(&file).unwrap_or_default();
            text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
        };
        let enough = within(PATIENCE, || Some(lines()).filter(|lines| lines.len() >= count));
        let found = enough.unwrap_or_else(lines);
        assert_eq!(found.len(), count, "{found:#?}\n{}", self.log());
        found
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the server's log, in {}: {}", self.program.home().display(), self.log());
        }
    }
}

/// WinPR's file with these users, for clients of any domain.
pub fn sam(users: &[User]) -> String {
    users.iter().map(|user| format!("{}:::{}:::\n", user.name, user.nt_hash)).collect()
}

/// FreeRDP impersonates whoever has logged on, and goes on only when it is told that this worked.
const SETTINGS: &str = "[compatibility]\ndanger_pretend_impersonation = true\n\
    [log]\nlevel = \"debug\"\n";

/// The server's command, with the library as its module. It finds a module's name in /etc/winpr/HKLM.reg only, so it is
/// started where that file exists: in a mount namespace of its own, whose /etc has one folder more. Nothing that others see
/// changes.
fn with_module(library: &Path, folder: &Path) -> Command {
    let etc = folder.join("etc");
    fs::create_dir_all(etc.join("winpr")).unwrap();
    // Not a slip: WinPR drops a string whose opening quote is not doubled.
    let registry = format!(
        "Windows Registry Editor Version 5.00\n\n\
         [HKEY_LOCAL_MACHINE\\Software\\FreeRDP\\FreeRDP\\Server]\n\"SspiModule\"=\"\"{}\"\n",
        library.display()
    );
    fs::write(etc.join("winpr/HKLM.reg"), registry).unwrap();
    let script = "mount -t overlay overlay -o \"ro,lowerdir=$0:/etc\" /etc && exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "--", "sh", "-c", script]);
    command.arg(&etc).arg("freerdp-shadow-cli");
    command
}

/// A data folder with these accounts.
fn make_store(folder: &Path, users: &[User]) {
    let names = DomainNames::new(DOMAIN, "corp.example").unwrap();
    bootstrap(folder, &names, None).unwrap();
    let directory = Directory::open_sqlite(folder, LocalNames::default()).unwrap();
    for user in users {
        let secret = NewSecret::Password(user.password.to_owned().into());
        let edit = AccountEdit::default();
        directory.add_account(NewAccount { name: user.name.to_owned(), secret, edit, groups: vec![] }).unwrap();
    }
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}
