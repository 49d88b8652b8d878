use crate::{
    AccountEdit, AdminError, Directory, Domain, DomainNames, KeyError, KeySource, Keys, LocalNames, NewAccount,
    NewSecret, SealError, Sqlite, Store as _, StoreError,
};
use portcullis::{Secret, Sid};
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// The files of a data folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFolder(PathBuf);

impl DataFolder {
    /// The folder of this name.
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The store: `portcullis.db`.
    pub fn store(&self) -> PathBuf {
        self.0.join("portcullis.db")
    }

    /// Where the master key comes from: the environment, else `master.key`.
    pub fn keys(&self) -> KeySource {
        KeySource::for_folder(&self.0)
    }

    /// The audit log: `audit.jsonl`.
    pub fn audit(&self) -> PathBuf {
        self.0.join("audit.jsonl")
    }
}

/// What [`bootstrap`] made.
#[derive(Debug)]
pub struct Bootstrapped {
    /// Whether the store is new.
    pub new_store: bool,
    /// Whether the master key is new.
    pub new_key: bool,
    /// The first account and its password, which is told this once; `None` unless the store is new and one was asked
    /// for.
    pub first: Option<(String, Secret<String>)>,
}

/// Makes what a data folder lacks: the folder (0700), the master key (0600), the store with its domain, and one account
/// with a random password where `first_account` names one. What is there stays as it is.
///
/// # Errors
/// When something cannot be made, or does not fit together: a store without its key is never given another.
pub fn bootstrap(folder: &Path, names: &DomainNames, first_account: Option<&str>) -> Result<Bootstrapped, OpenError> {
    let folder = DataFolder::new(folder);
    make_folder(folder.path())?;
    let store_is_there = holds_a_domain(&folder)?;
    let source = folder.keys();
    let new_key = match source.load() {
        Ok(_) => false,
        Err(KeyError::Missing(_)) if !store_is_there => match source.create() {
            // Another process was faster.
            Ok(_) => true,
            Err(KeyError::Exists(_)) => false,
            Err(error) => return Err(error.into()),
        },
        Err(error) => return Err(error.into()),
    };
    if store_is_there {
        return Ok(Bootstrapped { new_store: false, new_key, first: None });
    }
    let key = source.load()?.ids().next_back().ok_or(StoreError::StaleKey)?;
    let store = Sqlite::create(&folder.store())?;
    let domain = Domain { names: names.clone(), sid: random_sid()? };
    let new_store = match store.create_domain(&domain, key) {
        Ok(()) => true,
        Err(StoreError::Exists) => false,
        Err(error) => return Err(error.into()),
    };
    let first = match first_account.filter(|_| new_store) {
        Some(name) => Some((name.to_owned(), add_first(store, source, name)?)),
        None => None,
    };
    Ok(Bootstrapped { new_store, new_key, first })
}

impl Directory<Sqlite> {
    /// Opens the store and the keys of a data folder.
    ///
    /// # Errors
    /// What is missing or cannot be used, and what to do.
    pub fn open_sqlite(folder: &Path, names: LocalNames) -> Result<Self, OpenError> {
        let folder = DataFolder::new(folder);
        let store = Sqlite::open(&folder.store())?;
        let keys = Keys::open(folder.keys())?;
        Ok(Self::new(store, keys, names)?)
    }
}

/// A password that nobody guesses and everybody can type: four groups of five characters, 98 bits.
///
/// # Errors
/// [`SealError::NoRandomness`].
pub fn random_password() -> Result<Secret<String>, SealError> {
    // No characters that look like another.
    const ALPHABET: &[u8; 30] = b"abcdefghjkmnpqrstuvwxyz2345678";
    let mut text = Secret::new(String::with_capacity(24));
    let mut count = 0;
    while count < 20 {
        let mut byte = [0];
        getrandom::fill(&mut byte).map_err(|_| SealError::NoRandomness)?;
        // Bytes beyond the last whole multiple would make some characters more likely than others.
        let [byte] = byte;
        if let Some(character) = ALPHABET.get(usize::from(byte) % 30).filter(|_| byte < 240) {
            if count > 0 && count % 5 == 0 {
                text.expose_mut().push('-');
            }
            text.expose_mut().push(char::from(*character));
            count += 1;
        }
    }
    Ok(text)
}

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The master key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The first account could not be made.
    #[error(transparent)]
    Account(#[from] AdminError),
    /// The folder cannot be made.
    #[error("the data folder {0}: {1}")]
    Folder(PathBuf, io::Error),
    /// Others may write into the folder.
    #[error("others may write into the data folder {path} (mode {mode:04o}); run `chmod 700 {path}` and start again")]
    Permissions {
        /// The folder.
        path: String,
        /// Its mode.
        mode: u32,
    },
}

