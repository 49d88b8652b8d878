use crate::der::{Constructed, Der, Oid, tag};
use crate::{Error, Kind};

/// MechTypeList (RFC 4178 §4.1): an initiator's mechanisms, the most wanted first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MechTypes<'a> {
    /// The whole SEQUENCE as received: what a mechListMIC is made over.
    pub raw: &'a [u8],
}

/// Longer lists are refused: real ones have up to six entries.
const MAX_MECHANISMS: usize = 64;

impl<'a> MechTypes<'a> {
    /// Reads the list that `der` stands at, checking each entry.
    pub(super) fn read(der: &mut Der<'a>) -> Result<Self, Error> {
        const FIELD: &str = "mechTypes";
        let (start, whole) = (der.offset(), der.rest());
        let mut list = der.take(tag::SEQUENCE, FIELD)?;
        if list.peek().is_none() {
            return Err(Error::new(start, FIELD, Kind::WrongLength));
        }
        let mut count = 0;
        while list.peek().is_some() {
            list.oid(FIELD)?;
            count += 1;
            if count > MAX_MECHANISMS {
                return Err(Error::new(start, FIELD, Kind::TooLarge));
            }
        }
        let len = der.offset().saturating_sub(start);
        Ok(Self { raw: whole.get(..len).unwrap_or_default() })
    }

    /// A list that someone received, from its bytes.
    ///
    /// # Errors
    /// As any decoder: empty, too long, or not a list of OIDs.
    pub fn decode(raw: &'a [u8]) -> Result<Self, Error> {
        let mut der = Der::new(raw);
        let list = Self::read(&mut der)?;
        der.finish("mechTypes").map(|()| list)
    }

    /// The list of these mechanisms.
    pub fn encode(oids: &[Oid<'_>]) -> Vec<u8> {
        oids.iter().fold(Constructed::new(), |list, oid| list.with(tag::OID, oid.0)).into_tlv(tag::SEQUENCE)
    }

    /// The mechanisms in their order.
    pub fn iter(&self) -> impl Iterator<Item = Oid<'a>> + use<'a> {
        let mut list = Der::new(self.raw).take(tag::SEQUENCE, "mechTypes").ok();
        std::iter::from_fn(move || list.as_mut()?.oid("mechTypes").ok())
    }
}
