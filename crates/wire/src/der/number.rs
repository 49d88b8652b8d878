use super::{Der, tag};
use crate::{Error, Kind};

impl<'a> Der<'a> {
    /// The next value, an INTEGER of at most 32 bits with its sign.
    ///
    /// # Errors
    /// As [`integer`](Self::integer); [`Kind::TooLarge`] for one of more bits.
    pub fn int32(&mut self, field: &'static str) -> Result<i32, Error> {
        let at = self.offset();
        i32::try_from(self.int64(field)?).map_err(|_| Error::new(at, field, Kind::TooLarge))
    }

    /// The next value, an INTEGER of at most 32 bits without a sign. A negative one of 32 bits is read as the number
    /// that its two's complement makes: there are peers that write sequence numbers and key versions so.
    ///
    /// # Errors
    /// As [`integer`](Self::integer); [`Kind::TooLarge`] for one of more bits.
    pub fn uint32(&mut self, field: &'static str) -> Result<u32, Error> {
        let at = self.offset();
        let number = self.int64(field)?;
        let wrapped = i32::try_from(number).map(i32::cast_unsigned);
        wrapped.or_else(|_| u32::try_from(number)).map_err(|_| Error::new(at, field, Kind::TooLarge))
    }

    /// The next value, a BIT STRING: its first 32 bits, the first of them the most significant. What a shorter one
    /// leaves out is zero; what stands behind is left aside (RFC 4120 §5.2.8).
    ///
    /// # Errors
    /// As [`take`](Self::take); [`Kind::Unexpected`] where more bits are unused than there are in a byte, or one of
    /// them is set; [`Kind::WrongLength`] where there is no count of them.
    pub fn bits32(&mut self, field: &'static str) -> Result<u32, Error> {
        let at = self.offset();
        let (unused, bits) =
            self.bytes(tag::BIT_STRING, field)?.split_first().ok_or(Error::new(at, field, Kind::WrongLength))?;
        let last = bits.last().copied().unwrap_or(0);
        // Of no bits none can be unused.
        let most = if bits.is_empty() { 0 } else { 7 };
        if *unused > most || last & ((1 << unused) - 1) != 0 {
            return Err(Error::new(at, field, Kind::Unexpected));
        }
        let mut word = [0; 4];
        for (to, from) in word.iter_mut().zip(bits) {
            *to = *from;
        }
        Ok(u32::from_be_bytes(word))
    }

    /// What `read` makes of the one value in the explicit tag `[number]`, which comes next.
    ///
    /// # Errors
    /// As [`take`](Self::take) and `read`; [`Kind::Unexpected`] at bytes that `read` leaves.
    pub fn explicit<T>(
        &mut self,
        number: u8,
        field: &'static str,
        read: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut inner = self.take(tag::context(number), field)?;
        let value = read(&mut inner)?;
        inner.finish(field).map(|()| value)
    }

    /// The same where the tag may be absent.
    ///
    /// # Errors
    /// As [`explicit`](Self::explicit), but for another tag.
    pub fn optional_explicit<T>(
        &mut self,
        number: u8,
        field: &'static str,
        read: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        if self.peek() == Some(tag::context(number)) { self.explicit(number, field, read).map(Some) } else { Ok(None) }
    }

    fn int64(&mut self, field: &'static str) -> Result<i64, Error> {
        let at = self.offset();
        let bytes = self.integer(field)?;
        if bytes.len() > 8 {
            return Err(Error::new(at, field, Kind::TooLarge));
        }
        let sign = if bytes.first().is_some_and(|first| *first >= 0x80) { -1 } else { 0 };
        Ok(bytes.iter().fold(sign, |number, byte| number << 8 | i64::from(*byte)))
    }
}
