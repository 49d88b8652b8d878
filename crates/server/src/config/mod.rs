//! `portcullis.toml`: what it may hold, with the defaults.

mod error;
mod network;

pub use error::ConfigError;
pub use network::Network;

use crate::tls::{Fetch, TlsError, TlsSettings, end_points};
use portcullis::ChannelBindings;
use portcullis_authority::settings::{DomainSettings, KerberosPolicy, Names, NegotiatePolicy, NtlmPolicy, Settings};
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

/// The file that a first start writes: every setting with its default, explained.
pub const DEFAULT_FILE: &str = include_str!("default.toml");

/// The configuration of a server.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The HTTP endpoints.
    pub http: Http,
    /// The HTTPS endpoints.
    pub tls: TlsSettings,
    /// What clients are told of this computer.
    pub names: Names,
    /// What clients are told of the domain, and which domains they may name.
    pub domain: DomainSettings,
    /// The Negotiate acceptor.
    pub negotiate: NegotiatePolicy,
    /// The Kerberos acceptor, and its keytab.
    pub kerberos: KerberosPolicy,
    /// The NTLM acceptor.
    pub ntlm: NtlmPolicy,
    /// Bounds.
    pub limits: Limits,
    /// The audit log.
    pub audit: AuditPolicy,
    /// The program's own log.
    pub log: Log,
}

/// `[http]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// Where to listen. Defaults to 127.0.0.1:8080.
    pub listen: Vec<SocketAddr>,
    /// What is offered, in this order. Defaults to Negotiate, NTLM, Basic.
    pub schemes: Vec<SchemeName>,
    /// The realm of Basic. Defaults to `Portcullis`.
    pub realm: String,
    /// Whether a connection stays the user's after a connection-bound logon. Defaults to `true`.
    pub persist: bool,
    /// HTTP proxies that keep one connection here for each of their clients. Defaults to none.
    pub trusted_proxies: Vec<Network>,
    /// The certificates of terminators of TLS in front, as PEM files: clients are bound to those. Defaults to none.
    pub terminator_certificates: Vec<PathBuf>,
    /// The same by their hashes, in hexadecimal, where the certificates are not at hand. Defaults to none.
    pub terminator_endpoints: Vec<String>,
    /// Origins whose pages may read answers. Defaults to none.
    pub cors_origins: Vec<String>,
}

/// A scheme of HTTP authentication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum SchemeName {
    /// SPNEGO (RFC 4559), bound to the connection.
    #[serde(alias = "negotiate")]
    Negotiate,
    /// NTLM, bound to the connection.
    #[serde(alias = "ntlm")]
    NTLM,
    /// RFC 7617.
    #[serde(alias = "basic")]
    Basic,
}

/// `[limits]`: counts, bytes and seconds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Connections at a time. Defaults to 16384, or what the open-files limit leaves.
    pub connections: usize,
    /// Half-open handshakes. Defaults to 4096.
    pub half_open: usize,
    /// Half-open handshakes of one address. Defaults to 1024.
    pub half_open_per_peer: usize,
    /// Bytes that half-open handshakes hold. Defaults to 16 MiB.
    pub half_open_bytes: usize,
    /// How long a handshake may take. Defaults to 30 s.
    pub handshake_seconds: u64,
    /// Bytes of a decoded token. Defaults to 64 KiB.
    pub token_bytes: usize,
    /// Bytes of a request's headers. Defaults to 128 KiB.
    pub header_bytes: usize,
    /// How long a request's headers may take. Defaults to 30 s.
    pub header_seconds: u64,
    /// How long a request's body may take. Defaults to 60 s.
    pub body_seconds: u64,
    /// How long a connection may be idle. Defaults to 120 s.
    pub idle_seconds: u64,
    /// Bytes of body that are dropped before a logon. Defaults to 1 MiB.
    pub unauthenticated_body_bytes: u64,
    /// Bytes of body that are dropped of a client that is known. Defaults to 64 MiB.
    pub body_bytes: u64,
    /// Questions that the authority is asked at a time. Defaults to 64.
    pub authority_calls: usize,
    /// How long a question waits for its turn. Defaults to 15 s.
    pub authority_seconds: u64,
    /// How long an authority in another process may take for an answer. Defaults to 5 s.
    pub authority_answer_seconds: u64,
    /// How long requests under way may take when the server stops. Defaults to 10 s.
    pub shutdown_seconds: u64,
}

