//! What a session's flags come to, on either side.

use super::keys::KeyStrength;
use crate::{ContextFlags, KeyInfo, Sizes, package};
use portcullis_wire::ntlm::{Flags, Version};

/// The version that messages show to people who debug: Windows 10 and its NTLM revision.
pub(super) const VERSION: Version = Version { major: 10, minor: 0, build: 17763, revision: 15 };

pub(super) const SIZES: Sizes =
    Sizes { max_token: package::NTLM.max_token, max_signature: 16, block_size: 0, security_trailer: 16 };

/// Whether the session key comes from the client: KEY_EXCHANGE counts only with SIGN or SEAL.
pub(super) fn has_exchanged_key(flags: Flags) -> bool {
    flags.contains(Flags::KEY_EXCHANGE) && flags.intersects(Flags::SIGN | Flags::SEAL)
}

/// What negotiated flags grant, on either side.
pub(super) fn granted(flags: Flags) -> ContextFlags {
    let integrity = ContextFlags::INTEGRITY | ContextFlags::REPLAY_DETECT | ContextFlags::SEQUENCE_DETECT;
    ContextFlags::CONNECTION
        // A sealed message carries a signature whether or not SIGN was asked for.
        .with(integrity, flags.intersects(Flags::SIGN | Flags::SEAL))
        .with(ContextFlags::CONFIDENTIALITY, flags.contains(Flags::SEAL))
        .with(ContextFlags::IDENTIFY, flags.contains(Flags::IDENTIFY))
}

/// SecPkgContext_KeyInfo of a session with these flags.
pub(super) fn key_info(flags: Flags) -> KeyInfo {
    // The names and numbers that Windows shows: KERB_CHECKSUM_HMAC_MD5 and its RC4-CRC32 neighbour, CALG_RC4.
    let (signature_algorithm, signature_id) = match flags.contains(Flags::EXTENDED_SESSION_SECURITY) {
        true => ("HMAC-MD5", -138),
        false => ("RSADSI RC4-CRC32", -132),
    };
    let key_bits = match flags.contains(Flags::EXTENDED_SESSION_SECURITY) {
        true => KeyStrength::of(flags).bits(),
        false => KeyStrength::Bits128.bits(), // without ESS the whole session key is used (MS-NLMP 3.4.5.3)
    };
    KeyInfo {
        signature_algorithm,
        encrypt_algorithm: "RSADSI RC4",
        key_bits: key_bits.into(),
        signature_id,
        encrypt_id: 0x6801,
    }
}
