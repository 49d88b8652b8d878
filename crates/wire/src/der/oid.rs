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
    /// Whether it is what X.690 §8.19 allows, with numbers of 64 bits at most: such an OID and its dotted form say the
    /// same.
    pub fn is_well_formed(&self) -> bool {
        let padded = core::iter::once(&0).chain(self.0).zip(self.0).any(|(last, byte)| *last < 0x80 && *byte == 0x80);
        !self.0.is_empty() && !padded && Arcs(self.0).all(|arc| arc.is_some())
    }

    /// The content bytes of an OID in dotted form; `None` for text that is none.
    ///
    /// ```
    /// use portcullis_wire::der::Oid;
    /// assert_eq!(Oid::parse("2.5.4.3").as_deref(), Some(&[0x55, 4, 3][..]));
    /// assert_eq!(Oid::parse("1.40"), None);
    /// ```
    pub fn parse(text: &str) -> Option<Vec<u8>> {
        let mut arcs = text.split('.').map(number);
        let (top, second) = (arcs.next()??, arcs.next()??);
        if top > 2 || (top < 2 && second >= 40) {
            return None;
        }
        let mut out = Vec::new();
        push_arc((top * 40).checked_add(second)?, &mut out);
        for arc in arcs {
            push_arc(arc?, &mut out);
        }
        Some(out)
    }

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

/// A number in its one form: digits, no sign, no zeros before it.
fn number(digits: &str) -> Option<u64> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    digits.parse().ok().filter(|_| plain)
}

fn push_arc(arc: u64, out: &mut Vec<u8>) {
    let digits = (64 - arc.leading_zeros()).div_ceil(7).max(1);
    for digit in (0..digits).rev() {
        let [byte, ..] = (arc >> (7 * digit)).to_le_bytes();
        out.push(if digit == 0 { byte & 0x7f } else { byte | 0x80 });
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
