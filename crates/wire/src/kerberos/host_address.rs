use super::encrypted_data::{typed, write_typed};
use crate::Error;
use crate::der::{Der, Element, SequenceOf};

/// HostAddress (RFC 4120 §5.2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostAddress<'a> {
    /// What kind of address: 2 IPv4, 24 IPv6, 20 a NetBIOS name (RFC 4120 §7.5.3).
    pub addr_type: i32,
    /// The address, most significant byte first.
    pub address: &'a [u8],
}

/// HostAddresses (RFC 4120 §5.2.5).
pub type HostAddresses<'a> = SequenceOf<'a, HostAddress<'a>>;

impl<'a> HostAddress<'a> {
    pub(super) fn read_as(der: &mut Der<'a>, field: &'static str) -> Result<Self, Error> {
        let (addr_type, address) = typed(der, field, "addr-type", "address")?;
        Ok(Self { addr_type, address })
    }

    /// Appends the address.
    pub fn encode(&self, out: &mut Vec<u8>) {
        write_typed(self.addr_type, self.address, out);
    }
}

impl<'a> Element<'a> for HostAddress<'a> {
    const LIST: &'static str = "HostAddresses";
    const MOST: usize = 64;

    fn read(der: &mut Der<'a>) -> Result<Self, Error> {
        Self::read_as(der, "HostAddress")
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.encode(out);
    }
}