/// `[audit]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditPolicy {
    /// Whether a logon that cannot be written down is refused. Defaults to `true`.
    pub required: bool,
}

/// `[log]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// The least level that is written, or a filter. Defaults to `info`.
    pub level: String,
    /// How it is written. Defaults to text.
    pub format: LogFormat,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl Config {
    /// Reads a configuration.
    ///
    /// # Errors
    /// With the line and, for a misspelt key or value, what was probably meant.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|error| ConfigError::syntax(text, &error))?;
        config.check()?;
        Ok(config)
    }

    /// Reads a configuration file; one that does not exist holds the defaults.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), or when the file cannot be read.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(ConfigError::Read(error)),
        }
    }

    /// Whether the settings make sense together; [`parse`](Self::parse) asks it too.
    ///
    /// # Errors
    /// With the rule that is broken.
    pub fn check(&self) -> Result<(), ConfigError> {
        let (limits, settings) = (&self.limits, self.settings());
        let no_quote_or_control = |text: &str| !text.chars().any(|c| c.is_control() || matches!(c, '"' | '\\'));
        let rules = [
            (!self.http.schemes.is_empty(), "http.schemes is empty: nobody could log on"),
            (
                // Whether there are keys for Kerberos may stand on the command line, or be known elsewhere.
                self.negotiates_something(true),
                "negotiate.packages leaves nothing to negotiate: leave \"Negotiate\" out of http.schemes, or allow NTLM or Kerberos",
            ),
            (no_quote_or_control(&self.http.realm), "http.realm holds a quote, backslash or control character"),
            (
                self.http.terminator_endpoints.iter().all(|hash| end_point_hash(hash).is_some()),
                "http.terminator_endpoints holds what is no hash in hexadecimal of 32, 48 or 64 bytes",
            ),
            (
                self.tls.alpn.iter().all(|name| matches!(name.as_str(), "h2" | "http/1.1")),
                "tls.alpn knows \"h2\" and \"http/1.1\" only",
            ),
            (!self.tls.versions.is_empty(), "tls.versions is empty: nobody could connect"),
            (limits.connections > 0, "limits.connections is 0: nobody could connect"),
            (limits.half_open > 0 && limits.half_open_per_peer > 0, "limits.half_open… is 0: no handshake could begin"),
            (limits.authority_calls > 0, "limits.authority_calls is 0: nobody could be verified"),
            (limits.header_bytes >= 8192, "limits.header_bytes is below 8192: browsers send more"),
        ];
        let broken = rules.iter().find(|(holds, _)| !holds).map(|(_, broken)| *broken);
        broken.map_or(settings.check(), Err).map_err(|broken| ConfigError::Value(broken.to_owned()))
    }

    /// Whether Negotiate, where HTTP offers it, has a mechanism: with or without Kerberos.
    pub fn negotiates_something(&self, kerberos: bool) -> bool {
        !self.http.schemes.contains(&SchemeName::Negotiate) || self.settings().offers_a_mechanism(kerberos)
    }

    /// What clients may be bound to in front of this server.
    ///
    /// # Errors
    /// When a certificate's file cannot be read.
    pub fn terminators(&self, fetch: Fetch<'_>) -> Result<Vec<ChannelBindings>, TlsError> {
        let hashes = self.http.terminator_endpoints.iter().filter_map(|hash| end_point_hash(hash));
        let mut found: Vec<_> = hashes.map(|hash| ChannelBindings::tls_server_end_point(&hash)).collect();
        for path in &self.http.terminator_certificates {
            found.extend(end_points(path, fetch)?);
        }
        Ok(found)
    }

    /// What it says of names, domain and packages.
    pub fn settings(&self) -> Settings {
        Settings {
            names: self.names.clone(),
            domain: self.domain.clone(),
            negotiate: self.negotiate.clone(),
            kerberos: self.kerberos.clone(),
            ntlm: self.ntlm.clone(),
        }
    }
}

