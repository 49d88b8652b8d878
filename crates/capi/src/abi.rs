//! The structures of `sspi.h`, as C lays them out. Their sizes and offsets are checked against the header by the compiler
//! (`tests/c/layout.c`).
#![allow(missing_docs, non_snake_case, non_camel_case_types, reason = "names and fields are those of sspi.h")]

use crate::secrets::HashCallback;
use std::ffi::{c_char, c_void};

pub(crate) type SecurityStatus = i32;
pub(crate) type GetKey = Option<unsafe extern "C" fn(*mut c_void, *mut c_void, u32, *mut *mut c_void, *mut i32)>;

/// CredHandle and CtxtHandle.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SecHandle {
    pub(crate) dwLower: usize,
    pub(crate) dwUpper: usize,
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct SecBuffer {
    pub(crate) cbBuffer: u32,
    pub(crate) BufferType: u32,
    pub(crate) pvBuffer: *mut c_void,
}

#[repr(C)]
#[derive(Debug)]
pub(crate) struct SecBufferDesc {
    pub(crate) ulVersion: u32,
    pub(crate) cBuffers: u32,
    pub(crate) pBuffers: *mut SecBuffer,
}

/// SecPkgInfoA and SecPkgInfoW: they differ in what the strings point to.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct SecPkgInfo {
    pub(crate) fCapabilities: u32,
    pub(crate) wVersion: u16,
    pub(crate) wRPCID: u16,
    pub(crate) cbMaxToken: u32,
    pub(crate) Name: *mut c_void,
    pub(crate) Comment: *mut c_void,
}

/// SEC_WINNT_AUTH_IDENTITY_A and _W: lengths count characters, and Flags says of which kind.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct AuthIdentity {
    pub(crate) User: *const c_void,
    pub(crate) UserLength: u32,
    pub(crate) Domain: *const c_void,
    pub(crate) DomainLength: u32,
    pub(crate) Password: *const c_void,
    pub(crate) PasswordLength: u32,
    pub(crate) Flags: u32,
}

/// SEC_WINNT_AUTH_IDENTITY_EXA and _EXW.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct AuthIdentityEx {
    pub(crate) Version: u32,
    pub(crate) Length: u32,
    pub(crate) User: *const c_void,
    pub(crate) UserLength: u32,
    pub(crate) Domain: *const c_void,
    pub(crate) DomainLength: u32,
    pub(crate) Password: *const c_void,
    pub(crate) PasswordLength: u32,
    pub(crate) Flags: u32,
    pub(crate) PackageList: *const c_void,
    pub(crate) PackageListLength: u32,
}

/// SEC_WINNT_AUTH_IDENTITY_EX2: offsets from its own start, lengths in bytes.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct AuthIdentityEx2 {
    pub(crate) Version: u32,
    pub(crate) cbHeaderLength: u16,
    pub(crate) cbStructureLength: u32,
    pub(crate) UserOffset: u32,
    pub(crate) UserLength: u16,
    pub(crate) DomainOffset: u32,
    pub(crate) DomainLength: u16,
    pub(crate) PackedCredentialsOffset: u32,
    pub(crate) PackedCredentialsLength: u16,
    pub(crate) Flags: u32,
    pub(crate) PackageListOffset: u32,
    pub(crate) PackageListLength: u16,
}

/// WinPR's SEC_WINPR_NTLM_SETTINGS, as FreeRDP 3 has it.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct WinprNtlmSettings {
    pub(crate) samFile: *const c_char,
    pub(crate) hashCallback: Option<HashCallback>,
    pub(crate) hashCallbackArg: *mut c_void,
}

/// The beginning of WinPR's SEC_WINPR_KERBEROS_SETTINGS, as FreeRDP 3 has it. What follows is for who asks a KDC.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct WinprKerberosSettings {
    pub(crate) kdcUrl: *const c_char,
    pub(crate) keytab: *const c_char,
    pub(crate) cache: *const c_char,
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) cbMaxToken: u32,
    pub(crate) cbMaxSignature: u32,
    pub(crate) cbBlockSize: u32,
    pub(crate) cbSecurityTrailer: u32,
}

/// SecPkgContext_NamesA/W, _AuthorityA/W, _ClientSpecifiedTarget and SecPkgCredentials_NamesA/W: one string.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct OneString {
    pub(crate) s: *mut c_void,
}

