use super::kerberos::{Judges, KerberosSetup};
use crate::converse::Settings;
use crate::realm::{Entry, Realm};
use crate::{hex, server_names};
use portcullis::negotiate::{Negotiate, PackageList};
use portcullis::ntlm::{KeyStrength, Ntlm, TargetPolicy};
use portcullis::password::Password;
use portcullis::{BindingPolicy, ChannelBindings, ContextFlags, Credential, Refusal};

/// The setting of a conversation: the acceptor's configuration, the accounts, and what the host gives to each call.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The package that accepts.
    pub package: Package,
    /// NTLM's configuration.
    pub ntlm: Ntlm,
    /// Which packages Negotiate may offer.
    pub packages: PackageList,
    /// The accounts.
    pub realm: Realm,
    /// Kerberos, where it accepts or is offered.
    pub kerberos: Option<KerberosSetup>,
    /// What the host gives to each call.
    pub settings: Settings,
}

/// The package that accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Package {
    /// NTLM.
    Ntlm,
    /// Plain passwords.
    Password,
    /// Negotiate, which offers NTLM, and Kerberos where there is a keytab.
    Negotiate,
    /// Kerberos.
    Kerberos,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            package: Package::Ntlm,
            ntlm: Ntlm::new(server_names()),
            packages: PackageList::default(),
            realm: Realm::of_user(),
            kerberos: None,
            settings: Settings::default(),
        }
    }
}

const POLICIES: [(BindingPolicy, &str); 6] = [
    (BindingPolicy::Ignore, "ignore"),
    (BindingPolicy::Audit, "audit"),
    (BindingPolicy::WhenPresent, "when-present"),
    (BindingPolicy::Require, "require"),
    (BindingPolicy::Proxied, "proxied"),
    (BindingPolicy::ByCall, "by-call"),
];
const STRENGTHS: [(KeyStrength, &str); 3] =
    [(KeyStrength::Bits40, "40"), (KeyStrength::Bits56, "56"), (KeyStrength::Bits128, "128")];

impl Setup {
    /// The credential of this setting.
    pub fn credential(&self) -> Credential {
        match self.package {
            Package::Ntlm => Credential::acceptor(self.ntlm.clone()),
            Package::Password => Credential::acceptor(Password::new()),
            Package::Kerberos => Credential::acceptor(self.kerberos.clone().unwrap_or_default().config()),
            Package::Negotiate => {
                let kerberos = self.kerberos.as_ref().map(|kerberos| kerberos.config().into());
                let mut negotiate = Negotiate::offering(kerberos.into_iter().chain([self.ntlm.clone().into()]));
                negotiate.packages = self.packages.clone();
                Credential::acceptor(negotiate)
            }
        }
    }

    /// Who answers its questions.
    pub fn authority(&self) -> Judges {
        Judges::of(&self.realm, self.kerberos.as_ref())
    }

    pub(super) fn line(&mut self, key: &str, value: &str) -> Option<()> {
        if KerberosSetup::knows(key) {
            return self.kerberos.get_or_insert_default().line(key, value);
        }
        let yes = || match value {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        };
        match key {
            "package" => {
                self.package = match value {
                    "NTLM" => Package::Ntlm,
                    "Basic" => Package::Password,
                    "Negotiate" => Package::Negotiate,
                    "Kerberos" => Package::Kerberos,
                    _ => return None,
                }
            }
            "server-packages" => self.packages = value.parse().ok()?,
            "server-bindings-policy" => self.ntlm.bindings = binding_policy(value)?,
            "server-minimum-key" => self.ntlm.minimum_key = STRENGTHS.iter().find(|row| row.1 == value)?.0,
            "server-targets" => {
                let (kind, names) = value.split_once(' ')?;
                let names = names.split(' ').map(str::to_owned).collect();
                self.ntlm.targets = match kind {
                    "when-present" => TargetPolicy::WhenPresent(names),
                    "require" => TargetPolicy::Require(names),
                    _ => return None,
                };
            }
            "server-require-mic" => self.ntlm.require_mic = yes()?,
            "server-allows-anonymous" => self.ntlm.allow_anonymous = yes()?,
            "server-accepts-ntlmv1" => self.ntlm.danger_accept_ntlmv1 = yes()?,
            "server-name" => {
                let (what, name) = value.split_once('=')?;
                let names = &mut self.ntlm.names;
                *match what {
                    "netbios-computer" => &mut names.netbios_computer,
                    "netbios-domain" => &mut names.netbios_domain,
                    "dns-computer" => &mut names.dns_computer,
                    "dns-domain" => &mut names.dns_domain,
                    "dns-tree" => &mut names.dns_tree,
                    _ => return None,
                } = name.to_owned();
            }
            "server-standalone" => self.ntlm.names.standalone = yes()?,
            "domain" => {
                let (domain, dns_domain) = value.split_once(' ')?;
                (self.realm.domain, self.realm.dns_domain) = (domain.to_owned(), dns_domain.to_owned());
            }
            "account" => self.realm.accounts.push(account(value)?),
            "outage" => self.realm.outage = Some(refusal(value)?),
            "now" => self.settings.now = value.parse().ok()?,
            "server-challenge" => self.settings.server_challenge = hex::decode(value)?.try_into().ok()?,
            "want" => self.settings.want.flags = flags(value)?,
            "require" => self.settings.want.required = flags(value)?,
            "channel" => {
                let application_data = hex::decode(value)?;
                self.settings.bindings = Some(ChannelBindings { application_data, ..ChannelBindings::default() });
            }
            "peer" => self.settings.peer = Some(value.parse().ok()?),
            "room" => self.settings.room = Some(value.parse().ok()?),
            _ => return None,
        }
        Some(())
    }

