use super::normal_name::{Attribute, NormalName, Value};
use crate::der::{Der, tag};
use crate::{Error, Kind};
use std::fmt;

/// A distinguished name as it stands in a certificate (RFC 5280 §4.1.2.4). Two of them are equal when their bytes are;
/// names are compared by their [`NormalName`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Name<'a> {
    raw: &'a [u8],
    rdns: &'a [u8],
}

/// The most relative names of a name, and attributes of a relative name.
pub(super) const MAX_PARTS: usize = 64;

impl<'a> Name<'a> {
    pub(super) fn read(der: &mut Der<'a>, field: &'static str) -> Result<Self, Error> {
        let (raw, rdns) = der.whole(tag::SEQUENCE, field)?;
        normal(rdns.clone(), field)?;
        Ok(Self { raw, rdns: rdns.rest() })
    }

    /// The name in DER, header and content.
    pub const fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// Whether it says nothing.
    pub const fn is_empty(&self) -> bool {
        self.rdns.is_empty()
    }

    /// The name as it is compared.
    pub fn to_normal(&self) -> NormalName {
        // It was read once when the certificate was.
        normal(Der::new(self.rdns), "name").unwrap_or_default()
    }

    /// The bytes of [`to_normal`](Self::to_normal).
    pub fn normal(&self) -> Vec<u8> {
        self.to_normal().to_bytes()
    }

    /// The name in Windows' order: see [`NormalName::windows_order`].
    pub fn windows_order(&self) -> String {
        self.to_normal().windows_order()
    }
}

impl fmt::Display for Name<'_> {
    /// In the form of RFC 4514.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.to_normal(), f)
    }
}

impl fmt::Debug for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({self})")
    }
}

fn normal(mut rdns: Der<'_>, field: &'static str) -> Result<NormalName, Error> {
    let mut parts = Vec::new();
    while rdns.peek().is_some() {
        let at = rdns.offset();
        let mut set = rdns.take(tag::SET, field)?;
        let mut attributes = Vec::new();
        while set.peek().is_some() {
            attributes.push(read_attribute(&mut set, field)?);
            if attributes.len() > MAX_PARTS {
                return Err(Error::new(at, field, Kind::TooLarge));
            }
        }
        if attributes.is_empty() {
            return Err(Error::new(at, field, Kind::Unexpected));
        }
        if parts.len() == MAX_PARTS {
            return Err(Error::new(at, field, Kind::TooLarge));
        }
        parts.push(attributes);
    }
    Ok(NormalName::of(parts))
}

fn read_attribute(set: &mut Der<'_>, field: &'static str) -> Result<Attribute, Error> {
    let at = set.offset();
    let mut fields = set.take(tag::SEQUENCE, field)?;
    let oid = fields.oid(field)?;
    let value = fields.rest();
    let (tag, content) = fields.any(field)?;
    fields.finish(field)?;
    let value = Value::read(tag, content.rest(), value).filter(|_| oid.is_well_formed());
    value.map(|value| Attribute { oid: oid.0.to_vec(), value }).ok_or(Error::new(at, field, Kind::Unexpected))
}