/// SecPkgContext_NativeNamesA/W: two strings.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct TwoStrings {
    pub(crate) sClientName: *mut c_void,
    pub(crate) sServerName: *mut c_void,
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyInfo {
    pub(crate) sSignatureAlgorithmName: *mut c_void,
    pub(crate) sEncryptAlgorithmName: *mut c_void,
    pub(crate) KeySize: u32,
    pub(crate) SignatureAlgorithm: u32,
    pub(crate) EncryptAlgorithm: u32,
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lifespan {
    pub(crate) tsStart: i64,
    pub(crate) tsExpiry: i64,
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct SessionKey {
    pub(crate) SessionKeyLength: u32,
    pub(crate) SessionKey: *mut u8,
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct PackageInfo {
    pub(crate) PackageInfo: *mut SecPkgInfo,
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct NegotiationInfo {
    pub(crate) PackageInfo: *mut SecPkgInfo,
    pub(crate) NegotiationState: u32,
}

/// PORTCULLIS_TOKEN_INFO.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct TokenInfo {
    pub(crate) Size: u32,
    pub(crate) Level: u32,
    pub(crate) LogonId: u64,
    pub(crate) User: *mut c_char,
    pub(crate) UserSid: *mut c_char,
    pub(crate) GroupCount: u32,
    pub(crate) GroupSids: *mut *mut c_char,
}

pub(crate) const SECBUFFER_VERSION: u32 = 0;
pub(crate) const SECBUFFER_EMPTY: u32 = 0;
pub(crate) const SECBUFFER_DATA: u32 = 1;
pub(crate) const SECBUFFER_TOKEN: u32 = 2;
pub(crate) const SECBUFFER_MISSING: u32 = 4;
pub(crate) const SECBUFFER_EXTRA: u32 = 5;
pub(crate) const SECBUFFER_STREAM_TRAILER: u32 = 6;
pub(crate) const SECBUFFER_STREAM_HEADER: u32 = 7;
pub(crate) const SECBUFFER_PADDING: u32 = 9;
pub(crate) const SECBUFFER_STREAM: u32 = 10;
pub(crate) const SECBUFFER_CHANGE_PASS_RESPONSE: u32 = 15;
pub(crate) const SECBUFFER_CHANNEL_BINDINGS: u32 = 14;
pub(crate) const SECBUFFER_ALERT: u32 = 17;
pub(crate) const SECBUFFER_APPLICATION_PROTOCOLS: u32 = 18;
pub(crate) const SECBUFFER_CHANNEL_BINDINGS_RESULT: u32 = 30;
pub(crate) const SECBUFFER_ATTRMASK: u32 = 0xF000_0000;
pub(crate) const SECBUFFER_READONLY: u32 = 0x8000_0000;
pub(crate) const SECBUFFER_READONLY_WITH_CHECKSUM: u32 = 0x1000_0000;

pub(crate) const SECPKG_CRED_INBOUND: u32 = 1;
pub(crate) const SECPKG_CRED_OUTBOUND: u32 = 2;

pub(crate) const IDENTITY_ANSI: u32 = 1;
pub(crate) const IDENTITY_UNICODE: u32 = 2;
/// WinPR's: pointers to settings follow the structure.
pub(crate) const IDENTITY_EXTENDED: u32 = 0x100;
/// PROCESS_ENCRYPTED, SYSTEM_PROTECTED, USER_PROTECTED and SYSTEM_ENCRYPTED.
pub(crate) const IDENTITY_ENCRYPTED: u32 = 0xF0;
pub(crate) const IDENTITY_NULL_USER: u32 = 0x20000;
pub(crate) const IDENTITY_NULL_DOMAIN: u32 = 0x40000;
pub(crate) const IDENTITY_VERSION: u32 = 0x200;
pub(crate) const IDENTITY_VERSION_2: u32 = 0x201;

/// "Never", in a TimeStamp.
pub(crate) const NEVER: i64 = 0x7FFF_FFFF_FFFF_FFFF;

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::offset_of;

    const LAYOUT: &str = include_str!("../tests/abi/layout.txt");

    fn number(line: &str) -> Option<usize> {
        LAYOUT.lines().find_map(|found| found.strip_prefix(line)?.parse().ok())
    }

    /// Each structure here, as the header's structures of these names are. `Fields` may have another name there.
    macro_rules! agree {
        ($($rust:ident as $($c:literal)*: $($field:ident $(as $name:literal)?),*;)*) => { $( for c in [$($c),*] {
            assert_eq!(number(&format!("{c} size=")), Some(size_of::<$rust>()), "{c}");
            let mut fields = 0;
            $(
                let name = [$($name,)? stringify!($field)][0];
                assert_eq!(number(&format!("{c}.{name} ")), Some(offset_of!($rust, $field)), "{c}.{name}");
                fields += 1;
            )*
            let of_it = format!("{c}.");
            assert_eq!(LAYOUT.lines().filter(|line| line.starts_with(&of_it)).count(), fields, "fields of {c}");
        })* };
    }

    #[test]
    fn layouts_are_those_of_the_header() {
        agree! {
            SecHandle as "SecHandle": dwLower, dwUpper;
            SecBuffer as "SecBuffer": cbBuffer, BufferType, pvBuffer;
            SecBufferDesc as "SecBufferDesc": ulVersion, cBuffers, pBuffers;
            SecPkgInfo as "SecPkgInfoA" "SecPkgInfoW": fCapabilities, wVersion, wRPCID, cbMaxToken, Name, Comment;
            AuthIdentity as "SEC_WINNT_AUTH_IDENTITY_A" "SEC_WINNT_AUTH_IDENTITY_W":
                User, UserLength, Domain, DomainLength, Password, PasswordLength, Flags;
            AuthIdentityEx as "SEC_WINNT_AUTH_IDENTITY_EXA" "SEC_WINNT_AUTH_IDENTITY_EXW":
                Version, Length, User, UserLength, Domain, DomainLength, Password, PasswordLength, Flags, PackageList,
                PackageListLength;
            AuthIdentityEx2 as "SEC_WINNT_AUTH_IDENTITY_EX2":
                Version, cbHeaderLength, cbStructureLength, UserOffset, UserLength, DomainOffset, DomainLength,
                PackedCredentialsOffset, PackedCredentialsLength, Flags, PackageListOffset, PackageListLength;
            Sizes as "SecPkgContext_Sizes": cbMaxToken, cbMaxSignature, cbBlockSize, cbSecurityTrailer;
            OneString as "SecPkgContext_NamesA" "SecPkgContext_NamesW" "SecPkgCredentials_NamesA"
                "SecPkgCredentials_NamesW": s as "sUserName";
            OneString as "SecPkgContext_AuthorityA" "SecPkgContext_AuthorityW": s as "sAuthorityName";
            OneString as "SecPkgContext_ClientSpecifiedTarget": s as "sTargetName";
            TwoStrings as "SecPkgContext_NativeNamesA" "SecPkgContext_NativeNamesW": sClientName, sServerName;
            KeyInfo as "SecPkgContext_KeyInfoA" "SecPkgContext_KeyInfoW":
                sSignatureAlgorithmName, sEncryptAlgorithmName, KeySize, SignatureAlgorithm, EncryptAlgorithm;
            Lifespan as "SecPkgContext_Lifespan": tsStart, tsExpiry;
            SessionKey as "SecPkgContext_SessionKey": SessionKeyLength, SessionKey;
            PackageInfo as "SecPkgContext_PackageInfoA" "SecPkgContext_PackageInfoW": PackageInfo;
            NegotiationInfo as "SecPkgContext_NegotiationInfoA" "SecPkgContext_NegotiationInfoW":
                PackageInfo, NegotiationState;
            TokenInfo as "PORTCULLIS_TOKEN_INFO": Size, Level, LogonId, User, UserSid, GroupCount, GroupSids;
        }
    }

    /// WinPR's own, which no header of ours has (FreeRDP 3: `winpr/sspi.h`).
    #[test]
    fn settings_of_winpr() {
        assert_eq!(size_of::<WinprNtlmSettings>(), 24);
        assert_eq!(offset_of!(WinprNtlmSettings, samFile), 0);
        assert_eq!(offset_of!(WinprNtlmSettings, hashCallback), 8);
        assert_eq!(offset_of!(WinprNtlmSettings, hashCallbackArg), 16);
        assert_eq!(offset_of!(WinprKerberosSettings, kdcUrl), 0);
        assert_eq!(offset_of!(WinprKerberosSettings, keytab), 8);
        assert_eq!(offset_of!(WinprKerberosSettings, cache), 16);
    }
}
