#[cfg(feature = "schannel")]
use crate::schannel;
use crate::{Refusal, Status, Substatus, kerberos, negotiate, ntlm, password};
use std::fmt;

/// How a call ended badly. The peer may learn the status; the cause is for the operator alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What the host program and, through it, the peer learn.
    pub status: Status,
    /// Why.
    pub cause: Cause,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.status, self.cause)
    }
}

impl std::error::Error for Failure {}

impl<C: Into<Cause>> From<C> for Failure {
    fn from(cause: C) -> Self {
        let cause = cause.into();
        Self { status: cause.status(), cause }
    }
}

/// One row of the catalogue of causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CauseRow {
    /// The stable name: where it belongs, a slash, what it is.
    pub name: &'static str,
    /// What the peer learns.
    pub status: Status,
    /// What a Windows host would write to its log.
    pub substatus: Substatus,
    /// What happened and what to do, for the operator.
    pub advice: &'static str,
}

/// Declares the causes of one part, a row each: the compiler lists what a new cause still lacks.
macro_rules! causes {
    (
        $(#[$enum_doc:meta])* $vis:vis enum $enum:ident in $part:literal {
            $($(#[$doc:meta])* $variant:ident $(($payload:ty))? = $name:literal, $status:ident, $substatus:ident, $advice:literal;)*
        }
    ) => {
        $(#[$enum_doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        $vis enum $enum { $($(#[$doc])* $variant $(($payload))?,)* }

        impl $enum {
            /// Every cause of this part, in the order of declaration.
            pub const TABLE: &'static [$crate::CauseRow] = &[$($crate::CauseRow {
                name: concat!($part, "/", $name),
                status: $crate::Status::$status,
                substatus: $crate::Substatus::$substatus,
                advice: $advice,
            },)*];

            /// The row of this cause.
            pub const fn row(&self) -> $crate::CauseRow {
                match self {
                    $(Self::$variant { .. } => $crate::CauseRow {
                        name: concat!($part, "/", $name),
                        status: $crate::Status::$status,
                        substatus: $crate::Substatus::$substatus,
                        advice: $advice,
                    },)*
                }
            }
        }
    };
}
pub(crate) use causes;

/// Why, by the part that found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// The call itself could not be carried out.
    Call(CallCause),
    /// The host's own limits and rules.
    Host(HostCause),
    /// An authority said no.
    Refused(Refusal),
    /// The NTLM package.
    Ntlm(ntlm::Cause),
    /// The Kerberos package.
    Kerberos(kerberos::Cause),
    /// The Negotiate package.
    Negotiate(negotiate::Cause),
    /// The plain-password package.
    Password(password::Cause),
    /// The Schannel package.
    #[cfg(feature = "schannel")]
    Schannel(schannel::Cause),
}

impl Cause {
    /// Every cause of every part.
    pub fn catalogue() -> impl Iterator<Item = CauseRow> {
        [
            CallCause::TABLE,
            HostCause::TABLE,
            Refusal::TABLE,
            ntlm::Cause::TABLE,
            kerberos::Cause::TABLE,
            negotiate::Cause::TABLE,
            password::Cause::TABLE,
            #[cfg(feature = "schannel")]
            schannel::Cause::TABLE,
        ]
        .into_iter()
        .flatten()
        .copied()
    }

    /// The row of this cause.
    pub const fn row(&self) -> CauseRow {
        match self {
            Self::Call(cause) => cause.row(),
            Self::Host(cause) => cause.row(),
            Self::Refused(cause) => cause.row(),
            Self::Ntlm(cause) => cause.row(),
            Self::Kerberos(cause) => cause.row(),
            Self::Negotiate(cause) => cause.row(),
            Self::Password(cause) => cause.row(),
            #[cfg(feature = "schannel")]
            Self::Schannel(cause) => cause.row(),
        }
    }

