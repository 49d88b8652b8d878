use portcullis::schannel::{
    Acceptor, AcceptorSettings, ClientAuth, Identities, Identity, IdentityError, Mapping, Revocation, SettingsError,
    TicketKeys, Trust, certificates_in_pem, revocation_lists_in_pem,
};
use portcullis::{ChannelBindings, Credential, Secret, TlsVersion};
use serde::Deserialize;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use thiserror::Error;

/// `[tls]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TlsSettings {
    /// Where to listen. Defaults to nowhere.
    pub listen: Vec<SocketAddr>,
    /// The certificate: PEM, its authorities behind it, or PKCS#12. Defaults to one of its own in the data folder.
    pub cert: Option<PathBuf>,
    /// The certificate's key, as PEM. Defaults to the certificate's file.
    pub key: Option<PathBuf>,
    /// The file with the password of `cert`, where that is PKCS#12. Defaults to an empty password.
    pub password_file: Option<PathBuf>,
    /// Further certificates, by server name.
    pub certificates: Vec<CertificateFiles>,
    /// Whether a client that asks for a server name which no certificate has is refused. Defaults to `false`.
    pub strict_names: bool,
    /// The versions that are spoken. Defaults to both.
    pub versions: Vec<VersionName>,
    /// The application protocols (ALPN), the most wanted first. Defaults to HTTP/2 and HTTP/1.1.
    pub alpn: Vec<String>,
    /// Whether clients are asked for a certificate. Defaults to not.
    pub client_auth: ClientAuthName,
    /// The authorities that may issue clients' certificates, as PEM. Defaults to none.
    pub client_ca: Option<PathBuf>,
    /// Of those, the ones that may name accounts by SID, as PEM. Defaults to all.
    pub client_sid_ca: Option<PathBuf>,
    /// Revocation lists, as PEM or DER. Defaults to none.
    pub client_crls: Vec<PathBuf>,
    /// What becomes of clients that no list covers. Defaults to refusing them where there are lists.
    pub revocation: Option<RevocationName>,
    /// Whether a client's certificate becomes an account. Defaults to where it can.
    pub client_mapping: MappingName,
    /// The file of ticket keys. Defaults to `tickets.key` in the data folder.
    pub ticket_keys: Option<PathBuf>,
    /// How long a session may be resumed. Defaults to 24 hours; 0 is never.
    pub ticket_hours: u64,
    /// How long a ticket key is used before the next one is made. Defaults to 12 hours.
    pub ticket_rotation_hours: u64,
}

impl Default for TlsSettings {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            cert: None,
            key: None,
            password_file: None,
            certificates: Vec::new(),
            strict_names: false,
            versions: vec![VersionName::Tls12, VersionName::Tls13],
            alpn: vec!["h2".to_owned(), "http/1.1".to_owned()],
            client_auth: ClientAuthName::None,
            client_ca: None,
            client_sid_ca: None,
            client_crls: Vec::new(),
            revocation: None,
            client_mapping: MappingName::Optional,
            ticket_keys: None,
            ticket_hours: 24,
            ticket_rotation_hours: 12,
        }
    }
}

/// `[[tls.certificates]]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateFiles {
    /// The server names that it is for. Defaults to those in the certificate.
    #[serde(default)]
    pub names: Vec<String>,
    /// As [`TlsSettings::cert`].
    pub cert: PathBuf,
    /// As [`TlsSettings::key`].
    pub key: Option<PathBuf>,
    /// As [`TlsSettings::password_file`].
    pub password_file: Option<PathBuf>,
}

