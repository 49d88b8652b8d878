use portcullis_wire::utf16;

/// What a client says of itself, as it wrote it. Nothing of it is proved.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Claim {
    // One allocation for all four: a claim is made for every logon.
    text: String,
    ends: [usize; 3],
}

impl Claim {
    /// A claim of these four parts; empty ones are unsaid.
    pub fn new(user: &str, domain: &str, workstation: &str, target: &str) -> Self {
        let mut claim = ClaimBuilder::with_capacity(user.len() + domain.len() + workstation.len() + target.len());
        for part in [user, domain, workstation, target] {
            claim.text.push_str(part);
            claim.end_part();
        }
        claim.build()
    }

    /// The user name as written: it may hold a domain itself (`DOMAIN\user`, `user@dns.domain`).
    pub fn user(&self) -> &str {
        self.part(0)
    }

    /// The domain as written.
    pub fn domain(&self) -> &str {
        self.part(1)
    }

    /// The client's computer; empty when unsaid.
    pub fn workstation(&self) -> &str {
        self.part(2)
    }

    /// The service that the client believes to talk to, as an SPN; empty when unsaid or from an unverified source.
    pub fn target(&self) -> &str {
        self.part(3)
    }

    /// The name that is meant.
    pub fn principal(&self) -> Principal<'_> {
        Principal::parse(self.user(), self.domain())
    }

    fn part(&self, index: usize) -> &str {
        let [a, b, c] = self.ends;
        let (start, end) = match index {
            0 => (0, a),
            1 => (a, b),
            2 => (b, c),
            _ => (c, self.text.len()),
        };
        self.text.get(start..end).unwrap_or_default()
    }
}

impl std::fmt::Debug for Claim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Claim")
            .field("user", &self.user())
            .field("domain", &self.domain())
            .field("workstation", &self.workstation())
            .field("target", &self.target())
            .finish()
    }
}

/// Writes a [`Claim`] part by part, in the order user, domain, workstation, target.
#[derive(Debug, Default)]
pub(crate) struct ClaimBuilder {
    pub(crate) text: String,
    ends: [usize; 4],
    parts: usize,
}

impl ClaimBuilder {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), ..Self::default() }
    }

    pub(crate) fn end_part(&mut self) {
        if let Some(end) = self.ends.get_mut(self.parts) {
            *end = self.text.len();
        }
        self.parts += 1;
    }

    pub(crate) fn build(self) -> Claim {
        let [a, b, c, _] = self.ends;
        Claim { text: self.text, ends: [a, b, c] }
    }
}

/// A client's name taken apart: `user`, `.\user`, `DOMAIN\user` or `user@dns.domain`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Principal<'a> {
    /// The account's name, or the whole user principal name when [`realm`](Self::realm) is [`Realm::Upn`].
    pub user: &'a str,
    /// Where the account is to be looked for.
    pub realm: Realm<'a>,
}

/// Where a named account is to be looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Realm<'a> {
    /// No domain was said, or `.`: here.
    Here,
    /// A domain was said, by its NetBIOS or DNS name.
    Domain(&'a str),
    /// The name is `user@suffix`: first a user principal name, else the account `name` of the domain `suffix`.
    Upn {
        /// What stands before the last `@`.
        name: &'a str,
        /// What stands behind the last `@`.
        suffix: &'a str,
    },
}

impl<'a> Principal<'a> {
    /// Takes apart what a client wrote into its user and domain fields. A separate domain wins; without one,
    /// `DOMAIN\user` and `user@dns.domain` in the user field are understood.
    ///
    /// ```
    /// use portcullis::{Principal, Realm};
    /// assert_eq!(Principal::parse("ann", ".").realm, Realm::Here);
    /// assert_eq!(Principal::parse(r"CORP\ann", "").realm, Realm::Domain("CORP"));
    /// let upn = Principal::parse("ann@corp.example", "");
    /// assert_eq!(upn.realm, Realm::Upn { name: "ann", suffix: "corp.example" });
    /// ```
    pub fn parse(user: &'a str, domain: &'a str) -> Self {
        match domain {
            "" => match user.split_once('\\') {
                Some((domain, user)) => Self { user, realm: Self::domain(domain) },
                None => match user.rsplit_once('@') {
                    Some((name, suffix)) if !suffix.is_empty() => Self { user, realm: Realm::Upn { name, suffix } },
                    _ => Self { user, realm: Realm::Here },
                },
            },
            domain => Self { user, realm: Self::domain(domain) },
        }
    }

    fn domain(domain: &'a str) -> Realm<'a> {
        if matches!(domain, "" | ".") { Realm::Here } else { Realm::Domain(domain) }
    }
}

/// Whether `target` is one of `ours`: service and host compared without case, a port counts only where ours says one.
///
/// ```
/// use portcullis::target_matches;
/// assert!(target_matches("HTTP/web.example:8080", &["http/WEB.example".into()]));
/// assert!(!target_matches("HTTP/other.example", &["HTTP/web.example".into()]));
/// ```
pub fn target_matches(target: &str, ours: &[String]) -> bool {
    let without_port = match target.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => target,
    };
    ours.iter().any(|our| utf16::same_name(our, target) || utf16::same_name(our, without_port))
}

/// Whether a service name carries a marshalled target behind its host: the form by which a client is lured into
/// authenticating to one host with a name that resolves to another (CVE-2025-33073).
pub fn has_marshalled_target(target: &str) -> bool {
    // A marshalled CREDENTIAL_TARGET_INFORMATION begins with these characters, wherever in the name it stands.
    target.contains("1UWhRC") && target.contains("AAAAA")
}
