//! What stands between a client and the server: it ends TLS with a certificate of its own and goes on, in TLS or without.

use crate::harness::root;
use crate::tls::certificates;
use crate::tls::program::Program;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

/// Passes on every byte that a client sends and the server answers.
pub struct Proxy {
    program: Program,
    pub address: SocketAddr,
}

impl Proxy {
    /// With a certificate of the shared folder, which clients trust; behind it, `http://…` or `https://…`.
    pub fn start(certificate: &str, behind: &str) -> Self {
        let mut command = Command::new(Path::new("/usr/bin/python3"));
        command.current_dir(root().join("interop")).arg("python/tls_proxy.py").env("PEER_URL", behind);
        command.env("PEER_CERTIFICATE", certificates::file(&format!("{certificate}.pem")));
        command.env("PEER_KEY", certificates::file(&format!("{certificate}.key")));
        command.env("PEER_CA", certificates::file("roots.pem"));
        let mut program = Program::start(command);
        program.expect("listening ", 1);
        program.expect("\n", 1);
        let said = program.said();
        let port = said.trim().strip_prefix("listening ").and_then(|port| port.parse().ok());
        let port: u16 = port.unwrap_or_else(|| panic!("{said}"));
        Self { program, address: ([127, 0, 0, 1], port).into() }
    }

    /// The bindings in the last AUTHENTICATE that came by: `absent`, `zero` or the hash. The proxy reads what it passes on.
    pub fn saw(&mut self) -> String {
        self.program.expect("bindings ", 1);
        let said = self.program.said();
        said.lines().filter_map(|line| line.strip_prefix("bindings ")).next_back().unwrap().to_owned()
    }
}
