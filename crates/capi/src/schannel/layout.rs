//! The structures of Schannel, as C lays them out. Their sizes and offsets are those of `sspi.h` (the tests below).
#![allow(missing_docs, non_snake_case, reason = "names and fields are those of sspi.h")]

use crate::crypt::CertContext;
use std::ffi::c_void;

/// SCHANNEL_CRED.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct SchannelCred {
    pub(crate) dwVersion: u32,
    pub(crate) cCreds: u32,
    pub(crate) paCred: *const *const CertContext,
    pub(crate) hRootStore: *mut c_void,
    pub(crate) cMappers: u32,
    pub(crate) aphMappers: *mut c_void,
    pub(crate) cSupportedAlgs: u32,
    pub(crate) palgSupportedAlgs: *const u32,
    pub(crate) grbitEnabledProtocols: u32,
    pub(crate) dwMinimumCipherStrength: u32,
    pub(crate) dwMaximumCipherStrength: u32,
    pub(crate) dwSessionLifespan: u32,
    pub(crate) dwFlags: u32,
    pub(crate) dwCredFormat: u32,
}

/// SCH_CREDENTIALS.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct SchCredentials {
    pub(crate) dwVersion: u32,
    pub(crate) dwCredFormat: u32,
    pub(crate) cCreds: u32,
    pub(crate) paCred: *const *const CertContext,
    pub(crate) hRootStore: *mut c_void,
    pub(crate) cMappers: u32,
    pub(crate) aphMappers: *mut c_void,
    pub(crate) dwSessionLifespan: u32,
    pub(crate) dwFlags: u32,
    pub(crate) cTlsParameters: u32,
    pub(crate) pTlsParameters: *const TlsParameters,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct TlsParameters {
    pub(crate) cAlpnIds: u32,
    pub(crate) rgstrAlpnIds: *const UnicodeString,
    pub(crate) grbitDisabledProtocols: u32,
    pub(crate) cDisabledCrypto: u32,
    pub(crate) pDisabledCrypto: *const CryptoSettings,
    pub(crate) dwFlags: u32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct CryptoSettings {
    pub(crate) eAlgorithmUsage: u32,
    pub(crate) strCngAlgId: UnicodeString,
    pub(crate) cChainingModes: u32,
    pub(crate) rgstrChainingModes: *const UnicodeString,
    pub(crate) dwMinBitLength: u32,
    pub(crate) dwMaxBitLength: u32,
}

/// UNICODE_STRING: lengths in bytes.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct UnicodeString {
    pub(crate) Length: u16,
    pub(crate) MaximumLength: u16,
    pub(crate) Buffer: *const u16,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct StreamSizes {
    pub(crate) cbHeader: u32,
    pub(crate) cbTrailer: u32,
    pub(crate) cbMaximumMessage: u32,
    pub(crate) cBuffers: u32,
    pub(crate) cbBlockSize: u32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct ProtoInfo {
    pub(crate) sProtocolName: *mut c_void,
    pub(crate) majorVersion: u32,
    pub(crate) minorVersion: u32,
}

/// SecPkgContext_Bindings, SecPkgContext_KeyingMaterial, SecPkgCred_SupportedAlgs and SecPkgCredentials_Cert: so many, and where.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Counted {
    pub(crate) count: u32,
    pub(crate) at: *mut u8,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct ApplicationProtocol {
    pub(crate) ProtoNegoStatus: u32,
    pub(crate) ProtoNegoExt: u32,
    pub(crate) ProtocolIdSize: u8,
    pub(crate) ProtocolId: [u8; 255],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct ConnectionInfo {
    pub(crate) dwProtocol: u32,
    pub(crate) aiCipher: u32,
    pub(crate) dwCipherStrength: u32,
    pub(crate) aiHash: u32,
    pub(crate) dwHashStrength: u32,
    pub(crate) aiExch: u32,
    pub(crate) dwExchStrength: u32,
}

/// A text in place, with its end.
pub(crate) type Text = [u16; 64];

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct ConnectionInfoEx {
    pub(crate) dwVersion: u32,
    pub(crate) dwProtocol: u32,
    pub(crate) szCipher: Text,
    pub(crate) dwCipherStrength: u32,
    pub(crate) szHash: Text,
    pub(crate) dwHashStrength: u32,
    pub(crate) szExchange: Text,
    pub(crate) dwExchStrength: u32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct CipherInfo {
    pub(crate) dwVersion: u32,
    pub(crate) dwProtocol: u32,
    pub(crate) dwCipherSuite: u32,
    pub(crate) dwBaseCipherSuite: u32,
    pub(crate) szCipherSuite: Text,
    pub(crate) szCipher: Text,
    pub(crate) dwCipherLen: u32,
    pub(crate) dwCipherBlockLen: u32,
    pub(crate) szHash: Text,
    pub(crate) dwHashLen: u32,
    pub(crate) szExchange: Text,
    pub(crate) dwMinExchangeLen: u32,
    pub(crate) dwMaxExchangeLen: u32,
    pub(crate) szCertificate: Text,
    pub(crate) dwKeyType: u32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct SessionInfo {
    pub(crate) dwFlags: u32,
    pub(crate) cbSessionId: u32,
    pub(crate) rgbSessionId: [u8; 32],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Certificates {
    pub(crate) cCertificates: u32,
    pub(crate) cbCertificateChain: u32,
    pub(crate) pbCertificateChain: *mut u8,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct KeyingMaterialInfo {
    pub(crate) cbLabel: u16,
    pub(crate) pszLabel: *const u8,
    pub(crate) cbContextValue: u16,
    pub(crate) pbContextValue: *const u8,
    pub(crate) cbKeyingMaterial: u32,
}

/// SecPkgContext_KeyingMaterial_Inproc.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct KeyingMaterialInproc {
    pub(crate) cbLabel: u16,
    pub(crate) pszLabel: *const u8,
    pub(crate) cbContextValue: u16,
    pub(crate) pbContextValue: *const u8,
    pub(crate) cbKeyingMaterial: u32,
    pub(crate) pbKeyingMaterial: *mut u8,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct CipherStrengths {
    pub(crate) dwMinimumCipherStrength: u32,
    pub(crate) dwMaximumCipherStrength: u32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct SessionTicketKey {
    pub(crate) TicketInfoVersion: u32,
    pub(crate) KeyId: [u8; 16],
    pub(crate) KeyingMaterial: [u8; 64],
    pub(crate) KeyingMaterialSize: u8,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct SessionTicketKeys {
    pub(crate) cSessionTicketKeys: u32,
    pub(crate) pSessionTicketKeys: *const SessionTicketKey,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::offset_of;

    const LAYOUT: &str = include_str!("../../tests/abi/layout.txt");

    fn number(line: &str) -> Option<usize> {
        LAYOUT.lines().find_map(|found| found.strip_prefix(line)?.parse().ok())
    }

    /// As `crate::abi`'s tests do it.
    macro_rules! agree {
        ($($rust:ident as $($c:literal)*: $($field:ident $(as $name:literal)?),*;)*) => { $( for c in [$($c),*] {
            assert_eq!(number(&format!("{c} size=")), Some(size_of::<$rust>()), "{c}");
            $(
                let name = [$($name,)? stringify!($field)][0];
                assert_eq!(number(&format!("{c}.{name} ")), Some(offset_of!($rust, $field)), "{c}.{name}");
            )*
        })* };
    }

    #[test]
    fn layouts_are_those_of_the_header() {
        agree! {
            SchannelCred as "SCHANNEL_CRED": dwVersion, cCreds, paCred, hRootStore, cMappers, aphMappers,
                cSupportedAlgs, palgSupportedAlgs, grbitEnabledProtocols, dwMinimumCipherStrength,
                dwMaximumCipherStrength, dwSessionLifespan, dwFlags, dwCredFormat;
            SchCredentials as "SCH_CREDENTIALS": dwVersion, dwCredFormat, cCreds, paCred, hRootStore, cMappers,
                aphMappers, dwSessionLifespan, dwFlags, cTlsParameters, pTlsParameters;
            TlsParameters as "TLS_PARAMETERS": cAlpnIds, rgstrAlpnIds, grbitDisabledProtocols, cDisabledCrypto,
                pDisabledCrypto, dwFlags;
            CryptoSettings as "CRYPTO_SETTINGS": eAlgorithmUsage, strCngAlgId, cChainingModes, rgstrChainingModes,
                dwMinBitLength, dwMaxBitLength;
            UnicodeString as "UNICODE_STRING": Length, MaximumLength, Buffer;
            StreamSizes as "SecPkgContext_StreamSizes": cbHeader, cbTrailer, cbMaximumMessage, cBuffers, cbBlockSize;
            ProtoInfo as "SecPkgContext_ProtoInfoA" "SecPkgContext_ProtoInfoW":
                sProtocolName, majorVersion, minorVersion;
            Counted as "SecPkgContext_Bindings": count as "BindingsLength", at as "Bindings";
            Counted as "SecPkgContext_KeyingMaterial": count as "cbKeyingMaterial", at as "pbKeyingMaterial";
            Counted as "SecPkgCred_SupportedAlgs": count as "cSupportedAlgs", at as "palgSupportedAlgs";
            Counted as "SecPkgCredentials_Cert": count as "EncodedCertSize", at as "EncodedCert";
            ApplicationProtocol as "SecPkgContext_ApplicationProtocol":
                ProtoNegoStatus, ProtoNegoExt, ProtocolIdSize, ProtocolId;
            ConnectionInfo as "SecPkgContext_ConnectionInfo": dwProtocol, aiCipher, dwCipherStrength, aiHash,
                dwHashStrength, aiExch, dwExchStrength;
            ConnectionInfoEx as "SecPkgContext_ConnectionInfoEx": dwVersion, dwProtocol, szCipher, dwCipherStrength,
                szHash, dwHashStrength, szExchange, dwExchStrength;
            CipherInfo as "SecPkgContext_CipherInfo": dwVersion, dwProtocol, dwCipherSuite, dwBaseCipherSuite,
                szCipherSuite, szCipher, dwCipherLen, dwCipherBlockLen, szHash, dwHashLen, szExchange, dwMinExchangeLen,
                dwMaxExchangeLen, szCertificate, dwKeyType;
            SessionInfo as "SecPkgContext_SessionInfo": dwFlags, cbSessionId, rgbSessionId;
            Certificates as "SecPkgContext_Certificates": cCertificates, cbCertificateChain, pbCertificateChain;
            KeyingMaterialInfo as "SecPkgContext_KeyingMaterialInfo": cbLabel, pszLabel, cbContextValue,
                pbContextValue, cbKeyingMaterial;
            KeyingMaterialInproc as "SecPkgContext_KeyingMaterial_Inproc": cbLabel, pszLabel, cbContextValue,
                pbContextValue, cbKeyingMaterial, pbKeyingMaterial;
            CipherStrengths as "SecPkgCred_CipherStrengths": dwMinimumCipherStrength, dwMaximumCipherStrength;
            SessionTicketKey as "SecPkgCred_SessionTicketKey": TicketInfoVersion, KeyId, KeyingMaterial,
                KeyingMaterialSize;
            SessionTicketKeys as "SecPkgCred_SessionTicketKeys": cSessionTicketKeys, pSessionTicketKeys;
        }
    }
}
