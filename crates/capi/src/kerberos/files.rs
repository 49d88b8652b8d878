//! Files that Kerberos' programs name: keytabs and credential caches.

use library::Secret;
use std::ffi::OsStr;
use std::fs::{Metadata, OpenOptions};
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// More bytes than any keytab or credential cache has.
const MOST: u64 = 16 << 20;

/// The file in a name as MIT's and Heimdal's programs write it, with the kind before a colon or without; `None` for kinds
/// that are no files (`KEYRING:`, `KCM:`, `MEMORY:`, `DIR:`).
pub(crate) fn path(name: &OsStr) -> Option<PathBuf> {
    let bytes = name.as_bytes();
    let of_kind = ["FILE:", "WRFILE:"].iter().find_map(|kind| bytes.strip_prefix(kind.as_bytes()));
    let path = match of_kind {
        Some(path) => path,
        None if bytes.first() != Some(&b'/') && bytes.contains(&b':') => return None,
        None => bytes,
    };
    (!path.is_empty()).then(|| PathBuf::from(OsStr::from_bytes(path)))
}

/// Which file it was, and how it stood when it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    place: (u64, u64),
    len: u64,
    changed: (i64, i64),
}

impl Stamp {
    /// How the file stands now; `None` where there is none.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        std::fs::metadata(path).ok().map(|about| Self::new(&about))
    }

    fn new(about: &Metadata) -> Self {
        let changed = (about.mtime(), about.mtime_nsec());
        Self { place: (about.dev(), about.ino()), len: about.len(), changed }
    }
}

/// The whole file.
pub(crate) fn read(path: &Path) -> Result<(Secret<Vec<u8>>, Stamp), String> {
    let why = |error: std::io::Error| format!("{}: {error}", path.display());
    // A pipe in its place is not waited for.
    let mut open = OpenOptions::new();
    let mut file = open.read(true).custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC).open(path).map_err(why)?;
    let about = file.metadata().map_err(why)?;
    if !about.is_file() || about.len() > MOST {
        return Err(format!("{}: not a file, or larger than {MOST} bytes", path.display()));
    }
    // Room for all of it from the start: what is moved leaves a copy behind.
    let mut bytes = Secret::new(Vec::with_capacity(about.len() as usize + 1));
    file.by_ref().take(about.len()).read_to_end(bytes.expose_mut()).map_err(why)?;
    Ok((bytes, Stamp::new(&about)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files() {
        for (name, expected) in [
            ("/etc/http.keytab", Some("/etc/http.keytab")),
            ("FILE:/tmp/krb5cc_0", Some("/tmp/krb5cc_0")),
            ("WRFILE:/tmp/k", Some("/tmp/k")),
            ("/odd:name", Some("/odd:name")),
            ("http.keytab", Some("http.keytab")),
            ("FILE:http.keytab", Some("http.keytab")),
            ("KEYRING:persistent:0", None),
            ("KCM:", None),
            ("MEMORY:here", None),
            ("DIR::/tmp/tkt", None),
            ("file:/tmp/k", None),
            ("FILE:", None),
            ("", None),
        ] {
            assert_eq!(path(OsStr::new(name)), expected.map(PathBuf::from), "{name}");
        }
    }

    #[test]
    fn files_alone_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        assert!(read(&file).is_err() && Stamp::of(&file).is_none());
        std::fs::write(&file, "some bytes").unwrap();
        let (bytes, stamp) = read(&file).unwrap();
        assert_eq!(bytes.expose(), b"some bytes");
        assert_eq!(Stamp::of(&file), Some(stamp));
        std::fs::write(&file, "other bytes").unwrap();
        assert_ne!(Stamp::of(&file), Some(stamp), "it is longer");
        assert!(read(folder.path()).is_err(), "a folder");
        let pipe = std::ffi::CString::new(folder.path().join("pipe").as_os_str().as_bytes()).unwrap();
        // SAFETY: the path is a string.
        assert_eq!(unsafe { libc::mkfifo(pipe.as_ptr(), 0o600) }, 0);
        assert!(read(&folder.path().join("pipe")).is_err(), "nobody writes into it");
    }
}
