use crate::call::Leg;
use crate::{ContextFlags, Event};
use md5::{Digest, Md5};

/// The channel that a handshake runs through, as GSS-API and SSPI describe it (RFC 2744 §3.11).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChannelBindings {
    /// The initiator's address type; zero for TLS.
    pub initiator_type: u32,
    /// The initiator's address; empty for TLS.
    pub initiator: Vec<u8>,
    /// The acceptor's address type; zero for TLS.
    pub acceptor_type: u32,
    /// The acceptor's address; empty for TLS.
    pub acceptor: Vec<u8>,
    /// What names the channel: for TLS a prefix with a colon and the binding (RFC 5929).
    pub application_data: Vec<u8>,
}

impl ChannelBindings {
    /// `tls-server-end-point` (RFC 5929 §4.1): `hash` is the certificate's hash, by its signature's hash function.
    pub fn tls_server_end_point(hash: &[u8]) -> Self {
        Self { application_data: [b"tls-server-end-point:".as_slice(), hash].concat(), ..Self::default() }
    }

    /// `tls-exporter` (RFC 9266): `secret` is the channel's exported keying material.
    pub fn tls_exporter(secret: &[u8; 32]) -> Self {
        Self { application_data: [b"tls-exporter:".as_slice(), secret].concat(), ..Self::default() }
    }

    /// MD5 over the structure as C lays it out in little-endian (RFC 4121 §4.1.1.2): what clients send.
    pub fn md5(&self) -> [u8; 16] {
        let len = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
        let mut md5 = Md5::new();
        md5.update(self.initiator_type.to_le_bytes());
        md5.update(len(&self.initiator));
        md5.update(&self.initiator);
        md5.update(self.acceptor_type.to_le_bytes());
        md5.update(len(&self.acceptor));
        md5.update(&self.acceptor);
        md5.update(len(&self.application_data));
        md5.update(&self.application_data);
        md5.finalize().into()
    }
}

/// What channel bindings a credential asks of its clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BindingPolicy {
    /// Bindings are not looked at.
    Ignore,
    /// Bindings are judged as by [`Require`](Self::Require), reported as an event, and never refused.
    Audit,
    /// A client that says nothing of bindings is let in; one that speaks of them must be right.
    WhenPresent,
    /// The client's bindings must be those of the channel. Where the call brings no bindings, every client is
    /// refused: a host that requires what it does not supply is misconfigured.
    Require,
    /// TLS ends at a proxy: the client must be bound to some channel, whichever.
    Proxied,
    /// As SSPI does: by what the call brings. With bindings, [`Require`](Self::Require), or with
    /// ALLOW_MISSING_BINDINGS [`WhenPresent`](Self::WhenPresent); without, [`Ignore`](Self::Ignore), or with
    /// PROXY_BINDINGS [`Proxied`](Self::Proxied). The default.
    #[default]
    ByCall,
}

/// What a client said of its channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientBindings<'a> {
    /// Nothing: it does not know of bindings, or its protocol version has no place for them.
    Unaware,
    /// All zero: it knows of bindings and has no channel.
    None,
    /// The hash of its channel.
    Hash(&'a [u8; 16]),
}

/// How a client's bindings were judged (SEC_CHANNEL_BINDINGS_RESULT).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BindingsOutcome {
    /// Not looked at.
    Unchecked,
    /// They are those of the channel.
    Matched,
    /// Missing, and allowed to be.
    AllowedMissing,
    /// Of some channel, as a proxied service asks.
    Proxied,
    /// Missing.
    Missing,
    /// Of another channel.
    Mismatch,
}

impl BindingsOutcome {
    /// Whether a client with this outcome may go on.
    pub const fn is_valid(self) -> bool {
        !matches!(self, Self::Missing | Self::Mismatch)
    }

    /// The name, for logs and answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unchecked => "unchecked",
            Self::Matched => "matched",
            Self::AllowedMissing => "allowed-missing",
            Self::Proxied => "proxied",
            Self::Missing => "missing",
            Self::Mismatch => "mismatch",
        }
    }

    /// The bits of SEC_CHANNEL_BINDINGS_RESULT.
    pub const fn result_flags(self, aware: bool) -> u32 {
        let support = if aware { 0x1 } else { 0 };
        support
            | match self {
                Self::Unchecked => 0,
                Self::Mismatch => 0x4,
                Self::Missing => 0x8 | 0x2,
                Self::Matched => 0x10,
                Self::Proxied => 0x20,
                Self::AllowedMissing => 0x40 | 0x2,
            }
    }
}

impl BindingPolicy {
    /// The policy that holds for one call.
    pub(crate) fn for_call(self, given: bool, flags: ContextFlags) -> Self {
        match (self, given) {
            (Self::ByCall, true) if flags.contains(ContextFlags::ALLOW_MISSING_BINDINGS) => Self::WhenPresent,
            (Self::ByCall, true) => Self::Require,
            (Self::ByCall, false) if flags.contains(ContextFlags::PROXY_BINDINGS) => Self::Proxied,
            (Self::ByCall, false) => Self::Ignore,
            (policy, _) => policy,
        }
    }

    /// Judges a client's bindings by what the call brings, and tells it.
    ///
    /// # Errors
    /// The outcome, where it is one to refuse.
    pub(crate) fn apply(
        self,
        client: ClientBindings<'_>,
        leg: &mut Leg<'_>,
    ) -> Result<BindingsOutcome, BindingsOutcome> {
        let policy = match leg.audits_bindings {
            true => Self::Audit,
            false => self.for_call(leg.channels().next().is_some(), leg.want.flags),
        };
        let outcome = policy.judge(leg.channels(), client);
        leg.event(&Event::Bindings { outcome, aware: client != ClientBindings::Unaware });
        if outcome.is_valid() || policy == Self::Audit { Ok(outcome) } else { Err(outcome) }
    }

    /// Judges a client's bindings against those of the channel, which may have several, by the extended-protection table. [`Self::Audit`] is judged
    /// as [`Self::Require`]; that it does not refuse is the caller's part.
    pub(crate) fn judge<'c>(
        self,
        mut channels: impl Iterator<Item = &'c ChannelBindings>,
        client: ClientBindings<'_>,
    ) -> BindingsOutcome {
        let mut matches = |hash: &[u8; 16]| {
            channels.any(|channel| bool::from(subtle::ConstantTimeEq::ct_eq(&channel.md5()[..], &hash[..])))
        };
        match (self, client) {
            (Self::Ignore | Self::ByCall, _) => BindingsOutcome::Unchecked,
            (Self::Proxied, ClientBindings::Hash(_)) => BindingsOutcome::Proxied,
            (_, ClientBindings::Hash(hash)) if matches(hash) => BindingsOutcome::Matched,
            (_, ClientBindings::Hash(_)) => BindingsOutcome::Mismatch,
            (Self::WhenPresent, ClientBindings::Unaware) => BindingsOutcome::AllowedMissing,
            (_, ClientBindings::Unaware | ClientBindings::None) => BindingsOutcome::Missing,
        }
    }
}
