use crate::{CallCause, Failure};

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
    /// Where the signature stands or shall stand; exactly one a message.
    Token(&'a mut [u8]),
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

/// The keys of a context before anyone uses them.
pub(crate) trait Protection: Send + Sync {
    fn halves(&self) -> (Box<dyn Seal>, Box<dyn Open>);

    /// Whether the mechanism wants the mechanism list signed although it was everybody's first choice.
    fn demands_list_mic(&self) -> bool {
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
}

/// The receiving half.
pub(crate) trait Open: Send {
    fn verify(&mut self, message: &mut [Segment<'_>]) -> Result<(), Failure>;
    fn unseal(&mut self, message: &mut [Segment<'_>]) -> Result<(), Failure>;
}

/// A context without keys: an anonymous client's, or one that sent its password.
pub(crate) struct NoKeys;

impl Protection for NoKeys {
    fn halves(&self) -> (Box<dyn Seal>, Box<dyn Open>) {
        (Box::new(NoKeys), Box::new(NoKeys))
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
}

impl Open for NoKeys {
    fn verify(&mut self, _: &mut [Segment<'_>]) -> Result<(), Failure> {
        Err(CallCause::NotNegotiated.into())
    }

    fn unseal(&mut self, _: &mut [Segment<'_>]) -> Result<(), Failure> {
        Err(CallCause::NotNegotiated.into())
    }
}

/// The one token of a message, at least `len` bytes long.
pub(crate) fn token<'s>(message: &'s mut [Segment<'_>], len: usize) -> Result<&'s mut [u8], Failure> {
    let mut found = None;
    for segment in message {
        if let Segment::Token(token) = segment {
            if found.is_some() {
                return Err(CallCause::BadBuffers.into());
            }
            found = Some(token);
        }
    }
    found.and_then(|token| token.get_mut(..len)).ok_or(CallCause::BadBuffers.into())
}
