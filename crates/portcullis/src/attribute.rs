//! SECPKG_ATTR_*: one row each, and how it is read from [`Facts`].

use crate::{Facts, KeyInfo, PackageInfo, Sizes};
use std::borrow::Cow;
use std::time::SystemTime;

/// One row of the catalogue of context attributes.
#[derive(Debug)]
pub struct AttributeRow {
    /// `SECPKG_ATTR_*`.
    pub id: u32,
    /// The constant's name without its prefix.
    pub name: &'static str,
    /// How it is read.
    read: for<'f> fn(&'f Facts) -> Option<Attribute<'f>>,
}

/// The value of an attribute.
#[derive(Debug, PartialEq)]
#[non_exhaustive]
pub enum Attribute<'f> {
    /// SecPkgContext_Sizes.
    Sizes(Sizes),
    /// SecPkgContext_Names: `DOMAIN\name`.
    Names(String),
    /// SecPkgContext_Lifespan; no end is never.
    Lifespan(SystemTime, Option<SystemTime>),
    /// SecPkgContext_KeyInfo.
    KeyInfo(KeyInfo),
    /// SecPkgContext_SessionKey.
    SessionKey(&'f [u8]),
    /// SecPkgContext_PackageInfo.
    PackageInfo(&'static PackageInfo),
    /// SecPkgContext_NativeNames: client and server as the protocol spells them.
    NativeNames(Cow<'f, str>, Cow<'f, str>),
    /// SecPkgContext_Flags.
    Flags(u32),
    /// SecPkgContext_ClientSpecifiedTarget.
    ClientSpecifiedTarget(&'f str),
}

/// Every attribute that a context may answer.
pub const TABLE: &[AttributeRow] = &[
    AttributeRow { id: 0, name: "SIZES", read: |f| Some(Attribute::Sizes(f.sizes)) },
    AttributeRow { id: 1, name: "NAMES", read: |f| f.client_name().map(Attribute::Names) },
    AttributeRow { id: 2, name: "LIFESPAN", read: |f| Some(Attribute::Lifespan(f.start, f.expiry)) },
    AttributeRow { id: 5, name: "KEY_INFO", read: |f| f.key_info.map(Attribute::KeyInfo) },
    AttributeRow {
        id: 9,
        name: "SESSION_KEY",
        read: |f| f.session_key.as_ref().map(|key| Attribute::SessionKey(key.expose())),
    },
    AttributeRow { id: 10, name: "PACKAGE_INFO", read: |f| Some(Attribute::PackageInfo(f.package)) },
    AttributeRow { id: 13, name: "NATIVE_NAMES", read: native_names },
    AttributeRow { id: 14, name: "FLAGS", read: |f| Some(Attribute::Flags(f.granted.0)) },
    AttributeRow {
        id: 27,
        name: "CLIENT_SPECIFIED_TARGET",
        read: |f| Some(Attribute::ClientSpecifiedTarget(f.claim.target())),
    },
];

fn native_names(facts: &Facts) -> Option<Attribute<'_>> {
    let account = facts.account.as_ref()?;
    let client = account.upn.as_deref().map_or_else(|| Cow::Owned(account.qualified_name()), Cow::Borrowed);
    Some(Attribute::NativeNames(client, Cow::Borrowed(facts.claim.target())))
}

impl Facts {
    /// The attribute with this number; `None` where the context has none of it (SEC_E_UNSUPPORTED_FUNCTION).
    pub fn attribute(&self, id: u32) -> Option<Attribute<'_>> {
        TABLE.iter().find(|row| row.id == id).and_then(|row| (row.read)(self))
    }
}
