use crate::{AccessToken, Account, BindingsOutcome, Claim, ContextFlags, Level, PackageInfo, Secret, Sizes};
use std::sync::Arc;
use std::time::SystemTime;

/// What a handshake learned. SECPKG_ATTR_* are read from here ([`crate::attribute`]).
#[derive(Debug)]
pub struct Facts {
    /// The package that established the context.
    pub package: &'static PackageInfo,
    /// The account that the authority named; `None` for an anonymous client.
    pub account: Option<Arc<Account>>,
    /// What the client said of itself. Only [`Claim::target`] and [`Claim::workstation`] are of use: neither is
    /// proved unless the message that carried it was (an NTLM MIC, for one).
    pub claim: Claim,
    /// The form of the proof: `NTLMv2`, `NTLMv1`, `password`, `anonymous`.
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
    pub session_key: Option<Secret<[u8; 16]>>,
    /// How the client's channel bindings were judged.
    pub bindings: BindingsOutcome,
    /// Whether the client spoke of channel bindings at all.
    pub bindings_aware: bool,
    /// A number for this logon.
    pub logon_id: u64,
    /// The facts of the package inside this one, where there is one.
    pub inner: Option<Arc<Facts>>,
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
    /// The mechanism that did the work: this package, or the one inside it.
    pub fn mechanism(&self) -> &'static str {
        self.inner.as_ref().map_or(self.package.name, |inner| inner.mechanism())
    }

    /// The client's `DOMAIN\name`; `None` for an anonymous client.
    pub fn client_name(&self) -> Option<String> {
        self.account.as_ref().map(|account| account.qualified_name())
    }

    /// The account behind the context as an access token.
    pub fn access_token(&self) -> AccessToken {
        let level = if self.granted.contains(ContextFlags::IDENTIFY) { Level::Identify } else { Level::Impersonate };
        match &self.account {
            Some(account) => AccessToken::of(account, self.package.authentication_sid, self.logon_id, level),
            None => AccessToken::anonymous(self.logon_id),
        }
    }
}
