//! What both sides do with the mechanism inside.

use super::{Cause, fragments};
use crate::call::Leg;
use crate::handshake::{Input, Next, Step};
use crate::{Context, ContextFlags, Failure, Negotiation, Wants, package};

/// What the frame of a message takes at most: headers, state, mechanism, and a signed list of the longest signature. An
/// offer takes its list besides.
const FRAME: usize = 128;

/// Gives the mechanism its input inside this leg. What it says goes to `token`, also when it fails.
pub(super) fn run(
    mechanism: Box<dyn Step>,
    input: Input<'_>,
    token: &mut Vec<u8>,
    leg: &mut Leg<'_>,
) -> Result<Next, Failure> {
    // The list is signed with the mechanism's keys (RFC 4178 §4.1): integrity is always asked for.
    let want = Wants { flags: leg.want.flags | ContextFlags::INTEGRITY, ..leg.want };
    if fragments::wanted(&leg.want) {
        leg.needs_room(fragments::MIN_PIECE)?;
        let mut inner = leg.inner(want, 0, token);
        inner.room = None;
        return mechanism.step(input, &mut inner);
    }
    leg.needs_room(FRAME)?;
    mechanism.step(input, &mut leg.inner(want, FRAME, token))
}

/// The room that [`run`] insists on, of which the mechanism wants `inner`.
pub(super) fn least_room(inner: usize, want: &Wants) -> usize {
    if fragments::wanted(want) { fragments::MIN_PIECE } else { FRAME + inner }
}

/// Checks the peer's signature over the initiator's list.
pub(super) fn check(list: &[u8], context: &mut Context, mic: &[u8]) -> Result<(), Failure> {
    context.protection().check_list_mic(list, mic).map_err(|_| Cause::ListMicWrong.into())
}

/// A peer's signature, where there is one. Windows 2000 repeats the token in its place.
pub(super) fn list_mic<'a>(mic: Option<&'a [u8]>, token: Option<&[u8]>) -> Option<&'a [u8]> {
    mic.filter(|mic| Some(*mic) != token)
}

/// The mechanism's context as this package's.
pub(super) fn done(context: Context) -> Next {
    Next::Done(context.within(&package::NEGOTIATE, Negotiation::Complete))
}

/// A mechanism that speaks its own tokens, without negotiation.
pub(super) struct Direct {
    pub(super) mechanism: Box<dyn Step>,
}

impl Step for Direct {
    fn step(self: Box<Self>, input: Input<'_>, leg: &mut Leg<'_>) -> Result<Next, Failure> {
        Ok(match self.mechanism.step(input, leg)? {
            Next::Token(mechanism) => Next::Token(Box::new(Self { mechanism })),
            Next::Ask(question, mechanism) => Next::Ask(question, Box::new(Self { mechanism })),
            Next::Done(context) => Next::Done(context.within(&package::NEGOTIATE, Negotiation::Direct)),
            Next::Incomplete(missing, mechanism) => Next::Incomplete(missing, Box::new(Self { mechanism })),
        })
    }

    fn least_room(&self, want: &Wants) -> usize {
        self.mechanism.least_room(want)
    }
}
