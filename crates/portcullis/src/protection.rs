use crate::export::Body;
use crate::{CallCause, Failure, KeyInfo, Secret, kerberos, ntlm};
use portcullis_wire::{Error, Kind, Reader};
use std::ops::Range;

/// A piece of a message to be protected: SecBufferDesc, GSS IOV and DCE trailers at once.
#[derive(Debug)]
pub enum Segment<'a> {
    /// Signed, and sealed in place.
    Data(&'a mut [u8]),
    /// Signed and left readable.
    SignOnly(&'a [u8]),
    /// Part of the message that the caller wants left out of the signature. NTLM with extended session security signs
    /// it all the same (MS-NLMP 3.4.6.1); without, it is left out.
    ReadOnly(&'a [u8]),
    /// Where the signature stands or shall stand; exactly one a message, but none on a stream.
    Token(&'a mut [u8]),
    /// Where a stream's record begins; exactly one a record.
    Header(&'a mut [u8]),
    /// Where a stream's record ends; exactly one a record.
    Trailer(&'a mut [u8]),
    /// A whole message in one buffer, opened in place: a GSS Wrap token (SECBUFFER_STREAM). Instead of token and data,
    /// and only to be unsealed; by Kerberos. [`Opened::data`] says where the data lies in it.
    Stream(&'a mut [u8]),
}

/// What a message was, now that it is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Whether it was enciphered. Where not, the peer signed it only, and anybody could read it on the way
    /// (SECQOP_WRAP_NO_ENCRYPT, by [`Context::seal_plain`](crate::Context::seal_plain)).
    pub enciphered: bool,
    /// Where the data lies in a [`Segment::Stream`]; `None` where it has segments of its own.
    pub data: Option<Range<usize>>,
}

/// Sizes in bytes that a caller needs to lay out its buffers (SecPkgContext_Sizes).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// The largest token of a handshake.
    pub max_token: u32,
    /// The largest signature.
    pub max_signature: u32,
    /// The block size that messages are padded to; zero for none.
    pub block_size: u32,
    /// The token of a sealed message.
    pub security_trailer: u32,
}

/// Sizes in bytes of a stream's records (SecPkgContext_StreamSizes).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamSizes {
    /// What stands before the data; exact.
    pub header: u32,
    /// What stands behind the data; exact for records that this side makes.
    pub trailer: u32,
    /// The most data that one record carries.
    pub max_message: u32,
    /// How many buffers a record is laid out in.
    pub buffers: u32,
    /// The block size that data is padded to; one for none.
    pub block_size: u32,
}

/// What stood at the front of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Record {
    /// A part of a record; nothing was taken.
    Incomplete {
        /// Bytes that are missing, at least; never zero.
        missing: usize,
    },
    /// A record with data, which may be none: it now stands readable at `start`. Before it lies the header, behind it
    /// the trailer.
    Data {
        /// Where the data begins.
        start: usize,
        /// How long it is.
        len: usize,
        /// The whole record's length.
        used: usize,
    },
    /// The peer's protocol wants an answer that is not the application's (SEC_I_RENEGOTIATE): fetch it by
    /// [`Control::Respond`](crate::Control) and send it. Until then nothing can be sealed.
    WantsResponse {
        /// The whole record's length.
        used: usize,
    },
    /// The peer has ended its direction (SEC_I_CONTEXT_EXPIRED).
    Closed {
        /// The whole record's length.
        used: usize,
    },
}

/// What a host tells a stream beside messages (ApplyControlToken).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Control {
    /// Fetch what the protocol has to send of its own: an answer that the peer wants, or an alert after a failure.
    Respond,
    /// End this direction (SCHANNEL_SHUTDOWN): gives the last token.
    Shutdown,
    /// Nothing of this session is to be resumed later (SSL_SESSION_DISABLE_RECONNECTS).
    Forget,
}

/// What protects messages, one for each direction.
pub(crate) type Halves = (Box<dyn Seal>, Box<dyn Open>);

/// The keys of a context before anyone uses them.
pub(crate) trait Protection: Send + Sync {
    fn halves(&self) -> Halves;

    /// The algorithms behind messages, as [`crate::Facts`] tell them.
    fn key_info(&self) -> Option<KeyInfo> {
        None
    }

    /// The session key, as [`crate::Facts`] tell it.
    fn session_key(&self) -> Option<Secret<Vec<u8>>> {
        None
    }

    /// Writes which kind of keys these are (`KIND_*`), and the keys.
    fn export(&self, _: &mut Body) -> Result<(), Failure> {
        Err(CallCause::NotExportable.into())
    }

    /// The halves where an exported context's stood: reads what [`Seal::export`] and then [`Open::export`] wrote.
    fn resume(&self, reader: &mut Reader<'_>) -> Result<Halves, Error> {
        Err(Error::new(reader.offset(), "Halves", Kind::Unexpected))
    }

    /// Whether the mechanism wants the mechanism list signed although it was everybody's first choice.
    fn demands_list_mic(&self) -> bool {
        false
    }

    /// Whether a list can be signed whatever flags were negotiated.
    fn always_signs_lists(&self) -> bool {
        false
    }

    /// Signs the mechanism list, before any message (RFC 4178 §5).
    fn make_list_mic(&mut self, list: &[u8]) -> Result<Vec<u8>, Failure>;

    /// Checks the peer's signature over the mechanism list.
    fn check_list_mic(&mut self, list: &[u8], mic: &[u8]) -> Result<(), Failure>;
}

/// The sending half.
pub(crate) trait Seal: Send {
    fn sign(&mut self, message: &mut [Segment<'_>]) -> Result<usize, Failure>;
    fn seal(&mut self, message: &mut [Segment<'_>]) -> Result<usize, Failure>;

    /// As [`seal`](Self::seal), but signs only.
    fn seal_plain(&mut self, _: &mut [Segment<'_>]) -> Result<usize, Failure> {
        Err(CallCause::NotNegotiated.into())
    }

    /// Appends the data as one token, enciphered or signed only.
    fn wrap(&mut self, _data: &[u8], _enciphered: bool, _out: &mut Vec<u8>) -> Result<(), Failure> {
        Err(CallCause::NotNegotiated.into())
    }

    /// Takes a host's word, and writes the token that follows from it.
    fn control(&mut self, _: Control, _: &mut Vec<u8>) -> Result<(), Failure> {
        Err(CallCause::NotNegotiated.into())
    }

    /// Writes where this half stands.
    fn export(&self, _: &mut Body) -> Result<(), Failure> {
        Err(CallCause::NotExportable.into())
    }
}

/// The receiving half.
pub(crate) trait Open: Send {
    fn verify(&mut self, message: &mut [Segment<'_>]) -> Result<(), Failure>;
    fn unseal(&mut self, message: &mut [Segment<'_>]) -> Result<Opened, Failure>;

    /// Opens the record at the front of a stream, in place.
    fn unseal_record(&mut self, _: &mut [u8]) -> Result<Record, Failure> {
        Err(CallCause::NotNegotiated.into())
    }

    /// Writes where this half stands, as far as the other one has not.
    fn export(&self, _: &mut Body) -> Result<(), Failure> {
        Err(CallCause::NotExportable.into())
    }
}

/// What an exported body calls [`NoKeys`].
pub(crate) const KIND_NO_KEYS: u8 = 0;

/// What an exported body calls NTLM's keys.
pub(crate) const KIND_NTLM: u8 = 1;

/// What an exported body calls Kerberos' keys.
pub(crate) const KIND_KERBEROS: u8 = 2;

/// Reads what [`Protection::export`] wrote.
pub(crate) fn import(reader: &mut Reader<'_>) -> Result<Box<dyn Protection>, Error> {
    let at = reader.offset();
    Ok(match reader.u8("Kind")? {
        KIND_NO_KEYS => Box::new(NoKeys),
        KIND_NTLM => Box::new(ntlm::SessionKeys::import(reader)?),
        KIND_KERBEROS => Box::new(kerberos::SessionKeys::import(reader)?),
        _ => return Err(Error::new(at, "Kind", Kind::Unexpected)),
    })
}

/// A context without keys: an anonymous client's, or one that sent its password.
pub(crate) struct NoKeys;

impl Protection for NoKeys {
    fn halves(&self) -> Halves {
        (Box::new(NoKeys), Box::new(NoKeys))
    }

    fn export(&self, body: &mut Body) -> Result<(), Failure> {
        body.u8(KIND_NO_KEYS);
        Ok(())
    }

    fn resume(&self, _: &mut Reader<'_>) -> Result<Halves, Error> {
        Ok(self.halves())
    }

    fn make_list_mic(&mut self, _: &[u8]) -> Result<Vec<u8>, Failure> {
        Err(CallCause::NotNegotiated.into())
    }

    fn check_list_mic(&mut self, _: &[u8], _: &[u8]) -> Result<(), Failure> {
        Err(CallCause::NotNegotiated.into())
    }
}

impl Seal for NoKeys {
    fn sign(&mut self, _: &mut [Segment<'_>]) -> Result<usize, Failure> {
        Err(CallCause::NotNegotiated.into())
    }

    fn seal(&mut self, _: &mut [Segment<'_>]) -> Result<usize, Failure> {
        Err(CallCause::NotNegotiated.into())
    }

    fn export(&self, _: &mut Body) -> Result<(), Failure> {
        Ok(())
    }
}

impl Open for NoKeys {
    fn verify(&mut self, _: &mut [Segment<'_>]) -> Result<(), Failure> {
        Err(CallCause::NotNegotiated.into())
    }

    fn unseal(&mut self, _: &mut [Segment<'_>]) -> Result<Opened, Failure> {
        Err(CallCause::NotNegotiated.into())
    }

    fn export(&self, _: &mut Body) -> Result<(), Failure> {
        Ok(())
    }
}

/// The one token of a message, at least `len` bytes long.
pub(crate) fn token<'s>(message: &'s mut [Segment<'_>], len: usize) -> Result<&'s mut [u8], Failure> {
    let mut found = None;
    for segment in message {
        match segment {
            Segment::Token(token) if found.is_none() => found = Some(token),
            Segment::Token(_) | Segment::Header(_) | Segment::Trailer(_) | Segment::Stream(_) => {
                return Err(CallCause::BadBuffers.into());
            }
            Segment::Data(_) | Segment::SignOnly(_) | Segment::ReadOnly(_) => {}
        }
    }
    found.and_then(|token| token.get_mut(..len)).ok_or(CallCause::BadBuffers.into())
}
