use super::{Guid, SIGNATURE};
use crate::{Error, Kind, Reader};

/// MESSAGE_HEADER (MS-NEGOEX 2.2.6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Which message it is.
    pub message_type: MessageType,
    /// Counts the messages of both sides, from 0.
    pub sequence_number: u32,
    /// The length of the fixed part in bytes, this header among it.
    pub header_len: u32,
    /// The length of the message in bytes.
    pub message_len: u32,
    /// Chosen by the initiator.
    pub conversation_id: Guid,
}

/// MESSAGE_TYPE (MS-NEGOEX 2.2.6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MessageType(pub u32);

impl MessageType {
    /// What the initiator can do.
    pub const INITIATOR_NEGO: Self = Self(0);
    /// What the acceptor can do.
    pub const ACCEPTOR_NEGO: Self = Self(1);
    /// What a scheme's initiator says ahead.
    pub const INITIATOR_META_DATA: Self = Self(2);
    /// What a scheme's acceptor says ahead.
    pub const ACCEPTOR_META_DATA: Self = Self(3);
    /// A token of the acceptor's scheme.
    pub const CHALLENGE: Self = Self(4);
    /// A token of the initiator's scheme.
    pub const AP_REQUEST: Self = Self(5);
    /// A checksum over what was said.
    pub const VERIFY: Self = Self(6);
    /// An error.
    pub const ALERT: Self = Self(7);

    /// The document's name; `None` for a type that is not known.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::INITIATOR_NEGO => "INITIATOR_NEGO",
            Self::ACCEPTOR_NEGO => "ACCEPTOR_NEGO",
            Self::INITIATOR_META_DATA => "INITIATOR_META_DATA",
            Self::ACCEPTOR_META_DATA => "ACCEPTOR_META_DATA",
            Self::CHALLENGE => "CHALLENGE",
            Self::AP_REQUEST => "AP_REQUEST",
            Self::VERIFY => "VERIFY",
            Self::ALERT => "ALERT",
            _ => return None,
        })
    }
}

impl Header {
    /// Its length in bytes.
    pub(super) const LEN: usize = 40;

    /// Reads the header; gives a reader of the rest of the fixed part, and the whole message.
    pub(super) fn read(bytes: &[u8]) -> Result<(Self, Reader<'_>, &[u8]), Error> {
        let mut reader = Reader::new(bytes);
        if reader.array("Signature")? != SIGNATURE {
            return Err(Error::new(0, "Signature", Kind::Unexpected));
        }
        let header = Self {
            message_type: MessageType(reader.u32("MessageType")?),
            sequence_number: reader.u32("SequenceNum")?,
            header_len: reader.u32("cbHeaderLength")?,
            message_len: reader.u32("cbMessageLength")?,
            conversation_id: Guid(reader.array("ConversationId")?),
        };
        let whole = bytes.get(..header.message_len()).ok_or(Error::new(20, "cbMessageLength", Kind::Truncated))?;
        let fixed = whole.get(..header.header_len()).ok_or(Error::new(16, "cbHeaderLength", Kind::OutOfBounds))?;
        let mut reader = Reader::new(fixed);
        match reader.take(Self::LEN, "cbHeaderLength") {
            Ok(_) => Ok((header, reader, whole)),
            Err(_) => Err(Error::new(16, "cbHeaderLength", Kind::WrongLength)),
        }
    }

    pub(super) fn header_len(&self) -> usize {
        usize::try_from(self.header_len).unwrap_or(usize::MAX)
    }

    fn message_len(&self) -> usize {
        usize::try_from(self.message_len).unwrap_or(usize::MAX)
    }
}
