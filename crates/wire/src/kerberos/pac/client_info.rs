use crate::{Error, Reader, utf16};

/// A PAC_CLIENT_INFO (MS-PAC 2.7): binds the PAC to its ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientInfo {
    /// The ticket's authtime, as FILETIME.
    pub client_id: u64,
    /// The client's name, as the ticket spells it.
    pub name: String,
}

impl ClientInfo {
    /// Reads the buffer; bytes behind the name are left.
    ///
    /// # Errors
    /// [`Kind::Truncated`](crate::Kind), [`Kind::NotUtf16`](crate::Kind).
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes);
        let client_id = reader.u64("ClientId")?;
        let len = reader.u16("NameLength")?;
        let at = reader.offset();
        let name = utf16::decode(reader.take(usize::from(len), "Name")?, at, "Name")?;
        Ok(Self { client_id, name })
    }

    /// Appends the buffer; of a name of more than 65534 bytes the rest is left out.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let name = utf16::encode(&self.name);
        let len = u16::try_from(name.len()).unwrap_or(u16::MAX - 1);
        out.extend_from_slice(&self.client_id.to_le_bytes());
        out.extend_from_slice(&len.to_le_bytes());
        out.extend_from_slice(name.get(..usize::from(len)).unwrap_or_default());
    }
}
