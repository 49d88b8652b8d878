use super::migrations;
use crate::StoreError;
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Connections to one file: any number for reading, one for writing, since SQLite lets one write at a time and threads
/// wait more cheaply at a lock of ours.
pub(super) struct Pool {
    path: PathBuf,
    readers: Mutex<Vec<Open>>,
    writer: Mutex<Option<Open>>,
}

/// What must be safe when a write returns.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Durability {
    /// It survives the process.
    Process,
    /// It survives a power failure.
    Disk,
}

struct Open {
    connection: Connection,
    file: FileId,
}

/// Which file a name means, and in which state: SQLite would go on with one that was removed or replaced, and with the
/// pages it remembers of one that was overwritten. Checkpoints change the state too; they are rare.
#[derive(Clone, Copy, PartialEq, Eq)]
struct FileId {
    device: u64,
    inode: u64,
    length: u64,
    changed: (i64, i64),
}

/// How long a writer waits for one in another process.
const BUSY: Duration = Duration::from_secs(10);
/// How many idle connections are kept: more threads than this rarely read at once.
const IDLE: usize = 32;

impl Pool {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), readers: Mutex::default(), writer: Mutex::default() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Brings the tables up to date.
    pub(super) fn migrate(&self) -> Result<(), StoreError> {
        let mut open = self.open(self.stat()?)?;
        // Stays with the file. Readers and one writer do not wait for each other.
        let mode: String = open.connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
        if !mode.eq_ignore_ascii_case("wal") {
            return Err(StoreError::Database(format!("journal mode {mode} instead of wal: is this a network drive?")));
        }
        migrations::run(&mut open.connection)?;
        *lock(&self.writer) = Some(open);
        Ok(())
    }

    pub(super) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let file = self.file_id()?;
        let idle = lock(&self.readers).pop().filter(|open| open.file == file);
        let open = idle.map_or_else(|| self.open(file), Ok)?;
        let result = work(&open.connection);
        let mut readers = lock(&self.readers);
        readers.retain(|other| other.file == file);
        if readers.len() < IDLE && open.connection.is_autocommit() {
            readers.push(open);
        }
        result
    }

    /// Runs `work` in a transaction that nobody else writes beside; commits when it succeeds.
    pub(super) fn write<T>(
        &self,
        durability: Durability,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let file = self.file_id()?;
        let mut writer = lock(&self.writer);
        let open = match writer.take().filter(|open| open.file == file) {
            Some(open) => open,
            None => self.open(file)?,
        };
        let open = writer.insert(open);
        let level =
            if durability == Durability::Disk { "PRAGMA synchronous = FULL" } else { "PRAGMA synchronous = NORMAL" };
        open.connection.prepare_cached(level)?.execute([])?;
        let transaction = Transaction::new(&mut open.connection, TransactionBehavior::Immediate)?;
        let result = work(&transaction)?;
        transaction.commit()?;
        Ok(result)
    }

    fn file_id(&self) -> Result<FileId, StoreError> {
        match self.stat()? {
            FileId { length: 0, .. } => Err(StoreError::Damaged(format!("{} is empty", self.path.display()))),
            file => Ok(file),
        }
    }

    fn stat(&self) -> Result<FileId, StoreError> {
        let meta = fs::metadata(&self.path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => StoreError::Missing(self.path.display().to_string()),
            _ => StoreError::Database(format!("{}: {error}", self.path.display())),
        })?;
        let changed = (meta.mtime(), meta.mtime_nsec());
        Ok(FileId { device: meta.dev(), inode: meta.ino(), length: meta.len(), changed })
    }

    fn open(&self, file: FileId) -> Result<Open, StoreError> {
        // Without CREATE: a file that vanished must not come back empty.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        if connection.is_readonly("main")? {
            return Err(StoreError::ReadOnly(self.path.display().to_string()));
        }
        connection.busy_timeout(BUSY)?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "trusted_schema", false)?;
        // What is deleted here may have been a secret.
        connection.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(Open { connection, file })
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Pool").field(&self.path).finish()
    }
}

/// Makes an empty file for its owner alone; one that is there is left as it is.
pub(super) fn make_file(path: &Path) -> Result<(), StoreError> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(StoreError::Database(format!("{} cannot be made: {error}", path.display()))),
    }
}

/// A panic in one thread must not lock everybody out: a connection is taken back only when it is in no transaction.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(error.to_string()),
            Some(ErrorCode::ReadOnly) => Self::ReadOnly(error.to_string()),
            _ => match error {
                rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
                | rusqlite::Error::InvalidColumnType(..) => Self::Damaged(error.to_string()),
                error => Self::Database(error.to_string()),
            },
        }
    }
}
