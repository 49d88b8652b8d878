use super::init::{ignore_unknown, octets};
use crate::der::{Constructed, Der, Oid, tag};
use crate::{Error, Kind};

/// NegTokenResp (RFC 4178 §4.2.2): every message after the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NegTokenResp<'a> {
    /// How the negotiation stands. Clients leave it out at times.
    pub state: Option<NegState>,
    /// The mechanism that the acceptor chose; in its first message only.
    pub supported_mech: Option<Oid<'a>>,
    /// The mechanism's token.
    pub response_token: Option<&'a [u8]>,
    /// A signature over the initiator's list.
    pub mech_list_mic: Option<&'a [u8]>,
}

/// How a negotiation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NegState {
    /// It is through.
    AcceptCompleted,
    /// There is more to come.
    AcceptIncomplete,
    /// It failed.
    Reject,
    /// There is more to come, and both sides must sign the list.
    RequestMic,
}

impl NegState {
    const fn number(self) -> u8 {
        match self {
            Self::AcceptCompleted => 0,
            Self::AcceptIncomplete => 1,
            Self::Reject => 2,
            Self::RequestMic => 3,
        }
    }

    /// The name that RFC 4178 gives it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AcceptCompleted => "accept-completed",
            Self::AcceptIncomplete => "accept-incomplete",
            Self::Reject => "reject",
            Self::RequestMic => "request-mic",
        }
    }
}

impl<'a> NegTokenResp<'a> {
    /// Decodes the message.
    ///
    /// # Errors
    /// With the offset and the field: not DER, a field out of order, an unknown state, bytes behind the message.
    pub fn decode(raw: &'a [u8]) -> Result<Self, Error> {
        let mut der = Der::new(raw);
        let mut choice = der.take(tag::context(1), "negTokenResp")?;
        der.finish("NegotiationToken")?;
        let mut resp = choice.take(tag::SEQUENCE, "negTokenResp")?;
        choice.finish("negTokenResp")?;
        let state = match resp.optional(tag::context(0), "negState")? {
            Some(mut explicit) => Some(read_state(&mut explicit)?),
            None => None,
        };
        let supported_mech = match resp.optional(tag::context(1), "supportedMech")? {
            Some(mut explicit) => {
                let oid = explicit.oid("supportedMech")?;
                explicit.finish("supportedMech")?;
                Some(oid)
            }
            None => None,
        };
        let response_token = octets(&mut resp, 2, "responseToken")?;
        let mech_list_mic = octets(&mut resp, 3, "mechListMIC")?;
        ignore_unknown(&mut resp, 4, "negTokenResp")?;
        Ok(Self { state, supported_mech, response_token, mech_list_mic })
    }

    /// Appends the message.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let state = self.state.map(|state| [state.number()]);
        let fields = Constructed::new()
            .with_optional(tag::context(0), tag::ENUMERATED, state.as_ref().map(<[u8; 1]>::as_slice))
            .with_optional(tag::context(1), tag::OID, self.supported_mech.map(|oid| oid.0))
            .with_optional(tag::context(2), tag::OCTET_STRING, self.response_token)
            .with_optional(tag::context(3), tag::OCTET_STRING, self.mech_list_mic);
        Constructed::new().with_encoded(&fields.into_tlv(tag::SEQUENCE)).end(tag::context(1), out);
    }
}

fn read_state(der: &mut Der<'_>) -> Result<NegState, Error> {
    const FIELD: &str = "negState";
    let at = der.offset();
    let state = match der.bytes(tag::ENUMERATED, FIELD)? {
        [0] => NegState::AcceptCompleted,
        [1] => NegState::AcceptIncomplete,
        [2] => NegState::Reject,
        [3] => NegState::RequestMic,
        _ => return Err(Error::new(at, FIELD, Kind::Unexpected)),
    };
    der.finish(FIELD).map(|()| state)
}
