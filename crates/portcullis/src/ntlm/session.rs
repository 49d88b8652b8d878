//! What a session's flags come to, on either side.

use super::keys::KeyStrength;
use crate::{ContextFlags, KeyInfo, Sizes, Wants, package};
use portcullis_wire::ntlm::{Flags, Version};

/// The version that messages show to people who debug: Windows 10 and its NTLM revision.
pub(super) const VERSION: Version = Version { major: 10, minor: 0, build: 17763, revision: 15 };

/// What stands for the form of a proof where there is none.
pub(crate) const ANONYMOUS: &str = "anonymous";

pub(super) const SIZES: Sizes =
    Sizes { max_token: package::NTLM.max_token, max_signature: 16, block_size: 0, security_trailer: 16 };

/// Whether the session key comes from the client: KEY_EXCHANGE counts only with SIGN or SEAL.
pub(super) fn has_exchanged_key(flags: Flags) -> bool {
    flags.contains(Flags::KEY_EXCHANGE) && flags.intersects(Flags::SIGN | Flags::SEAL)
}

/// What negotiated flags grant, on either side.
pub(super) fn granted(flags: Flags, want: &Wants) -> ContextFlags {
    let integrity = ContextFlags::INTEGRITY | ContextFlags::REPLAY_DETECT | ContextFlags::SEQUENCE_DETECT;
    always(want)
        // A sealed message carries a signature whether or not SIGN was asked for.
        .with(integrity, flags.intersects(Flags::SIGN | Flags::SEAL))
        .with(ContextFlags::CONFIDENTIALITY, flags.contains(Flags::SEAL))
        .with(ContextFlags::IDENTIFY, flags.contains(Flags::IDENTIFY))
}

/// What a client without a name is granted, on either side.
pub(super) fn granted_anonymous(want: &Wants) -> ContextFlags {
    always(want) | ContextFlags::NULL_SESSION
}

/// What is granted whoever the client is. DCE style is there for whoever wants it: the exchange has three legs anyway,
/// and messages may come in the pieces that DCE lays out.
fn always(want: &Wants) -> ContextFlags {
    ContextFlags::CONNECTION | want.all() & ContextFlags::USE_DCE_STYLE
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
