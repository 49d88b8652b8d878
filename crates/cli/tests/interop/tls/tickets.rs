//! Sessions of openssl's client: one connection leaves a file, the next one brings it.

use crate::tls::certificates::Own;
use crate::tls::clients::{s_client, with_certificate};
use crate::tls::program::Program;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

pub const VERSIONS: [&str; 2] = ["-tls1_2", "-tls1_3"];

/// What became of a connection.
#[derive(Debug)]
pub struct Resumed {
    /// The server took the session.
    pub resumed: bool,
    /// Of the answer; `None` where there was none.
    pub status: Option<u16>,
    pub said: String,
}

impl Resumed {
    pub fn expect(&self, resumed: bool, status: u16) {
        assert_eq!((self.resumed, self.status), (resumed, Some(status)), "{}", self.said);
    }

    /// Served as who it is, by a full handshake or a short one: never with this status.
    pub fn expect_not(&self, status: u16) {
        assert_ne!(self.status, Some(status), "{}", self.said);
    }
}

/// A client of one version that may have a certificate.
#[derive(Clone, Copy)]
pub struct Client<'a> {
    pub version: &'a str,
    pub certificate: Option<&'a str>,
    /// Whom it asks for (SNI).
    pub name: &'a str,
}

impl Client<'_> {
    /// A full handshake and a request that has this answer; leaves the session in a file.
    pub fn begin(&self, address: SocketAddr, own: &Own, status: u16) -> PathBuf {
        let file = own.path(&format!("{}{}.session", self.version, self.certificate.unwrap_or("")));
        let mut program = self.start(address, "-sess_out", &file);
        let answered = program.answer();
        // The file is written when the program ends, and each ticket when it comes.
        let said = program.finish();
        assert_eq!(answered, Some(status), "{said}");
        assert!(said.contains("New, TLSv1.") && !said.contains("Reused, "), "{said}");
        assert!(file.exists(), "there was no ticket: {said}");
        file
    }

    /// Brings a session, and asks.
    pub fn resume(&self, address: SocketAddr, session: &Path) -> Resumed {
        let mut program = self.start(address, "-sess_in", session);
        let status = program.answer();
        let said = program.finish();
        Resumed { resumed: said.contains("Reused, TLSv1."), status, said }
    }

    fn start(&self, address: SocketAddr, option: &str, session: &Path) -> Program {
        let mut arguments = vec![self.version.to_owned(), "-servername".to_owned(), self.name.to_owned()];
        arguments.extend([option.to_owned(), session.to_str().unwrap().to_owned()]);
        if let Some(name) = self.certificate {
            // `-cert_chain`: what stands between the leaf and the root.
            let [_, certificate, _, key] = with_certificate(name);
            arguments.extend(["-cert", &certificate, "-cert_chain", &certificate, "-key", &key].map(str::to_owned));
        }
        s_client(address, &arguments)
    }
}

/// One client in each version.
pub fn each(certificate: Option<&'static str>, mut check: impl FnMut(&Client<'_>)) {
    for version in VERSIONS {
        check(&Client { version, certificate, name: "localhost" });
    }
}