    /// The stable name, as the audit log has it: `ntlm/mic-wrong`.
    pub const fn name(&self) -> &'static str {
        self.row().name
    }

    /// What the peer learns.
    pub const fn status(&self) -> Status {
        self.row().status
    }

    /// What a Windows host would write to its log.
    pub const fn substatus(&self) -> Substatus {
        self.row().substatus
    }

    /// What happened and what to do, for the operator.
    pub const fn advice(&self) -> &'static str {
        self.row().advice
    }

    /// Where the token is malformed, where that is the cause.
    pub const fn malformed(&self) -> Option<portcullis_wire::Error> {
        match self {
            Self::Ntlm(ntlm::Cause::Malformed(error))
            | Self::Kerberos(kerberos::Cause::Malformed(error))
            | Self::Negotiate(negotiate::Cause::Malformed(error)) => Some(*error),
            #[cfg(feature = "schannel")]
            Self::Schannel(schannel::Cause::Malformed(error)) => Some(*error),
            _ => None,
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        #[cfg(feature = "schannel")]
        if let Self::Schannel(schannel::Cause::PeerAlert(alert)) = self {
            return write!(f, ": {alert}");
        }
        self.malformed().map_or(Ok(()), |error| write!(f, ": {error}"))
    }
}

macro_rules! from_part {
    ($($variant:ident($part:ty)),*) => { $(impl From<$part> for Cause {
        fn from(cause: $part) -> Self { Self::$variant(cause) }
    })* };
}
from_part!(
    Call(CallCause),
    Host(HostCause),
    Refused(Refusal),
    Ntlm(ntlm::Cause),
    Kerberos(kerberos::Cause),
    Negotiate(negotiate::Cause),
    Password(password::Cause)
);
#[cfg(feature = "schannel")]
from_part!(Schannel(schannel::Cause));

causes! {
    /// Why a call could not be carried out, whatever the package.
    pub enum CallCause in "call" {
        /// The answer was made from another question.
        ForeignAnswer = "foreign-answer", SEC_E_INTERNAL_ERROR, INTERNAL_ERROR,
            "an answer was given to a handshake that did not ask its question; this is a defect of the host program";
        /// The step got a kind of input that it never waits for.
        WrongInput = "wrong-input", SEC_E_INTERNAL_ERROR, INTERNAL_ERROR,
            "a handshake was stepped with an input that it does not wait for; this is a defect of this library";
        /// The caller's source of randomness failed.
        NoRandomness = "no-randomness", SEC_E_INTERNAL_ERROR, INTERNAL_ERROR,
            "the operating system's random source failed; no challenge can be made without it";
        /// The caller's output buffer is too small.
        NoRoom = "no-room", SEC_E_BUFFER_TOO_SMALL, INVALID_PARAMETER,
            "the caller's output buffer is too small; query the package's cbMaxToken and call again";
        /// A property that the call requires was not granted.
        RequirementNotMet = "requirement-not-met", SEC_E_SECURITY_QOS_FAILED, NOT_SUPPORTED,
            "the host requires a property (signing, sealing, a known client …) that this client did not negotiate";
        /// Requested flags contradict each other.
        ContradictoryFlags = "contradictory-flags", SEC_E_SECURITY_QOS_FAILED, INVALID_PARAMETER,
            "the host asks for ALLOW_MISSING_BINDINGS and PROXY_BINDINGS at once; choose one";
        /// The protection asked for was not negotiated.
        NotNegotiated = "not-negotiated", SEC_E_UNSUPPORTED_FUNCTION, NOT_SUPPORTED,
            "sealing was asked of a context on which the client did not negotiate it";
        /// A message buffer list has no, or more than one, or a too short token.
        BadBuffers = "bad-buffers", SEC_E_INVALID_TOKEN, INVALID_PARAMETER,
            "a message needs exactly one token buffer of at least the signature's size";
        /// Bytes behind the handshake were brought as part of its token.
        Extra = "extra", SEC_E_INVALID_TOKEN, INVALID_PARAMETER,
            "the token holds bytes that belong to what follows the handshake; a host of a stream package brings them by `stream` and keeps what it leaves";
        /// A signature does not fit its message.
        BadSignature = "bad-signature", SEC_E_MESSAGE_ALTERED, LOGON_FAILURE,
            "a message's signature is wrong: it was altered on the way, or the peer uses other keys";
        /// A message's token is none of this context's kind.
        MalformedMessage = "malformed-message", SEC_E_INVALID_TOKEN, INVALID_PARAMETER,
            "what should be a protected message is none: it was cut, or it belongs to another protocol or encryption type";
        /// A sequence number is not the next one.
        OutOfSequence = "out-of-sequence", SEC_E_OUT_OF_SEQUENCE, LOGON_FAILURE,
            "a message came twice, was lost, or overtook another";
        /// Bytes are not a context that was exported under this key for this package.
        BadExport = "bad-export", SEC_E_INVALID_TOKEN, INVALID_PARAMETER,
            "what is imported is no context exported under this key for this package: it was altered or cut, it was exported under another key or by another version of this library, or the package is another one";
        /// The context holds something that cannot be exported.
        NotExportable = "not-exportable", SEC_E_UNSUPPORTED_FUNCTION, NOT_SUPPORTED,
            "this kind of context cannot be handed to another process; let the process that accepted the client keep it";
    }
}

