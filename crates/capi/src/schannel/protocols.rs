//! SEC_APPLICATION_PROTOCOLS: the names of application protocols (ALPN) that a call brings.

use crate::abi::SecBuffer;
use crate::code::Code;
use std::sync::Arc;

/// Names of application protocols, the most wanted first.
pub(crate) type Protocols = Arc<[Vec<u8>]>;

/// SecApplicationProtocolNegotiationExt_ALPN.
const ALPN: u32 = 2;

/// What a buffer of SECBUFFER_APPLICATION_PROTOCOLS says; `None` where it has no list of this extension.
///
/// # Safety
/// The buffer is as it says.
pub(crate) unsafe fn read(buffer: &SecBuffer) -> Result<Option<Protocols>, Code> {
    // SAFETY: as the caller says.
    let parsed = parse(unsafe { buffer.bytes() }).ok_or(Code::INVALID_TOKEN)?;
    Ok((!parsed.is_empty()).then(|| parsed.into()))
}

/// A length, then lists back to back: extension (32 bits), length (16 bits), names behind a byte of length each.
fn parse(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (len, rest) = bytes.split_first_chunk()?;
    let mut lists = rest.get(..u32::from_le_bytes(*len) as usize)?;
    let mut found = Vec::new();
    while !lists.is_empty() {
        let (extension, rest) = lists.split_first_chunk()?;
        let (len, rest) = rest.split_first_chunk()?;
        let (mut names, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*len)))?;
        lists = rest;
        while let Some((len, rest)) = names.split_first() {
            let (name, rest) = rest.split_at_checked(usize::from(*len)).filter(|(name, _)| !name.is_empty())?;
            names = rest;
            if u32::from_le_bytes(*extension) == ALPN {
                found.push(name.to_vec());
            }
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(extension: u8, names: &[u8]) -> Vec<u8> {
        [&[extension, 0, 0, 0, names.len() as u8, 0], names].concat()
    }

    fn lists(all: &[Vec<u8>]) -> Vec<u8> {
        let all = all.concat();
        [&(all.len() as u32).to_le_bytes()[..], &all].concat()
    }

    #[test]
    fn names_of_one_extension() {
        let given = lists(&[list(1, b"\x03npn"), list(2, b"\x02h2\x08http/1.1"), list(2, b"\x01x")]);
        assert_eq!(parse(&given).unwrap(), [&b"h2"[..], b"http/1.1", b"x"]);
        assert_eq!(parse(&[&given[..], b"behind it"].concat()).unwrap().len(), 3);
        for len in 0..given.len() {
            assert!(parse(&given[..len]).is_none(), "{len}");
        }
        assert_eq!(parse(&[0; 4]), Some(vec![]));
        for bad in [&b"\x00"[..], b"\x03h2", b"\x02h2\x00"] {
            assert!(parse(&lists(&[list(2, bad)])).is_none(), "{bad:?}");
        }
    }
}
