//! What a configuration file says of names, domain and packages: for servers and for the C library, which both read it
//! from TOML.

mod host;
mod kerberos;
mod library;

pub use host::HostNames;
pub use kerberos::{KdcSigned, KerberosPolicy, Pac, ReplayPlace, Way};

use crate::Foreign;
use portcullis::negotiate::PackageList;
use portcullis::ntlm::KeyStrength;
use serde::Deserialize;

/// The sections that servers and the C library share. Others beside them are no error here; an unknown key within one
/// is.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// What clients are told of this computer.
    pub names: Names,
    /// What clients are told of the domain, and which domains they may name.
    pub domain: DomainSettings,
    /// The Negotiate acceptor.
    pub negotiate: NegotiatePolicy,
    /// The NTLM acceptor.
    pub ntlm: NtlmPolicy,
    /// The Kerberos acceptor, and its keys.
    pub kerberos: KerberosPolicy,
}

/// `[names]`
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Names {
    /// The computer's NetBIOS name. Defaults to the host's name in upper case, at most 15 characters.
    pub netbios_computer: Option<String>,
    /// The computer's DNS name. Defaults to the host's name.
    pub dns_computer: Option<String>,
}

/// `[domain]`
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DomainSettings {
    /// The domain's NetBIOS name. Defaults to the one that the store holds.
    pub netbios: Option<String>,
    /// The domain's DNS name. Defaults to the one that the store holds.
    pub dns: Option<String>,
    /// The forest's DNS name. Defaults to none.
    pub tree: Option<String>,
    /// Other names for the domain. Defaults to none.
    pub aliases: Vec<String>,
    /// What becomes of a client that names another domain. Defaults to refusing it.
    pub foreign: Foreign,
}

/// `[negotiate]`
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NegotiatePolicy {
    /// Which packages may be negotiated, as SSPI's `PackageList`. Defaults to all.
    #[serde(deserialize_with = "library::package_list")]
    pub packages: PackageList,
}

/// `[ntlm]`
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NtlmPolicy {
    /// Channel bindings.
    pub bindings: Bindings,
    /// The service names that clients may mean.
    pub targets: Vec<String>,
    /// Whether `targets` is looked at.
    pub target_policy: Targets,
    /// Whether clients that announce no MIC are refused. Defaults to `false`.
    pub require_mic: bool,
    /// The weakest key for clients that sign or seal. Defaults to 128 bits.
    pub minimum_key: KeyBits,
    /// Whether clients without a name are let in. Defaults to `false`.
    pub allow_anonymous: bool,
    /// Whether NTLMv1 is judged at all. Defaults to `false`.
    pub danger_accept_ntlmv1: bool,
}

/// [`portcullis::BindingPolicy`] by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "each is the policy of the same name")]
pub enum Bindings {
    #[default]
    ByCall,
    Ignore,
    Audit,
    WhenPresent,
    Require,
    Proxied,
}

/// [`portcullis::ntlm::TargetPolicy`] by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "each is the policy of the same name")]
pub enum Targets {
    #[default]
    Any,
    WhenPresent,
    Require,
}

/// [`KeyStrength`] by its bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u8")]
pub struct KeyBits(pub KeyStrength);

impl Settings {
    /// Whether the settings make sense together.
    ///
    /// # Errors
    /// With the rule that is broken.
    pub fn check(&self) -> Result<(), &'static str> {
        match self.ntlm.target_policy == Targets::Any || !self.ntlm.targets.is_empty() {
            true => self.kerberos.check(),
            false => Err("ntlm.target_policy asks for ntlm.targets, and that is empty: nobody could log on"),
        }
    }
}

impl TryFrom<u8> for KeyBits {
    type Error = &'static str;

    fn try_from(bits: u8) -> Result<Self, Self::Error> {
        [KeyStrength::Bits40, KeyStrength::Bits56, KeyStrength::Bits128]
            .into_iter()
            .find(|strength| strength.bits() == bits)
            .map(Self)
            .ok_or("a key has 128, 56 or 40 bits")
    }
}

impl Default for KeyBits {
    fn default() -> Self {
        Self(KeyStrength::Bits128)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Settings, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn other_sections_are_somebody_elses() {
        assert_eq!(read(r#"{"http": {"realm": "x"}}"#), Ok(Settings::default()));
        let settings = read(r#"{"domain": {"foreign": "local"}, "negotiate": {"packages": "!ntlm"}}"#).unwrap();
        assert_eq!(settings.domain.foreign, Foreign::Local);
        assert!(!settings.offers_a_mechanism(false) && Settings::default().offers_a_mechanism(false));
        assert!(settings.offers_a_mechanism(true));
        let none = read(r#"{"negotiate": {"packages": "!ntlm,!kerberos"}}"#).unwrap();
        assert!(!none.offers_a_mechanism(true));
    }

    #[test]
    fn a_key_that_a_section_does_not_have_is_named() {
        for section in ["names", "domain", "negotiate", "ntlm", "kerberos"] {
            let error = read(&format!(r#"{{"{section}": {{"nothing": 1}}}}"#)).unwrap_err();
            assert!(error.contains("unknown field `nothing`, expected"), "{error}");
        }
    }

    #[test]
    fn values_that_make_no_sense_are_errors() {
        assert!(read(r#"{"ntlm": {"minimum_key": 56}}"#).is_ok());
        let error = read(r#"{"ntlm": {"minimum_key": 64}}"#).unwrap_err();
        assert!(error.contains("a key has 128, 56 or 40 bits"), "{error}");
        let settings = read(r#"{"ntlm": {"target_policy": "when-present"}}"#).unwrap();
        assert!(settings.check().unwrap_err().contains("nobody could log on"));
        let targets = read(r#"{"ntlm": {"target_policy": "when-present", "targets": ["HTTP/web1"]}}"#).unwrap();
        assert_eq!((targets.check(), Settings::default().check()), (Ok(()), Ok(())));
        assert!(read(r#"{"kerberos": {"skew_seconds": 0}}"#).unwrap().check().is_err());
    }
}
