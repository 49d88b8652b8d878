use crate::{KeyId, MasterKey, NotAKey};
use portcullis::Secret;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

/// The master keys at hand, oldest first. While keys are being changed there is more than one.
#[derive(Debug, Clone)]
pub struct KeyRing(Vec<Arc<MasterKey>>);

impl KeyRing {
    /// A ring of these keys; `None` without any.
    pub fn new(keys: Vec<MasterKey>) -> Option<Self> {
        (!keys.is_empty()).then(|| Self(keys.into_iter().map(Arc::new).collect()))
    }

    /// The key of this id.
    pub fn get(&self, id: KeyId) -> Option<&MasterKey> {
        self.0.iter().find(|key| key.id() == id).map(Arc::as_ref)
    }

    /// The ids, oldest first.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = KeyId> + '_ {
        self.0.iter().map(|key| key.id())
    }

    /// This ring with one more key, the newest.
    #[must_use]
    pub fn with(&self, key: MasterKey) -> Self {
        let mut keys = self.0.clone();
        if self.get(key.id()).is_none() {
            keys.push(Arc::new(key));
        }
        Self(keys)
    }

    /// This ring and then the keys of another that it lacks.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let lacking = other.0.iter().filter(|key| self.get(key.id()).is_none());
        Self(self.0.iter().chain(lacking).cloned().collect())
    }

    /// This ring with the keys that `keep` says yes to; `None` when it says yes to none.
    pub fn only(&self, keep: impl Fn(KeyId) -> bool) -> Option<Self> {
        let keys: Vec<_> = self.0.iter().filter(|key| keep(key.id())).cloned().collect();
        (!keys.is_empty()).then_some(Self(keys))
    }
}

/// Where the master keys come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// A file of the mode 0600, by custom `master.key` in the data folder.
    File(PathBuf),
    /// The environment variable [`KeySource::VARIABLE`]: one key, or several with commas between, oldest first.
    Environment,
}

impl KeySource {
    /// The name of the environment variable.
    pub const VARIABLE: &'static str = "PORTCULLIS_MASTER_KEY";

    /// The environment where the variable is set, else `master.key` in `folder`.
    pub fn for_folder(folder: &Path) -> Self {
        match std::env::var_os(Self::VARIABLE) {
            Some(value) if !value.is_empty() => Self::Environment,
            _ => Self::File(folder.join("master.key")),
        }
    }

    /// Reads the keys.
    ///
    /// # Errors
    /// What is wrong with the file or the variable, and what to do.
    pub fn load(&self) -> Result<KeyRing, KeyError> {
        match self {
            Self::Environment => {
                let text = Secret::new(std::env::var(Self::VARIABLE).map_err(|_| KeyError::Variable(NotAKey))?);
                let keys = text.expose().split(',').map(str::parse).collect::<Result<Vec<MasterKey>, _>>();
                KeyRing::new(keys.map_err(KeyError::Variable)?).ok_or(KeyError::Variable(NotAKey))
            }
            Self::File(path) => read_file(path),
        }
    }

    /// Makes a file with a fresh key; a file that is there is never overwritten, also not by two processes at once.
    ///
    /// # Errors
    /// [`KeyError::Exists`], [`KeyError::Io`]; for the environment [`KeyError::InEnvironment`].
    pub fn create(&self) -> Result<KeyRing, KeyError> {
        let Self::File(path) = self else { return Err(KeyError::InEnvironment) };
        let key = MasterKey::generate().map_err(|_| KeyError::Io(path.clone(), io::ErrorKind::Other.into()))?;
        let ring = KeyRing(vec![Arc::new(key)]);
        self.create_with(&ring).map(|()| ring)
    }

