//! What a caller says in pAuthData: SCHANNEL_CRED or SCH_CREDENTIALS.

use super::layout::{CryptoSettings, SchCredentials, SchannelCred, TlsParameters, UnicodeString};
use super::renewal;
use crate::code::Code;
use crate::crypt::{self, CertContext, Held};
use crate::text::{Charset as _, Wide};
use library::TlsVersion;
use std::ffi::c_void;
use std::time::Duration;

/// SCH_CRED_… and SCH_….
pub(super) mod flag {
    pub(crate) const NO_SYSTEM_MAPPER: u32 = 0x2;
    pub(crate) const MANUAL_CRED_VALIDATION: u32 = 0x8;
    pub(crate) const DISABLE_RECONNECTS: u32 = 0x80;
    pub(crate) const REVOCATION_CHECK_END_CERT: u32 = 0x100;
    pub(crate) const REVOCATION_CHECK_CHAIN: u32 = 0x200;
    pub(crate) const REVOCATION_CHECK_CHAIN_EXCLUDE_ROOT: u32 = 0x400;
    pub(crate) const IGNORE_NO_REVOCATION_CHECK: u32 = 0x800;
    pub(crate) const IGNORE_REVOCATION_OFFLINE: u32 = 0x1000;
    pub(crate) const USE_PRESHAREDKEY_ONLY: u32 = 0x80_0000;
    pub(crate) const USE_DTLS_ONLY: u32 = 0x100_0000;
}

/// SCHANNEL_CRED_VERSION and SCH_CREDENTIALS_VERSION.
const OLD: u32 = 4;
const NEW: u32 = 5;

/// SCH_CRED_MAX_SUPPORTED_CERTS.
const MOST_CERTIFICATES: u32 = 100;
/// More sets of parameters, and more algorithms in one, than the documents allow or anybody names.
const MOST_PARAMETERS: u32 = 16;
const MOST_ALGORITHMS: u32 = 256;

/// TLS_PARAMS_OPTIONAL.
const OPTIONAL: u32 = 1;

/// What a caller asks of a credential.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) certificates: Vec<Held>,
    /// hRootStore's.
    pub(super) roots: Option<Vec<Vec<u8>>>,
    /// SP_PROT_…; none means all.
    pub(super) enabled: u32,
    pub(super) disabled: u32,
    /// How long a session may be resumed.
    pub(super) lifespan: Option<Duration>,
    pub(super) flags: u32,
}

/// What stands at pAuthData.
///
/// # Safety
/// `at` points to such a structure, and its pointers hold. A certificate and a store are looked up and not followed.
pub(super) unsafe fn read(at: *const c_void) -> Result<Asked, Code> {
    // SAFETY: as the caller says: both begin with their version.
    match unsafe { at.cast::<u32>().read_unaligned() } {
        OLD => {
            // SAFETY: as the caller says.
            let given = unsafe { at.cast::<SchannelCred>().read_unaligned() };
            strengths(given.dwMinimumCipherStrength, given.dwMaximumCipherStrength)?;
            // SAFETY: as the caller says.
            unsafe { algorithms(given.palgSupportedAlgs, given.cSupportedAlgs) }?;
            // SAFETY: as the caller says.
            let certificates = unsafe { certificates(given.paCred, given.cCreds, given.dwCredFormat) }?;
            asked(certificates, given.hRootStore, given.dwSessionLifespan, given.dwFlags)
                .map(|asked| Asked { enabled: given.grbitEnabledProtocols, ..asked })
        }
        NEW => {
            // SAFETY: as the caller says.
            let given = unsafe { at.cast::<SchCredentials>().read_unaligned() };
            // SAFETY: as the caller says.
            let certificates = unsafe { certificates(given.paCred, given.cCreds, given.dwCredFormat) }?;
            let asked = asked(certificates, given.hRootStore, given.dwSessionLifespan, given.dwFlags)?;
            // SAFETY: as the caller says.
            let disabled = unsafe { disabled(given.pTlsParameters, given.cTlsParameters) }?;
            Ok(Asked { disabled, ..asked })
        }
        version => {
            tracing::error!(version, "pAuthData is neither SCHANNEL_CRED (4) nor SCH_CREDENTIALS (5)");
            Err(Code::UNKNOWN_CREDENTIALS)
        }
    }
}