causes! {
    /// Why a host refuses by its own limits and rules, before or beside a package.
    pub enum HostCause in "host" {
        /// Too many handshakes are half-open.
        HalfOpenLimit = "half-open-limit", SEC_E_INSUFFICIENT_MEMORY, INSUFFICIENT_RESOURCES,
            "too many handshakes are waiting for the client's next token; raise limits.half_open or find who opens them";
        /// A handshake was not finished in time.
        HandshakeTimeout = "handshake-timeout", SEC_E_CONTEXT_EXPIRED, LOGON_FAILURE,
            "the client began a handshake and did not finish it within limits.handshake_seconds";
        /// A token is larger than the host takes.
        TokenTooLarge = "token-too-large", SEC_E_INVALID_TOKEN, INVALID_PARAMETER,
            "the client's token is larger than limits.token_bytes";
        /// A token ends before its own length says.
        TokenIncomplete = "token-incomplete", SEC_E_INVALID_TOKEN, INVALID_PARAMETER,
            "the token is cut short, and this endpoint takes tokens whole: something between client and server cuts long headers, as proxies with a limit of 4 or 8 KiB do";
        /// A token is not base64, or an authorization header not of the form `scheme token`.
        BadHeader = "bad-header", SEC_E_INVALID_TOKEN, INVALID_PARAMETER,
            "the Authorization header is not of the form `scheme base64`";
        /// A scheme that is not offered here.
        SchemeNotOffered = "scheme-not-offered", SEC_E_INVALID_TOKEN, NOT_SUPPORTED,
            "the client chose an authentication scheme that is not offered on this endpoint";
        /// A plain password over a connection that others can read.
        PlaintextRefused = "plaintext-refused", SEC_E_LOGON_DENIED, NOT_SUPPORTED,
            "the client sent a plain password over a connection that is neither loopback nor TLS";
        /// Another client than the one that began a handshake went on with it.
        Proxied = "proxied", SEC_E_INVALID_TOKEN, NOT_SUPPORTED,
            "a handshake was begun by one client and continued by another on the same connection: an HTTP proxy shares its connections between clients. NTLM needs one that keeps a connection for each client";
        /// The decision could not be written to the audit log, and that is required.
        AuditUnwritable = "audit-unwritable", SEC_E_NO_AUTHENTICATING_AUTHORITY, INSUFFICIENT_RESOURCES,
            "the audit log cannot be written, and audit.required is set; free the disk or correct the file's owner";
    }
}
