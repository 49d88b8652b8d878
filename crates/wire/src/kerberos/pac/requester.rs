use crate::sid::Sid;
use crate::{Error, Reader};

/// A PAC_REQUESTOR (MS-PAC 2.15): the SID of the account that asked for the first ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequesterSid(pub Sid);

impl RequesterSid {
    /// Reads the buffer; bytes behind the SID are left.
    ///
    /// # Errors
    /// As [`Sid::decode`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        Sid::decode(&mut Reader::new(bytes)).map(Self)
    }

    /// Appends the buffer.
    pub fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode_into(out);
    }
}
