use crate::hex;
use crate::kerberos::{Keys, LongTerm, RawKey, keytab};
use crate::realm::Realm;
use portcullis::kerberos::{KdcSignature, Kerberos, PacPolicy, ServiceNames, TicketGranting, Transited};
use portcullis::{Answer, Authority, Question};
use portcullis_wire::kerberos::Keytab;
use std::sync::Arc;
use std::time::Duration;

/// What a conversation with Kerberos has besides: the acceptor's configuration, and its keys.
#[derive(Debug, Clone)]
pub struct KerberosSetup {
    /// The configuration, without the ticket for user-to-user.
    pub config: Kerberos,
    /// The keytab.
    pub keytab: Vec<u8>,
    /// The credential cache with the ticket for user-to-user.
    pub granting: Option<Vec<u8>>,
    /// How many authenticators the replay cache holds.
    pub remembers: Option<usize>,
    /// The KDC's key, where the KDC can be asked about PACs.
    pub kdc: Option<RawKey>,
    /// Tokens that were accepted before, each in a handshake of its own.
    pub earlier: Vec<Vec<u8>>,
}

impl Default for KerberosSetup {
    fn default() -> Self {
        Self {
            config: Kerberos::new(),
            keytab: keytab(&[]),
            granting: None,
            remembers: None,
            kdc: None,
            earlier: Vec::new(),
        }
    }
}

/// Who answers a conversation's questions.
#[derive(Debug)]
pub struct Judges {
    realm: Realm,
    keys: Option<Keys>,
}

impl Judges {
    pub(super) fn of(realm: &Realm, kerberos: Option<&KerberosSetup>) -> Self {
        Self { realm: realm.clone(), keys: kerberos.map(KerberosSetup::keys) }
    }
}

impl Authority for Judges {
    fn answer(&self, question: &Question) -> Answer {
        let keys = self.keys.as_ref().filter(|_| self.realm.outage.is_none());
        match (question, keys) {
            (Question::OpenTicket(_) | Question::ConfirmPac(_) | Question::SeenBefore(_), Some(keys)) => {
                keys.answer(question)
            }
            _ => self.realm.answer(question),
        }
    }
}

impl KerberosSetup {
    /// A setting with these keys.
    pub fn holding(keys: &[LongTerm]) -> Self {
        Self { keytab: keytab(keys), ..Self::default() }
    }

    /// The whole configuration.
    ///
    /// # Panics
    /// When the cache is none.
    pub fn config(&self) -> Kerberos {
        let granting = self.granting.as_ref().map(|cache| Arc::new(TicketGranting::from_ccache(cache).unwrap()));
        Kerberos { user_to_user: granting, ..self.config.clone() }
    }

    fn keys(&self) -> Keys {
        let keys = Keys::from_keytab(&self.keytab);
        let keys = if let Some(most) = self.remembers { keys.remembering(most) } else { keys };
        if let Some(kdc) = &self.kdc { keys.asking(kdc.clone()) } else { keys }
    }

    pub(super) fn line(&mut self, key: &str, value: &str) -> Option<()> {
        let config = &mut self.config;
        match (key, value) {
            ("keytab", _) => {
                self.keytab = hex::decode(value)?;
                Keytab::decode(&self.keytab).ok()?;
            }
            ("kerberos-granting", _) => self.granting = Some(hex::decode(value)?),
            ("kerberos-remembers", _) => self.remembers = Some(value.parse().ok()?),
            ("kerberos-kdc", _) => {
                let (etype, value) = value.split_once(' ')?;
                self.kdc = Some(RawKey { etype: etype.parse().ok()?, value: hex::decode(value)? });
            }
            ("earlier", _) => self.earlier.push(hex::decode(value)?),
            ("kerberos-services", _) => {
                config.services = ServiceNames::List(value.split(' ').map(str::to_owned).collect());
            }
            ("kerberos-bindings-policy", _) => config.bindings = super::setup::binding_policy(value)?,
            ("kerberos-pac", "ignore") => config.pac = PacPolicy::Ignore,
            ("kerberos-pac", "require") => config.pac = PacPolicy::Require,
            ("kerberos-kdc-signature", "require") => config.kdc_signature = KdcSignature::Require,
            ("kerberos-skew", _) => config.skew = Duration::from_secs(value.parse().ok()?),
            ("kerberos-transited", "checked") => config.transited = Transited::Checked,
            ("kerberos-checks-addresses", "yes") => config.check_addresses = true,
            ("kerberos-accepts-rc4", "yes") => config.danger_accept_rc4 = true,
            ("kerberos-accepts-replays", "yes") => config.danger_accept_replays = true,
            _ => return None,
        }
        Some(())
    }

    /// Whether a line is one of [`line`](Self::line)'s.
    pub(super) fn knows(key: &str) -> bool {
        key == "keytab" || key == "earlier" || key.starts_with("kerberos-")
    }

    pub(super) fn print(&self, line: &mut dyn FnMut(&str, &str)) {
        let (config, default) = (&self.config, Kerberos::new());
        if let ServiceNames::List(names) = &config.services {
            line("kerberos-services", &names.join(" "));
        }
        if config.bindings != default.bindings {
            line("kerberos-bindings-policy", super::setup::binding_policy_name(config.bindings));
        }
        match config.pac {
            PacPolicy::Ignore => line("kerberos-pac", "ignore"),
            PacPolicy::VerifyIfPresent => {}
            PacPolicy::Require => line("kerberos-pac", "require"),
        }
        if config.skew != default.skew {
            line("kerberos-skew", &config.skew.as_secs().to_string());
        }
        for (key, word, said) in [
            ("kerberos-kdc-signature", "require", config.kdc_signature == KdcSignature::Require),
            ("kerberos-transited", "checked", config.transited == Transited::Checked),
            ("kerberos-checks-addresses", "yes", config.check_addresses),
            ("kerberos-accepts-rc4", "yes", config.danger_accept_rc4),
            ("kerberos-accepts-replays", "yes", config.danger_accept_replays),
        ] {
            if said {
                line(key, word);
            }
        }
        if let Some(most) = self.remembers {
            line("kerberos-remembers", &most.to_string());
        }
        if let Some(kdc) = &self.kdc {
            line("kerberos-kdc", &format!("{} {}", kdc.etype, hex::encode(&kdc.value)));
        }
        line("keytab", &hex::encode(&self.keytab));
        if let Some(cache) = &self.granting {
            line("kerberos-granting", &hex::encode(cache));
        }
        for token in &self.earlier {
            line("earlier", &hex::encode(token));
        }
    }
}
