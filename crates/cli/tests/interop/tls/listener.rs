//! A `portcullis serve --https` to be.

use crate::harness::{ANN, Server};
use crate::tls::certificates;
use std::path::{Path, PathBuf};

/// What the server is to be started with.
pub struct Listener {
    certificate: PathBuf,
    key: Option<PathBuf>,
    client_auth: Option<&'static str>,
    client_ca: PathBuf,
    tls: String,
    settings: String,
    arguments: Vec<String>,
}

impl Listener {
    /// With an EC certificate, no client certificates, and every default.
    pub fn new() -> Self {
        Self {
            certificate: certificates::file("p256.pem"),
            key: Some(certificates::file("p256.key")),
            client_auth: None,
            client_ca: certificates::file("root.pem"),
            tls: String::new(),
            settings: String::new(),
            arguments: Vec::new(),
        }
    }

    /// With another certificate of the shared folder.
    pub fn certificate(self, name: &str) -> Self {
        let key = certificates::file(&format!("{name}.key"));
        self.files(certificates::file(&format!("{name}.pem")), Some(key))
    }

    /// With these files; a certificate of PKCS#12 brings its key along.
    pub fn files(mut self, certificate: PathBuf, key: Option<PathBuf>) -> Self {
        (self.certificate, self.key) = (certificate, key);
        self
    }

    /// With this on the command line besides.
    pub fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// With `--tls-client-auth`.
    pub fn client_auth(mut self, how: &'static str) -> Self {
        self.client_auth = Some(how);
        self
    }

    /// With client certificates of another root.
    pub fn client_ca(mut self, name: &str) -> Self {
        self.client_ca = certificates::file(name);
        self
    }

    /// With these lines in `[tls]`.
    pub fn tls(mut self, lines: &str) -> Self {
        self.tls += lines;
        self.tls.push('\n');
        self
    }

    /// With these sections in the configuration.
    pub fn settings(mut self, sections: &str) -> Self {
        self.settings += sections;
        self.settings.push('\n');
        self
    }

    pub fn start(&self) -> Server {
        let mut arguments = self.arguments.clone();
        let mut add = |name: &str, value: &str| arguments.extend([name.to_owned(), value.to_owned()]);
        add("--https", "127.0.0.1:0");
        add("--tls-cert", self.certificate.to_str().unwrap());
        if let Some(key) = &self.key {
            add("--tls-key", key.to_str().unwrap());
        }
        if let Some(how) = self.client_auth {
            add("--tls-client-ca", self.client_ca.to_str().unwrap());
            add("--tls-client-auth", how);
        }
        let tls = if self.tls.is_empty() { String::new() } else { format!("[tls]\n{}", self.tls) };
        Server::with_arguments(&format!("{tls}{}", self.settings), &arguments)
    }
}

/// Says that a client certificate of the shared folder is [`ANN`]'s.
pub fn map_to_ann(server: &Server, certificate: &str) {
    map(server, ANN, certificate);
}

pub fn map(server: &Server, account: &str, certificate: &str) {
    map_file(server, account, &certificates::file(&format!("{certificate}.leaf.pem")));
}

/// The same with any file.
pub fn map_file(server: &Server, account: &str, leaf: &Path) {
    server.cli(&["account", "map-cert", account, "--cert", leaf.to_str().unwrap()]);
}

/// A list of files, as TOML has it.
pub fn list(files: &[PathBuf]) -> String {
    format!("{:?}", files.iter().map(|file| file.to_str().unwrap()).collect::<Vec<_>>())
}