fn asked(certificates: Vec<Held>, roots: *mut c_void, lifespan: u32, flags: u32) -> Result<Asked, Code> {
    if flags & (flag::USE_PRESHAREDKEY_ONLY | flag::USE_DTLS_ONLY) != 0 {
        tracing::error!("neither DTLS nor keys that both sides have beforehand are supported");
        return Err(Code::UNSUPPORTED_FUNCTION);
    }
    let roots = if roots.is_null() { None } else { Some(crypt::store(roots)?) };
    let lifespan = (lifespan != 0).then(|| Duration::from_millis(u64::from(lifespan)));
    Ok(Asked { certificates, roots, lifespan, flags, ..Asked::default() })
}

/// # Safety
/// As many pointers stand there.
unsafe fn certificates(at: *const *const CertContext, count: u32, format: u32) -> Result<Vec<Held>, Code> {
    if format != 0 || count > MOST_CERTIFICATES || (count > 0 && at.is_null()) {
        tracing::error!(format, count, "certificates are taken as PCCERT_CONTEXT (dwCredFormat 0), at most 100");
        return Err(Code::UNKNOWN_CREDENTIALS);
    }
    // SAFETY: as the caller says.
    let pointers = (0..count as usize).map(|number| unsafe { at.add(number).read_unaligned() });
    pointers.map(crypt::certificate).collect()
}

/// ALG_CLASS_DATA_ENCRYPT.
const CIPHERS: u32 = 3 << 13;

/// GET_ALG_CLASS.
fn class(id: u32) -> u32 {
    id & (7 << 13)
}

/// A list of algorithms may name more than there is, and none that is here may be left out: which suites are spoken is not for
/// choice.
///
/// # Safety
/// `at` is null or has `count` numbers.
unsafe fn algorithms(at: *const u32, count: u32) -> Result<(), Code> {
    if count == 0 {
        return Ok(());
    }
    if at.is_null() || count > MOST_ALGORITHMS {
        tracing::error!(count, "palgSupportedAlgs is null, or too many");
        return Err(Code::UNKNOWN_CREDENTIALS);
    }
    // SAFETY: as the caller says.
    let named: Vec<u32> = (0..count as usize).map(|n| unsafe { at.add(n).read_unaligned() }).collect();
    // Ciphers are meant in any case, hashes and what is done with keys where one of them is named.
    let is_meant = |id: u32| class(id) == CIPHERS || named.iter().any(|named| class(*named) == class(id));
    if renewal::algorithms().iter().all(|id| named.contains(id) || !is_meant(*id)) {
        return Ok(());
    }
    tracing::error!(
        "palgSupportedAlgs leaves out an algorithm that is spoken here; suites are not for choice: leave the list empty, or \
         take what SECPKG_ATTR_SUPPORTED_ALGS answers"
    );
    Err(Code(library::Status::SEC_E_ALGORITHM_MISMATCH.0))
}

/// Ciphers of 128 bits and more are what there is, and none of them can be left out.
fn strengths(least: u32, most: u32) -> Result<(), Code> {
    const WEAKEST: u32 = 128;
    if least > WEAKEST || (most != 0 && most < WEAKEST) {
        tracing::error!(
            least,
            most,
            "the strengths of ciphers leave out some of 128 to 256 bits, which is not supported"
        );
        return Err(Code(library::Status::SEC_E_ALGORITHM_MISMATCH.0));
    }
    Ok(())
}

/// The versions that some set of parameters turns off. One set is for some application protocols alone; which of them
/// will be spoken is not known when versions are chosen, so that it counts for all.
///
/// # Safety
/// As many structures stand there.
unsafe fn disabled(at: *const TlsParameters, count: u32) -> Result<u32, Code> {
    if count > MOST_PARAMETERS || (count > 0 && at.is_null()) {
        return Err(Code::UNKNOWN_CREDENTIALS);
    }
    let mut versions = 0;
    for number in 0..count as usize {
        // SAFETY: as the caller says.
        let parameters = unsafe { at.add(number).read_unaligned() };
        versions |= parameters.grbitDisabledProtocols;
        if parameters.dwFlags & OPTIONAL == 0 {
            // SAFETY: as the caller says.
            unsafe { check_algorithms(parameters.pDisabledCrypto, parameters.cDisabledCrypto) }?;
        }
    }
    Ok(versions)
}

/// The algorithms that are always on, by their names in CNG.
const ALWAYS_ON: [&str; 9] =
    ["AES", "CHACHA20_POLY1305", "SHA256", "SHA384", "SHA512", "ECDH", "ECDHE", "ECDSA", "RSA"];

