//! What a configuration becomes: the library's acceptor, and the authority's names.

use super::{Bindings, Config, Domain, Foreign, Names, Targets};
use crate::names::HostNames;
use portcullis::BindingPolicy;
use portcullis::negotiate::{Negotiate, PackageList};
use portcullis::ntlm::{Ntlm, ServerNames, TargetPolicy};
use portcullis_authority::LocalNames;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

impl Config {
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

    /// The Negotiate acceptor's configuration, with NTLM inside.
    pub fn negotiate(&self, ntlm: Ntlm) -> Negotiate {
        let mut negotiate = Negotiate::offering([ntlm.into()]);
        negotiate.packages = self.negotiate.packages.clone();
        negotiate
    }

    /// Whether `negotiate.packages` leaves a mechanism.
    pub(super) fn offers_a_mechanism(&self) -> bool {
        self.negotiate(Ntlm::new(ServerNames::default())).offered().next().is_some()
    }

    /// The names, beside the store's domain, that mean this server, for its authority.
    pub fn local_names(&self, host: &HostNames) -> LocalNames {
        let Names { netbios_computer, dns_computer } = &self.names;
        let Domain { netbios, dns, aliases, foreign, .. } = &self.domain;
        LocalNames {
            computers: vec![
                netbios_computer.clone().unwrap_or_else(|| host.netbios.clone()),
                dns_computer.clone().unwrap_or_else(|| host.dns.clone()),
            ],
            // What clients are told of the domain, they may say.
            aliases: aliases.iter().chain(netbios).chain(dns).cloned().collect(),
            foreign: match foreign {
                Foreign::Refuse => portcullis_authority::Foreign::Refuse,
                Foreign::Local => portcullis_authority::Foreign::Local,
            },
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
        let ntlm = Config::default().ntlm(&host, "WEB1", "");
        assert!(ntlm.names.standalone);
        assert_eq!((ntlm.names.netbios_computer.as_str(), ntlm.names.netbios_domain.as_str()), ("WEB1", "WEB1"));
        let ntlm = Config::parse("[domain]\nnetbios = \"CORP\"").unwrap().ntlm(&host, "WEB1", "");
        assert!(!ntlm.names.standalone);
        assert_eq!(ntlm.names.netbios_domain, "CORP");
        let names = Config::parse("[domain]\nnetbios = \"CORP\"\naliases = [\"OLD\"]").unwrap().local_names(&host);
        assert_eq!(names.computers, ["WEB1", "web1.example"]);
        assert_eq!(names.aliases, ["OLD", "CORP"]);
    }
}
