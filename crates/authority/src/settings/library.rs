//! What settings become: the library's acceptors, and the authority's names.

use super::{Bindings, DomainSettings, HostNames, Names, Settings, Targets};
use crate::LocalNames;
use portcullis::BindingPolicy;
use portcullis::kerberos::Kerberos;
use portcullis::negotiate::{Negotiate, PackageList};
use portcullis::ntlm::{Ntlm, ServerNames, TargetPolicy};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

impl Settings {
    /// The NTLM acceptor's configuration. `netbios` and `dns` are the store's domain, used where the file names none.
    pub fn ntlm(&self, host: &HostNames, netbios: &str, dns: &str) -> Ntlm {
        let computer = self.names.netbios_computer.clone().unwrap_or_else(|| host.netbios.clone());
        let netbios_domain = self.domain.netbios.clone().unwrap_or_else(|| netbios.to_owned());
        let standalone = netbios_domain.is_empty() || netbios_domain.eq_ignore_ascii_case(&computer);
        let mut ntlm = Ntlm::new(ServerNames {
            netbios_domain: if netbios_domain.is_empty() { computer.clone() } else { netbios_domain },
            netbios_computer: computer,
            dns_computer: self.names.dns_computer.clone().unwrap_or_else(|| host.dns.clone()),
            dns_domain: self.domain.dns.clone().unwrap_or_else(|| dns.to_owned()),
            dns_tree: self.domain.tree.clone().unwrap_or_default(),
            standalone,
        });
        ntlm.bindings = self.ntlm.bindings.into();
        ntlm.targets = match self.ntlm.target_policy {
            Targets::Any => TargetPolicy::Any,
            Targets::WhenPresent => TargetPolicy::WhenPresent(self.ntlm.targets.clone()),
            Targets::Require => TargetPolicy::Require(self.ntlm.targets.clone()),
        };
        ntlm.require_mic = self.ntlm.require_mic;
        ntlm.minimum_key = self.ntlm.minimum_key.0;
        ntlm.allow_anonymous = self.ntlm.allow_anonymous;
        ntlm.danger_accept_ntlmv1 = self.ntlm.danger_accept_ntlmv1;
        ntlm
    }

    /// The Kerberos acceptor's configuration, for a server whose authority opens tickets.
    pub fn kerberos(&self) -> Kerberos {
        self.kerberos.acceptor()
    }

    /// The Negotiate acceptor's configuration, with Kerberos (where there is one) and NTLM inside.
    pub fn negotiate(&self, kerberos: Option<Kerberos>, ntlm: Ntlm) -> Negotiate {
        let kerberos = kerberos.map(Into::into);
        let mut negotiate = Negotiate::offering(kerberos.into_iter().chain([ntlm.into()]));
        negotiate.packages = self.negotiate.packages.clone();
        negotiate
    }

    /// Whether `negotiate.packages` leaves a mechanism, with or without Kerberos.
    pub fn offers_a_mechanism(&self, kerberos: bool) -> bool {
        let kerberos = kerberos.then(Kerberos::new);
        self.negotiate(kerberos, Ntlm::new(ServerNames::default())).offered().next().is_some()
    }

    /// The names, beside the store's domain, that mean this server, for its authority.
    pub fn local_names(&self, host: &HostNames) -> LocalNames {
        let Names { netbios_computer, dns_computer } = &self.names;
        let DomainSettings { netbios, dns, aliases, foreign, .. } = &self.domain;
        LocalNames {
            computers: vec![
                netbios_computer.clone().unwrap_or_else(|| host.netbios.clone()),
                dns_computer.clone().unwrap_or_else(|| host.dns.clone()),
            ],
            // What clients are told of the domain, they may say.
            aliases: aliases.iter().chain(netbios).chain(dns).cloned().collect(),
            foreign: *foreign,
        }
    }
}

/// Reads a package list from its text.
pub(super) fn package_list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PackageList, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
}

impl From<Bindings> for BindingPolicy {
    fn from(name: Bindings) -> Self {
        match name {
            Bindings::ByCall => Self::ByCall,
            Bindings::Ignore => Self::Ignore,
            Bindings::Audit => Self::Audit,
            Bindings::WhenPresent => Self::WhenPresent,
            Bindings::Require => Self::Require,
            Bindings::Proxied => Self::Proxied,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_that_is_the_computer_is_a_standalone_server() {
        let host = HostNames { netbios: "WEB1".into(), dns: "web1.example".into() };
        let ntlm = Settings::default().ntlm(&host, "WEB1", "");
        assert!(ntlm.names.standalone);
        assert_eq!((ntlm.names.netbios_computer.as_str(), ntlm.names.netbios_domain.as_str()), ("WEB1", "WEB1"));
        let domain = DomainSettings { netbios: Some("CORP".into()), ..DomainSettings::default() };
        let mut settings = Settings { domain, ..Settings::default() };
        let ntlm = settings.ntlm(&host, "WEB1", "");
        assert!(!ntlm.names.standalone);
        assert_eq!(ntlm.names.netbios_domain, "CORP");
        settings.domain.aliases = vec!["OLD".into()];
        let names = settings.local_names(&host);
        assert_eq!(names.computers, ["WEB1", "web1.example"]);
        assert_eq!(names.aliases, ["OLD", "CORP"]);
    }
}
