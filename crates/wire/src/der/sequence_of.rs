use super::{Der, tag, tlv};
use crate::{Error, Kind};
use core::fmt;
use core::marker::PhantomData;

/// What a SEQUENCE OF holds.
pub trait Element<'a>: Sized {
    /// The list's name, for errors.
    const LIST: &'static str;
    /// The most that a list may hold; longer ones are refused.
    const MOST: usize;

    /// Reads the element that `der` stands at.
    ///
    /// # Errors
    /// With the offset and the field that is wrong.
    fn read(der: &mut Der<'a>) -> Result<Self, Error>;

    /// Appends the element.
    fn write(&self, out: &mut Vec<u8>);
}

/// A SEQUENCE OF whose elements were all read once: they are read again, without a copy, where they are wanted.
pub struct SequenceOf<'a, T> {
    content: &'a [u8],
    /// Where `content` begins in the whole message.
    at: usize,
    of: PhantomData<fn() -> T>,
}

impl<'a, T: Element<'a>> SequenceOf<'a, T> {
    /// Decodes a list that stands alone.
    ///
    /// # Errors
    /// With the offset and the field: not DER, an element that is none, [`Kind::TooLarge`] for too many, bytes behind
    /// the list.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut der = Der::new(bytes);
        let list = Self::read(&mut der)?;
        der.finish(T::LIST).map(|()| list)
    }

    /// Reads the list that `der` stands at, and each of its elements.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn read(der: &mut Der<'a>) -> Result<Self, Error> {
        let mut list = der.take(tag::SEQUENCE, T::LIST)?;
        let (content, at) = (list.rest(), list.offset());
        let mut count = 0;
        while list.peek().is_some() {
            if count == T::MOST {
                return Err(Error::new(at, T::LIST, Kind::TooLarge));
            }
            T::read(&mut list)?;
            count += 1;
        }
        Ok(Self { content, at, of: PhantomData })
    }

    /// The elements in their order.
    pub fn iter(&self) -> impl Iterator<Item = T> + Clone + use<'a, T> {
        let mut list = self.cursor();
        core::iter::from_fn(move || if list.peek().is_some() { T::read(&mut list).ok() } else { None })
    }

    /// The list of `elements`, encoded.
    pub fn of(elements: &[T]) -> Vec<u8> {
        let (mut content, mut out) = (Vec::new(), Vec::new());
        elements.iter().for_each(|element| element.write(&mut content));
        tlv(tag::SEQUENCE, &content, &mut out);
        out
    }
}

impl<'a, T> SequenceOf<'a, T> {
    /// A cursor that stands at the first element.
    pub const fn cursor(&self) -> Der<'a> {
        Der::within(self.content, self.at)
    }

    /// Appends the list as it was received.
    pub fn encode(&self, out: &mut Vec<u8>) {
        tlv(tag::SEQUENCE, self.content, out);
    }

    /// Whether it has no element.
    pub const fn is_empty(&self) -> bool {
        self.content.is_empty()
    }
}

// Not derived: a list is copied, compared and shown whatever its elements can do.
impl<T> Clone for SequenceOf<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for SequenceOf<'_, T> {}

impl<T> PartialEq for SequenceOf<'_, T> {
    fn eq(&self, other: &Self) -> bool {
        self.content == other.content
    }
}

impl<T> Eq for SequenceOf<'_, T> {}

impl<'a, T: Element<'a> + fmt::Debug> fmt::Debug for SequenceOf<'a, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
