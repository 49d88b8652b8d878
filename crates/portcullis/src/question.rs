use crate::kerberos::{ConfirmPac, OpenTicket, OpenedTicket, SeenBefore};
use crate::{Account, CallCause, Cause, Claim, Failure, Secret, ntlm, password};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a handshake may not find out itself: plain, owned, `Send`. It asks for a verdict, never for a secret, so that
/// an embedded store, another process and a domain can all answer it.
#[derive(Debug)]
#[non_exhaustive]
pub enum Question {
    /// Does this NTLM response fit the account, and may the account log on?
    VerifyNtlm(VerifyNtlm),
    /// Does this password fit the account, and may the account log on?
    VerifyPassword(VerifyPassword),
    /// Whose is this certificate, and may the account log on?
    FindAccount(FindAccount),
    /// Which service's key opens this Kerberos ticket, and what is in it?
    OpenTicket(OpenTicket),
    /// Did a KDC make this PAC?
    ConfirmPac(ConfirmPac),
    /// Was this Kerberos authenticator seen before?
    SeenBefore(SeenBefore),
}

/// Answers questions, blocking while it does. A host that must not block answers later, by
/// [`NeedsAnswer::answer`](crate::NeedsAnswer::answer).
pub trait Authority: Send + Sync {
    /// The answer, made from the question by its `accept` or `refuse`.
    fn answer(&self, question: &Question) -> Answer;
}

impl Question {
    /// What the client says of itself.
    pub fn claim(&self) -> &Claim {
        match self {
            Self::VerifyNtlm(question) => &question.claim,
            Self::VerifyPassword(question) => &question.claim,
            Self::FindAccount(question) => &question.claim,
            Self::OpenTicket(question) => &question.claim,
            Self::ConfirmPac(question) => &question.claim,
            Self::SeenBefore(question) => &question.claim,
        }
    }

    /// The peer's address, where the host knows it.
    pub fn peer(&self) -> Option<IpAddr> {
        match self {
            Self::VerifyNtlm(question) => question.peer,
            Self::VerifyPassword(question) => question.peer,
            Self::FindAccount(question) => question.peer,
            Self::OpenTicket(question) => question.peer,
            Self::ConfirmPac(question) => question.peer,
            Self::SeenBefore(question) => question.peer,
        }
    }

    /// An answer that says no.
    pub fn refuse(&self, why: impl Into<Denied>) -> Answer {
        Answer::no(self.id(), why)
    }

    fn id(&self) -> Id {
        match self {
            Self::VerifyNtlm(question) => question.id,
            Self::VerifyPassword(question) => question.id,
            Self::FindAccount(question) => question.id,
            Self::OpenTicket(question) => question.id,
            Self::ConfirmPac(question) => question.id,
            Self::SeenBefore(question) => question.id,
        }
    }
}

/// Does this NTLM response fit the account?
#[derive(Debug)]
pub struct VerifyNtlm {
    id: Id,
    /// What the client says of itself, exactly as it wrote it: the response is made over user and domain.
    pub claim: Claim,
    /// The challenge that the response answers.
    pub server_challenge: [u8; 8],
    /// The peer's address, where the host knows it.
    pub peer: Option<IpAddr>,
    message: Vec<u8>,
    form: ntlm::Form,
    transcript: Vec<u8>,
}

impl VerifyNtlm {
    /// A question as a handshake asks it. Handshakes make their own; this is for a process that answers those of
    /// another. An answer made from it fits no handshake: read it by [`Answer::verdict`].
    pub fn new(
        claim: Claim,
        server_challenge: [u8; 8],
        peer: Option<IpAddr>,
        message: Vec<u8>,
        form: ntlm::Form,
    ) -> Self {
        Self { id: Id::next(), claim, server_challenge, peer, message, form, transcript: Vec::new() }
    }

    /// The same question of a handshake whose messages so far are these.
    pub(crate) fn after(self, transcript: Vec<u8>) -> Self {
        Self { transcript, ..self }
    }

    /// NEGOTIATE and CHALLENGE as they were sent, one behind the other: what a MIC covers before [`message`](Self::message).
    /// Empty in a process that answers for another.
    pub fn transcript(&self) -> &[u8] {
        &self.transcript
    }

