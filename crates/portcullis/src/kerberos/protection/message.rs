use crate::kerberos::crypto::Piece;
use crate::{CallCause, Failure, Segment};

/// A message's segments, apart: the token, and what is protected, in order.
pub(super) struct Message<'m> {
    pub(super) token: &'m mut [u8],
    pub(super) parts: Vec<Piece<'m>>,
    /// How many of the parts stand before the token.
    pub(super) before: usize,
    /// Whether the token is a whole message, with the data in it.
    pub(super) is_stream: bool,
}

impl<'m> Message<'m> {
    /// What the caller wants left out of the signature is left out.
    ///
    /// # Errors
    /// `call/bad-buffers` unless there is exactly one token, or one stream without data beside it.
    pub(super) fn new(message: &'m mut [Segment<'_>]) -> Result<Self, Failure> {
        let mut found: Option<(&'m mut [u8], usize, bool)> = None;
        // Room for the confounder, the copy of the header and the like.
        let mut parts = Vec::with_capacity(message.len() + 3);
        let mut has_data = false;
        for segment in message {
            let (token, is_stream) = match segment {
                Segment::Data(data) => {
                    has_data |= !data.is_empty();
                    parts.push(Piece::Data(data));
                    continue;
                }
                Segment::SignOnly(data) => {
                    parts.push(Piece::SignOnly(data));
                    continue;
                }
                Segment::ReadOnly(_) => continue,
                Segment::Token(token) => (token, false),
                Segment::Stream(stream) => (stream, true),
                Segment::Header(_) | Segment::Trailer(_) => return Err(CallCause::BadBuffers.into()),
            };
            if found.replace((token, parts.len(), is_stream)).is_some() {
                return Err(CallCause::BadBuffers.into());
            }
        }
        match found {
            Some((_, _, true)) if has_data => Err(CallCause::BadBuffers.into()),
            Some((token, before, is_stream)) => Ok(Self { token, parts, before, is_stream }),
            None => Err(CallCause::BadBuffers.into()),
        }
    }

    /// A message whose token has its own segment.
    ///
    /// # Errors
    /// As [`new`](Self::new), and for a stream.
    pub(super) fn with_token(message: &'m mut [Segment<'_>]) -> Result<Self, Failure> {
        match Self::new(message)? {
            message if message.is_stream => Err(CallCause::BadBuffers.into()),
            message => Ok(message),
        }
    }
}

/// How much data there is, in bytes.
pub(super) fn data_len(parts: &[Piece<'_>]) -> usize {
    parts.iter().map(|part| if let Piece::Data(data) = part { data.len() } else { 0 }).sum()
}

/// The bytes under a checksum.
pub(super) fn bytes<'p>(parts: &'p [Piece<'_>]) -> impl Iterator<Item = &'p [u8]> {
    parts.iter().map(|part| match part {
        Piece::Data(data) => &**data,
        Piece::SignOnly(data) => *data,
    })
}

/// What could not be verified is not shown to the caller.
pub(super) fn wipe(message: &mut [Segment<'_>]) {
    for segment in message {
        if let Segment::Data(data) | Segment::Stream(data) = segment {
            data.fill(0);
        }
    }
}
