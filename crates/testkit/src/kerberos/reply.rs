use super::RawKey;
use super::client::USAGE_AP_REP;
use portcullis_wire::kerberos::{ApRep, EncApRepPart, InnerToken, KrbError, PrincipalText, TgtReply, recognise};

/// What a client makes of the server's token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// There is none.
    Nothing,
    /// An AP-REP under the session key.
    Reply(Reply),
    /// A KRB-ERROR.
    Refused(Refused),
    /// A ticket-granting ticket, for user-to-user.
    Granting(Vec<u8>),
    /// Nothing that makes sense, or under another key.
    Nonsense,
}

/// An AP-REP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The mechanism in its frame; `None` where there is no frame.
    pub mechanism: Option<Vec<u8>>,
    /// The enctype that it is under.
    pub etype: i32,
    /// The time of the request that it answers.
    pub time: i64,
    /// Its microseconds.
    pub micros: u32,
    /// The server's sub-key.
    pub subkey: Option<RawKey>,
    /// The number of the server's first message.
    pub seq: Option<u32>,
}

/// A KRB-ERROR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The mechanism in its frame; `None` where there is no frame.
    pub mechanism: Option<Vec<u8>>,
    /// The error's number.
    pub code: i32,
    /// The server's clock in seconds since 1970.
    pub time: i64,
    /// Its microseconds.
    pub micros: u32,
    /// The service that it says.
    pub service: String,
    /// Words for people.
    pub text: String,
    /// Data for programs.
    pub data: Option<Vec<u8>>,
}

impl Heard {
    pub(super) fn read(token: &[u8], session: &RawKey) -> Self {
        if token.is_empty() {
            return Self::Nothing;
        }
        Self::of_message(token, session).unwrap_or(Self::Nonsense)
    }

    fn of_message(token: &[u8], session: &RawKey) -> Option<Self> {
        let message = recognise(token).ok()?;
        let mechanism = message.mechanism.map(|oid| oid.0.to_vec());
        Some(match message.kind {
            InnerToken::ApRep => {
                let sealed = ApRep::decode(message.body).ok()?.enc_part;
                let plain = session.open(USAGE_AP_REP, sealed.cipher)?;
                let part = EncApRepPart::decode(&plain).ok()?;
                Self::Reply(Reply {
                    mechanism,
                    etype: sealed.etype,
                    time: part.ctime.0,
                    micros: part.cusec,
                    subkey: part.subkey.map(|key| RawKey { etype: key.etype, value: key.value.to_vec() }),
                    seq: part.seq_number,
                })
            }
            InnerToken::KrbError => {
                let error = KrbError::decode(message.body).ok()?;
                Self::Refused(Refused {
                    mechanism,
                    code: error.error_code,
                    time: error.stime.0,
                    micros: error.susec,
                    service: PrincipalText { name: error.sname, realm: error.realm }.to_string(),
                    text: String::from_utf8_lossy(error.e_text.unwrap_or_default()).into_owned(),
                    data: error.e_data.map(<[u8]>::to_vec),
                })
            }
            InnerToken::TgtRep => Self::Granting(TgtReply::decode(message.body).ok()?.ticket.raw.to_vec()),
            InnerToken::ApReq | InnerToken::TgtReq => return None,
        })
    }

    /// The number of a KRB-ERROR; `None` for anything else.
    pub fn error_code(&self) -> Option<i32> {
        match self {
            Self::Refused(refused) => Some(refused.code),
            _ => None,
        }
    }

    /// The AP-REP.
    ///
    /// # Panics
    /// When it is something else.
    pub fn reply(self) -> Reply {
        match self {
            Self::Reply(reply) => reply,
            other => panic!("no AP-REP: {other:?}"),
        }
    }

    /// The KRB-ERROR.
    ///
    /// # Panics
    /// When it is something else.
    pub fn refused(self) -> Refused {
        match self {
            Self::Refused(refused) => refused,
            other => panic!("no KRB-ERROR: {other:?}"),
        }
    }
}
