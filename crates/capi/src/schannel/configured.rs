//! `[tls]` of PORTCULLIS_CONFIG: what a credential has that its caller did not bring. A server's whole section serves here
//! too; docs/c-library.md says which of it counts.

use crate::code::Code;
use library::Secret;
use library::TlsVersion;
use library::schannel::{
    ClientAuth, Identities, Identity, IdentityError, Mapping, Revocation, Trust, certificates_in_pem,
    revocation_lists_in_pem,
};
use portcullis_authority::TicketFile;
use serde::de::{Error as _, IgnoredAny};
use serde::{Deserialize, Deserializer};
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Tls {
    /// The certificate of a credential without pAuthData: PEM, its authorities behind it, or PKCS#12.
    cert: Option<PathBuf>,
    key: Option<PathBuf>,
    password_file: Option<PathBuf>,
    certificates: Vec<CertificateFiles>,
    pub(super) strict_names: bool,
    #[serde(deserialize_with = "versions")]
    pub(super) versions: Vec<TlsVersion>,
    #[serde(deserialize_with = "client_auth")]
    pub(super) client_auth: ClientAuth,
    client_ca: Option<PathBuf>,
    client_sid_ca: Option<PathBuf>,
    client_crls: Vec<PathBuf>,
    #[serde(deserialize_with = "revocation")]
    revocation: Option<Revocation>,
    #[serde(deserialize_with = "mapping")]
    pub(super) client_mapping: Mapping,
    /// Whom clients believe; the system's authorities where it names nobody. This library's alone.
    server_ca: Option<PathBuf>,
    server_crls: Vec<PathBuf>,
    ticket_keys: Option<PathBuf>,
    ticket_hours: u64,
    ticket_rotation_hours: u64,
    // A server's own: a program in C listens itself, and says by buffers what is spoken above.
    #[serde(rename = "listen")]
    _listen: Option<IgnoredAny>,
    #[serde(rename = "alpn")]
    _alpn: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CertificateFiles {
    #[serde(default)]
    names: Vec<String>,
    cert: PathBuf,
    key: Option<PathBuf>,
    password_file: Option<PathBuf>,
}

impl Default for Tls {
    fn default() -> Self {
        Self {
            cert: None,
            key: None,
            password_file: None,
            certificates: Vec::new(),
            strict_names: false,
            versions: vec![TlsVersion::Tls12, TlsVersion::Tls13],
            client_auth: ClientAuth::None,
            client_ca: None,
            client_sid_ca: None,
            client_crls: Vec::new(),
            revocation: None,
            client_mapping: Mapping::Optional,
            server_ca: None,
            server_crls: Vec::new(),
            ticket_keys: None,
            ticket_hours: 24,
            ticket_rotation_hours: 12,
            _listen: None,
            _alpn: None,
        }
    }
}

fn one_of<'de, D: Deserializer<'de>, T: Copy>(deserializer: D, table: &[(&str, T)]) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    let found = table.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
    found.ok_or_else(|| {
        let names: Vec<_> = table.iter().map(|(name, _)| *name).collect();
        D::Error::custom(format!("`{text}` is none of {}", names.join(", ")))
    })
}

fn client_auth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ClientAuth, D::Error> {
    let table = [("none", ClientAuth::None), ("request", ClientAuth::Request), ("require", ClientAuth::Require)];
    one_of(deserializer, &table)
}

fn mapping<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Mapping, D::Error> {
    one_of(deserializer, &[("off", Mapping::Off), ("optional", Mapping::Optional), ("required", Mapping::Required)])
}

fn revocation<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Revocation>, D::Error> {
    let table = [("off", Revocation::Off), ("when-known", Revocation::WhenKnown), ("require", Revocation::Require)];
    one_of(deserializer, &table).map(Some)
}

fn versions<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<TlsVersion>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let version = |text: &String| match text.as_str() {
        "1.2" => Ok(TlsVersion::Tls12),
        "1.3" => Ok(TlsVersion::Tls13),
        _ => Err(D::Error::custom(format!("`{text}` is none of 1.2, 1.3"))),
    };
    texts.iter().map(version).collect()
}

impl Tls {
    /// Who a server is whose caller does not say; `None` where nobody does.
    pub(super) fn identities(&self) -> Result<Option<Identities>, Code> {
        let Some(cert) = &self.cert else { return Ok(None) };
        let mut identities = Identities::new(identity(cert, self.key.as_deref(), self.password_file.as_deref())?);
        for more in &self.certificates {
            let identity = identity(&more.cert, more.key.as_deref(), more.password_file.as_deref())?;
            let is_named = !more.names.is_empty();
            identities = identities.and(if is_named { identity.named(more.names.iter().cloned()) } else { identity });
        }
        Ok(Some(identities))
    }