    /// The form of the response; NTLMv1 reaches an authority only where the credential has the `danger_` field set.
    pub fn form(&self) -> ntlm::Form {
        self.form
    }

    /// The AUTHENTICATE message as received; the response lies in it.
    pub fn message(&self) -> &[u8] {
        &self.message
    }

    /// An answer that says yes. A [`ntlm::Verified`] comes from [`ntlm::verify`] alone, or from an authority
    /// elsewhere that made the comparison.
    pub fn accept(&self, verified: ntlm::Verified, account: Arc<Account>) -> Answer {
        Answer::yes(self.id, Yes::Logon(Logon { key: verified.into_session_base_key(), account }))
    }

    /// An answer that says no.
    pub fn refuse(&self, why: impl Into<Denied>) -> Answer {
        Answer::no(self.id, why)
    }
}

/// Does this password fit the account?
#[derive(Debug)]
pub struct VerifyPassword {
    id: Id,
    /// What the client says of itself.
    pub claim: Claim,
    /// The password as the client sent it.
    pub password: Secret<String>,
    /// The peer's address, where the host knows it.
    pub peer: Option<IpAddr>,
}

impl VerifyPassword {
    /// As [`VerifyNtlm::new`].
    pub fn new(claim: Claim, password: Secret<String>, peer: Option<IpAddr>) -> Self {
        Self { id: Id::next(), claim, password, peer }
    }

    /// An answer that says yes. A [`password::Verified`] comes from [`password::verify`] alone, or from an authority
    /// elsewhere that made the comparison.
    pub fn accept(&self, _: password::Verified, account: Arc<Account>) -> Answer {
        Answer::yes(self.id, Yes::Logon(Logon { key: Secret::new([0; 16]), account }))
    }

    /// An answer that says no.
    pub fn refuse(&self, why: impl Into<Denied>) -> Answer {
        Answer::no(self.id, why)
    }
}

/// Whose is this certificate? That it is good, and that the client holds its key, the handshake has verified before it
/// asks: an authority only says which account it means.
#[derive(Debug)]
pub struct FindAccount {
    id: Id,
    /// What the certificate says of its owner, for logs: its user principal name, or its subject.
    pub claim: Claim,
    /// The peer's address, where the host knows it.
    pub peer: Option<IpAddr>,
    certificate: Vec<u8>,
    may_name_sid: bool,
}

impl FindAccount {
    /// As [`VerifyNtlm::new`]. `certificate` is the client's own, in DER; `may_name_sid` says whether its issuer is
    /// trusted to name accounts by SID.
    pub fn new(claim: Claim, peer: Option<IpAddr>, certificate: Vec<u8>, may_name_sid: bool) -> Self {
        Self { id: Id::next(), claim, peer, certificate, may_name_sid }
    }

    /// The client's certificate, in DER.
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// Whether a SID in the certificate counts: its issuer is one that may name accounts.
    pub fn may_name_sid(&self) -> bool {
        self.may_name_sid
    }

    /// An answer that says yes.
    pub fn accept(&self, account: Arc<Account>) -> Answer {
        Answer::yes(self.id, Yes::Logon(Logon { key: Secret::new([0; 16]), account }))
    }

    /// An answer that says no.
    pub fn refuse(&self, why: impl Into<Denied>) -> Answer {
        Answer::no(self.id, why)
    }
}

/// A verdict. It carries the id of the question that it was made from: answers cannot be swapped between handshakes.
#[derive(Debug)]
pub struct Answer {
    id: Id,
    verdict: Result<Yes, Denied>,
}

/// A no: why, and on which values it rests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// Why.
    pub cause: Cause,
    /// What was wanted and what there is, for the operator; empty where the cause says all.
    pub detail: String,
}

impl Answer {
    pub(crate) fn yes(id: Id, yes: Yes) -> Self {
        Self { id, verdict: Ok(yes) }
    }

    pub(crate) fn no(id: Id, why: impl Into<Denied>) -> Self {
        Self { id, verdict: Err(why.into()) }
    }

    /// Why not; `None` for a yes.
    pub fn cause(&self) -> Option<Cause> {
        self.denied().map(|denied| denied.cause)
    }

