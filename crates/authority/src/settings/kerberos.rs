use super::Bindings;
use crate::{KeytabOptions, ReplayCache};
use portcullis::kerberos::{KdcSignature, Kerberos, PacPolicy, ServiceNames, Transited};
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;

/// `[kerberos]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KerberosPolicy {
    /// The keytab, on the side that holds the keys. Defaults to none: Kerberos is not offered.
    pub keytab: Option<PathBuf>,
    /// The services that clients may mean. Defaults to all that a key is held of.
    pub services: Vec<String>,
    /// What becomes of the PAC.
    pub pac: Pac,
    /// What is asked of the KDC's own signature in a PAC.
    pub kdc_signature: KdcSigned,
    /// How far clocks may differ: seconds. Defaults to 300.
    pub skew_seconds: u64,
    /// What is asked of tickets that came through other realms.
    pub transited: Way,
    /// Whether a ticket that names addresses is good from those alone. Defaults to `false`.
    pub check_addresses: bool,
    /// Channel bindings.
    pub bindings: Bindings,
    /// How long a key that vanished from the keytab still opens tickets: hours. Defaults to 10.
    pub retire_keys_hours: u64,
    /// Where it is remembered which tokens were seen.
    pub replay: ReplayPlace,
    /// How many of them a process remembers. Defaults to [`ReplayCache::DEFAULT_ENTRIES`].
    pub replay_entries: usize,
    /// Whether RC4 tickets and session keys are taken. Defaults to `false`.
    pub danger_accept_rc4: bool,
    /// Whether the same token is good more than once. Defaults to `false`.
    pub danger_accept_replays: bool,
}

/// [`PacPolicy`] by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pac {
    /// [`PacPolicy::Ignore`].
    Ignore,
    /// [`PacPolicy::VerifyIfPresent`]. The default.
    #[default]
    Verify,
    /// [`PacPolicy::Require`].
    Require,
}

/// [`KdcSignature`] by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "each is the policy of the same name")]
pub enum KdcSigned {
    #[default]
    WhenAsked,
    Require,
}

/// [`Transited`] by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "each is the policy of the same name")]
pub enum Way {
    #[default]
    Trusted,
    Checked,
}

/// Where it is remembered which Kerberos tokens were seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReplayPlace {
    /// In the process that answers. The default.
    #[default]
    Memory,
    /// In the account store too: for several processes, and over a restart.
    Store,
}

/// The most that `skew_seconds` may be.
const MOST_SKEW: u64 = 3600;

impl KerberosPolicy {
    /// The acceptor's configuration.
    pub fn acceptor(&self) -> Kerberos {
        let mut kerberos = Kerberos::new();
        kerberos.services = self.services();
        kerberos.bindings = self.bindings.into();
        kerberos.pac = match self.pac {
            Pac::Ignore => PacPolicy::Ignore,
            Pac::Verify => PacPolicy::VerifyIfPresent,
            Pac::Require => PacPolicy::Require,
        };
        kerberos.kdc_signature = match self.kdc_signature {
            KdcSigned::WhenAsked => KdcSignature::WhenAsked,
            KdcSigned::Require => KdcSignature::Require,
        };
        kerberos.skew = Duration::from_secs(self.skew_seconds);
        kerberos.transited = match self.transited {
            Way::Trusted => Transited::Trusted,
            Way::Checked => Transited::Checked,
        };
        kerberos.check_addresses = self.check_addresses;
        kerberos.danger_accept_rc4 = self.danger_accept_rc4;
        kerberos.danger_accept_replays = self.danger_accept_replays;
        kerberos
    }

    /// How the keytab is used, where it is held.
    pub fn keytab_options(&self) -> KeytabOptions {
        let retire = Duration::from_secs(self.retire_keys_hours.saturating_mul(3600));
        KeytabOptions { services: self.services(), retire }
    }

    fn services(&self) -> ServiceNames {
        match self.services.as_slice() {
            [] => ServiceNames::Any,
            names => ServiceNames::List(names.to_vec()),
        }
    }

    /// Whether the values make sense.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        let rules = [
            (self.skew_seconds > 0, "kerberos.skew_seconds is 0: no two clocks are that equal, nobody could log on"),
            (self.skew_seconds <= MOST_SKEW, "kerberos.skew_seconds is more than 3600: set the clocks by NTP instead"),
            (
                self.replay_entries > 0,
                "kerberos.replay_entries is 0: no token could be remembered, nobody could log on",
            ),
        ];
        rules.into_iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, broken)| Err(broken))
    }
}

impl Default for KerberosPolicy {
    fn default() -> Self {
        Self {
            keytab: None,
            services: Vec::new(),
            pac: Pac::default(),
            kdc_signature: KdcSigned::default(),
            skew_seconds: 300,
            transited: Way::default(),
            check_addresses: false,
            bindings: Bindings::default(),
            retire_keys_hours: 10,
            replay: ReplayPlace::default(),
            replay_entries: ReplayCache::DEFAULT_ENTRIES,
            danger_accept_rc4: false,
            danger_accept_replays: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis::BindingPolicy;

    fn read(text: &str) -> Result<KerberosPolicy, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn the_defaults_are_the_librarys() {
        let (ours, theirs) = (KerberosPolicy::default().acceptor(), Kerberos::new());
        assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
        assert_eq!(KerberosPolicy::default().keytab_options(), KeytabOptions::default());
    }

    #[test]
    fn each_setting_reaches_its_place() {
        let policy = read(
            r#"{"keytab": "/etc/krb5.keytab", "services": ["HTTP/web1"], "pac": "require", "skew_seconds": 60, "kdc_signature": "require",
                "transited": "checked", "check_addresses": true, "bindings": "require", "retire_keys_hours": 1,
                "replay": "store", "replay_entries": 7, "danger_accept_rc4": true, "danger_accept_replays": true}"#,
        )
        .unwrap();
        let made = policy.acceptor();
        assert_eq!(made.services, ServiceNames::List(vec!["HTTP/web1".into()]));
        assert_eq!((made.pac, made.kdc_signature), (PacPolicy::Require, KdcSignature::Require));
        assert_eq!(made.skew, Duration::from_secs(60));
        assert_eq!((made.transited, made.check_addresses), (Transited::Checked, true));
        assert_eq!(made.bindings, BindingPolicy::Require);
        assert!(made.danger_accept_rc4 && made.danger_accept_replays);
        let options = policy.keytab_options();
        assert_eq!((options.services, options.retire), (made.services, Duration::from_secs(3600)));
        assert_eq!((policy.replay, policy.replay_entries), (ReplayPlace::Store, 7));
        assert_eq!(read(r#"{"pac": "ignore"}"#).unwrap().acceptor().pac, PacPolicy::Ignore);
    }

    #[test]
    fn what_lets_nobody_in_or_everything_is_an_error() {
        for (text, why) in [
            (r#"{"skew_seconds": 0}"#, "nobody could log on"),
            (r#"{"skew_seconds": 3601}"#, "by NTP"),
            (r#"{"replay_entries": 0}"#, "nobody could log on"),
        ] {
            assert!(read(text).unwrap().check().unwrap_err().contains(why), "{text}");
        }
        assert_eq!(read(r#"{"skew_seconds": 3600}"#).unwrap().check(), Ok(()));
        assert!(read(r#"{"pac": "verfy"}"#).unwrap_err().contains("expected one of `ignore`, `verify`, `require`"));
    }
}