    /// Makes a file with these keys; as [`create`](Self::create).
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn create_with(&self, ring: &KeyRing) -> Result<(), KeyError> {
        let Self::File(path) = self else { return Err(KeyError::InEnvironment) };
        let fresh = write_aside(path, ring)?;
        // A link, unlike a rename, fails when the name is taken.
        let linked = fs::hard_link(&fresh, path);
        fs::remove_file(&fresh).map_err(|error| KeyError::Io(fresh, error))?;
        match linked {
            Ok(()) => sync_folder(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(KeyError::Exists(path.clone())),
            Err(error) => Err(KeyError::Io(path.clone(), error)),
        }
    }

    /// Replaces the file by one with these keys: whoever reads it, or a power failure, sees the old one or the new one.
    ///
    /// # Errors
    /// [`KeyError::Io`]; for the environment [`KeyError::InEnvironment`].
    pub fn replace(&self, ring: &KeyRing) -> Result<(), KeyError> {
        let Self::File(path) = self else { return Err(KeyError::InEnvironment) };
        let fresh = write_aside(path, ring)?;
        fs::rename(&fresh, path).map_err(|error| KeyError::Io(path.clone(), error))?;
        sync_folder(path)
    }
}

/// Why the master keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file is not there.
    #[error(
        "the master key {0} is not there; put its copy back, or set PORTCULLIS_MASTER_KEY: without it no password in the \
         store can be read"
    )]
    Missing(PathBuf),
    /// Others may read the file.
    #[error("the master key {path} may be read by others (mode {mode:04o}); run `chmod 600 {path}` and start again")]
    Permissions {
        /// The file.
        path: String,
        /// Its mode.
        mode: u32,
    },
    /// A line of the file is not a key.
    #[error("the master key {0}, line {1}: {NotAKey}; put its copy back")]
    Malformed(PathBuf, usize),
    /// The variable holds no key.
    #[error("PORTCULLIS_MASTER_KEY: {0}")]
    Variable(NotAKey),
    /// The file is there already.
    #[error("the master key {0} exists already and is not overwritten")]
    Exists(PathBuf),
    /// The environment cannot be written.
    #[error(
        "the master key comes from PORTCULLIS_MASTER_KEY, which this program cannot change: to change the key, set the \
         variable to `OLD,NEW` (`openssl rand -hex 32` makes one), run `portcullis key rotate`, then set it to `NEW`"
    )]
    InEnvironment,
    /// Reading or writing failed.
    #[error("the master key {0}: {1}")]
    Io(PathBuf, io::Error),
}

/// The keys at run time: read again when the file has changed.
#[derive(Debug)]
pub struct Keys {
    source: KeySource,
    held: RwLock<(Option<Stamp>, Arc<KeyRing>)>,
}

impl Keys {
    /// Reads the keys.
    ///
    /// # Errors
    /// As [`KeySource::load`].
    pub fn open(source: KeySource) -> Result<Self, KeyError> {
        let stamp = Stamp::of(&source)?;
        let ring = Arc::new(source.load()?);
        Ok(Self { source, held: RwLock::new((stamp, ring)) })
    }

    /// Where they come from.
    pub fn source(&self) -> &KeySource {
        &self.source
    }

    /// The keys as they are now.
    ///
    /// # Errors
    /// When the file has changed and cannot be read, or is gone: the old keys count no longer.
    pub fn current(&self) -> Result<Arc<KeyRing>, KeyError> {
        let stamp = Stamp::of(&self.source)?;
        {
            let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
            if held.0 == stamp {
                return Ok(Arc::clone(&held.1));
            }
        }
        let ring = Arc::new(self.source.load()?);
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = (stamp, Arc::clone(&ring));
        Ok(ring)
    }
}

/// What changes when a file is replaced or written to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    changed: (i64, i64),
    length: u64,
    mode: u32,
}

impl Stamp {
    fn of(source: &KeySource) -> Result<Option<Self>, KeyError> {
        let KeySource::File(path) = source else { return Ok(None) };
        let meta = fs::metadata(path).map_err(|error| missing_or(path, error))?;
        let changed = (meta.ctime(), meta.ctime_nsec());
        Ok(Some(Self { inode: meta.ino(), changed, length: meta.len(), mode: meta.mode() }))
    }
}

