use crate::export::Body;
use crate::{CallCause, ContextFlags, Failure};
use portcullis_wire::{Error, Reader};

/// Which sequence numbers of the peer have come: the highest, and of the 64 before the next one each. Numbers count
/// from the first that the peer announced, so that they may wrap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Window {
    /// Messages that come twice are refused (REPLAY_DETECT).
    replay: bool,
    /// So are those that leave numbers out or come late (SEQUENCE_DETECT).
    sequence: bool,
    /// The highest number there is: RC4's tokens have four bytes, all others' eight.
    highest: u64,
    /// The number that the peer begins with.
    base: u64,
    /// The number after the highest that came, counted from `base`.
    next: u64,
    /// Bit n: the number n + 1 before `next` has come.
    seen: u64,
}

/// How a number stands to those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// It is the next one, or nobody asked.
    InTurn,
    /// Numbers before it are missing.
    Ahead,
    /// It fills a place before the highest.
    Late,
    /// It has come before.
    Again,
    /// It lies before all that is remembered.
    TooOld,
}

impl Window {
    pub(super) fn new(base: u64, wide: bool, granted: ContextFlags) -> Self {
        let highest = if wide { u64::MAX } else { u32::MAX.into() };
        Self { replay: false, sequence: false, highest, base, next: 0, seen: 0 }.under(granted)
    }

    /// The same with other flags.
    pub(super) fn under(self, granted: ContextFlags) -> Self {
        let replay = granted.contains(ContextFlags::REPLAY_DETECT);
        Self { replay, sequence: granted.contains(ContextFlags::SEQUENCE_DETECT), ..self }
    }

    /// Takes in the number of a message whose checksum was right.
    ///
    /// # Errors
    /// `call/out-of-sequence` for a place that the context's flags rule out.
    pub(super) fn take(&mut self, number: u64) -> Result<(), Failure> {
        let allowed = match self.place(number) {
            Place::InTurn => true,
            Place::Ahead | Place::Late => !self.sequence,
            // Whether it was repeated or is only late cannot be told any more.
            Place::Again | Place::TooOld => false,
        };
        if allowed { Ok(()) } else { Err(CallCause::OutOfSequence.into()) }
    }

    pub(super) fn place(&mut self, number: u64) -> Place {
        if !self.replay && !self.sequence {
            return Place::InTurn;
        }
        let number = number.wrapping_sub(self.base) & self.highest;
        if let Some(ahead) = number.checked_sub(self.next) {
            let moved = u32::try_from(ahead).ok().and_then(|ahead| self.seen.checked_shl(ahead.saturating_add(1)));
            self.seen = moved.unwrap_or(0) | 1;
            self.next = number.wrapping_add(1) & self.highest;
            return if ahead == 0 { Place::InTurn } else { Place::Ahead };
        }
        match u32::try_from(self.next - number - 1).ok().and_then(|bit| 1u64.checked_shl(bit)) {
            None => Place::TooOld,
            // Without REPLAY_DETECT there is SEQUENCE_DETECT: late is reason enough.
            Some(bit) if self.replay && self.seen & bit != 0 => Place::Again,
            Some(bit) => {
                self.seen |= bit;
                Place::Late
            }
        }
    }

    /// Writes where it stands; flags and width are told elsewhere.
    pub(super) fn export(&self, body: &mut Body) {
        body.u64(self.base).u64(self.next).u64(self.seen);
    }

    pub(super) fn import(reader: &mut Reader<'_>, wide: bool, granted: ContextFlags) -> Result<Self, Error> {
        let mut window = Self::new(reader.u64("RecvSeq")?, wide, granted);
        window.next = reader.u64("NextSeq")? & window.highest;
        window.seen = reader.u64("SeenSeq")?;
        Ok(window)
    }
}
