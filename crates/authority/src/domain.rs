use portcullis::Sid;
use portcullis_wire::utf16;
use serde::Deserialize;

/// The domain that a store holds the accounts of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain {
    /// Its names.
    pub names: DomainNames,
    /// Its SID, `S-1-5-21-a-b-c`: chosen at random when the store is made, and never changed.
    pub sid: Sid,
}

/// The names of a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainNames {
    /// The NetBIOS name: at most fifteen characters, the `CORP` of `CORP\ann`.
    pub netbios: String,
    /// The DNS name, the `corp.example` of `ann@corp.example`; empty when it has none.
    pub dns: String,
}

/// A name that cannot be a domain's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadDomainName {
    /// Not a NetBIOS name.
    #[error(
        "`{0}` is no NetBIOS name: one to fifteen characters without spaces, control characters and any of \\ / : * ? \" < > | . @"
    )]
    Netbios(String),
    /// Not a DNS name.
    #[error("`{0}` is no DNS name: labels of letters, digits and hyphens with dots between, like corp.example")]
    Dns(String),
}

impl DomainNames {
    /// The names, checked.
    ///
    /// # Errors
    /// Which name is bad, and what a good one is made of.
    pub fn new(netbios: &str, dns: &str) -> Result<Self, BadDomainName> {
        let bad = |c: char| c.is_control() || c.is_whitespace() || "\\/:*?\"<>|.@,;=+[]".contains(c);
        if netbios.is_empty() || netbios.encode_utf16().count() > 15 || netbios.contains(bad) {
            return Err(BadDomainName::Netbios(netbios.into()));
        }
        let label = |label: &str| {
            let fits = !label.is_empty() && label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-');
            fits && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
        };
        if dns.len() > 255 || !(dns.is_empty() || dns.split('.').all(label)) {
            return Err(BadDomainName::Dns(dns.into()));
        }
        Ok(Self { netbios: utf16::upper_string(netbios), dns: dns.to_owned() })
    }

    /// The names of a computer that is a domain of its own, as a Windows computer in a workgroup is: made from its host
    /// name.
    pub fn of_host(host: &str) -> Self {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let first: String = host.split('.').next().unwrap_or_default().chars().take(15).collect();
        Self::new(&first, &host)
            .or_else(|_| Self::new(&first, ""))
            .unwrap_or_else(|_| Self { netbios: "PORTCULLIS".into(), dns: String::new() })
    }

    /// The names of this computer as a domain of its own.
    pub fn of_this_host() -> Self {
        Self::of_host(&rustix::system::uname().nodename().to_string_lossy())
    }
}

/// What this server answers to besides the domain's own names, and what it makes of other domains.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LocalNames {
    /// The names of this computer, NetBIOS and DNS.
    pub computers: Vec<String>,
    /// Other domain names that mean this domain.
    pub aliases: Vec<String>,
    /// What becomes of clients that name any other domain.
    pub foreign: Foreign,
}

/// What becomes of clients that name a domain which is not ours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Foreign {
    /// They are refused: the domain is unknown.
    #[default]
    Refuse,
    /// The name is looked for here. A Windows client outside any domain sends its own computer's name as the domain.
    Local,
}

impl LocalNames {
    /// Whether a name that a client gave as a domain means `domain`.
    pub(crate) fn mean(&self, name: &str, domain: &Domain) -> bool {
        let own = [&domain.names.netbios, &domain.names.dns];
        own.into_iter().chain(&self.computers).chain(&self.aliases).any(|ours| {
            // A domain without a DNS name must not match the empty string.
            !ours.is_empty() && utf16::same_name(ours, name)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_hosts() {
        let names = |netbios: &str, dns: &str| DomainNames { netbios: netbios.into(), dns: dns.into() };
        assert_eq!(DomainNames::of_host("web1"), names("WEB1", "web1"));
        assert_eq!(DomainNames::of_host("web1.corp.example."), names("WEB1", "web1.corp.example"));
        assert_eq!(DomainNames::of_host("a-very-long-host-name"), names("A-VERY-LONG-HOS", "a-very-long-host-name"));
        assert_eq!(DomainNames::of_host(""), names("PORTCULLIS", ""));
        assert!(DomainNames::new("SIXTEEN-LETTERS!", "").is_err());
        assert!(DomainNames::new("CORP", "corp..example").is_err());
    }

    #[test]
    fn ours_and_others() {
        let sid = "S-1-5-21-1-2-3".parse().unwrap();
        let domain = Domain { names: DomainNames::new("CORP", "").unwrap(), sid };
        let names =
            LocalNames { computers: vec!["WEB1".into()], aliases: vec!["old.example".into()], ..Default::default() };
        assert!(["corp", "web1", "OLD.example"].iter().all(|name| names.mean(name, &domain)));
        assert!(!names.mean("", &domain) && !names.mean("OTHER", &domain));
    }
}