/// A certificate's hash, written as programs print it.
fn end_point_hash(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text.chars().filter(|c| *c != ':').map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    let bytes = digits.chunks(2).map(|pair| match pair {
        [high, low] => u8::try_from(high * 16 + low).ok(),
        _ => None,
    });
    bytes.collect::<Option<Vec<_>>>().filter(|bytes| matches!(bytes.len(), 32 | 48 | 64))
}

impl SchemeName {
    /// Every scheme.
    pub const ALL: [Self; 3] = [Self::Negotiate, Self::NTLM, Self::Basic];

    /// The name, as HTTP headers have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Negotiate => "Negotiate",
            Self::NTLM => "NTLM",
            Self::Basic => "Basic",
        }
    }

    /// Whether a handshake of it, and the identity that it gives, belong to a connection.
    pub(crate) const fn is_connection_bound(self) -> bool {
        matches!(self, Self::Negotiate | Self::NTLM)
    }
}

impl FromStr for SchemeName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = || Self::ALL.map(Self::name).join(", ");
        let found = Self::ALL.into_iter().find(|scheme| scheme.name().eq_ignore_ascii_case(text.trim()));
        found.ok_or_else(|| format!("`{text}` is no scheme of this server; there are {}", known()))
    }
}

impl Limits {
    /// [`handshake_seconds`](Self::handshake_seconds) as a duration.
    pub fn handshake(&self) -> Duration {
        Duration::from_secs(self.handshake_seconds)
    }
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from(([127, 0, 0, 1], 8080))],
            schemes: vec![SchemeName::Negotiate, SchemeName::NTLM, SchemeName::Basic],
            realm: "Portcullis".to_owned(),
            persist: true,
            trusted_proxies: Vec::new(),
            terminator_certificates: Vec::new(),
            terminator_endpoints: Vec::new(),
            cors_origins: Vec::new(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 16_384,
            half_open: 4096,
            half_open_per_peer: 1024,
            half_open_bytes: 16 << 20,
            handshake_seconds: 30,
            token_bytes: 64 << 10,
            header_bytes: 128 << 10,
            header_seconds: 30,
            body_seconds: 60,
            idle_seconds: 120,
            unauthenticated_body_bytes: 1 << 20,
            body_bytes: 64 << 20,
            authority_calls: 64,
            authority_seconds: 15,
            authority_answer_seconds: 5,
            shutdown_seconds: 10,
        }
    }
}

impl Default for AuditPolicy {
    fn default() -> Self {
        Self { required: true }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: LogFormat::Text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_file_holds_the_defaults_and_every_setting() {
        assert_eq!(Config::parse(DEFAULT_FILE).unwrap(), Config::default());
        // Optional settings stand in comments: uncommented they must be known too.
        let uncommented: String = DEFAULT_FILE
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(setting) if setting.split_once(" = ").is_some_and(|(key, _)| !key.contains(' ')) => setting,
                _ => line,
            })
            .collect::<Vec<_>>()
            .join("\n");
        let config = Config::parse(&uncommented).unwrap();
        assert_eq!(config.domain.netbios.as_deref(), Some("CORP"));
        assert_eq!(config.names.dns_computer.as_deref(), Some("web1.corp.example"));
        assert_eq!(config.kerberos.keytab.as_deref(), Some(Path::new("/etc/krb5.keytab")));
    }

    #[test]
    fn a_misspelt_key_is_named_with_its_line_and_a_suggestion() {
        let error = Config::parse("[http]\nrealm = \"x\"\nlisen = []\n").unwrap_err().to_string();
        assert!(error.contains("line 3"), "{error}");
        assert!(error.contains("`lisen`") && error.contains("did you mean `listen`?"), "{error}");
        let error = Config::parse("[ntlm]\nbindings = \"requre\"\n").unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("did you mean `require`?"), "{error}");
    }

    #[test]
    fn values_that_would_lock_everybody_out_are_errors() {
        for text in [
            "[http]\nschemes = []",
            "[ntlm]\ntarget_policy = \"require\"",
            "[limits]\nhalf_open = 0",
            "[kerberos]\nskew_seconds = 0",
            "[negotiate]\npackages = \"!ntlm,!kerberos\"",
        ] {
            assert!(matches!(Config::parse(text), Err(ConfigError::Value(_))), "{text}");
        }
        assert!(Config::parse("[ntlm]\nminimum_key = 64").is_err());
    }
}
