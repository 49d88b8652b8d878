use crate::{Account, BindingsOutcome, Claim};
use portcullis_wire::der::Oid;

/// What happened inside a handshake: for logs, audit lines and the diagnoser. No event holds a secret.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The client said who it wants to be. Nothing of it is proved yet.
    Claimed {
        /// The package that read it.
        package: &'static str,
        /// The form of the proof: `NTLMv1`, `NTLMv1+ESS`, `NTLMv2`, `password`, `anonymous`.
        version: &'static str,
        /// What the client says of itself.
        claim: &'a Claim,
    },
    /// The client offered mechanisms, and one was chosen.
    Negotiating {
        /// What the client offers, the most wanted first.
        offered: &'a [Oid<'a>],
        /// The name of the package that was chosen; `None` when there is none in common.
        chosen: Option<&'static str>,
    },
    /// The client's channel bindings were judged.
    Bindings {
        /// How.
        outcome: BindingsOutcome,
        /// Whether the client spoke of channel bindings at all.
        aware: bool,
    },
    /// On which values of both sides the refusal rests that follows: what was wanted, and what there is.
    Because {
        /// In words, for the operator.
        detail: &'a str,
    },
    /// The proof was compared and fits this account.
    Verified {
        /// Whom the authority named.
        account: &'a Account,
    },
}

/// Takes what happens inside a handshake. `()` drops it.
pub trait Events {
    /// Called in the order of what happens, while the call is under way.
    fn event(&mut self, event: &Event<'_>);
}

impl Events for () {
    fn event(&mut self, _: &Event<'_>) {}
}

impl<F: FnMut(&Event<'_>)> Events for F {
    fn event(&mut self, event: &Event<'_>) {
        self(event);
    }
}
