//! Tokens in pieces (MS-SPNG 3.1.5.4 to 3.1.5.9): collected on the way in, cut on the way out.

use super::Cause;
use crate::call::Leg;
use crate::handshake::{Input, Next, Step};
use crate::{CallCause, ContextFlags, Failure, Wants};
use portcullis_wire::der;
use portcullis_wire::spnego::FirstToken;
use std::borrow::Cow;

/// Tokens longer than this are refused, whole or in pieces: what Windows takes (MaxTokenSize 65535), and its frame.
const MAX_TOKEN: usize = 72 * 1024;

/// The least room that a piece may have.
pub(super) const MIN_PIECE: usize = 5;

/// A token that may not be whole yet.
pub(super) enum Gathered<'t> {
    /// It is.
    Whole(Cow<'t, [u8]>),
    /// It is not: there must be more.
    Part(Vec<u8>),
}

/// Puts a piece to those that came before it. What is kept is shorter than the token's own length says, and that is
/// bounded.
pub(super) fn gather(mut held: Vec<u8>, piece: &[u8]) -> Result<Gathered<'_>, Failure> {
    if piece.is_empty() {
        return Err(Cause::TokenMissing.into());
    }
    let bytes = if held.is_empty() {
        Cow::Borrowed(piece)
    } else {
        held.extend_from_slice(piece);
        Cow::Owned(held)
    };
    // What is no DER has no length that says whether it is whole: whoever reads it refuses it.
    if !FirstToken::is_der(bytes.first().copied()) {
        return Ok(Gathered::Whole(bytes));
    }
    match der::complete_len(&bytes, MAX_TOKEN).map_err(Cause::malformed)? {
        Some(len) if len <= bytes.len() => Ok(Gathered::Whole(bytes)),
        Some(_) | None => Ok(Gathered::Part(bytes.into_owned())),
    }
}

/// Whether the host takes its output in pieces.
pub(super) fn wanted(want: &Wants) -> bool {
    want.flags.contains(ContextFlags::FRAGMENT_TO_FIT)
}

/// Gives a reply out, its first piece where the host asked for pieces and has not the room; then goes on with `next`.
pub(super) fn send(reply: Vec<u8>, next: Next, leg: &mut Leg<'_>) -> Result<Next, Failure> {
    let room = leg.room.unwrap_or(usize::MAX);
    if reply.len() <= room {
        leg.out.extend_from_slice(&reply);
        return Ok(next);
    }
    if !wanted(&leg.want) || room < MIN_PIECE {
        return Err(CallCause::NoRoom.into());
    }
    Sending { rest: reply, next }.piece(room, leg)
}

/// A reply of which pieces are still to be given.
struct Sending {
    rest: Vec<u8>,
    next: Next,
}

impl Sending {
    fn piece(mut self, room: usize, leg: &mut Leg<'_>) -> Result<Next, Failure> {
        let rest = self.rest.split_off(room.min(self.rest.len()));
        leg.out.extend_from_slice(&self.rest);
        if rest.is_empty() {
            return Ok(self.next);
        }
        Ok(Next::Token(Box::new(Self { rest, next: self.next })))
    }
}

impl Step for Sending {
    fn step(self: Box<Self>, input: Input<'_>, leg: &mut Leg<'_>) -> Result<Next, Failure> {
        match input {
            // The host asks for the next piece with an empty token.
            Input::Token([]) => match leg.room {
                Some(room) if room < MIN_PIECE => Err(CallCause::NoRoom.into()),
                room => self.piece(room.unwrap_or(usize::MAX), leg),
            },
            Input::Token(_) => Err(Cause::UnexpectedMove.into()),
            Input::Answer(..) => Err(CallCause::WrongInput.into()),
        }
    }

    fn least_room(&self, _: &Wants) -> usize {
        MIN_PIECE
    }
}
