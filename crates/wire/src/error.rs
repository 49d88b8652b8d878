use core::fmt;

/// Why bytes are not the message they should be: where, which field, what is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Error {
    /// Offset in bytes from the start of the message.
    pub offset: usize,
    /// The field's name as the protocol document spells it.
    pub field: &'static str,
    /// What is wrong with it.
    pub kind: Kind,
}

/// What can be wrong with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// The message ends before the field does.
    Truncated,
    /// The field points outside the message.
    OutOfBounds,
    /// The field holds a value that the protocol does not know.
    Unexpected,
    /// UTF-16 text of an odd number of bytes, or with an unpaired surrogate.
    NotUtf16,
    /// A list that never ends.
    Unterminated,
    /// A fixed-size field of another size.
    WrongLength,
    /// Larger than this implementation's bound.
    TooLarge,
}

impl Error {
    /// An error about `field` at `offset`.
    pub const fn new(offset: usize, field: &'static str, kind: Kind) -> Self {
        Self { offset, field, kind }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            Kind::Truncated => "the message ends inside",
            Kind::OutOfBounds => "points outside the message:",
            Kind::Unexpected => "unexpected value in",
            Kind::NotUtf16 => "not UTF-16 text:",
            Kind::Unterminated => "no end mark in",
            Kind::WrongLength => "wrong length of",
            Kind::TooLarge => "too large:",
        };
        write!(f, "{what} {} at offset {}", self.field, self.offset)
    }
}

impl core::error::Error for Error {}