fn make_folder(path: &Path) -> Result<(), OpenError> {
    let failed = |error| OpenError::Folder(path.to_owned(), error);
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
        _ => {}
    }
    let mode = fs::metadata(path).map_err(failed)?.mode() & 0o7777;
    // Who may write there may replace the key.
    if mode & 0o022 != 0 {
        return Err(OpenError::Permissions { path: path.display().to_string(), mode });
    }
    Ok(())
}

fn holds_a_domain(folder: &DataFolder) -> Result<bool, OpenError> {
    match Sqlite::open(&folder.store()).and_then(|store| store.domain()) {
        Ok(_) => Ok(true),
        Err(StoreError::Missing(_) | StoreError::Empty) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn add_first(store: Sqlite, keys: KeySource, name: &str) -> Result<Secret<String>, OpenError> {
    let directory = Directory::new(store, Keys::open(keys)?, LocalNames::default())?;
    let password = random_password().map_err(StoreError::from)?;
    directory.add_account(NewAccount {
        name: name.to_owned(),
        secret: NewSecret::Password(Secret::new(password.expose().clone())),
        edit: AccountEdit::default(),
        groups: Vec::new(),
    })?;
    Ok(password)
}

fn random_sid() -> Result<Sid, StoreError> {
    let mut bytes = [0; 12];
    getrandom::fill(&mut bytes).map_err(|_| SealError::NoRandomness)?;
    let mut sub = [21, 0, 0, 0];
    for (slot, four) in sub.iter_mut().skip(1).zip(bytes.as_chunks::<4>().0) {
        *slot = u32::from_le_bytes(*four);
    }
    Sid::new(5, &sub).ok_or(StoreError::NoMoreRids)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn names() -> DomainNames {
        DomainNames::new("CORP", "corp.example").unwrap()
    }

    #[test]
    fn makes_what_is_missing_once() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("a/b");
        let made = bootstrap(&data, &names(), Some("admin")).unwrap();
        assert!(made.new_store && made.new_key);
        let (name, password) = made.first.unwrap();
        assert_eq!((name.as_str(), password.expose().len()), ("admin", 23));
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(mode(&data), 0o700);
        assert_eq!((mode(&data.join("portcullis.db")), mode(&data.join("master.key"))), (0o600, 0o600));

        let directory = Directory::open_sqlite(&data, LocalNames::default()).unwrap();
        let domain = directory.domain().unwrap();
        assert_eq!(domain.names, names());
        assert!(domain.sid.to_string().starts_with("S-1-5-21-"));
        let admin = directory.account("ADMIN").unwrap();
        assert_eq!(admin.sid, domain.sid.child(1000).unwrap());

        let again = bootstrap(&data, &DomainNames::of_host("other"), Some("second")).unwrap();
        assert!(!again.new_store && !again.new_key && again.first.is_none());
        assert_eq!(directory.domain().unwrap(), domain);
        assert_eq!(directory.store().accounts().unwrap().len(), 1);
    }

    #[test]
    fn a_store_is_never_given_another_key() {
        let folder = tempfile::tempdir().unwrap();
        bootstrap(folder.path(), &names(), None).unwrap();
        fs::remove_file(folder.path().join("master.key")).unwrap();
        let error = bootstrap(folder.path(), &names(), None).unwrap_err();
        assert!(matches!(error, OpenError::Key(KeyError::Missing(_))), "{error}");
        assert!(!folder.path().join("master.key").exists());
        DataFolder::new(folder.path()).keys().create().unwrap();
        let error = Directory::open_sqlite(folder.path(), LocalNames::default()).unwrap_err();
        assert!(matches!(error, OpenError::Store(StoreError::Seal(SealError::UnknownKey(_)))), "{error}");
    }

    #[test]
    fn a_folder_that_others_may_write_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o770)).unwrap();
        assert!(matches!(bootstrap(folder.path(), &names(), None), Err(OpenError::Permissions { .. })));
    }

    #[test]
    fn passwords_differ() {
        let (a, b) = (random_password().unwrap(), random_password().unwrap());
        assert_ne!(a.expose(), b.expose());
        assert_eq!(a.expose().split('-').map(str::len).collect::<Vec<_>>(), [5, 5, 5, 5]);
    }
}
