//! What happened in an acceptor's handshake: for the audit log of the store, and the program's own log.

use crate::acceptor::Judge;
use crate::credential::Credential;
use crate::{host, packages};
use library::{BindingsOutcome, Claim, Event, Events, Facts, Failure, Status, Substatus};
use portcullis_authority::Record;
use std::net::SocketAddr;
use std::time::SystemTime;

/// Gathers what an audit line needs.
pub(crate) struct Decision {
    package: &'static str,
    /// The store whose audit log it belongs to.
    accounts: Option<host::Accounts>,
    peer: Option<SocketAddr>,
    claim: Option<Claim>,
    /// On which values a refusal rests.
    detail: Option<String>,
    mechanism: &'static str,
    version: &'static str,
    bindings: Option<(BindingsOutcome, bool)>,
    is_stream: bool,
}

impl Decision {
    pub(crate) fn new(credential: &Credential, acceptor: bool, peer: Option<SocketAddr>) -> Self {
        let accounts = match credential.acceptor.as_ref().map(|acceptor| &acceptor.judge) {
            Some(Judge::Store(accounts)) if acceptor => Some(accounts.clone()),
            _ => None,
        };
        let is_stream = packages::is_stream(credential.package);
        // Its other names are the same package.
        let package = if is_stream { library::package::SCHANNEL.name } else { credential.package.name };
        Self {
            package,
            accounts,
            peer,
            claim: None,
            detail: None,
            mechanism: "",
            version: "",
            bindings: None,
            is_stream,
        }
    }

    /// The bits of SEC_CHANNEL_BINDINGS_RESULT.
    pub(crate) fn bindings(&self) -> Option<u32> {
        self.bindings.map(|(outcome, aware)| outcome.result_flags(aware))
    }

    /// Writes down who was let in. `false` where that must be possible and was not.
    pub(crate) fn accepted(&self, facts: &Facts) -> bool {
        tracing::info!(package = self.package, account = facts.client_name(), version = facts.version, "established");
        let Some(accounts) = &self.accounts else { return true };
        if facts.channel.is_some() && self.claim.is_none() {
            return true; // a channel whose client shows no certificate is no logon
        }
        if let Some(refusal) = facts.channel.as_ref().and_then(|channel| channel.unmapped) {
            // The channel stands; the logon by certificate failed.
            self.refused(&refusal.into());
            return true;
        }
        let record = Record::accepted(SystemTime::now(), facts, self.peer, &correlation());
        host::open(accounts).is_ok_and(|store| store.audit(&record))
    }

    /// Writes down who was not.
    pub(crate) fn refused(&self, failure: &Failure) {
        // A call that the host must make again is no decision.
        if matches!(failure.cause, library::Cause::Call(library::CallCause::NoRoom)) {
            return;
        }
        if self.is_stream && self.claim.is_none() {
            return; // nobody wanted to log on yet
        }
        let Some(store) = self.accounts.as_ref().and_then(|accounts| host::open(accounts).ok()) else { return };
        let mut record = Record::refused(SystemTime::now(), failure, self.package, self.peer, &correlation());
        record.mechanism = self.mechanism;
        record.version = self.version;
        record.claim = self.claim.clone().unwrap_or_default();
        record.detail = self.detail.clone();
        // The refusal stands whether or not it can be written.
        let _ = store.audit(&record);
    }
}

/// Writes down that somebody proved an account's old password to set another, or did not. `false` where that must be
/// possible and was not.
pub(crate) fn password_change(
    store: &host::Opened,
    package: &'static str,
    claim: &Claim,
    verdict: Result<(), &Failure>,
) -> bool {
    let (now, id) = (SystemTime::now(), correlation());
    let mut record = match verdict {
        Ok(()) => Record {
            time: now,
            accepted: true,
            cause: "ok",
            status: Status::SEC_E_OK,
            substatus: Substatus::SUCCESS,
            account: None,
            claim: Claim::default(),
            package,
            mechanism: "",
            version: "",
            peer: None,
            correlation: id,
            detail: None,
            malformed: None,
        },
        Err(failure) => Record::refused(now, failure, package, None, &id),
    };
    record.mechanism = "ChangeAccountPassword";
    record.version = "password";
    record.claim = claim.clone();
    store.audit(&record)
}

/// An id for one line.
fn correlation() -> String {
    let mut id = [0; 8];
    // Without randomness the line has no id of its own, and is still true.
    let _ = getrandom::fill(&mut id);
    format!("{:016x}", u64::from_ne_bytes(id))
}

impl Events for Decision {
    fn event(&mut self, event: &Event<'_>) {
        match *event {
            Event::Claimed { package, version, claim } => {
                self.mechanism = package;
                self.version = version;
                // Only an audit line needs it.
                if self.accounts.is_some() {
                    self.claim = Some(claim.clone());
                }
            }
            Event::Because { detail } => self.detail = Some(detail.to_owned()),
            Event::Bindings { outcome, aware } => self.bindings = Some((outcome, aware)),
            _ => {}
        }
    }
}
