use crate::{Error, Kind, Reader};

/// A name with its realm, as a credential cache has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CcachePrincipal<'a> {
    /// What kind of name it is.
    pub name_type: i32,
    /// The realm.
    pub realm: &'a [u8],
    count: u32,
    /// The components: each a length of 32 bits and its bytes.
    components: &'a [u8],
}

/// Values with a type each: the addresses, or the authorization data, of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tagged<'a> {
    count: u32,
    /// Each a type of 16 bits, a length of 32 and as many bytes.
    values: &'a [u8],
}

/// Longer names and lists are refused.
const MOST: u32 = 64;

impl<'a> CcachePrincipal<'a> {
    /// Decodes a name that stands alone: what [`of`](Self::of) made.
    ///
    /// # Errors
    /// With the offset and the field: cut short, more than 64 components, bytes behind it.
    pub fn from_encoded(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes);
        let name = Self::read(&mut reader)?;
        finish(&reader, "principal").map(|()| name)
    }

    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let name_type = be32(reader, "name_type")?.cast_signed();
        let count = bounded(reader, "num_components")?;
        let realm = counted(reader, "realm")?;
        let components = span(reader, |reader| (0..count).try_for_each(|_| counted(reader, "component").map(|_| ())))?;
        Ok(Self { name_type, realm, count, components })
    }

    /// The components in their order.
    pub fn components(&self) -> impl Iterator<Item = &'a [u8]> + Clone + use<'a> {
        let mut reader = Reader::new(self.components);
        (0..self.count).map_while(move |_| counted(&mut reader, "component").ok())
    }

    /// The encoded name of these components, for [`from_encoded`](Self::from_encoded).
    ///
    /// # Errors
    /// [`Kind::TooLarge`] for a part of 4 GiB or more, or as many components.
    pub fn of(name_type: i32, realm: &[u8], components: &[&[u8]]) -> Result<Vec<u8>, Error> {
        let mut out = name_type.to_be_bytes().to_vec();
        let count = u32::try_from(components.len());
        let count = count.map_err(|_| Error::new(out.len(), "num_components", Kind::TooLarge))?;
        out.extend_from_slice(&count.to_be_bytes());
        write_counted(realm, "realm", &mut out)?;
        for component in components {
            write_counted(component, "component", &mut out)?;
        }
        Ok(out)
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        out.extend_from_slice(&self.name_type.to_be_bytes());
        out.extend_from_slice(&self.count.to_be_bytes());
        write_counted(self.realm, "realm", out)?;
        out.extend_from_slice(self.components);
        Ok(())
    }
}

impl<'a> Tagged<'a> {
    /// Decodes a list that stands alone: what [`of`](Self::of) made.
    ///
    /// # Errors
    /// With the offset and the field: cut short, more than 64 values, bytes behind it.
    pub fn from_encoded(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes);
        let list = Self::read(&mut reader, "count")?;
        finish(&reader, "count").map(|()| list)
    }

    pub(super) fn read(reader: &mut Reader<'a>, field: &'static str) -> Result<Self, Error> {
        let count = bounded(reader, field)?;
        let values = span(reader, |reader| (0..count).try_for_each(|_| value(reader, field).map(|_| ())))?;
        Ok(Self { count, values })
    }

    /// Type and value of each, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (u16, &'a [u8])> + Clone + use<'a> {
        let mut reader = Reader::new(self.values);
        (0..self.count).map_while(move |_| value(&mut reader, "value").ok())
    }

    /// The encoded list of these values, for [`from_encoded`](Self::from_encoded).
    ///
    /// # Errors
    /// [`Kind::TooLarge`] for a value of 4 GiB or more, or as many of them.
    pub fn of(values: &[(u16, &[u8])]) -> Result<Vec<u8>, Error> {
        let count = u32::try_from(values.len()).map_err(|_| Error::new(0, "count", Kind::TooLarge))?;
        let mut out = count.to_be_bytes().to_vec();
        for (kind, value) in values {
            out.extend_from_slice(&kind.to_be_bytes());
            write_counted(value, "value", &mut out)?;
        }
        Ok(out)
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.count.to_be_bytes());
        out.extend_from_slice(self.values);
    }
}

pub(super) fn be32(reader: &mut Reader<'_>, field: &'static str) -> Result<u32, Error> {
    reader.array(field).map(u32::from_be_bytes)
}

pub(super) fn be16(reader: &mut Reader<'_>, field: &'static str) -> Result<u16, Error> {
    reader.array(field).map(u16::from_be_bytes)
}

/// A length of 32 bits and as many bytes.
pub(super) fn counted<'a>(reader: &mut Reader<'a>, field: &'static str) -> Result<&'a [u8], Error> {
    let at = reader.offset();
    let len = be32(reader, field)?;
    reader.take(usize::try_from(len).map_err(|_| Error::new(at, field, Kind::TooLarge))?, field)
}

pub(super) fn write_counted(bytes: &[u8], field: &'static str, out: &mut Vec<u8>) -> Result<(), Error> {
    let len = u32::try_from(bytes.len()).map_err(|_| Error::new(out.len(), field, Kind::TooLarge))?;
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(bytes);
    Ok(())
}

fn value<'a>(reader: &mut Reader<'a>, field: &'static str) -> Result<(u16, &'a [u8]), Error> {
    Ok((be16(reader, field)?, counted(reader, field)?))
}

fn bounded(reader: &mut Reader<'_>, field: &'static str) -> Result<u32, Error> {
    let at = reader.offset();
    match be32(reader, field)? {
        count @ ..=MOST => Ok(count),
        _ => Err(Error::new(at, field, Kind::TooLarge)),
    }
}

/// The bytes that `read` reads.
fn span<'a>(
    reader: &mut Reader<'a>,
    read: impl FnOnce(&mut Reader<'a>) -> Result<(), Error>,
) -> Result<&'a [u8], Error> {
    let before = reader.rest();
    read(reader)?;
    Ok(before.get(..before.len().saturating_sub(reader.rest().len())).unwrap_or_default())
}

fn finish(reader: &Reader<'_>, field: &'static str) -> Result<(), Error> {
    if reader.rest().is_empty() { Ok(()) } else { Err(Error::new(reader.offset(), field, Kind::Unexpected)) }
}