fn missing_or(path: &Path, error: io::Error) -> KeyError {
    match error.kind() {
        io::ErrorKind::NotFound => KeyError::Missing(path.to_owned()),
        _ => KeyError::Io(path.to_owned(), error),
    }
}

fn read_file(path: &Path) -> Result<KeyRing, KeyError> {
    let file = File::open(path).map_err(|error| missing_or(path, error))?;
    // Of the open file, not of the name: it may be replaced meanwhile.
    let mode = file.metadata().map_err(|error| KeyError::Io(path.to_owned(), error))?.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeyError::Permissions { path: path.display().to_string(), mode });
    }
    let text = io::read_to_string(file).map_err(|error| KeyError::Io(path.to_owned(), error))?;
    let text = Secret::new(text);
    let mut keys = Vec::new();
    for (number, line) in (1..).zip(text.expose().lines()) {
        match line.split_once(char::is_whitespace) {
            _ if line.trim().is_empty() || line.starts_with('#') => {}
            Some(("key", key)) => {
                keys.push(key.parse().map_err(|NotAKey| KeyError::Malformed(path.to_owned(), number))?);
            }
            _ => return Err(KeyError::Malformed(path.to_owned(), number)),
        }
    }
    KeyRing::new(keys).ok_or_else(|| KeyError::Malformed(path.to_owned(), 1))
}

/// Writes the keys into a new file beside `path`, safe on the disk, and gives its name.
fn write_aside(path: &Path, ring: &KeyRing) -> Result<PathBuf, KeyError> {
    let mut tag = [0; 8];
    getrandom::fill(&mut tag).map_err(|_| KeyError::Io(path.to_owned(), io::ErrorKind::Other.into()))?;
    let fresh = path.with_extension(format!("key.{:016x}", u64::from_le_bytes(tag)));
    let mut text = Secret::new(String::with_capacity(1024));
    text.expose_mut().push_str(
        "# The master key of Portcullis. Who has it and the store beside it can log on as anybody; who loses it loses\n\
         # every password. Keep a copy apart from the store's backups.\n",
    );
    for key in &ring.0 {
        text.expose_mut().push_str("key ");
        text.expose_mut().push_str(key.to_hex().expose());
        text.expose_mut().push('\n');
    }
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
        file.write_all(text.expose().as_bytes())?;
        file.sync_all()
    };
    write().map_err(|error| KeyError::Io(fresh.clone(), error))?;
    Ok(fresh)
}

/// A name is safe on the disk when its folder is.
fn sync_folder(path: &Path) -> Result<(), KeyError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| KeyError::Io(path.to_owned(), error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_file_is_made_once_for_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let source = KeySource::File(folder.path().join("master.key"));
        assert!(matches!(source.load(), Err(KeyError::Missing(_))));
        let ring = source.create().unwrap();
        let path = folder.path().join("master.key");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
        assert!(matches!(source.create(), Err(KeyError::Exists(_))));
        assert!(source.load().unwrap().ids().eq(ring.ids()));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn files_that_others_may_read_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let source = KeySource::File(path.clone());
        source.create().unwrap();
        for mode in [0o640, 0o604, 0o660, 0o610] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = source.load().unwrap_err();
            assert!(matches!(error, KeyError::Permissions { .. }), "{mode:o}");
            assert!(error.to_string().contains("chmod 600"));
        }
    }

    #[test]
    fn a_running_process_sees_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let source = KeySource::File(path.clone());
        let first = source.create().unwrap();
        let keys = Keys::open(source.clone()).unwrap();
        assert!(keys.current().unwrap().ids().eq(first.ids()));
        let both = first.with(MasterKey::generate().unwrap());
        source.replace(&both).unwrap();
        assert!(keys.current().unwrap().ids().eq(both.ids()));
        fs::write(&path, "key of no kind\n").unwrap();
        assert!(matches!(keys.current(), Err(KeyError::Malformed(_, 1))));
        fs::remove_file(&path).unwrap();
        assert!(matches!(keys.current(), Err(KeyError::Missing(_))));
        source.replace(&first).unwrap();
        assert!(keys.current().unwrap().ids().eq(first.ids()));
    }
}
