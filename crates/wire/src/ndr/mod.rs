//! NDR, as far as a PAC needs it: type serialization version 1 (MS-RPCE 2.2.6), little-endian, of one structure behind
//! one pointer; deferred pointers in their order (C706 §14.3.12.3), conformant and varying arrays.
//!
//! A pointer here is only "something follows" or "nothing follows": what it points to stands behind what points, and is
//! read once. So nothing can point backwards, or to itself. Counts are compared with the bytes that are left before
//! anything is allocated.

mod reader;
mod writer;

pub use reader::{NdrReader, TextHeader};
pub use writer::NdrWriter;

/// Length in bytes of the common and the private header, which stand before the structure.
const HEADERS: usize = 16;

/// The version of type serialization in the common header (MS-RPCE 2.2.6.1).
const VERSION: u8 = 1;

/// Little-endian numbers, in the common header.
const LITTLE_ENDIAN: u8 = 0x10;

/// Length in bytes of the common header, as it says itself.
const COMMON_HEADER: u16 = 8;