/// Refuses to turn off what cannot be; what is not there anyway may be named.
///
/// # Safety
/// As many structures stand there.
unsafe fn check_algorithms(at: *const CryptoSettings, count: u32) -> Result<(), Code> {
    if count > MOST_ALGORITHMS || (count > 0 && at.is_null()) {
        return Err(Code::UNKNOWN_CREDENTIALS);
    }
    for number in 0..count as usize {
        // SAFETY: as the caller says.
        let settings = unsafe { at.add(number).read_unaligned() };
        // SAFETY: as the caller says.
        let name = unsafe { text(&settings.strCngAlgId) }?;
        // A cipher may be named for some of its modes alone, of which only GCM is on.
        // SAFETY: as the caller says.
        let modes = unsafe { modes(&settings) }?;
        let is_on = modes.is_empty() || modes.iter().any(|mode| mode == "ChainingModeGCM");
        if is_on && ALWAYS_ON.contains(&name.as_str()) {
            tracing::error!(name, "an algorithm is to be turned off that cannot be");
            return Err(Code::UNSUPPORTED_FUNCTION);
        }
    }
    Ok(())
}

/// # Safety
/// As many strings stand there.
unsafe fn modes(settings: &CryptoSettings) -> Result<Vec<String>, Code> {
    let (at, count) = (settings.rgstrChainingModes, settings.cChainingModes);
    if count > MOST_PARAMETERS || (count > 0 && at.is_null()) {
        return Err(Code::UNKNOWN_CREDENTIALS);
    }
    // SAFETY: as the caller says.
    (0..count as usize).map(|number| unsafe { text(&at.add(number).read_unaligned()) }).collect()
}

/// # Safety
/// It is as long as it says.
unsafe fn text(string: &UnicodeString) -> Result<String, Code> {
    // SAFETY: as the caller says.
    unsafe { Wide::read_counted(string.Buffer.cast(), u32::from(string.Length) / 2) }
}

/// SP_PROT_TLS1_2_SERVER and _CLIENT, SP_PROT_TLS1_3_SERVER and _CLIENT.
const BITS: [(TlsVersion, u32, u32); 2] = [(TlsVersion::Tls12, 0x400, 0x800), (TlsVersion::Tls13, 0x1000, 0x2000)];

/// The bit of a version on one side.
pub(super) fn bit(version: TlsVersion, acceptor: bool) -> u32 {
    let found = BITS.iter().find(|(of, ..)| *of == version);
    found.map_or(0, |(_, server, client)| if acceptor { *server } else { *client })
}

/// The versions that a caller's bits leave; none enabled means all.
pub(super) fn versions(enabled: u32, disabled: u32, acceptor: bool) -> Result<Vec<TlsVersion>, Code> {
    let is_left = |version: &TlsVersion| {
        let bit = bit(*version, acceptor);
        (enabled == 0 || enabled & bit != 0) && disabled & bit == 0
    };
    let left: Vec<_> = BITS.iter().map(|(version, ..)| *version).filter(is_left).collect();
    if left.is_empty() {
        tracing::error!(enabled, disabled, "no version of TLS is left: 1.2 and 1.3 are known, older ones are not");
        return Err(Code(library::Status::SEC_E_ALGORITHM_MISMATCH.0));
    }
    Ok(left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use TlsVersion::{Tls12, Tls13};

    #[test]
    fn versions_of_bits() {
        let mismatch = Code(0x8009_0331);
        for (enabled, disabled, acceptor, expected) in [
            (0, 0, true, Ok(vec![Tls12, Tls13])),
            (0xC00, 0, true, Ok(vec![Tls12])),
            (0xC00, 0, false, Ok(vec![Tls12])),
            (0x3000, 0, false, Ok(vec![Tls13])),
            (0x400, 0, false, Err(mismatch)),
            (0x3C0, 0, true, Err(mismatch)),
            (0xFFFF_FFFF, 0, true, Ok(vec![Tls12, Tls13])),
            (0, 0x3000, true, Ok(vec![Tls12])),
            (0, 0x2000, true, Ok(vec![Tls12, Tls13])),
            (0, 0xFFFF_FFFF, true, Err(mismatch)),
        ] {
            assert_eq!(versions(enabled, disabled, acceptor), expected, "{enabled:#x} {disabled:#x} {acceptor}");
        }
    }

    #[test]
    fn strengths_that_leave_something_out() {
        assert!(strengths(0, 0).is_ok() && strengths(128, 256).is_ok() && strengths(0, 128).is_ok());
        assert!(strengths(256, 0).is_err() && strengths(0, 56).is_err() && strengths(u32::MAX, u32::MAX).is_err());
    }
}
