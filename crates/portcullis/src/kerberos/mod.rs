//! Kerberos (RFC 4120, RFC 4121, MS-KILE).

pub mod crypto;
mod protection;

pub(crate) use protection::SessionKeys;
