//! Security identifiers (MS-DTYP 2.4.2).

use crate::{Error, Kind, Reader};
use std::fmt;
use std::str::FromStr;

/// A security identifier: `S-1-5-21-…`; at most fifteen sub-authorities, held without allocation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sid {
    authority: u64,
    count: u8,
    sub: [u32; Sid::MAX_SUB_AUTHORITIES],
}

impl Sid {
    /// The most sub-authorities that a SID may have.
    pub const MAX_SUB_AUTHORITIES: usize = 15;

    /// The SID of an authority and its sub-authorities, or `None` when there are more than fifteen, or the authority
    /// needs more than 48 bits.
    pub fn new(authority: u64, sub: &[u32]) -> Option<Self> {
        if authority >> 48 != 0 {
            return None;
        }
        let mut held = [0; Self::MAX_SUB_AUTHORITIES];
        held.get_mut(..sub.len())?.copy_from_slice(sub);
        Some(Self { authority, count: u8::try_from(sub.len()).ok()?, sub: held })
    }

    /// A SID known at compile time. More than fifteen sub-authorities do not compile.
    pub const fn well_known<const N: usize>(authority: u64, sub: [u32; N]) -> Self {
        const { assert!(N <= Self::MAX_SUB_AUTHORITIES) }
        let mut held = [0; Self::MAX_SUB_AUTHORITIES];
        held.split_at_mut(N).0.copy_from_slice(&sub);
        Self { authority, count: N as u8, sub: held }
    }

    /// The sub-authorities, in order.
    pub fn sub_authorities(&self) -> &[u32] {
        self.sub.get(..usize::from(self.count)).unwrap_or_default()
    }

    /// This SID with one more sub-authority: a domain's SID and a relative id make an account's. `None` when full.
    pub fn child(&self, rid: u32) -> Option<Self> {
        let mut child = *self;
        *child.sub.get_mut(usize::from(self.count))? = rid;
        child.count += 1;
        Some(child)
    }

    /// The domain's SID and the relative id, or `None` for a SID without sub-authorities.
    pub fn split(&self) -> Option<(Self, u32)> {
        let (&rid, domain) = self.sub_authorities().split_last()?;
        Some((Self::new(self.authority, domain)?, rid))
    }

    /// Reads the binary form; the rest of `reader` is left.
    ///
    /// # Errors
    /// [`Kind::Unexpected`] for another revision than 1, [`Kind::TooLarge`] for more than fifteen sub-authorities,
    /// [`Kind::Truncated`].
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let at = reader.offset();
        if reader.u8("Revision")? != 1 {
            return Err(Error::new(at, "Revision", Kind::Unexpected));
        }
        let count = reader.u8("SubAuthorityCount")?;
        let [a, b, c, d, e, f] = reader.array("IdentifierAuthority")?;
        let mut sub = [0; Self::MAX_SUB_AUTHORITIES];
        let slots = sub.get_mut(..usize::from(count)).ok_or(Error::new(at + 1, "SubAuthorityCount", Kind::TooLarge))?;
        for slot in slots {
            *slot = reader.u32("SubAuthority")?;
        }
        Ok(Self { authority: u64::from_be_bytes([0, 0, a, b, c, d, e, f]), count, sub })
    }

    /// Appends the binary form.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[1, self.count]);
        out.extend(self.authority.to_be_bytes().into_iter().skip(2));
        for sub in self.sub_authorities() {
            out.extend_from_slice(&sub.to_le_bytes());
        }
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.authority >> 32 == 0 {
            write!(f, "S-1-{}", self.authority)?;
        } else {
            write!(f, "S-1-{:#014x}", self.authority)?;
        }
        self.sub_authorities().iter().try_for_each(|sub| write!(f, "-{sub}"))
    }
}

impl fmt::Debug for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not a SID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotASid;

impl fmt::Display for NotASid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a security identifier of the form S-1-5-21-…")
    }
}

impl std::error::Error for NotASid {}

impl FromStr for Sid {
    type Err = NotASid;

    fn from_str(text: &str) -> Result<Self, NotASid> {
        let rest = text.strip_prefix("S-1-").or_else(|| text.strip_prefix("s-1-")).ok_or(NotASid)?;
        let mut parts = rest.split('-');
        let authority = parts.next().ok_or(NotASid)?;
        let authority = match authority.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16),
            None => authority.parse(),
        };
        let sub = parts.map(str::parse).collect::<Result<Vec<u32>, _>>().map_err(|_| NotASid)?;
        Self::new(authority.map_err(|_| NotASid)?, &sub).ok_or(NotASid)
    }
}

/// SIDs that every Windows knows (MS-DTYP 2.4.2.4).
pub mod well_known {
    use super::Sid;

    /// Everyone, S-1-1-0.
    pub const EVERYONE: Sid = Sid::well_known(1, [0]);
    /// NETWORK, S-1-5-2: logged on over the network.
    pub const NETWORK: Sid = Sid::well_known(5, [2]);
    /// ANONYMOUS LOGON, S-1-5-7.
    pub const ANONYMOUS: Sid = Sid::well_known(5, [7]);
    /// Authenticated Users, S-1-5-11.
    pub const AUTHENTICATED_USERS: Sid = Sid::well_known(5, [11]);
    /// This Organization, S-1-5-15.
    pub const THIS_ORGANIZATION: Sid = Sid::well_known(5, [15]);
    /// NTLM Authentication, S-1-5-64-10: the package that logged the user on.
    pub const NTLM_AUTHENTICATION: Sid = Sid::well_known(5, [64, 10]);
    /// SChannel Authentication, S-1-5-64-14: likewise.
    pub const SCHANNEL_AUTHENTICATION: Sid = Sid::well_known(5, [64, 14]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_binary_agree() {
        let sid: Sid = "S-1-5-21-1004336348-1177238915-682003330-512".parse().unwrap();
        let mut bytes = Vec::new();
        sid.encode_into(&mut bytes);
        assert_eq!(bytes.len(), 28);
        assert_eq!(Sid::decode(&mut Reader::new(&bytes)), Ok(sid));
        let (domain, rid) = sid.split().unwrap();
        assert_eq!((domain.to_string().as_str(), rid), ("S-1-5-21-1004336348-1177238915-682003330", 512));
        assert_eq!(domain.child(512), Some(sid));
        assert_eq!(well_known::NTLM_AUTHENTICATION.to_string(), "S-1-5-64-10");
    }

    #[test]
    fn sixteen_sub_authorities_are_refused() {
        assert!(Sid::new(5, &[0; 16]).is_none());
        let mut bytes = vec![1, 16, 0, 0, 0, 0, 0, 5];
        bytes.extend([0; 64]);
        assert_eq!(Sid::decode(&mut Reader::new(&bytes)).unwrap_err().kind, Kind::TooLarge);
        assert!("S-1-5-x".parse::<Sid>().is_err());
    }
}
