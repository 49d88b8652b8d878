//! What clients log on to.

use crate::harness::{Server, root};
use crate::peers::{Background, installed};
use crate::tls::certificates;
use portcullis_testkit::kdc::{Client, Enctype, MitRealm};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The service that a client of `http://localhost` means.
pub const HTTP: &str = "HTTP/localhost";

/// Where a client is to go.
#[derive(Debug, Clone)]
pub struct Target {
    pub url: String,
    /// For HTTPS: the authority above the server's certificate.
    pub roots: PathBuf,
}

impl Target {
    pub fn http(port: u16) -> Self {
        Self { url: format!("http://localhost:{port}/"), roots: PathBuf::new() }
    }

    pub fn https(port: u16) -> Self {
        Self { url: format!("https://localhost:{port}/"), roots: certificates::file("root.pem") }
    }

    pub fn of(server: &Server) -> Self {
        Self::http(server.http.port())
    }
}

/// A realm with the service [`HTTP`], its keytab, and alice, who logged on.
pub struct World {
    pub realm: MitRealm,
    pub keytab: PathBuf,
    pub alice: Client,
}

impl World {
    /// With keys of AES-256 and SHA-1, as most realms have them.
    pub fn new() -> Self {
        Self::with(&[Enctype::Aes256Sha1])
    }

    pub fn with(enctypes: &[Enctype]) -> Self {
        let realm = MitRealm::start();
        realm.service(HTTP, enctypes);
        let keytab = realm.keytab("http.keytab", &[HTTP]);
        let alice = realm.client();
        alice.log_on_with(MitRealm::ALICE, MitRealm::PASSWORD, &["-f"]).unwrap();
        Self { realm, keytab, alice }
    }

    /// Ours.
    pub fn serve(&self) -> Server {
        serve(&self.keytab, "")
    }

    /// An acceptor of others, by `library`: `gssapi` (MIT), `heimdal` or `pyspnego`.
    pub fn reference(&self, library: &str, environment: &[(&str, &str)]) -> Background {
        let mut command = python(library, "python/kerberos_acceptor.py");
        command.envs(self.alice.environment()).env("KRB5_KTNAME", &self.keytab);
        // The tests are many, and the cache of replays is one file for all of a user's processes.
        command.env("KRB5RCACHENAME", format!("file2:{}.replays", self.keytab.display()));
        Background::start({
            command.envs(environment.iter().copied());
            command
        })
    }
}

/// `portcullis serve` that offers Negotiate, with this keytab and these settings.
pub fn serve(keytab: &Path, settings: &str) -> Server {
    Server::with_arguments(&format!("[http]\nschemes = [\"Negotiate\"]\n{settings}"), &keytab_argument(keytab))
}

pub fn keytab_argument(keytab: &Path) -> [String; 2] {
    ["--keytab".to_owned(), keytab.to_str().unwrap().to_owned()]
}

/// One of the Python scripts, by the Python that has this library.
pub fn python(library: &str, script: &str) -> Command {
    let program =
        if library == "pyspnego" { installed().join("kerberos-venv/bin/python") } else { "/usr/bin/python3".into() };
    let mut command = Command::new(program);
    command.current_dir(root().join("interop")).arg(script);
    command.envs([("PEER_LIBRARY", library), ("LC_ALL", "C.UTF-8"), ("PYTHONWARNINGS", "ignore")]);
    if library == "heimdal" {
        let folder = heimdal();
        command.env("PEER_GSS", folder.join("libgssapi.so.3")).env("LD_LIBRARY_PATH", folder);
    }
    command
}

/// The folder of Heimdal's libraries.
fn heimdal() -> PathBuf {
    let folders = std::fs::read_dir(installed().join("heimdal/usr/lib")).into_iter().flatten();
    let found = folders.filter_map(|entry| Some(entry.ok()?.path())).find(|path| path.join("libgssapi.so.3").exists());
    found.expect("Heimdal's libraries: run `cargo xtask peers`")
}
