//! A domain of Active Directory by Samba.

use super::Client;
use super::process::{Running, free_port, program, run, said};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A domain with its KDC; dropped, it is gone. `interop/samba/provision.py` says who is in it.
///
/// `cargo xtask peers` makes the domain once; each value is a copy with a KDC of its own.
#[derive(Debug)]
pub struct SambaDomain {
    port: u16,
    // Before the folder, which it writes into.
    _kdc: Running,
    folder: TempDir,
}

impl SambaDomain {
    /// Its realm.
    pub const REALM: &str = "AD.EXAMPLE";
    /// Its NetBIOS name.
    pub const DOMAIN: &str = "AD";
    /// The password of each user and computer.
    pub const PASSWORD: &str = "Us3r.Passw0rd";

    /// Starts one.
    pub fn start() -> Self {
        let made = root().join("target/interop/samba");
        assert!(made.join("smb.conf").is_file(), "{} is not there: run `cargo xtask peers`", made.display());
        let folder = tempfile::tempdir().unwrap();
        let output = run(Command::new("cp").args(["-r", "--sparse=always"]).arg(made.join(".")).arg(folder.path()), "");
        assert!(output.status.success(), "{}", said(&output));
        let config = fs::read_to_string(made.join("smb.conf")).unwrap();
        // It names the folder that it was made in.
        let place =
            config.lines().find_map(|line| line.strip_prefix("private dir = ")?.strip_suffix("/private")).unwrap();
        let config = config.replace(place, folder.path().to_str().unwrap());
        let (kdc, port) = serve(folder.path(), &config);
        Self { port, _kdc: kdc, folder }
    }

    /// A client with no ticket.
    pub fn client(&self) -> Client {
        Client::of(Self::REALM, self.port, "forwardable = true\nallow_rc4 = true\nallow_weak_crypto = true")
    }

    /// The keys of `svc-web`, `svc-rc4` or `svc-deleg`, under the names of its services and its own.
    pub fn keytab(&self, account: &str) -> PathBuf {
        self.folder.path().join("keytabs").join(format!("{account}.keytab"))
    }

    /// The SID of an account and those of its groups, nested ones and BUILTIN's too, as the directory has them
    /// (`tokenGroups`).
    pub fn token_groups(&self, account: &str) -> BTreeSet<String> {
        let folder = self.folder.path().as_os_str();
        let said = self.script("token_groups.py", &[folder, account.as_ref()], &[]);
        said.lines().map(str::to_owned).collect()
    }

    /// What the PAC in this client's ticket for a service says, as Samba reads it: pairs of `sid`, `user`, `domain`,
    /// `upn`, `dns`, `buffers`, `through` and a value (see `interop/samba/pac.py`).
    pub fn pac(&self, client: &Client, service: &str, keytab: &Path) -> Vec<(String, String)> {
        let mut environment = client.environment().to_vec();
        environment.push(("KRB5_KTNAME", keytab.into()));
        environment.push(("KRB5RCACHETYPE", "none".into()));
        let service = format!("{service}@{}", Self::REALM);
        let said = self.script("pac.py", &[service.as_ref()], &environment);
        let pair = |line: &str| line.split_once(' ').map(|(name, value)| (name.to_owned(), value.to_owned()));
        said.lines().filter_map(pair).collect()
    }

    /// Runs `samba-tool` on the domain.
    ///
    /// # Panics
    /// When it fails.
    pub fn administer(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(program("samba-tool"));
        command.args(arguments).arg("-s").arg(self.folder.path().join("smb.conf"));
        expect_success(&mut command)
    }

    fn script(&self, name: &str, arguments: &[&OsStr], environment: &[(&str, std::ffi::OsString)]) -> String {
        // Debian's Python, which has Samba's modules.
        let mut command = Command::new("/usr/bin/python3");
        command.arg(root().join("interop/samba").join(name)).args(arguments).envs(environment.iter().cloned());
        expect_success(&mut command)
    }
}

fn expect_success(command: &mut Command) -> String {
    let output = run(command, "");
    assert!(output.status.success(), "{command:?}: {}", said(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Starts the KDC on ports that are free.
fn serve(folder: &Path, config: &str) -> (Running, u16) {
    let (file, log) = (folder.join("smb.conf"), folder.join("samba.log"));
    for _ in 0..10 {
        let (port, password_port) = (free_port(), free_port());
        let ports = format!("[global]\nkrb5 port = {port}\nkpasswd port = {password_port}");
        fs::write(&file, config.replacen("[global]", &ports, 1)).unwrap();
        // Interactive: it stays in the foreground, and ends with its standard input.
        let mut command = Command::new(program("samba"));
        command.args(["-i", "-M", "single", "-s"]).arg(&file);
        let mut kdc = Running::start(&mut command, &log);
        if kdc.listens(port) {
            return (kdc, port);
        }
    }
    panic!("samba does not start: {}", fs::read_to_string(log).unwrap_or_default());
}

/// The workspace's root.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}