    pub(super) fn print(&self, line: &mut dyn FnMut(&str, &str)) {
        match self.package {
            Package::Ntlm => {}
            Package::Password => line("package", "Basic"),
            Package::Negotiate => line("package", "Negotiate"),
            Package::Kerberos => line("package", "Kerberos"),
        }
        if let Some(kerberos) = &self.kerberos {
            kerberos.print(line);
        }
        if self.package != Package::Kerberos {
            self.print_accounts(line);
        }
        self.print_calls(line);
    }

    fn print_accounts(&self, line: &mut dyn FnMut(&str, &str)) {
        let default = Self::default();
        if self.packages != default.packages {
            line("server-packages", &self.packages.to_string());
        }
        let (names, usual) = (&self.ntlm.names, &default.ntlm.names);
        let all = [
            ("netbios-computer", &names.netbios_computer, &usual.netbios_computer),
            ("netbios-domain", &names.netbios_domain, &usual.netbios_domain),
            ("dns-computer", &names.dns_computer, &usual.dns_computer),
            ("dns-domain", &names.dns_domain, &usual.dns_domain),
            ("dns-tree", &names.dns_tree, &usual.dns_tree),
        ];
        for (what, name, usual) in all {
            if name != usual {
                line("server-name", &format!("{what}={name}"));
            }
        }
        let mut switch = |key: &str, on: bool| {
            if on {
                line(key, "yes");
            }
        };
        switch("server-standalone", names.standalone);
        switch("server-require-mic", self.ntlm.require_mic);
        switch("server-allows-anonymous", self.ntlm.allow_anonymous);
        switch("server-accepts-ntlmv1", self.ntlm.danger_accept_ntlmv1);
        if self.ntlm.bindings != default.ntlm.bindings {
            line("server-bindings-policy", binding_policy_name(self.ntlm.bindings));
        }
        for (strength, name) in STRENGTHS {
            if self.ntlm.minimum_key == strength && strength != default.ntlm.minimum_key {
                line("server-minimum-key", name);
            }
        }
        match &self.ntlm.targets {
            TargetPolicy::Any => {}
            TargetPolicy::WhenPresent(names) => {
                line("server-targets", &format!("when-present {}", names.join(" ")));
            }
            TargetPolicy::Require(names) => line("server-targets", &format!("require {}", names.join(" "))),
        }
        line("domain", &format!("{} {}", self.realm.domain, self.realm.dns_domain));
        for entry in &self.realm.accounts {
            let mut text = format!("name={} password={}", entry.name, entry.password);
            if let Some(state) = entry.state {
                text.push_str(&format!(" state={}", refusal_name(state)));
            }
            if let Some(end) = entry.logoff_at {
                text.push_str(&format!(" logoff={end}"));
            }
            line("account", &text);
        }
    }

    fn print_calls(&self, line: &mut dyn FnMut(&str, &str)) {
        if let Some(outage) = self.realm.outage {
            line("outage", refusal_name(outage));
        }
        line("now", &self.settings.now.to_string());
        // Of Kerberos nothing is foretold by it.
        if self.package != Package::Kerberos {
            line("server-challenge", &hex::encode(&self.settings.server_challenge));
        }
        for (key, flags) in [("want", self.settings.want.flags), ("require", self.settings.want.required)] {
            if flags != ContextFlags::NONE {
                line(key, &flags.names().collect::<Vec<_>>().join(" "));
            }
        }
        if let Some(channel) = &self.settings.bindings {
            line("channel", &hex::encode(&channel.application_data));
        }
        if let Some(peer) = self.settings.peer {
            line("peer", &peer.to_string());
        }
        if let Some(room) = self.settings.room {
            line("room", &room.to_string());
        }
    }
}

pub(super) fn binding_policy(name: &str) -> Option<BindingPolicy> {
    POLICIES.iter().find(|row| row.1 == name).map(|row| row.0)
}

pub(super) fn binding_policy_name(policy: BindingPolicy) -> &'static str {
    POLICIES.iter().find(|row| row.0 == policy).map_or("", |row| row.1)
}

fn account(text: &str) -> Option<Entry> {
    let mut entry = Entry::new("", "");
    for part in text.split(' ') {
        let (key, value) = part.split_once('=')?;
        match key {
            "name" => entry.name = value.to_owned(),
            "password" => entry.password = value.to_owned(),
            "state" => entry.state = Some(refusal(value)?),
            "logoff" => entry.logoff_at = Some(value.parse().ok()?),
            _ => return None,
        }
    }
    Some(entry)
}

fn refusal_name(refusal: Refusal) -> &'static str {
    refusal.row().name.trim_start_matches("account/")
}

fn refusal(name: &str) -> Option<Refusal> {
    Refusal::named(&format!("account/{name}"))
}

fn flags(text: &str) -> Option<ContextFlags> {
    text.split(' ').try_fold(ContextFlags::NONE, |flags, name| {
        ContextFlags::TABLE.iter().find(|row| row.1 == name).map(|row| flags | row.0)
    })
}
