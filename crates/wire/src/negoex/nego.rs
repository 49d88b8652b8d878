use super::{Guid, Header, Values, vector};
use crate::{Error, Kind, Reader};

/// NEGO_MESSAGE (MS-NEGOEX 2.2.6.3): the schemes that a side can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nego<'a> {
    /// Random bytes of the sender.
    pub random: [u8; 32],
    /// The schemes, the most wanted first.
    pub schemes: Schemes<'a>,
    /// Extensions; see [`is_critical`].
    pub extensions: Values<'a>,
}

/// Authentication schemes, one behind another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schemes<'a>(&'a [u8]);

impl<'a> Nego<'a> {
    pub(super) fn read(header: &Header, fixed: &mut Reader<'_>, whole: &'a [u8]) -> Result<Self, Error> {
        let random = fixed.array("Random")?;
        let at = fixed.offset();
        if fixed.u64("ProtocolVersion")? != 0 {
            return Err(Error::new(at, "ProtocolVersion", Kind::Unexpected));
        }
        let schemes = vector::entries(header, fixed, whole, SCHEME, "AuthSchemes")?;
        let extensions = Values::read(header, fixed, whole, "Extensions")?;
        Ok(Self { random, schemes: Schemes(schemes), extensions })
    }
}

/// The length of a scheme's GUID.
const SCHEME: usize = 16;

impl<'a> Schemes<'a> {
    /// The schemes in their order.
    pub fn iter(&self) -> impl Iterator<Item = Guid> + use<'a> {
        self.0.as_chunks::<SCHEME>().0.iter().copied().map(Guid)
    }
}

/// Whether a receiver that does not know an extension's type must refuse the message (MS-NEGOEX 2.2.5.1.5): the highest
/// bit says so.
pub const fn is_critical(extension: u32) -> bool {
    extension & 0x8000_0000 != 0
}
