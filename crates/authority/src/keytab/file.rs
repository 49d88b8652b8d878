use portcullis::Secret;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Why a keytab cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeytabError {
    /// It is not there.
    #[error(
        "the keytab {0} is not there; `ktutil`, `msktutil` or `ktpass` make one, `portcullis keytab list` shows it"
    )]
    Missing(PathBuf),
    /// It cannot be read.
    #[error("the keytab {0} cannot be read: {1}")]
    Io(PathBuf, io::Error),
    /// It is a pipe, a device or a folder.
    #[error("the keytab {0} is no regular file")]
    NotAFile(PathBuf),
    /// It is larger than any keytab is.
    #[error("the keytab {0} is larger than {MAX_KEYTAB} bytes")]
    TooLarge(PathBuf),
    /// It was written to while it was read.
    #[error("the keytab {0} is just being written")]
    BeingWritten(PathBuf),
    /// It holds something else, or ends inside an entry.
    #[error("{0}: {1}")]
    Malformed(PathBuf, portcullis::kerberos::BadKeytab),
    /// It holds no key that can open a ticket.
    #[error(
        "the keytab {path} holds no key that can open a ticket: of {entries} entries none is of a service and of an \
         encryption type that is known here (AES, Camellia, RC4); see `portcullis keytab check {path}`"
    )]
    NoKey {
        /// The file.
        path: String,
        /// How many entries it has.
        entries: usize,
    },
}

/// The most bytes that a keytab may have: some ten thousand keys.
pub const MAX_KEYTAB: usize = 1 << 20;

/// A keytab as it was read.
pub(super) struct Content {
    pub(super) bytes: Secret<Vec<u8>>,
    pub(super) stamp: Stamp,
}

/// What changes when a file is replaced or written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
    mode: u32,
}

/// A write so soon after another may leave the same times: the kernel's clock is coarse.
const COARSE: Duration = Duration::from_secs(2);

impl Stamp {
    /// Of the file that a name means now.
    pub(super) fn of(path: &Path) -> Result<Self, KeytabError> {
        std::fs::metadata(path).map(|meta| Self::from(&meta)).map_err(|error| failed(path, error))
    }

    /// Whether others than its owner may read or write it: the mode then.
    pub(super) fn open_to_others(self) -> Option<u32> {
        Some(self.mode & 0o7777).filter(|mode| mode & 0o077 != 0)
    }

    /// Whether a later write would show.
    pub(super) fn is_settled(self, now: SystemTime) -> bool {
        let (seconds, _) = self.changed;
        let changed = UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
        now.duration_since(changed).is_ok_and(|age| age > COARSE)
    }
}

impl From<&Metadata> for Stamp {
    fn from(meta: &Metadata) -> Self {
        Self {
            device: meta.dev(),
            inode: meta.ino(),
            length: meta.len(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
            mode: meta.mode(),
        }
    }
}

/// Reads a keytab's bytes.
///
/// # Errors
/// [`KeytabError::Missing`], [`KeytabError::Io`], [`KeytabError::NotAFile`], [`KeytabError::TooLarge`], and
/// [`KeytabError::BeingWritten`] where it changed meanwhile.
pub fn read_keytab(path: &Path) -> Result<Secret<Vec<u8>>, KeytabError> {
    read(path).map(|content| content.bytes)
}

pub(super) fn read(path: &Path) -> Result<Content, KeytabError> {
    let mut options = OpenOptions::new();
    // A pipe would have to be waited for.
    options.read(true).custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    let mut file = options.open(path).map_err(|error| failed(path, error))?;
    let before = look(&file, path)?;
    if before.len() > MAX_KEYTAB as u64 {
        return Err(KeytabError::TooLarge(path.to_owned()));
    }
    // All at once: a buffer that grows leaves keys behind.
    let length = usize::try_from(before.len()).unwrap_or(MAX_KEYTAB);
    let mut bytes = Secret::new(Vec::with_capacity(length + 1));
    let limit = u64::try_from(length + 1).unwrap_or(u64::MAX);
    (&mut file).take(limit).read_to_end(bytes.expose_mut()).map_err(|error| failed(path, error))?;
    let stamp = Stamp::from(&before);
    if bytes.expose().len() != length || Stamp::from(&look(&file, path)?) != stamp {
        return Err(KeytabError::BeingWritten(path.to_owned()));
    }
    Ok(Content { bytes, stamp })
}

fn look(file: &File, path: &Path) -> Result<Metadata, KeytabError> {
    let meta = file.metadata().map_err(|error| failed(path, error))?;
    if meta.is_file() { Ok(meta) } else { Err(KeytabError::NotAFile(path.to_owned())) }
}

fn failed(path: &Path, error: io::Error) -> KeytabError {
    match error.kind() {
        io::ErrorKind::NotFound => KeytabError::Missing(path.to_owned()),
        _ => KeytabError::Io(path.to_owned(), error),
    }
}
