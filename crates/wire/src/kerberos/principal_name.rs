use super::{alone, sequence};
use crate::der::{Constructed, Der, tag};
use crate::{Error, Kind};

/// The type of a name that has none.
pub const NT_UNKNOWN: i32 = 0;
/// A user, or a service by its own name.
pub const NT_PRINCIPAL: i32 = 1;
/// A service and its instance: the ticket-granting service, and most others.
pub const NT_SRV_INST: i32 = 2;
/// A service and the host that it runs on.
pub const NT_SRV_HST: i32 = 3;
/// A service and a host whose name makes up the further components.
pub const NT_SRV_XHST: i32 = 4;
/// A unique identifier.
pub const NT_UID: i32 = 5;
/// An X.509 distinguished name.
pub const NT_X500_PRINCIPAL: i32 = 6;
/// A mail address.
pub const NT_SMTP_NAME: i32 = 7;
/// A user principal name in one component, with its `@` (RFC 6806 §5).
pub const NT_ENTERPRISE: i32 = 10;
/// A name that stands for no one in particular, such as the anonymous user (RFC 6111 §3).
pub const NT_WELLKNOWN: i32 = 11;
/// `DOMAIN\user`, as Windows writes it.
pub const NT_MS_PRINCIPAL: i32 = -128;

/// Longer names are refused: real ones have up to four components.
const MOST_COMPONENTS: usize = 16;

/// PrincipalName (RFC 4120 §5.2.2): the components of a name, without its realm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrincipalName<'a> {
    /// What kind of name it is: [`NT_PRINCIPAL`] and its like. It takes no part in comparing names.
    pub name_type: i32,
    /// The content of name-string: GeneralStrings, each of which was read once.
    components: &'a [u8],
}

impl<'a> PrincipalName<'a> {
    /// Decodes a name that stands alone: what [`encode_principal_name`] made.
    ///
    /// # Errors
    /// With the offset and the field: not DER, a component that is no GeneralString, [`Kind::TooLarge`] for more than
    /// sixteen of them, bytes behind the name.
    pub fn from_encoded(bytes: &'a [u8]) -> Result<Self, Error> {
        alone(bytes, "PrincipalName", |der| Self::read(der, "PrincipalName"))
    }

    /// Reads the name that `der` stands at. `field` is what the name is called there.
    pub(super) fn read(der: &mut Der<'a>, field: &'static str) -> Result<Self, Error> {
        sequence(der, field, |der| {
            let name_type = der.explicit(0, field, |der| der.int32(field))?;
            let components = der.explicit(1, field, |der| {
                let mut list = der.take(tag::SEQUENCE, field)?;
                let (content, at) = (list.rest(), list.offset());
                let mut count = 0;
                while list.peek().is_some() {
                    if count == MOST_COMPONENTS {
                        return Err(Error::new(at, field, Kind::TooLarge));
                    }
                    list.bytes(tag::GENERAL_STRING, field)?;
                    count += 1;
                }
                Ok(content)
            })?;
            Ok(Self { name_type, components })
        })
    }

    /// The components in their order, as bytes: by the RFC ASCII, by Windows UTF-8.
    pub fn components(&self) -> impl Iterator<Item = &'a [u8]> + Clone + use<'a> {
        let mut list = Der::new(self.components);
        core::iter::from_fn(move || list.bytes(tag::GENERAL_STRING, "name-string").ok())
    }

    /// Whether two names are the same to Kerberos, which compares the components and not the types
    /// (RFC 4120 §6.2).
    pub fn same_components(&self, other: &PrincipalName<'_>) -> bool {
        // Each was read as DER, which has one form for each value.
        self.components == other.components
    }

    /// Appends the name.
    pub fn encode(&self, out: &mut Vec<u8>) {
        Constructed::new()
            .with_integer(tag::context(0), self.name_type.into())
            .with(tag::context(1), &Constructed::new().with_encoded(self.components).into_tlv(tag::SEQUENCE))
            .end(tag::SEQUENCE, out);
    }
}

/// The encoded name of these components, for [`PrincipalName::from_encoded`].
pub fn encode_principal_name(name_type: i32, components: &[&[u8]]) -> Vec<u8> {
    let list = components.iter().fold(Constructed::new(), |list, component| list.with(tag::GENERAL_STRING, component));
    Constructed::new()
        .with_integer(tag::context(0), name_type.into())
        .with(tag::context(1), &list.into_tlv(tag::SEQUENCE))
        .into_tlv(tag::SEQUENCE)
}
