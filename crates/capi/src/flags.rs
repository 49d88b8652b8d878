//! ASC_REQ_* and ISC_REQ_* are one set of flags with some bits in other places; the library has the acceptor's.

use library::ContextFlags;

/// Where the initiator's bits differ: its bit, the acceptor's.
const MOVED: [(u32, u32); 6] = [
    (0x0000_4000, 0x0000_8000), // EXTENDED_ERROR
    (0x0000_8000, 0x0001_0000), // STREAM
    (0x0001_0000, 0x0002_0000), // INTEGRITY
    (0x0002_0000, 0x0008_0000), // IDENTIFY
    (0x0004_0000, 0x0010_0000), // NULL_SESSION
    (0x0020_0000, 0x0080_0000), // FRAGMENT_TO_FIT
];

/// Bits that mean the same on both sides: DELEGATE to USE_SESSION_KEY, ALLOCATE_MEMORY to CONNECTION.
const SAME: u32 = 0x0000_0F3F;

/// ISC_REQ_NO_INTEGRITY.
const NO_INTEGRITY: u32 = 0x0080_0000;
/// ISC_REQ_USE_SUPPLIED_CREDS and what it comes to in ISC_RET.
const USE_SUPPLIED_CREDS: u32 = 0x80;

/// ISC_REQ_PROMPT_FOR_CREDS.
pub(crate) const PROMPT_FOR_CREDS: u32 = 0x40;
/// ISC_REQ_MANUAL_CRED_VALIDATION and ISC_RET_MANUAL_CRED_VALIDATION.
pub(crate) const MANUAL_CRED_VALIDATION: u32 = 0x8_0000;

/// ASC_REQ_ALLOCATE_MEMORY, ISC_REQ_ALLOCATE_MEMORY, and both in what is returned.
pub(crate) const ALLOCATE_MEMORY: u32 = 0x100;

/// What a caller asks for.
pub(crate) fn wanted(request: u32, acceptor: bool) -> ContextFlags {
    if acceptor {
        return ContextFlags(request);
    }
    let moved = MOVED.iter().filter(|(ours, _)| request & ours != 0).fold(0, |flags, (_, theirs)| flags | theirs);
    let flags = request & SAME | moved;
    let without = ContextFlags::INTEGRITY.0 * u32::from(request & NO_INTEGRITY != 0);
    ContextFlags(flags & !without)
}

/// What a caller is told of what was granted.
pub(crate) fn granted(flags: ContextFlags, request: u32, acceptor: bool) -> u32 {
    if acceptor {
        return flags.0;
    }
    let moved = MOVED.iter().filter(|(_, theirs)| flags.0 & theirs != 0).fold(0, |flags, (ours, _)| flags | ours);
    // The identity was the caller's: there is no other.
    flags.0 & SAME | moved | request & USE_SUPPLIED_CREDS
}

/// ISC_RET_EXTENDED_ERROR or ASC_RET_EXTENDED_ERROR.
pub(crate) fn extended_error(acceptor: bool) -> u32 {
    granted(ContextFlags::EXTENDED_ERROR, 0, acceptor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_of_initiators() {
        for (isc, flag) in [
            (0x2, ContextFlags::MUTUAL_AUTH),
            (0x10, ContextFlags::CONFIDENTIALITY),
            (0x1_0000, ContextFlags::INTEGRITY),
            (0x4_0000, ContextFlags::NULL_SESSION),
            (0x4000, ContextFlags::EXTENDED_ERROR),
            (0x20_0000, ContextFlags::FRAGMENT_TO_FIT),
        ] {
            assert_eq!(wanted(isc, false), flag, "{isc:#x}");
            assert_eq!(granted(flag, 0, false), isc, "{isc:#x}");
        }
        // What is an initiator's alone reaches nothing of the acceptor's: 0x10000000 is ALLOW_MISSING_BINDINGS there.
        assert_eq!(wanted(0xF7C8_00C0 & !NO_INTEGRITY, false), ContextFlags::NONE);
        assert_eq!(wanted(0x81_0010, false), ContextFlags::CONFIDENTIALITY);
        assert_eq!(wanted(0x1234_5678, true).0, 0x1234_5678);
    }
}
