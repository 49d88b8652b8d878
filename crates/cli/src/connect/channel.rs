//! TLS from a client's side: whom to believe, and what to show.

use crate::data::Failed;
use clap::Args;
use portcullis::schannel::{Identity, Initiator, InitiatorSettings, Trust, certificates_in_pem};
use portcullis::{Credential, Secret};
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(super) struct TlsOptions {
    /// Believe the authorities in this PEM file. The default are those of this computer
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Show this certificate to a server that asks for one: PEM, its key in the same file or in --key
    #[arg(long, value_name = "FILE")]
    cert: Option<PathBuf>,
    /// The certificate's key, as PEM
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// Believe any certificate: whoever is in between can read along
    #[arg(long, conflicts_with = "ca")]
    danger_any_certificate: bool,
}

/// Where systems keep the authorities that they believe, in one file.
const SYSTEM: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

impl TlsOptions {
    pub(super) fn credential(&self) -> Result<Credential, Failed> {
        let settings = InitiatorSettings {
            servers: if self.danger_any_certificate { None } else { Some(self.trust()?) },
            danger_host_verifies: self.danger_any_certificate,
            identity: self.identity()?,
            application_protocols: vec![b"http/1.1".to_vec()],
            ..InitiatorSettings::default()
        };
        let initiator = Initiator::new(settings).map_err(|error| Failed::Failed(error.to_string()))?;
        Ok(Credential::initiator(initiator))
    }

    fn trust(&self) -> Result<Trust, Failed> {
        let system = || {
            let named = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
            named.or_else(|| SYSTEM.iter().map(PathBuf::from).find(|path| path.exists()))
        };
        let Some(path) = self.ca.clone().or_else(system) else {
            return Err(Failed::Usage(
                "this computer has no file of authorities to believe; name one by --ca, or install ca-certificates"
                    .to_owned(),
            ));
        };
        let roots = certificates_in_pem(&read(&path)?).map_err(|error| at(&path, &error))?;
        Ok(Trust { roots, ..Trust::default() })
    }

    fn identity(&self) -> Result<Option<Identity>, Failed> {
        let Some(cert) = &self.cert else { return Ok(None) };
        let key = self.key.as_ref().unwrap_or(cert);
        let (certificate, secret) = (read(cert)?, Secret::new(read(key)?));
        Identity::from_pem(&certificate, secret.expose()).map(Some).map_err(|error| at(cert, &error))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Failed> {
    std::fs::read(path).map_err(|error| at(path, &error))
}

fn at(path: &Path, error: &dyn std::fmt::Display) -> Failed {
    Failed::Failed(format!("{}: {error}", path.display()))
}
