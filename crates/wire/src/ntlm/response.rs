use super::{AvFlags, AvId, AvPairs};
use crate::{Error, Kind, Reader};

/// NtChallengeResponse of AUTHENTICATE: its length alone tells the version (MS-NLMP 3.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NtResponse<'a> {
    /// No response: anonymous, or a client that sends LM only.
    None,
    /// NTLM_RESPONSE (2.2.2.6): 24 bytes.
    V1(&'a [u8; 24]),
    /// NTLMv2_RESPONSE (2.2.2.8): more than 24 bytes.
    V2(Ntlmv2Response<'a>),
}

impl<'a> NtResponse<'a> {
    /// Tells the versions apart and decodes the second.
    ///
    /// # Errors
    /// [`Kind::WrongLength`] for 1 to 23 bytes, and what [`Ntlmv2Response::decode`] says.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Error> {
        match bytes.len() {
            0 => Ok(Self::None),
            24 => bytes.first_chunk().map(Self::V1).ok_or(Error::new(0, "NtChallengeResponse", Kind::WrongLength)),
            25.. => Ntlmv2Response::decode(bytes).map(Self::V2),
            _ => Err(Error::new(0, "NtChallengeResponse", Kind::WrongLength)),
        }
    }
}

/// NTLMv2_RESPONSE (MS-NLMP 2.2.2.8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ntlmv2Response<'a> {
    /// NTProofStr.
    pub proof: [u8; 16],
    /// Everything behind the proof, as it came: the proof is made over these bytes, never over a re-encoding.
    pub blob: &'a [u8],
    /// The same, decoded.
    pub client_challenge: ClientChallenge<'a>,
}

impl<'a> Ntlmv2Response<'a> {
    /// Decodes proof and blob.
    ///
    /// # Errors
    /// Offsets count from the start of NtChallengeResponse. Too short, another response type than 1, or AV pairs that
    /// do not end.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes);
        let proof = reader.array("NTProofStr")?;
        let blob = reader.rest();
        let at = reader.offset();
        if (reader.u8("RespType")?, reader.u8("HiRespType")?) != (1, 1) {
            return Err(Error::new(at, "RespType", Kind::Unexpected));
        }
        reader.take(6, "Reserved")?;
        let timestamp = reader.u64("TimeStamp")?;
        let challenge = reader.array("ChallengeFromClient")?;
        reader.take(4, "Reserved3")?;
        let start = reader.offset();
        let av_pairs = AvPairs::new(reader.rest());
        for pair in av_pairs.clone() {
            pair.map_err(|e| Error { offset: start + e.offset, ..e })?;
        }
        Ok(Self { proof, blob, client_challenge: ClientChallenge { timestamp, challenge, av_pairs } })
    }
}

/// NTLMv2_CLIENT_CHALLENGE (MS-NLMP 2.2.2.7); its list of AV pairs is known to end.
#[derive(Debug, Clone)]
pub struct ClientChallenge<'a> {
    /// FILETIME: the server's, copied, or the client's own clock.
    pub timestamp: u64,
    /// Eight bytes of the client's choice.
    pub challenge: [u8; 8],
    /// The server's AV pairs, copied, and the client's own.
    pub av_pairs: AvPairs<'a>,
}

impl PartialEq for ClientChallenge<'_> {
    fn eq(&self, other: &Self) -> bool {
        (self.timestamp, self.challenge) == (other.timestamp, other.challenge)
            && self.av_pairs.clone().eq(other.av_pairs.clone())
    }
}

impl Eq for ClientChallenge<'_> {}

impl<'a> ClientChallenge<'a> {
    fn value(&self, id: AvId) -> Option<&'a [u8]> {
        // The first of its id; that the list ends was seen when it was decoded.
        self.av_pairs.clone().map_while(Result::ok).find(|pair| pair.id == id).map(|pair| pair.value)
    }

    /// MsvAvFlags; zero when absent.
    ///
    /// # Errors
    /// [`Kind::WrongLength`] when it is there and not four bytes long.
    pub fn flags(&self) -> Result<AvFlags, Error> {
        match self.value(AvId::FLAGS) {
            None => Ok(AvFlags(0)),
            Some(value) => match *value {
                [a, b, c, d] => Ok(AvFlags(u32::from_le_bytes([a, b, c, d]))),
                _ => Err(Error::new(0, "MsvAvFlags", Kind::WrongLength)),
            },
        }
    }

    /// MsvAvTargetName as UTF-16LE bytes; `None` when absent or empty.
    pub fn target_name(&self) -> Option<&'a [u8]> {
        self.value(AvId::TARGET_NAME).filter(|name| !name.is_empty())
    }

    /// MsvAvChannelBindings; all zero means a client that knows of bindings and has none.
    ///
    /// # Errors
    /// [`Kind::WrongLength`] when it is there and not sixteen bytes long.
    pub fn channel_bindings(&self) -> Result<Option<&'a [u8; 16]>, Error> {
        match self.value(AvId::CHANNEL_BINDINGS) {
            None => Ok(None),
            Some(value) => value.first_chunk().filter(|_| value.len() == 16).map(Some).ok_or(Error::new(
                0,
                "MsvAvChannelBindings",
                Kind::WrongLength,
            )),
        }
    }
}
