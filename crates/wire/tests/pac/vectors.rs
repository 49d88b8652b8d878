//! `vectors/pac-*.txt`: PACs of Windows, of Samba and of ours, and what Samba reads in them.

use crate::describe::describe;
use portcullis_wire::kerberos::pac::Pac;
use std::fs;
use std::path::Path;

/// A file of `vectors/`.
pub(crate) struct Vector {
    pub name: String,
    pub pac: Vec<u8>,
    /// What must be read, a line each.
    pub lines: Vec<String>,
}

/// All of them, by name.
pub(crate) fn all() -> Vec<Vector> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name.starts_with("pac-") && name.ends_with(".txt")).collect();
    names.sort();
    names.iter().map(|name| read(name)).collect()
}

/// One of them.
pub(crate) fn read(name: &str) -> Vector {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name);
    let (mut pac, mut lines) = (Vec::new(), Vec::new());
    for line in fs::read_to_string(&path).unwrap().lines() {
        if let Some(digits) = line.strip_prefix("pac: ") {
            let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
            pac.extend(digits.as_bytes().chunks(2).map(byte));
        } else if !line.is_empty() && !line.starts_with('#') {
            lines.push(line.to_owned());
        }
    }
    Vector { name: name.to_owned(), pac, lines }
}

#[test]
fn each_is_read_as_samba_reads_it() {
    let vectors = all();
    assert!(vectors.len() >= 18, "{} files", vectors.len());
    for Vector { name, pac, lines } in vectors {
        assert!(lines.len() >= 2, "{name} says nothing");
        let read: Vec<_> = describe(&pac).unwrap_or_else(|error| panic!("{name}: {error}"));
        let read: Vec<_> = read.iter().map(|line| line.trim_end()).collect();
        assert_eq!(read, lines, "{name}");
    }
}

#[test]
fn truncated_anywhere_they_are_refused_or_read_the_same() {
    for Vector { name, pac, .. } in all() {
        // Behind the last buffer there is only padding.
        let end = Pac::decode(&pac).unwrap().buffers().map(|buffer| buffer.offset + buffer.bytes.len()).max().unwrap();
        for len in 0..pac.len() {
            assert_eq!(Pac::decode(&pac[..len]).is_ok(), len >= end, "{name}, {len} of {} bytes", pac.len());
        }
    }
}

/// One buffer cut short inside its own bytes: each decoder finds out, unless what is cut off is padding or the like.
#[test]
fn truncated_buffers_are_refused() {
    let mut refused = 0;
    for Vector { name, pac, .. } in all() {
        let whole = Pac::decode(&pac).unwrap();
        for (number, buffer) in whole.buffers().enumerate() {
            for len in 0..buffer.bytes.len() {
                let mut pac = pac.clone();
                let size = 8 + number * 16 + 4;
                pac[size..size + 4].copy_from_slice(&u32::try_from(len).unwrap().to_le_bytes());
                match describe(&pac) {
                    Err(error) => {
                        assert!(error.offset <= pac.len(), "{name}: {error}");
                        refused += 1;
                    }
                    Ok(_) => {
                        let cut = &buffer.bytes[len..];
                        let rest = cut.len() < 8 && buffer.buffer_type.0 != 1;
                        assert!(rest, "{name}: {} without {cut:02x?}", buffer.buffer_type);
                    }
                }
            }
        }
    }
    assert!(refused > 5000, "{refused}");
}

#[test]
fn no_single_change_panics() {
    let mut differing = 0;
    for Vector { pac, .. } in all() {
        let before = describe(&pac);
        for at in 0..pac.len() {
            for value in [pac[at] ^ 1, pac[at] ^ 0x80, !pac[at], 0, 0xff] {
                let mut changed = pac.clone();
                changed[at] = value;
                let after = describe(&changed);
                if let Err(error) = after {
                    assert!(error.offset <= pac.len() + 0x1_0000, "{error}");
                }
                differing += usize::from(after != before);
            }
        }
    }
    assert!(differing > 10_000, "{differing}");
}
