use core::fmt;

/// An object identifier: its content bytes, as they stand behind tag and length.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Oid<'a>(pub &'a [u8]);

impl fmt::Display for Oid<'_> {
    /// In dotted form. What is no OID is shown as its bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut arcs = Arcs(self.0);
        match arcs.next() {
            Some(Some(first)) => {
                let top = (first / 40).min(2);
                write!(f, "{top}.{}", first.saturating_sub(top * 40))?;
            }
            _ => return self.hex(f),
        }
        for arc in arcs {
            match arc {
                Some(arc) => write!(f, ".{arc}")?,
                None => f.write_str(".?")?,
            }
        }
        Ok(())
    }
}

impl Oid<'_> {
    fn hex(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0x")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Oid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Oid({self})")
    }
}

/// The numbers of an OID; `None` for one that does not end or is larger than 64 bits.
struct Arcs<'a>(&'a [u8]);

impl Iterator for Arcs<'_> {
    type Item = Option<u64>;

    fn next(&mut self) -> Option<Option<u64>> {
        if self.0.is_empty() {
            return None;
        }
        let mut arc = Some(0u64);
        while let Some((byte, rest)) = self.0.split_first() {
            self.0 = rest;
            arc = arc.and_then(|arc| arc.checked_mul(128)).and_then(|arc| arc.checked_add(u64::from(byte & 0x7f)));
            if byte & 0x80 == 0 {
                return Some(arc);
            }
        }
        Some(None)
    }
}