macro_rules! names {
    ($(#[$doc:meta])* $name:ident as $library:ty { $($(#[$of:meta])* $variant:ident = $text:literal => $value:expr;)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
        pub enum $name { $($(#[$of])* #[serde(rename = $text)] $variant,)* }

        impl From<$name> for $library {
            fn from(name: $name) -> Self {
                match name { $($name::$variant => $value,)* }
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($text => Ok(Self::$variant),)*
                    _ => Err(format!("`{text}` is none of {}", [$($text),*].join(", "))),
                }
            }
        }
    };
}

names! {
    /// Whether clients are asked for a certificate.
    ClientAuthName as ClientAuth {
        /// They are not.
        None = "none" => ClientAuth::None;
        /// They are, and may have none.
        Request = "request" => ClientAuth::Request;
        /// They are, and must have one.
        Require = "require" => ClientAuth::Require;
    }
}

names! {
    /// Whether a client's certificate becomes an account.
    MappingName as Mapping {
        /// Nobody is asked.
        Off = "off" => Mapping::Off;
        /// Where it is one's; the client may log on otherwise too.
        Optional = "optional" => Mapping::Optional;
        /// Whoever has none is refused.
        Required = "required" => Mapping::Required;
    }
}

names! {
    /// What becomes of clients that no revocation list covers.
    RevocationName as Revocation {
        /// Lists are not looked at.
        Off = "off" => Revocation::Off;
        /// They are let in.
        WhenKnown = "when-known" => Revocation::WhenKnown;
        /// They are refused.
        Require = "require" => Revocation::Require;
    }
}

names! {
    /// A version of TLS.
    VersionName as TlsVersion {
        /// TLS 1.2.
        Tls12 = "1.2" => TlsVersion::Tls12;
        /// TLS 1.3.
        Tls13 = "1.3" => TlsVersion::Tls13;
    }
}

/// Why TLS cannot be served.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{path}: {error}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file holds something else.
    #[error("{path}: {error}")]
    Identity {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        error: IdentityError,
    },
    /// The settings do not make sense together.
    #[error("[tls]: {0}")]
    Settings(#[from] SettingsError),
    /// A certificate of a terminator that clients cannot be bound to.
    #[error("{0}: clients cannot be bound to this certificate")]
    NoEndPoint(PathBuf),
    /// A setting about clients' certificates, and nobody is believed.
    #[error(
        "tls.{0} is about clients' certificates, and tls.client_ca names no authority; give --tls-client-ca FILE, or leave it out"
    )]
    NoClientCaFor(&'static str),
    /// Clients are to be asked, and nobody is believed.
    #[error("tls.client_auth asks for certificates, and tls.client_ca names no authority; give --tls-client-ca FILE")]
    NoClientCa,
}

/// The files that a configuration of TLS names.
#[derive(Debug, Clone)]
pub struct Files {
    /// The certificate of all who ask for no other server.
    pub cert: PathBuf,
    /// Its key's file.
    pub key: PathBuf,
}

/// How a file's bytes are fetched: a server without the right to open files has it done.
pub type Fetch<'a> = &'a dyn Fn(&Path) -> io::Result<Vec<u8>>;

/// TLS as a server uses it.
#[derive(Debug, Clone)]
pub struct Tls {
    pub(crate) credential: Credential,
}

/// A configuration's files, read.
#[derive(Debug, Clone)]
pub struct Loaded {
    identities: Identities,
    settings: AcceptorSettings,
}

impl TlsSettings {
    /// Reads the files.
    ///
    /// # Errors
    /// Which cannot be read, and why.
    pub fn load(&self, files: &Files, fetch: Fetch<'_>) -> Result<Loaded, TlsError> {
        let main = identity(&files.cert, Some(&files.key), self.password_file.as_deref(), fetch)?;
        let mut identities = Identities::new(main);
        identities.strict_names = self.strict_names;
        for more in &self.certificates {
            let identity = identity(&more.cert, more.key.as_deref(), more.password_file.as_deref(), fetch)?;
            let names = more.names.clone();
            identities = identities.and(if names.is_empty() { identity } else { identity.named(names) });
        }
        let settings = AcceptorSettings {
            client_auth: self.client_auth.into(),
            clients: self.clients(fetch)?,
            mapping: self.client_mapping.into(),
            application_protocols: self.alpn.iter().map(|name| name.clone().into_bytes()).collect(),
            service: "http".to_owned(),
            versions: self.versions.iter().map(|version| (*version).into()).collect(),
            ..AcceptorSettings::default()
        };
        if settings.clients.is_none() {
            let without = [
                (!self.client_crls.is_empty(), "client_crls"),
                (self.client_sid_ca.is_some(), "client_sid_ca"),
                (self.revocation == Some(RevocationName::Require), "revocation"),
                (self.client_mapping == MappingName::Required, "client_mapping"),
            ];
            if settings.client_auth != ClientAuth::None {
                return Err(TlsError::NoClientCa);
            }
            if let Some((_, name)) = without.into_iter().find(|(is_set, _)| *is_set) {
                return Err(TlsError::NoClientCaFor(name));
            }
        } else if settings.client_auth == ClientAuth::None {
            tracing::warn!(
                "tls.client_ca is set and tls.client_auth is \"none\": no client is asked for a certificate"
            );
        } else if self.client_sid_ca.is_none() && self.client_mapping != MappingName::Off {
            tracing::info!("every authority of tls.client_ca may name accounts by SID; tls.client_sid_ca narrows that");
        }
        Ok(Loaded { identities, settings })
    }

    fn clients(&self, fetch: Fetch<'_>) -> Result<Option<Trust>, TlsError> {
        let Some(path) = &self.client_ca else { return Ok(None) };
        let mut trust = Trust { roots: certificates(path, fetch)?, ..Trust::default() };
        trust.revocation = self.revocation.map(Revocation::from);
        trust.sid_issuers = self.client_sid_ca.as_ref().map(|path| certificates(path, fetch)).transpose()?;
        for path in &self.client_crls {
            let bytes = read(path, fetch)?;
            match bytes.starts_with(&[0x30]) {
                true => trust.revocation_lists.push(bytes),
                false => trust.revocation_lists.extend(revocation_lists_in_pem(&bytes).map_err(at(path))?),
            }
        }
        Ok(Some(trust))
    }
}

impl Loaded {
    /// The credential, with these keys for session tickets.
    ///
    /// # Errors
    /// What does not make sense.
    pub fn tls(&self, tickets: Option<TicketKeys>) -> Result<Tls, TlsError> {
        let settings = AcceptorSettings { tickets, ..self.settings.clone() };
        Ok(Tls { credential: Credential::acceptor(Acceptor::new(self.identities.clone(), settings)?) })
    }

    /// When the first of its certificates ends.
    pub fn not_after(&self) -> Option<SystemTime> {
        self.identities.iter().map(Identity::not_after).min()
    }
}

/// The bindings of type `tls-server-end-point` of the certificates in a file.
///
/// # Errors
/// When it cannot be read, or holds no certificate.
pub(crate) fn end_points(path: &Path, fetch: Fetch<'_>) -> Result<Vec<ChannelBindings>, TlsError> {
    let certificates = certificates(path, fetch)?;
    let bindings =
        |der: &Vec<u8>| portcullis::schannel::end_point_bindings(der).ok_or(TlsError::NoEndPoint(path.to_owned()));
    certificates.iter().map(bindings).collect()
}

fn identity(
    cert: &Path,
    key: Option<&Path>,
    password_file: Option<&Path>,
    fetch: Fetch<'_>,
) -> Result<Identity, TlsError> {
    let bytes = read(cert, fetch)?;
    // DER begins so, PEM never does: this is PKCS#12.
    if bytes.starts_with(&[0x30]) {
        let password = match password_file {
            Some(path) => String::from_utf8_lossy(&read(path, fetch)?).trim_end_matches(['\r', '\n']).to_owned(),
            None => String::new(),
        };
        return Identity::from_pkcs12(&bytes, &Secret::new(password)).map_err(at(cert));
    }
    let key_path = key.unwrap_or(cert);
    let key = Secret::new(read(key_path, fetch)?);
    Identity::from_pem(&bytes, key.expose()).map_err(|error| match error {
        IdentityError::NoCertificate | IdentityError::CertificateUnusable | IdentityError::Malformed(_) => {
            at(cert)(error)
        }
        _ => at(key_path)(error),
    })
}

fn certificates(path: &Path, fetch: Fetch<'_>) -> Result<Vec<Vec<u8>>, TlsError> {
    let bytes = read(path, fetch)?;
    if bytes.starts_with(&[0x30]) { Ok(vec![bytes]) } else { certificates_in_pem(&bytes).map_err(at(path)) }
}

fn read(path: &Path, fetch: Fetch<'_>) -> Result<Vec<u8>, TlsError> {
    fetch(path).map_err(|error| TlsError::Read { path: path.to_owned(), error })
}

fn at(path: &Path) -> impl FnOnce(IdentityError) -> TlsError {
    let path = path.to_owned();
    move |error| TlsError::Identity { path, error }
}
