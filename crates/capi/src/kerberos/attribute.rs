//! What a Kerberos context answers that others do not: the PAC, and what the client forwarded.

use crate::abi::SessionKey;
use crate::attribute::Place;
use crate::code::Code;
use crate::context::Open;
use crate::memory;

/// PORTCULLIS_ATTR_DELEGATED_CREDENTIALS.
const DELEGATED_CREDENTIALS: u32 = 2001;
/// PORTCULLIS_ATTR_PAC.
const PAC: u32 = 2002;

/// QueryContextAttributes; `None` for an attribute that is not one of these.
///
/// # Safety
/// `place` is of the attribute's structure.
pub(crate) unsafe fn query(open: &Open, attribute: u32, place: &Place) -> Option<Result<Code, Code>> {
    let bytes = match attribute {
        DELEGATED_CREDENTIALS => {
            let ticket = open.facts.ticket.as_ref();
            ticket.and_then(|ticket| ticket.delegated.as_ref()).map(|delegated| delegated.ccache.expose().as_slice())
        }
        PAC => pac(open),
        _ => return None,
    };
    // SAFETY: as the caller says.
    Some(bytes.ok_or(Code::UNSUPPORTED_FUNCTION).and_then(|bytes| unsafe { give(bytes, place) }))
}

/// The client's PAC, which was verified; `None` where the ticket has none.
pub(crate) fn pac(open: &Open) -> Option<&[u8]> {
    open.facts.ticket.as_ref()?.pac.as_ref().map(|pac| pac.raw.as_slice())
}

/// PORTCULLIS_BYTES, which is laid out as SecPkgContext_SessionKey.
///
/// # Safety
/// As [`query`].
unsafe fn give(bytes: &[u8], place: &Place) -> Result<Code, Code> {
    place.fits::<SessionKey>()?;
    let given = memory::copy(bytes)?;
    // SAFETY: as the caller says.
    unsafe { place.put(SessionKey { SessionKeyLength: bytes.len() as u32, SessionKey: given }) }
}
