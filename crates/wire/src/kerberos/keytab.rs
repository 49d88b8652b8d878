use crate::{Error, Kind, Reader};
use core::fmt;

/// A file of keys, as MIT, Heimdal and Java keep them.
#[derive(Clone, Copy)]
pub struct Keytab<'a> {
    version: Version,
    entries: &'a [u8],
}

/// One key.
#[derive(Clone, Copy)]
pub struct KeytabEntry<'a> {
    /// The realm.
    pub realm: &'a [u8],
    /// What kind of name it is; zero in a file of version 1, which has none.
    pub name_type: i32,
    /// When it was written, in seconds since 1970.
    pub timestamp: u32,
    /// The version of the key: the one of 32 bits, where there is one other than zero.
    pub kvno: u32,
    /// The encryption type.
    pub etype: i32,
    /// The key. The length is not checked here.
    pub key: &'a [u8],
    /// What begins with the components: each a length of 16 bits and its bytes.
    components: &'a [u8],
    count: u16,
    version: Version,
}

/// The entries of a [`Keytab`], one after another.
#[derive(Clone)]
pub struct KeytabEntries<'a> {
    version: Version,
    reader: Reader<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    /// In the byte order of the machine that wrote it, of which only little-endian ones are left.
    One,
    /// Big-endian.
    Two,
}

/// The two bytes that the file begins with.
const FRONT: usize = 2;

impl<'a> Keytab<'a> {
    /// Decodes the front of the file; the entries are decoded one by one.
    ///
    /// # Errors
    /// [`Kind::Truncated`] for fewer than two bytes, [`Kind::Unexpected`] for another version than 1 and 2.
    pub fn decode(file: &'a [u8]) -> Result<Self, Error> {
        match file {
            [5, 1, entries @ ..] => Ok(Self { version: Version::One, entries }),
            [5, 2, entries @ ..] => Ok(Self { version: Version::Two, entries }),
            [] | [_] => Err(Error::new(0, "file_format_version", Kind::Truncated)),
            _ => Err(Error::new(0, "file_format_version", Kind::Unexpected)),
        }
    }

    /// The entries in their order; deleted ones are left out. An entry that cannot be read is an error, behind which
    /// the next one follows; a file that is cut short ends with one.
    pub const fn entries(&self) -> KeytabEntries<'a> {
        KeytabEntries { version: self.version, reader: Reader::new(self.entries) }
    }
}

impl fmt::Debug for Keytab<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keytab {{ version: {:?}, entries: [{} bytes] }}", self.version, self.entries.len())
    }
}

impl fmt::Debug for KeytabEntries<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeytabEntries {{ version: {:?}, [{} bytes] }}", self.version, self.reader.rest().len())
    }
}

impl<'a> Iterator for KeytabEntries<'a> {
    type Item = Result<KeytabEntry<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.step().map_err(|error| Error { offset: error.offset.saturating_add(FRONT), ..error });
        next.transpose()
    }
}

impl<'a> KeytabEntries<'a> {
    fn step(&mut self) -> Result<Option<KeytabEntry<'a>>, Error> {
        while !self.reader.rest().is_empty() {
            let size = self.size();
            let Ok(size) = size else { return self.end(size.map(|_| None)) };
            let at = self.reader.offset();
            let taken = usize::try_from(size.unsigned_abs())
                .map_err(|_| Error::new(at, "size", Kind::TooLarge))
                .and_then(|size| self.reader.take(size, "size"));
            let Ok(bytes) = taken else { return self.end(taken.map(|_| None)) };
            match size {
                // A negative size is a hole that an entry left; zero is what a file grown too long ends with.
                ..0 => {}
                0 => return self.end(Ok(None)),
                1.. => {
                    let entry = KeytabEntry::decode(bytes, self.version);
                    return entry.map(Some).map_err(|error| Error { offset: error.offset.saturating_add(at), ..error });
                }
            }
        }
        Ok(None)
    }

    fn size(&mut self) -> Result<i32, Error> {
        let bytes = self.reader.array("size")?;
        Ok(match self.version {
            Version::One => i32::from_le_bytes(bytes),
            Version::Two => i32::from_be_bytes(bytes),
        })
    }

    /// Nothing follows.
    fn end<T>(&mut self, last: Result<T, Error>) -> Result<T, Error> {
        self.reader = Reader::new(&[]);
        last
    }
}

impl<'a> KeytabEntry<'a> {
    /// The components of the name, in their order.
    pub fn components(&self) -> impl Iterator<Item = &'a [u8]> + Clone + use<'a> {
        let (mut reader, version) = (Reader::new(self.components), self.version);
        (0..self.count).map_while(move |_| version.counted(&mut reader, "component").ok())
    }

    fn decode(bytes: &'a [u8], version: Version) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes);
        let count = version.u16(&mut reader, "num_components")?;
        // Version 1 counts the realm.
        let counted = if version == Version::One { count.checked_sub(1) } else { Some(count) };
        let count = counted.ok_or(Error::new(0, "num_components", Kind::Unexpected))?;
        let realm = version.counted(&mut reader, "realm")?;
        let components = reader.rest();
        for _ in 0..count {
            version.counted(&mut reader, "component")?;
        }
        let name_type = if version == Version::One { 0 } else { version.u32(&mut reader, "name_type")? };
        let timestamp = version.u32(&mut reader, "timestamp")?;
        let kvno8 = reader.u8("vno8")?;
        let etype = version.u16(&mut reader, "keytype")?;
        let key = version.counted(&mut reader, "key")?;
        // What stands behind the key came later, and may be missing; behind that Heimdal has flags.
        let kvno32 = version.u32(&mut reader, "vno").unwrap_or(0);
        Ok(Self {
            realm,
            name_type: name_type.cast_signed(),
            timestamp,
            kvno: if kvno32 == 0 { kvno8.into() } else { kvno32 },
            etype: etype.cast_signed().into(),
            key,
            components,
            count,
            version,
        })
    }
}

impl fmt::Debug for KeytabEntry<'_> {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut name = String::new();
        super::unparse_components(self.components(), self.realm, &mut name);
        write!(f, "KeytabEntry {{ {name:?}, name_type: {}, ", self.name_type)?;
        write!(f, "timestamp: {}, kvno: {}, etype: {}, ", self.timestamp, self.kvno, self.etype)?;
        write!(f, "key: [{} bytes] }}", self.key.len())
    }
}

impl Version {
    fn u16(self, reader: &mut Reader<'_>, field: &'static str) -> Result<u16, Error> {
        reader.array(field).map(if self == Self::One { u16::from_le_bytes } else { u16::from_be_bytes })
    }

    fn u32(self, reader: &mut Reader<'_>, field: &'static str) -> Result<u32, Error> {
        reader.array(field).map(if self == Self::One { u32::from_le_bytes } else { u32::from_be_bytes })
    }

    /// A length of 16 bits and as many bytes.
    fn counted<'a>(self, reader: &mut Reader<'a>, field: &'static str) -> Result<&'a [u8], Error> {
        let len = usize::from(self.u16(reader, field)?);
        reader.take(len, field)
    }
}
