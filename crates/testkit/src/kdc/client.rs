//! A user of a realm: a configuration and a credential cache.

use super::process::{program, run, said};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Somebody's `krb5.conf` and tickets. Nothing of the machine's own configuration counts.
#[derive(Debug)]
pub struct Client {
    folder: TempDir,
}

impl Client {
    /// A client of one realm whose KDC listens on this port, with these lines in `[libdefaults]` besides.
    pub(super) fn of(realm: &str, port: u16, settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let domain = realm.to_lowercase();
        // A program that asks DNS would ask the network, and a library that knows IPv6 would try that first.
        let config = format!(
            "[libdefaults]\n\
             default_realm = {realm}\n\
             dns_lookup_realm = false\n\
             dns_lookup_kdc = false\n\
             dns_canonicalize_hostname = false\n\
             rdns = false\n\
             qualify_shortname = \"\"\n\
             udp_preference_limit = 1\n\
             {settings}\n\
             [realms]\n\
             {realm} = {{\n  kdc = 127.0.0.1:{port}\n}}\n\
             [domain_realm]\n\
             localhost = {realm}\n\
             .{domain} = {realm}\n"
        );
        std::fs::write(folder.path().join("krb5.conf"), config).unwrap();
        Self { folder }
    }

    /// What makes a program find the realm and the tickets, and no keys.
    pub fn environment(&self) -> [(&'static str, OsString); 3] {
        let cache = |path: PathBuf| [OsString::from("FILE:"), path.into()].into_iter().collect();
        [
            ("KRB5_CONFIG", self.config().into()),
            ("KRB5CCNAME", cache(self.cache())),
            ("KRB5_KTNAME", cache(self.folder.path().join("no.keytab"))),
        ]
    }

    /// The `krb5.conf`.
    pub fn config(&self) -> PathBuf {
        self.folder.path().join("krb5.conf")
    }

    /// The credential cache: a file of version 4. There is none before a logon.
    pub fn cache(&self) -> PathBuf {
        self.folder.path().join("ccache")
    }

    /// Gets a ticket-granting ticket by password.
    ///
    /// # Errors
    /// What `kinit` said when the KDC refused.
    pub fn log_on(&self, principal: &str, password: &str) -> Result<(), String> {
        self.log_on_with(principal, password, &[])
    }

    /// The same with more on `kinit`'s command line: `-f` for a ticket that can be forwarded, `-l 5s` for one that ends
    /// soon.
    ///
    /// # Errors
    /// What `kinit` said when the KDC refused.
    pub fn log_on_with(&self, principal: &str, password: &str, arguments: &[&str]) -> Result<(), String> {
        self.tool("kinit", &[arguments, &[principal]].concat(), &format!("{password}\n")).map(drop)
    }

    /// Gets a ticket-granting ticket by the principal's keys.
    ///
    /// # Errors
    /// What `kinit` said when the KDC refused.
    pub fn log_on_by_keytab(&self, principal: &str, keytab: &Path) -> Result<(), String> {
        let keytab = keytab.to_str().unwrap();
        self.tool("kinit", &["-k", "-t", keytab, principal], "").map(drop)
    }

    /// Puts a ticket for this service into the cache: a program that asks no KDC finds it there.
    ///
    /// # Errors
    /// What `kvno` said when the KDC refused.
    pub fn ticket(&self, service: &str) -> Result<(), String> {
        self.tool("kvno", &["-q", service], "").map(drop)
    }

    /// Puts a ticket for `service` into the cache that the logged-on service got in the name of `user`: constrained
    /// delegation with protocol transition (MS-SFU 3.1.5.1).
    ///
    /// # Errors
    /// What `kvno` said when the KDC refused.
    pub fn ticket_for_another(&self, user: &str, service: &str, keytab: &Path) -> Result<(), String> {
        let keytab = keytab.to_str().unwrap();
        self.tool("kvno", &["-q", "-k", keytab, "-U", user, "-P", service], "").map(drop)
    }

    /// What the cache holds, as `klist -e` shows it.
    pub fn tickets(&self) -> String {
        self.tool("klist", &["-e"], "").unwrap_or_else(|why| why)
    }

    /// Runs one of MIT's programs as this client.
    fn tool(&self, name: &str, arguments: &[&str], input: &str) -> Result<String, String> {
        let output = run(Command::new(program(name)).args(arguments).envs(self.environment()), input);
        if output.status.success() { Ok(said(&output)) } else { Err(said(&output)) }
    }
}