    /// Whose client certificates are believed: those of `roots`, or of the file. `None` where nobody's are.
    pub(super) fn clients(&self, roots: Option<Vec<Vec<u8>>>) -> Result<Option<Trust>, Code> {
        let roots = match (roots, &self.client_ca) {
            (Some(roots), _) => roots,
            (None, Some(path)) => certificates(path)?,
            (None, None) => return Ok(None),
        };
        let sid_issuers = self.client_sid_ca.as_deref().map(certificates).transpose()?;
        let revocation_lists = lists(&self.client_crls)?;
        let trust = Trust { roots, revocation_lists, revocation: self.revocation, sid_issuers, ..Trust::default() };
        Ok(Some(trust).filter(|trust| !trust.roots.is_empty()))
    }

    /// Whose server certificates a client believes.
    pub(super) fn servers(&self, roots: Option<Vec<Vec<u8>>>) -> Result<Trust, Code> {
        let roots = match (roots, &self.server_ca) {
            (Some(roots), _) => roots,
            (None, Some(path)) => certificates(path)?,
            (None, None) => system_authorities()?,
        };
        // `revocation` is of clients: servers are looked up where lists of theirs are named.
        Ok(Trust { roots, revocation_lists: lists(&self.server_crls)?, ..Trust::default() })
    }

    /// The file of ticket keys; without one they are the credential's own.
    pub(super) fn ticket_file(&self, lifespan: Option<Duration>) -> Option<TicketFile> {
        let path = self.ticket_keys.as_deref()?;
        Some(TicketFile::new(path, hours(self.ticket_rotation_hours), lifespan.unwrap_or(self.lifespan())))
    }

    /// How long a session may be resumed where the caller does not say.
    pub(super) fn lifespan(&self) -> Duration {
        hours(self.ticket_hours)
    }
}

fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours.saturating_mul(3600))
}

/// Where systems keep the authorities that they trust.
const SYSTEM: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
];

fn system_authorities() -> Result<Vec<Vec<u8>>, Code> {
    let Some(path) = SYSTEM.iter().map(Path::new).find(|path| path.is_file()) else {
        tracing::error!("this system has no file of trusted authorities: install one, or name tls.server_ca");
        return Err(Code::NO_CREDENTIALS);
    };
    certificates(path)
}

fn identity(cert: &Path, key: Option<&Path>, password_file: Option<&Path>) -> Result<Identity, Code> {
    let bytes = read(cert)?;
    // DER begins so, PEM never does: this is PKCS#12.
    if bytes.expose().starts_with(&[0x30]) {
        let password = match password_file {
            Some(path) => String::from_utf8_lossy(read(path)?.expose()).trim_end_matches(['\r', '\n']).to_owned(),
            None => String::new(),
        };
        return Identity::from_pkcs12(bytes.expose(), &Secret::new(password)).map_err(bad(cert));
    }
    let key_path = key.unwrap_or(cert);
    Identity::from_pem(bytes.expose(), read(key_path)?.expose()).map_err(bad(key_path))
}

fn certificates(path: &Path) -> Result<Vec<Vec<u8>>, Code> {
    let bytes = read(path)?;
    let is_der = bytes.expose().starts_with(&[0x30]);
    if is_der { Ok(vec![bytes.expose().clone()]) } else { certificates_in_pem(bytes.expose()).map_err(bad(path)) }
}

fn lists(paths: &[PathBuf]) -> Result<Vec<Vec<u8>>, Code> {
    let mut lists = Vec::new();
    for path in paths {
        let bytes = read(path)?;
        match bytes.expose().starts_with(&[0x30]) {
            true => lists.push(bytes.expose().clone()),
            false => lists.extend(revocation_lists_in_pem(bytes.expose()).map_err(bad(path))?),
        }
    }
    Ok(lists)
}

fn read(path: &Path) -> Result<Secret<Vec<u8>>, Code> {
    std::fs::read(path).map(Secret::new).map_err(|error| {
        tracing::error!(%error, path = %path.display(), "a file of [tls] cannot be read");
        Code::NO_CREDENTIALS
    })
}

fn bad(path: &Path) -> impl FnOnce(IdentityError) -> Code {
    move |error| {
        tracing::error!(%error, path = %path.display(), "a file of [tls] cannot be used");
        Code::NO_CREDENTIALS
    }
}
