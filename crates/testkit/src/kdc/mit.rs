//! A realm of MIT's `krb5kdc`.

use super::process::{Running, free_port, program, run, said};
use super::{Client, Enctype};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A realm with its KDC; dropped, it is gone.
#[derive(Debug)]
pub struct MitRealm {
    port: u16,
    // Before the folder, which it writes into.
    _kdc: Running,
    folder: TempDir,
}

impl MitRealm {
    /// Its name.
    pub const REALM: &str = "MIT.EXAMPLE";
    /// A user.
    pub const ALICE: &str = "alice";
    /// A user whose name has two components.
    pub const BOB: &str = "bob/admin";
    /// A user whose name has three.
    pub const THREE: &str = "host/web.mit.example/third";
    /// The password of each of these.
    pub const PASSWORD: &str = "Correct-horse 7";

    /// Starts a realm with its users and no service.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        configure(folder.path());
        let mut create = tool(folder.path(), "kdb5_util");
        let created = run(create.args(["create", "-s", "-r", Self::REALM, "-P", "master"]), "");
        assert!(created.status.success(), "{}", said(&created));
        let (kdc, port) = serve(folder.path());
        let realm = Self { port, _kdc: kdc, folder };
        let password = Self::PASSWORD;
        let users = [Self::ALICE, Self::BOB, Self::THREE];
        realm.administer(&users.map(|user| format!("addprinc -pw \"{password}\" {user}")));
        realm
    }

    /// A client with every enctype, and no ticket.
    pub fn client(&self) -> Client {
        self.client_with(&Enctype::ALL)
    }

    /// A client that takes and offers these enctypes alone, in this order.
    pub fn client_with(&self, enctypes: &[Enctype]) -> Client {
        Client::of(Self::REALM, self.port, &permitted(enctypes))
    }

    /// Makes a service with a random key of each of these enctypes. The KDC chooses the first for tickets, and session
    /// keys of what the client likes and [`Self::session_keys`] allows.
    pub fn service(&self, name: &str, enctypes: &[Enctype]) {
        self.administer(&[format!("addprinc -randkey -e \"{}\" {name}", Enctype::names(enctypes, ":normal"))]);
    }

    /// Lets session keys of tickets for this service be of these enctypes alone.
    pub fn session_keys(&self, name: &str, enctypes: &[Enctype]) {
        self.administer(&[format!("setstr {name} session_enctypes \"{}\"", Enctype::names(enctypes, ""))]);
    }

    /// Gives a service new keys, with the next version number; the old ones are kept beside them.
    pub fn rotate(&self, name: &str, enctypes: &[Enctype]) {
        let enctypes = Enctype::names(enctypes, ":normal");
        self.administer(&[format!("cpw -randkey -keepold -e \"{enctypes}\" {name}")]);
    }

    /// Changes a principal as `kadmin`'s `modprinc` does: `-allow_tix`, `+ok_as_delegate`, `-maxlife 10sec`.
    pub fn modify(&self, name: &str, attributes: &str) {
        self.administer(&[format!("modprinc {attributes} {name}")]);
    }

    /// Adds the keys of these services to the keytab of this name, all versions that there are; gives its path.
    pub fn keytab(&self, file: &str, services: &[&str]) -> PathBuf {
        let path = self.folder.path().join(file);
        let shown = path.display();
        let queries = services.iter().map(|service| format!("ktadd -norandkey -k {shown} {service}"));
        self.administer(&queries.collect::<Vec<_>>());
        path
    }

    /// Asks the realm's database these things, in `kadmin`'s language.
    ///
    /// # Panics
    /// When `kadmin.local` has anything to complain about.
    pub fn administer(&self, queries: &[String]) -> String {
        let mut command = tool(self.folder.path(), "kadmin.local");
        let output = run(command.args(["-r", Self::REALM]), &(queries.join("\n") + "\n"));
        // It ends well whatever happened.
        let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
        let harmless = |line: &str| line.starts_with("No policy specified for") || line.trim().is_empty();
        assert!(output.status.success() && complaints.lines().all(harmless), "{queries:?}: {}", said(&output));
        said(&output)
    }
}

fn permitted(enctypes: &[Enctype]) -> String {
    format!(
        "permitted_enctypes = {}\nallow_rc4 = true\nallow_weak_crypto = true\nforwardable = true",
        Enctype::names(enctypes, "")
    )
}

fn configure(folder: &Path) {
    let (realm, folder_name) = (MitRealm::REALM, folder.display());
    let config = format!(
        "[libdefaults]\ndefault_realm = {realm}\ndns_lookup_realm = false\ndns_lookup_kdc = false\n{}\n\
         [logging]\nkdc = FILE:{folder_name}/kdc.log\n",
        permitted(&Enctype::ALL)
    );
    std::fs::write(folder.join("krb5.conf"), config).unwrap();
    std::fs::write(folder.join("kadm5.acl"), "").unwrap();
}

/// Starts the KDC on a port that is free.
fn serve(folder: &Path) -> (Running, u16) {
    let log = folder.join("krb5kdc.out");
    for _ in 0..10 {
        let port = free_port();
        profile(folder, port);
        let (config, profile) = (folder.join("krb5.conf"), folder.join("kdc.conf"));
        let environment = [("KRB5_CONFIG", config.as_path()), ("KRB5_KDC_PROFILE", profile.as_path())];
        let arguments = ["-n", "-r", MitRealm::REALM];
        let mut kdc = Running::start_watched(&program("krb5kdc"), &arguments, &environment, &log);
        if kdc.listens(port) {
            return (kdc, port);
        }
    }
    let read = |path: PathBuf| std::fs::read_to_string(path).unwrap_or_default();
    panic!("krb5kdc does not start: {}{}", read(log), read(folder.join("kdc.log")));
}

fn profile(folder: &Path, port: u16) {
    // By UDP too: Heimdal's library asks by nothing else first.
    let (realm, shown) = (MitRealm::REALM, folder.display());
    let text = format!(
        "[kdcdefaults]\nkdc_listen = 127.0.0.1:{port}\nkdc_tcp_listen = 127.0.0.1:{port}\n\
         [realms]\n\
         {realm} = {{\n\
           database_name = {shown}/principal\n\
           key_stash_file = {shown}/stash\n\
           acl_file = {shown}/kadm5.acl\n\
           max_life = 10h\n\
           max_renewable_life = 7d\n\
           supported_enctypes = {}\n\
         }}\n",
        Enctype::names(&Enctype::ALL, ":normal")
    );
    std::fs::write(folder.join("kdc.conf"), text).unwrap();
}

/// One of the realm's own programs.
fn tool(folder: &Path, name: &str) -> Command {
    if !folder.join("kdc.conf").exists() {
        profile(folder, 0);
    }
    let mut command = Command::new(program(name));
    command.env("KRB5_CONFIG", folder.join("krb5.conf")).env("KRB5_KDC_PROFILE", folder.join("kdc.conf"));
    command
}
