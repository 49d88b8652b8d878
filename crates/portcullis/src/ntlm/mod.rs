//! NTLM (MS-NLMP): a challenge, a response made from the password's hash, and keys from both.
//!
//! ```text
//!   AwaitNegotiate ──NEGOTIATE──► CHALLENGE ──► AwaitAuthenticate ──AUTHENTICATE──► VerifyNtlm?
//!                                                      │                                │
//!                                        anonymous, where allowed              AwaitVerdict ──► Context
//! ```
//!
//! ```text
//!   SendNegotiate ──► NEGOTIATE ──► AwaitChallenge ──CHALLENGE──► AUTHENTICATE, Context          (the initiator)
//! ```
//!
//! The package asks one question, [`crate::VerifyNtlm`]; an authority answers it with [`verify`]. The NT proof is
//! always compared, whatever flags or MIC the client sends, and an LM response is never looked at. What must hold
//! besides (bindings, target, MIC) is checked after the verdict, so that only who knows the password learns of it.
//!
//! Of the contract it keeps: parameters (token, channel bindings; a token with `SEC_E_OK` is empty), flags
//! (CONFIDENTIALITY, INTEGRITY, REPLAY_DETECT and SEQUENCE_DETECT by the negotiated NTLM flags; CONNECTION always;
//! USE_DCE_STYLE where the call wants it; IDENTIFY, NULL_SESSION as they happened; there is no error token), expiry (the end of logon hours, else never).

mod accept;
mod cause;
mod initiate;
pub mod keys;
mod protection;
mod session;
#[cfg(test)]
mod tests;
mod verify;

pub(crate) use protection::SessionKeys;
pub(crate) use session::ANONYMOUS;

pub use cause::Cause;
pub use initiate::Initiator;
pub use keys::KeyStrength;
pub use verify::{Verified, verify, verify_v2};

use crate::credential::{AcceptorPackage, Package, Sealed};
use crate::handshake::Step;
use crate::{BindingPolicy, PackageInfo, package};
use portcullis_wire::ntlm::{AvId, Flags, push_av_pair, push_av_text};
use portcullis_wire::utf16;
use std::sync::Arc;

/// The configuration of an NTLM acceptor.
#[derive(Debug, Clone)]
pub struct Ntlm {
    /// What the CHALLENGE says of this server.
    pub names: ServerNames,
    /// Channel bindings. Defaults to [`BindingPolicy::ByCall`].
    pub bindings: BindingPolicy,
    /// The service names that clients may mean. Defaults to any.
    pub targets: TargetPolicy,
    /// Whether a client without MIC is refused, one that announces none with it. Defaults to `false`: curl and
    /// clients older than Windows Vista have none. A MIC that *is* announced must always be there and right.
    pub require_mic: bool,
    /// The weakest key that a client may sign or seal with. Defaults to 128 bits. Clients that do neither have no
    /// keys and are not concerned.
    pub minimum_key: KeyStrength,
    /// Whether anonymous clients are let in where the call asks for it too ([`crate::ContextFlags::NULL_SESSION`]).
    /// Defaults to `false`.
    pub allow_anonymous: bool,
    /// Whether NTLMv1 responses are judged at all, with or without extended session security. Defaults to `false`:
    /// whoever records one can compute the password's hash within hours.
    pub danger_accept_ntlmv1: bool,
}

impl Ntlm {
    /// An acceptor with these names and the defaults of the fields.
    pub fn new(names: ServerNames) -> Self {
        Self {
            names,
            bindings: BindingPolicy::default(),
            targets: TargetPolicy::Any,
            require_mic: false,
            minimum_key: KeyStrength::Bits128,
            allow_anonymous: false,
            danger_accept_ntlmv1: false,
        }
    }
}

/// What a CHALLENGE says of the server. Clients hash it into their response; empty names are left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServerNames {
    /// The computer's NetBIOS name. Clients that sign or seal insist on it.
    pub netbios_computer: String,
    /// The domain's NetBIOS name; the computer's name where there is no domain.
    pub netbios_domain: String,
    /// The computer's DNS name.
    pub dns_computer: String,
    /// The domain's DNS name.
    pub dns_domain: String,
    /// The forest's DNS name.
    pub dns_tree: String,
    /// Whether the computer is its own domain.
    pub standalone: bool,
}

impl ServerNames {
    /// The names of a computer that is in no domain.
    pub fn standalone(computer: &str) -> Self {
        Self {
            netbios_computer: computer.to_owned(),
            netbios_domain: computer.to_owned(),
            standalone: true,
            ..Self::default()
        }
    }
}

/// Which service names clients may mean (MsvAvTargetName). NTLM itself never compares them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum TargetPolicy {
    /// Whatever the client says. The default.
    #[default]
    Any,
    /// A client that names its target must mean one of these; one that names none is let in.
    WhenPresent(Vec<String>),
    /// Every client must mean one of these.
    Require(Vec<String>),
}

/// The form of a client's NT response: its length and the negotiated flags tell, nothing is negotiated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// NTLMv1.
    V1,
    /// NTLMv1 with extended session security, also called NTLM2.
    V1Ess,
    /// NTLMv2.
    V2,
}

impl Form {
    /// The name for logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V1 => "NTLMv1",
            Self::V1Ess => "NTLMv1+ESS",
            Self::V2 => "NTLMv2",
        }
    }
}

/// A credential's configuration with what is computed from it once.
struct Acceptor {
    config: Ntlm,
    /// TargetInfo whole, its timestamp zero: each CHALLENGE writes its own over it.
    target_info: Vec<u8>,
    target_name_unicode: Vec<u8>,
    target_name_oem: Vec<u8>,
    target_type: Flags,
}

impl AcceptorPackage for Ntlm {}

impl Sealed for Ntlm {
    fn into_package(self) -> Arc<dyn Package> {
        let names = &self.names;
        let mut target_info = Vec::new();
        // Computer and domain are compulsory (MS-NLMP 2.2.2.1): clients that sign fail without them.
        push_av_text(&mut target_info, AvId::NB_DOMAIN_NAME, &names.netbios_domain);
        push_av_text(&mut target_info, AvId::NB_COMPUTER_NAME, &names.netbios_computer);
        for (id, name) in [
            (AvId::DNS_DOMAIN_NAME, &names.dns_domain),
            (AvId::DNS_COMPUTER_NAME, &names.dns_computer),
            (AvId::DNS_TREE_NAME, &names.dns_tree),
        ] {
            if !name.is_empty() {
                push_av_text(&mut target_info, id, name);
            }
        }
        push_av_pair(&mut target_info, AvId::TIMESTAMP, &[0; 8]);
        push_av_pair(&mut target_info, AvId::EOL, &[]);
        let (target_name, target_type) = match names.standalone {
            true => (&names.netbios_computer, Flags::TARGET_TYPE_SERVER),
            false => (&names.netbios_domain, Flags::TARGET_TYPE_DOMAIN),
        };
        Arc::new(Acceptor {
            target_info,
            target_name_unicode: utf16::encode(target_name),
            target_name_oem: target_name.as_bytes().to_vec(),
            target_type,
            config: self,
        })
    }
}

impl Package for Acceptor {
    fn info(&self) -> &'static PackageInfo {
        &package::NTLM
    }

    fn begin(self: Arc<Self>) -> Box<dyn Step> {
        accept::begin(self)
    }
}