    /// Why not, and on which values it rests; `None` for a yes.
    pub fn denied(&self) -> Option<&Denied> {
        self.verdict.as_ref().err()
    }

    /// The verdict itself, for who carries it to the process that asked.
    ///
    /// # Errors
    /// The no is the error.
    pub fn verdict(&self) -> Result<Vouched<'_>, &Denied> {
        self.verdict.as_ref().map(|yes| match yes {
            Yes::Logon(Logon { key, account }) => Vouched::Account { key, account },
            Yes::Ticket(opened) => Vouched::Ticket(opened),
            Yes::Pac { asked } => Vouched::Pac { asked: *asked },
            Yes::Fresh => Vouched::Fresh,
        })
    }

    pub(crate) fn is_for(&self, question: &Question) -> bool {
        self.id == question.id()
    }

    /// The account and key that an authority vouches for.
    pub(crate) fn into_logon(self) -> Result<Logon, Failure> {
        match self.verdict {
            Ok(Yes::Logon(logon)) => Ok(logon),
            // Each question makes its own kind of yes: this one was made from another.
            Ok(Yes::Ticket(_) | Yes::Pac { .. } | Yes::Fresh) => Err(CallCause::ForeignAnswer.into()),
            Err(denied) => Err(denied.cause.into()),
        }
    }

    /// The ticket that an authority opened.
    pub(crate) fn into_ticket(self) -> Result<OpenedTicket, Failure> {
        match self.verdict {
            Ok(Yes::Ticket(opened)) => Ok(*opened),
            Ok(Yes::Logon(_) | Yes::Pac { .. } | Yes::Fresh) => Err(CallCause::ForeignAnswer.into()),
            Err(denied) => Err(denied.cause.into()),
        }
    }

    /// Whether a KDC was asked about a PAC, and has made it.
    pub(crate) fn into_pac_asked(self) -> Result<bool, Failure> {
        match self.verdict {
            Ok(Yes::Pac { asked }) => Ok(asked),
            Ok(Yes::Logon(_) | Yes::Ticket(_) | Yes::Fresh) => Err(CallCause::ForeignAnswer.into()),
            Err(denied) => Err(denied.cause.into()),
        }
    }

    /// That an authority has not seen it before.
    pub(crate) fn into_fresh(self) -> Result<(), Failure> {
        match self.verdict {
            Ok(Yes::Fresh) => Ok(()),
            Ok(Yes::Logon(_) | Yes::Ticket(_) | Yes::Pac { .. }) => Err(CallCause::ForeignAnswer.into()),
            Err(denied) => Err(denied.cause.into()),
        }
    }
}

impl<C: Into<Cause>> From<C> for Denied {
    fn from(cause: C) -> Self {
        Self { cause: cause.into(), detail: String::new() }
    }
}

/// A yes: what an authority vouches for.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Vouched<'a> {
    /// An account whose proof fits.
    Account {
        /// The key that the proof gives; zeros for a plain password and a certificate.
        key: &'a Secret<[u8; 16]>,
        /// The account.
        account: &'a Arc<Account>,
    },
    /// A ticket that a service's key opened.
    Ticket(&'a OpenedTicket),
    /// A PAC, which a KDC has made, or of which none was asked.
    Pac {
        /// Whether one was asked.
        asked: bool,
    },
    /// An authenticator that was never seen before.
    Fresh,
}

impl<'a> Vouched<'a> {
    /// The account that is vouched for; `None` where it is something else.
    pub fn account(&self) -> Option<&'a Arc<Account>> {
        match self {
            Self::Account { account, .. } => Some(account),
            Self::Ticket(_) | Self::Pac { .. } | Self::Fresh => None,
        }
    }
}

/// A yes, by the kind of its question.
#[derive(Debug)]
pub(crate) enum Yes {
    Logon(Logon),
    Ticket(Box<OpenedTicket>),
    Pac { asked: bool },
    Fresh,
}

/// A yes, as a step receives it.
#[derive(Debug)]
pub(crate) struct Logon {
    pub(crate) key: Secret<[u8; 16]>,
    pub(crate) account: Arc<Account>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Id(u64);

impl Id {
    pub(crate) fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}
