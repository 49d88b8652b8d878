//! The file that PORTCULLIS_CONFIG names.

use crate::environment;
use crate::host::Accounts;
use crate::log::{self, Sink};
use crate::schannel::configured::Tls;
use portcullis_authority::settings::{DomainSettings, KerberosPolicy, Names, NegotiatePolicy, NtlmPolicy, Settings};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::fs::OpenOptions;
use std::path::PathBuf;
use std::sync::Arc;

/// What the library does unless a call says otherwise. docs/c-library.md explains each setting.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// Where the accounts are: `sqlite:DIR`, `unix:SOCKET`, or none.
    pub(crate) authority: Accounts,
    names: Names,
    domain: DomainSettings,
    negotiate: NegotiatePolicy,
    ntlm: NtlmPolicy,
    kerberos: KerberosPolicy,
    pub(crate) tls: Tls,
    pub(crate) audit: Audit,
    pub(crate) compatibility: Compatibility,
    pub(crate) export: Export,
    log: Option<Log>,
    // A server's file serves here too: these are its own.
    #[serde(rename = "http")]
    _http: Option<IgnoredAny>,
    #[serde(rename = "limits")]
    _limits: Option<IgnoredAny>,
}

/// `[audit]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Audit {
    /// Whether a logon that cannot be written to the audit log is refused.
    pub(crate) required: bool,
}

/// `[compatibility]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Compatibility {
    /// Whether ImpersonateSecurityContext answers SEC_E_OK and does nothing.
    pub(crate) danger_pretend_impersonation: bool,
}

/// `[export]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Export {
    /// The key that exported contexts are sealed under: a file of 32 bytes that its owner alone may read.
    pub(crate) key_file: Option<PathBuf>,
}

/// `[log]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Log {
    #[serde(default = "info")]
    level: String,
    /// The file that lines are appended to; stderr where there is none.
    file: Option<PathBuf>,
    #[serde(rename = "format")]
    _format: Option<IgnoredAny>,
}

fn info() -> String {
    "info".to_owned()
}

impl Default for Audit {
    fn default() -> Self {
        Self { required: true }
    }
}

impl Config {
    /// Reads the file, where the environment names one. A program with more rights than its user does not follow the
    /// user's environment.
    pub(crate) fn load() -> Result<Self, String> {
        let Some(path) = environment::variable(c"PORTCULLIS_CONFIG").map(PathBuf::from) else {
            return Ok(Self::default());
        };
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let config: Self = toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        config.settings().check().map_err(|why| format!("{}: {why}", path.display()))?;
        config.open_log()?;
        Ok(config)
    }

    fn open_log(&self) -> Result<(), String> {
        let Some(Log { level, file, .. }) = &self.log else { return Ok(()) };
        let level = level.split(',').next().unwrap_or_default().parse::<tracing::Level>();
        let level = level.map_err(|_| "log.level: not one of error, warn, info, debug, trace".to_owned())?;
        let sink = match file {
            None => Sink::Stderr,
            Some(path) => {
                let file = OpenOptions::new().append(true).create(true).open(path);
                Sink::File(Arc::new(file.map_err(|error| format!("{}: {error}", path.display()))?))
            }
        };
        log::send(sink, log::number(&level));
        Ok(())
    }

    /// The part that servers have too.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            names: self.names.clone(),
            domain: self.domain.clone(),
            negotiate: self.negotiate.clone(),
            ntlm: self.ntlm.clone(),
            kerberos: self.kerberos.clone(),
        }
    }
}
