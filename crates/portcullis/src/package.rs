//! The catalogue of packages: one row each.

use portcullis_wire::der::Oid;
use portcullis_wire::sid::{Sid, well_known};
use portcullis_wire::spnego;
use std::fmt;

/// One row of the catalogue of packages (SecPkgInfo).
#[derive(Debug, PartialEq, Eq)]
pub struct PackageInfo {
    /// The name under which programs ask for it.
    pub name: &'static str,
    /// A line for people.
    pub comment: &'static str,
    /// `SECPKG_FLAG_*`.
    pub capabilities: u32,
    /// The version of the package's protocol; 1 for all.
    pub version: u16,
    /// The RPC authentication type.
    pub rpc_id: u16,
    /// The largest token in bytes.
    pub max_token: u32,
    /// The SID that a token of this package's logons carries (MS-DTYP 2.4.2.4).
    pub authentication_sid: Option<Sid>,
    /// The OIDs under which Negotiate offers it, the best known first; several name one mechanism. None for a package
    /// that Negotiate does not offer.
    pub mechanism_oids: &'static [Oid<'static>],
}

/// Every package that this library offers by name, one row each, with the numbers that Windows shows.
pub const TABLE: &[&PackageInfo] = &[&NEGOTIATE, &KERBEROS, &NTLM, &SCHANNEL, &UNIFIED, &DEFAULT_TLS];

/// The row of a name as the table spells it, plain passwords too.
pub(crate) fn named(name: &str) -> Option<&'static PackageInfo> {
    TABLE.iter().copied().chain([&PASSWORD]).find(|package| package.name == name)
}

/// NTLM.
pub const NTLM: PackageInfo = PackageInfo {
    name: "NTLM",
    comment: "NTLM Security Package",
    capabilities: 0x0288_2B37,
    version: 1,
    rpc_id: 10,
    max_token: 2888,
    authentication_sid: Some(well_known::NTLM_AUTHENTICATION),
    mechanism_oids: &[spnego::NTLM],
};

/// Kerberos.
pub const KERBEROS: PackageInfo = PackageInfo {
    name: "Kerberos",
    comment: "Microsoft Kerberos V1.0",
    capabilities: 0x028F_3BBF,
    version: 1,
    rpc_id: 16,
    max_token: 48000,
    authentication_sid: None,
    mechanism_oids: &[spnego::KERBEROS_MICROSOFT, spnego::KERBEROS],
};

/// Negotiate: SPNEGO around the other packages.
pub const NEGOTIATE: PackageInfo = PackageInfo {
    name: "Negotiate",
    comment: "Microsoft Package Negotiator",
    capabilities: 0x0088_3BB3,
    version: 1,
    rpc_id: 9,
    max_token: 48256,
    authentication_sid: None,
    mechanism_oids: &[],
};

/// Schannel: TLS.
pub const SCHANNEL: PackageInfo = PackageInfo {
    name: "Schannel",
    comment: "Schannel Security Package",
    capabilities: 0x0041_07B3,
    version: 1,
    rpc_id: 14,
    max_token: 24576,
    authentication_sid: Some(well_known::SCHANNEL_AUTHENTICATION),
    mechanism_oids: &[],
};

/// Schannel under the name that most programs ask for (UNISP_NAME).
pub const UNIFIED: PackageInfo = PackageInfo { name: "Microsoft Unified Security Protocol Provider", ..SCHANNEL };

/// Schannel under the name of DEFAULT_TLS_SSP_NAME.
pub const DEFAULT_TLS: PackageInfo = PackageInfo { name: "Default TLS SSP", ..SCHANNEL };

/// A password sent as it is, as HTTP Basic and LDAP simple binds do. No package of `sspi.h`: it is not in [`TABLE`].
pub const PASSWORD: PackageInfo = PackageInfo {
    name: "Basic",
    comment: "Plain password",
    capabilities: 0,
    version: 1,
    rpc_id: 0xFFFF,
    max_token: 1024,
    authentication_sid: None,
    mechanism_oids: &[],
};

impl fmt::Display for PackageInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
