use crate::der::{Der, Oid, tag};
use crate::spnego::{frame_parts, unframe};
use crate::{Error, Kind};

/// Which message a context token carries (RFC 4121 §4.1; the last two for user-to-user).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InnerToken {
    /// AP-REQ: 01 00.
    ApReq,
    /// AP-REP: 02 00.
    ApRep,
    /// KRB-ERROR: 03 00.
    KrbError,
    /// KERB-TGT-REQUEST: 04 00.
    TgtReq,
    /// KERB-TGT-REPLY: 04 01.
    TgtRep,
}

/// A context token, told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recognised<'a> {
    /// The mechanism that its frame names; `None` without a frame, as DCE style has it.
    pub mechanism: Option<Oid<'a>>,
    /// Which message it is.
    pub kind: InnerToken,
    /// The message: for [`ApReq::decode`](super::ApReq::decode) and its like.
    pub body: &'a [u8],
}

impl InnerToken {
    /// The two bytes that stand for it in a frame.
    pub const fn token_id(self) -> [u8; 2] {
        match self {
            Self::ApReq => [1, 0],
            Self::ApRep => [2, 0],
            Self::KrbError => [3, 0],
            Self::TgtReq => [4, 0],
            Self::TgtRep => [4, 1],
        }
    }

    /// The message that two bytes stand for; `None` for others, which per-message tokens have among them.
    pub const fn from_token_id(id: [u8; 2]) -> Option<Self> {
        match id {
            [1, 0] => Some(Self::ApReq),
            [2, 0] => Some(Self::ApRep),
            [3, 0] => Some(Self::KrbError),
            [4, 0] => Some(Self::TgtReq),
            [4, 1] => Some(Self::TgtRep),
            _ => None,
        }
    }
}

/// Tells a context token apart, in its frame (RFC 4121 §4.1) or without (MS-KILE 3.4.5.1). Whether the frame names
/// Kerberos is for the caller to look at; the message itself is not read.
///
/// # Errors
/// With the offset and the field: a frame that is no DER, bytes behind it, a TOK_ID that is none of these, a first byte
/// that neither a frame nor a message has.
pub fn recognise(token: &[u8]) -> Result<Recognised<'_>, Error> {
    const AP_REQ: u8 = tag::application(14);
    const AP_REP: u8 = tag::application(15);
    const KRB_ERROR: u8 = tag::application(30);
    let bare = |kind| Ok(Recognised { mechanism: None, kind, body: token });
    match token.first().copied() {
        None => Err(Error::new(0, "InitialContextToken", Kind::Truncated)),
        Some(tag::APPLICATION_0) => framed(token),
        Some(AP_REQ) => bare(InnerToken::ApReq),
        Some(AP_REP) => bare(InnerToken::ApRep),
        Some(KRB_ERROR) => bare(InnerToken::KrbError),
        Some(_) => Err(Error::new(0, "InitialContextToken", Kind::Unexpected)),
    }
}

/// Appends `body` in the frame of a context token.
pub fn frame_token(mechanism: Oid<'_>, kind: InnerToken, body: &[u8], out: &mut Vec<u8>) {
    frame_parts(mechanism, &[&kind.token_id(), body], out);
}

fn framed(token: &[u8]) -> Result<Recognised<'_>, Error> {
    let (mechanism, inner) = unframe(&Der::new(token))?;
    let truncated = Error::new(inner.offset(), "TOK_ID", Kind::Truncated);
    let (id, body) = inner.rest().split_first_chunk().ok_or(truncated)?;
    let unexpected = Error::new(inner.offset(), "TOK_ID", Kind::Unexpected);
    let kind = InnerToken::from_token_id(*id).ok_or(unexpected)?;
    Ok(Recognised { mechanism: Some(mechanism), kind, body })
}
