//! SPNEGO (RFC 4178, MS-SPNG): the messages by which two sides agree on a mechanism.

mod first;
mod frame;
mod init;
mod mech_types;
mod resp;

pub use first::FirstToken;
pub(crate) use frame::frame_parts;
pub use frame::{frame, unframe};
pub use init::{HINT_NAME, NegTokenInit};
pub use mech_types::MechTypes;
pub use resp::{NegState, NegTokenResp};

use crate::der::Oid;

/// SPNEGO itself, 1.3.6.1.5.5.2: it frames the first token.
pub const SPNEGO: Oid<'static> = Oid(&[0x2b, 0x06, 0x01, 0x05, 0x05, 0x02]);
/// Kerberos 5, 1.2.840.113554.1.2.2.
pub const KERBEROS: Oid<'static> = Oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02]);
/// Kerberos 5 as Windows 2000 misspelt it, 1.2.840.48018.1.2.2; Windows clients still list it first.
pub const KERBEROS_MICROSOFT: Oid<'static> = Oid(&[0x2a, 0x86, 0x48, 0x82, 0xf7, 0x12, 0x01, 0x02, 0x02]);
/// Kerberos user-to-user, 1.2.840.113554.1.2.2.3.
pub const KERBEROS_USER_TO_USER: Oid<'static> = Oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02, 0x03]);
/// NTLM, 1.3.6.1.4.1.311.2.2.10.
pub const NTLM: Oid<'static> = Oid(&[0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x02, 0x0a]);
/// NEGOEX, 1.3.6.1.4.1.311.2.2.30.
pub const NEGOEX: Oid<'static> = Oid(&[0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x02, 0x1e]);
/// IAKERB, 1.3.6.1.5.2.5.
pub const IAKERB: Oid<'static> = Oid(&[0x2b, 0x06, 0x01, 0x05, 0x02, 0x05]);
/// PKU2U, 1.3.6.1.5.2.7.
pub const PKU2U: Oid<'static> = Oid(&[0x2b, 0x06, 0x01, 0x05, 0x02, 0x07]);

/// The mechanisms that have a name, for people.
pub const NAMES: &[(Oid<'static>, &str)] = &[
    (SPNEGO, "SPNEGO"),
    (KERBEROS, "Kerberos"),
    (KERBEROS_MICROSOFT, "Kerberos (Microsoft)"),
    (KERBEROS_USER_TO_USER, "Kerberos user-to-user"),
    (NTLM, "NTLM"),
    (NEGOEX, "NEGOEX"),
    (IAKERB, "IAKERB"),
    (PKU2U, "PKU2U"),
];

/// A mechanism's name; `None` for one that has none here.
pub fn name(oid: Oid<'_>) -> Option<&'static str> {
    NAMES.iter().find(|(known, _)| *known == oid).map(|(_, name)| *name)
}
