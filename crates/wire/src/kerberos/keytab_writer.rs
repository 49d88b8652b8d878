use crate::{Error, Kind};
use core::fmt;

/// A key to be written.
#[derive(Clone, Copy)]
pub struct NewKeytabEntry<'a> {
    /// The realm.
    pub realm: &'a [u8],
    /// What kind of name it is.
    pub name_type: i32,
    /// The components of the name.
    pub components: &'a [&'a [u8]],
    /// When it is written, in seconds since 1970.
    pub timestamp: u32,
    /// The version of the key.
    pub kvno: u32,
    /// The encryption type; the file has 16 bits for it.
    pub etype: i32,
    /// The key.
    pub key: &'a [u8],
}

impl fmt::Debug for NewKeytabEntry<'_> {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut name = String::new();
        super::unparse_components(self.components.iter().copied(), self.realm, &mut name);
        write!(f, "NewKeytabEntry {{ {name:?}, kvno: {}, etype: {}, ", self.kvno, self.etype)?;
        write!(f, "key: [{} bytes] }}", self.key.len())
    }
}

/// A whole file of version 2. Each entry has the version of its key in 32 bits too.
///
/// # Errors
/// [`Kind::TooLarge`] with the field that the file has no room for: a part of a name or a key of more than 65 535
/// bytes, as many components, an encryption type of more than 16 bits. The offset is the entry's number.
pub fn encode_keytab(entries: &[NewKeytabEntry<'_>]) -> Result<Vec<u8>, Error> {
    let mut out = vec![5, 2];
    for (index, entry) in entries.iter().enumerate() {
        entry.write(&mut out).map_err(|field| Error::new(index, field, Kind::TooLarge))?;
    }
    Ok(out)
}

impl NewKeytabEntry<'_> {
    /// Appends the entry; else gives the field that there is no room for.
    fn write(&self, out: &mut Vec<u8>) -> Result<(), &'static str> {
        let mut body = Vec::new();
        let count = u16::try_from(self.components.len()).map_err(|_| "num_components")?;
        body.extend_from_slice(&count.to_be_bytes());
        counted(self.realm, "realm", &mut body)?;
        for component in self.components {
            counted(component, "component", &mut body)?;
        }
        body.extend_from_slice(&self.name_type.to_be_bytes());
        body.extend_from_slice(&self.timestamp.to_be_bytes());
        let [.., kvno8] = self.kvno.to_be_bytes();
        body.push(kvno8);
        let etype = i16::try_from(self.etype).map_err(|_| "keytype")?;
        body.extend_from_slice(&etype.to_be_bytes());
        counted(self.key, "key", &mut body)?;
        body.extend_from_slice(&self.kvno.to_be_bytes());
        let size = i32::try_from(body.len()).map_err(|_| "size")?;
        out.extend_from_slice(&size.to_be_bytes());
        out.append(&mut body);
        Ok(())
    }
}

/// A length of 16 bits and as many bytes.
fn counted(bytes: &[u8], field: &'static str, out: &mut Vec<u8>) -> Result<(), &'static str> {
    let len = u16::try_from(bytes.len()).map_err(|_| field)?;
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(bytes);
    Ok(())
}
