//! Strings as callers have them: the A functions in UTF-8, the W functions in UTF-16.

use crate::code::Code;
use crate::memory;
use portcullis_wire::utf16;
use std::ffi::c_void;

/// More characters than any name here has.
const LONGEST: usize = 64 * 1024;

/// The characters of an A or a W function.
pub(crate) trait Charset {
    /// The length in bytes of a character.
    const WIDTH: usize;

    /// The text of these bytes.
    fn decode(bytes: &[u8]) -> Result<String, Code>;

    /// The bytes of a text, its end mark with it.
    fn encode(text: &str) -> Vec<u8>;

    /// A string that ends with a zero; `None` for no string.
    ///
    /// # Safety
    /// `at` is null or points to such a string.
    unsafe fn read(at: *const c_void) -> Result<Option<String>, Code> {
        if at.is_null() {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        for number in 0..LONGEST {
            // SAFETY: the caller says that characters follow up to a zero, which has not come yet.
            let character =
                unsafe { std::slice::from_raw_parts(at.cast::<u8>().add(number * Self::WIDTH), Self::WIDTH) };
            if character.iter().all(|byte| *byte == 0) {
                return Self::decode(&bytes).map(Some);
            }
            bytes.extend_from_slice(character);
        }
        Err(Code::INVALID_PARAMETER)
    }

    /// A string of so many characters; the empty one for no string.
    ///
    /// # Safety
    /// `at` is null or points to as many characters.
    unsafe fn read_counted(at: *const c_void, len: u32) -> Result<String, Code> {
        let len = usize::try_from(len).ok().filter(|len| *len <= LONGEST).ok_or(Code::INVALID_PARAMETER)?;
        if at.is_null() || len == 0 {
            return Ok(String::new());
        }
        // SAFETY: the caller says that as many characters stand there.
        Self::decode(unsafe { std::slice::from_raw_parts(at.cast::<u8>(), len * Self::WIDTH) })
    }

    /// A copy of a text for the caller, to be given back by FreeContextBuffer.
    fn give(text: &str) -> Result<*mut c_void, Code> {
        memory::copy(&Self::encode(text)).map(<*mut u8>::cast)
    }
}

/// UTF-8.
#[derive(Debug)]
pub(crate) struct Ansi;

/// UTF-16, in the processor's byte order, which is little-endian wherever this is built.
#[derive(Debug)]
pub(crate) struct Wide;

impl Charset for Ansi {
    const WIDTH: usize = 1;

    fn decode(bytes: &[u8]) -> Result<String, Code> {
        std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| Code::INVALID_PARAMETER)
    }

    fn encode(text: &str) -> Vec<u8> {
        [text.as_bytes(), &[0]].concat()
    }
}

impl Charset for Wide {
    const WIDTH: usize = 2;

    fn decode(bytes: &[u8]) -> Result<String, Code> {
        utf16::decode(bytes, 0, "text").map_err(|_| Code::INVALID_PARAMETER)
    }

    fn encode(text: &str) -> Vec<u8> {
        let mut bytes = utf16::encode(text);
        bytes.extend_from_slice(&[0, 0]);
        bytes
    }
}
