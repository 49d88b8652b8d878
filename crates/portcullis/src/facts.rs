use crate::kerberos::TicketFacts;
use crate::{AccessToken, Account, BindingsOutcome, Channel, Claim, ContextFlags, Level, PackageInfo, Secret, Sizes};
use std::sync::Arc;
use std::time::SystemTime;

/// What a handshake learned. SECPKG_ATTR_* are read from here ([`crate::attribute`]).
#[derive(Debug)]
pub struct Facts {
    /// The package that established the context.
    pub package: &'static PackageInfo,
    /// Which side this is.
    pub role: Role,
    /// The account that the authority named; `None` for an anonymous client, and on the initiator's side.
    pub account: Option<Arc<Account>>,
    /// What the client said of itself. Only [`Claim::target`] and [`Claim::workstation`] are of use: neither is
    /// proved unless the message that carried it was (an NTLM MIC, for one).
    pub claim: Claim,
    /// The form of the proof: `NTLMv2`, `NTLMv1`, `password`, `anonymous`; of a channel, its protocol: `TLSv1.2`,
    /// `TLSv1.3`.
    pub version: &'static str,
    /// What was granted, computed from what happened.
    pub granted: ContextFlags,
    /// When the context was established.
    pub start: SystemTime,
    /// When it ends; `None` for never.
    pub expiry: Option<SystemTime>,
    /// Sizes for message buffers.
    pub sizes: Sizes,
    /// The algorithms and their strength; `None` where the context has no keys.
    pub key_info: Option<KeyInfo>,
    /// The session key; `None` where there is none.
    pub session_key: Option<Secret<Vec<u8>>>,
    /// How the client's channel bindings were judged.
    pub bindings: BindingsOutcome,
    /// Whether the client spoke of channel bindings at all.
    pub bindings_aware: bool,
    /// A number for this logon.
    pub logon_id: u64,
    /// How the package inside this one was agreed on, where there is one.
    pub negotiation: Option<Negotiation>,
    /// The facts of the package inside this one, where there is one.
    pub inner: Option<Arc<Facts>>,
    /// What a TLS handshake agreed on; `None` for a package without a stream.
    pub channel: Option<Arc<Channel>>,
    /// What a Kerberos ticket says; `None` for other packages.
    pub ticket: Option<Arc<TicketFacts>>,
}

/// Which side of a context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The server.
    Acceptor,
    /// The client.
    Initiator,
}

/// How two sides came to a mechanism (SecPkgContext_NegotiationInfo); the numbers are `SECPKG_NEGOTIATION_*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Negotiation {
    /// They negotiated it.
    Complete = 0,
    /// The initiator spoke the mechanism's own tokens, without negotiation.
    Direct = 3,
}

/// SecPkgContext_KeyInfo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyInfo {
    /// The name of the signing algorithm.
    pub signature_algorithm: &'static str,
    /// The name of the sealing algorithm.
    pub encrypt_algorithm: &'static str,
    /// The strength of the sealing key in bits.
    pub key_bits: u32,
    /// The Kerberos checksum number of the signing algorithm (RFC 4757), as SSPI reports it.
    pub signature_id: i32,
    /// The CryptoAPI id of the sealing algorithm.
    pub encrypt_id: u32,
}

impl Facts {
    /// The facts of a context around this one: the same client, account and keys, by another package.
    pub(crate) fn within(self: Arc<Self>, package: &'static PackageInfo, negotiation: Negotiation) -> Facts {
        Facts {
            package,
            role: self.role,
            account: self.account.clone(),
            claim: self.claim.clone(),
            version: self.version,
            granted: self.granted,
            start: self.start,
            expiry: self.expiry,
            sizes: self.sizes, // SIZES through Negotiate is the inner package's
            key_info: self.key_info,
            session_key: self.session_key.as_ref().map(|key| Secret::new(key.expose().clone())),
            bindings: self.bindings,
            bindings_aware: self.bindings_aware,
            logon_id: self.logon_id,
            negotiation: Some(negotiation),
            channel: self.channel.clone(),
            ticket: self.ticket.clone(),
            inner: Some(self),
        }
    }

    /// The same without session key, forwarded credentials and PAC: what a host keeps of a client whose messages it does
    /// not protect.
    #[must_use]
    pub fn without_secrets(&self) -> Facts {
        Facts {
            package: self.package,
            role: self.role,
            account: self.account.clone(),
            claim: self.claim.clone(),
            version: self.version,
            granted: self.granted,
            start: self.start,
            expiry: self.expiry,
            sizes: self.sizes,
            key_info: self.key_info,
            session_key: None,
            bindings: self.bindings,
            bindings_aware: self.bindings_aware,
            logon_id: self.logon_id,
            negotiation: self.negotiation,
            channel: self.channel.clone(),
            inner: self.inner.as_ref().map(|inner| Arc::new(inner.without_secrets())),
            ticket: self.ticket.as_ref().map(|ticket| Arc::new(ticket.without_secrets())),
        }
    }

    /// The mechanism that did the work: this package, or the one inside it.
    pub fn mechanism(&self) -> &'static PackageInfo {
        self.inner.as_ref().map_or(self.package, |inner| inner.mechanism())
    }

    /// The client's `DOMAIN\name`; `None` for an anonymous client. On the initiator's side it is what this side said of
    /// itself: a name without a domain, such as a user principal name, stays as it is.
    pub fn client_name(&self) -> Option<String> {
        match (&self.account, self.role) {
            (Some(account), _) => Some(account.qualified_name()),
            (None, Role::Initiator) => match (self.claim.domain(), self.claim.user()) {
                (_, "") => None,
                ("", user) => Some(user.to_owned()),
                (domain, user) => Some(format!("{domain}\\{user}")),
            },
            (None, Role::Acceptor) => None,
        }
    }

    /// The account behind the context as an access token; `None` on the initiator's side, which has none of its peer, of
    /// a channel whose client nobody knows, and of an account without a SID.
    pub fn access_token(&self) -> Option<AccessToken> {
        if self.role == Role::Initiator || (self.channel.is_some() && self.account.is_none()) {
            return None;
        }
        let level = if self.granted.contains(ContextFlags::IDENTIFY) { Level::Identify } else { Level::Impersonate };
        match &self.account {
            Some(account) => AccessToken::of(account, self.mechanism().authentication_sid, self.logon_id, level),
            None => Some(AccessToken::anonymous(self.logon_id)),
        }
    }
}
