use super::{Guid, Header, vector};
use crate::{Error, Reader};

/// EXCHANGE_MESSAGE (MS-NEGOEX 2.2.6.4): a token or metadata of a scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchange<'a> {
    /// The scheme.
    pub scheme: Guid,
    /// What it says.
    pub exchange: &'a [u8],
}

impl<'a> Exchange<'a> {
    pub(super) fn read(header: &Header, fixed: &mut Reader<'_>, whole: &'a [u8]) -> Result<Self, Error> {
        let scheme = Guid(fixed.array("AuthScheme")?);
        Ok(Self { scheme, exchange: vector::bytes(header, fixed, whole, "Exchange")? })
    }
}
