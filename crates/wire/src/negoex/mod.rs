//! NEGOEX (MS-NEGOEX 2.2): what Windows puts under its own OID into SPNEGO. Decoded for people who debug; no side of
//! Portcullis speaks it, and an acceptor drops its tokens unread.
//!
//! A token is one message behind another, little-endian. Variable parts are named by an offset from the message's start
//! and a count or length, and lie behind its header.
//!
//! ```
//! use portcullis_wire::negoex::Messages;
//! assert_eq!(Messages::new(b"NEGOEXTS").next().unwrap().unwrap_err().field, "MessageType");
//! assert!(Messages::new(b"").next().is_none());
//! ```

mod alert;
mod exchange;
mod guid;
mod header;
mod nego;
mod vector;
mod verify;

pub use alert::Alert;
pub use exchange::Exchange;
pub use guid::Guid;
pub use header::{Header, MessageType};
pub use nego::{Nego, Schemes, is_critical};
pub use vector::Values;
pub use verify::Verify;

use crate::Error;

/// The first eight bytes of every message.
pub const SIGNATURE: [u8; 8] = *b"NEGOEXTS";

/// A token with more messages than this is refused: real ones have up to four.
const MAX_MESSAGES: usize = 16;

/// One message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// What all messages begin with.
    pub header: Header,
    /// What is its own.
    pub body: Body<'a>,
}

/// The part of a message that depends on its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body<'a> {
    /// INITIATOR_NEGO, ACCEPTOR_NEGO: what a side can do.
    Nego(Nego<'a>),
    /// The tokens and metadata of a scheme.
    Exchange(Exchange<'a>),
    /// A checksum over all that was said.
    Verify(Verify<'a>),
    /// Something went wrong.
    Alert(Alert<'a>),
    /// A type that is not known: what stands behind the header.
    Unknown(&'a [u8]),
}

/// The messages of a token, one after another. It ends at the first that cannot be read.
#[derive(Debug, Clone)]
pub struct Messages<'a> {
    token: &'a [u8],
    /// Where the next message begins.
    at: usize,
    count: usize,
}

impl<'a> Messages<'a> {
    /// The messages of this token.
    pub const fn new(token: &'a [u8]) -> Self {
        Self { token, at: 0, count: 0 }
    }

    fn read(&mut self) -> Result<Message<'a>, Error> {
        let start = self.at;
        let rest = self.token.get(start..).unwrap_or_default();
        self.count += 1;
        if self.count > MAX_MESSAGES {
            return Err(Error::new(start, "MESSAGE_ARRAY", crate::Kind::TooLarge));
        }
        let (message, len) =
            Message::decode(rest).map_err(|error| Error { offset: error.offset.saturating_add(start), ..error })?;
        self.at = start.saturating_add(len);
        Ok(message)
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.token.len() {
            return None;
        }
        let read = self.read();
        if read.is_err() {
            self.at = self.token.len();
        }
        Some(read)
    }
}

impl<'a> Message<'a> {
    /// Decodes the message at the beginning of `bytes`; gives its length too.
    ///
    /// # Errors
    /// With the offset and the field: another signature, lengths that do not fit each other or what came, a vector that
    /// does not lie between header and end, a version other than 0.
    pub fn decode(bytes: &'a [u8]) -> Result<(Self, usize), Error> {
        let (header, mut fixed, whole) = Header::read(bytes)?;
        let body = match header.message_type {
            MessageType::INITIATOR_NEGO | MessageType::ACCEPTOR_NEGO => {
                Body::Nego(Nego::read(&header, &mut fixed, whole)?)
            }
            MessageType::INITIATOR_META_DATA
            | MessageType::ACCEPTOR_META_DATA
            | MessageType::CHALLENGE
            | MessageType::AP_REQUEST => Body::Exchange(Exchange::read(&header, &mut fixed, whole)?),
            MessageType::VERIFY => Body::Verify(Verify::read(&header, &mut fixed, whole)?),
            MessageType::ALERT => Body::Alert(Alert::read(&header, &mut fixed, whole)?),
            MessageType(_) => Body::Unknown(whole.get(Header::LEN..).unwrap_or_default()),
        };
        Ok((Self { header, body }, whole.len()))
    }
}
