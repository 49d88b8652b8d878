use crate::{CallCause, Failure, Secret};
use portcullis_wire::{Error, Kind, Reader};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A body in the making. It holds keys: what it outgrows is overwritten. Numbers are little-endian; texts and lists
/// come behind a length of four bytes, what may be missing behind a byte that says whether it is there.
pub(crate) struct Body(Secret<Vec<u8>>);

impl Body {
    pub(crate) fn new() -> Self {
        Self(Secret::new(Vec::with_capacity(1024)))
    }

    pub(crate) fn into_bytes(self) -> Secret<Vec<u8>> {
        self.0
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        let (len, room) = (self.0.expose().len(), self.0.expose().capacity());
        if room - len < bytes.len() {
            // The vector's own growth would leave a copy of the secrets behind.
            let mut grown = Secret::new(Vec::with_capacity((2 * room).max(len + bytes.len())));
            grown.expose_mut().extend_from_slice(self.0.expose());
            self.0 = grown;
        }
        self.0.expose_mut().extend_from_slice(bytes);
        self
    }

    pub(crate) fn u8(&mut self, value: u8) -> &mut Self {
        self.bytes(&[value])
    }

    pub(crate) fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    pub(crate) fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    pub(super) fn flag(&mut self, value: bool) -> &mut Self {
        self.u8(value.into())
    }

    /// A length that does not fit belongs to a body that is refused as too large.
    pub(super) fn len(&mut self, len: usize) -> &mut Self {
        self.u32(u32::try_from(len).unwrap_or(u32::MAX))
    }

    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        self.len(text.len()).bytes(text.as_bytes())
    }

    /// A time, to the nanosecond.
    pub(super) fn time(&mut self, time: SystemTime) -> &mut Self {
        let since = time.duration_since(UNIX_EPOCH);
        let (before, distance) = since.map_or_else(|error| (true, error.duration()), |distance| (false, distance));
        self.flag(before).u64(distance.as_secs()).u32(distance.subsec_nanos())
    }

    pub(super) fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T) -> &mut Self) -> &mut Self {
        match value {
            Some(value) => write(self.flag(true), value),
            None => self.flag(false),
        }
    }

    /// A value as its place in a table.
    pub(super) fn choice<T: PartialEq>(&mut self, table: &[T], value: &T) -> Result<&mut Self, Failure> {
        let place = table.iter().position(|entry| entry == value).and_then(|place| u8::try_from(place).ok());
        Ok(self.u8(place.ok_or(CallCause::NotExportable)?))
    }
}

pub(super) fn flag(reader: &mut Reader<'_>, field: &'static str) -> Result<bool, Error> {
    choice(&[false, true], reader, field)
}

pub(super) fn text(reader: &mut Reader<'_>, field: &'static str) -> Result<String, Error> {
    borrowed_text(reader, field).map(str::to_owned)
}

pub(super) fn borrowed_text<'a>(reader: &mut Reader<'a>, field: &'static str) -> Result<&'a str, Error> {
    let at = reader.offset();
    let len = len(reader, 1, field)?;
    std::str::from_utf8(reader.take(len, field)?).map_err(|_| Error::new(at, field, Kind::Unexpected))
}

/// The length of a list whose entries take at least `least` bytes each: no more than there can be.
pub(super) fn len(reader: &mut Reader<'_>, least: usize, field: &'static str) -> Result<usize, Error> {
    let at = reader.offset();
    let len = usize::try_from(reader.u32(field)?).unwrap_or(usize::MAX);
    if len <= reader.rest().len() / least { Ok(len) } else { Err(Error::new(at, field, Kind::Truncated)) }
}

pub(super) fn time(reader: &mut Reader<'_>, field: &'static str) -> Result<SystemTime, Error> {
    let at = reader.offset();
    let before = flag(reader, field)?;
    let (seconds, nanos) = (reader.u64(field)?, reader.u32(field)?);
    let distance = (nanos < 1_000_000_000).then(|| Duration::new(seconds, nanos));
    let time = match (distance, before) {
        (Some(distance), true) => UNIX_EPOCH.checked_sub(distance),
        (Some(distance), false) => UNIX_EPOCH.checked_add(distance),
        (None, _) => None,
    };
    time.ok_or(Error::new(at, field, Kind::Unexpected))
}

pub(super) fn option<'a, T>(
    reader: &mut Reader<'a>,
    field: &'static str,
    read: impl FnOnce(&mut Reader<'a>, &'static str) -> Result<T, Error>,
) -> Result<Option<T>, Error> {
    if flag(reader, field)? { read(reader, field).map(Some) } else { Ok(None) }
}

pub(super) fn choice<T: Copy>(table: &[T], reader: &mut Reader<'_>, field: &'static str) -> Result<T, Error> {
    let at = reader.offset();
    let place = reader.u8(field)?;
    table.get(usize::from(place)).copied().ok_or(Error::new(at, field, Kind::Unexpected))
}
