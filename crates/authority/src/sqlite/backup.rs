use super::{Sqlite, migrations, pool, rows};
use crate::{KeyRing, SealError, Store as _, StoreError};
use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

impl Sqlite {
    /// Copies the store into a new file, whole and of one moment, while it is in use. Secrets are as sealed in the copy
    /// as in the store: the master key is not part of it.
    ///
    /// # Errors
    /// When the file exists already or cannot be written.
    pub fn backup(&self, to: &Path) -> Result<(), StoreError> {
        if to.exists() {
            return Err(StoreError::Database(format!("{} exists already and is not overwritten", to.display())));
        }
        // Under another name until it is whole: half a backup must not look like one.
        let partial = with_suffix(to, ".partial");
        remove(&partial)?;
        pool::make_file(&partial)?;
        let copied = self.read(|connection| copy(connection, &partial));
        let named = copied.and_then(|()| {
            fs::File::open(&partial).and_then(|file| file.sync_all()).map_err(|error| io(&partial, &error))?;
            fs::rename(&partial, to).map_err(|error| io(to, &error))
        });
        if named.is_err() {
            remove(&partial)?;
        }
        named
    }

    /// Replaces what the store at `path` holds by a backup, also while it is in use: others see the old or the new. A
    /// store too damaged for that is set aside under another name, which is given.
    ///
    /// # Errors
    /// When the backup is damaged, of a newer version, or sealed under a key that `ring` does not hold; the store is
    /// untouched then.
    pub fn restore(path: &Path, backup: &Path, ring: &KeyRing) -> Result<Option<PathBuf>, StoreError> {
        let source = open_backup(backup)?;
        check(&source, ring)?;
        match Self::create(path) {
            Ok(store) if store.read(quick_check).is_ok() => {
                let before = store.read(given_rids).ok();
                copy(&source, path)?;
                Self::open(path)?.change(|connection| keep_rids(connection, before))?;
                Ok(None)
            }
            Err(error @ (StoreError::TooNew { .. } | StoreError::ReadOnly(_))) => Err(error),
            _ => {
                let aside = set_aside(path)?;
                pool::make_file(path)?;
                copy(&source, path)?;
                Self::open(path)?.domain()?;
                Ok(Some(aside))
            }
        }
    }
}

/// The domain's SID and the next relative id.
fn given_rids(connection: &Connection) -> Result<(String, u32), StoreError> {
    Ok(connection.query_row("SELECT sid, next_rid FROM domain", [], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

/// A SID that was given after the backup was made must not be given again: somewhere an access list may name it.
fn keep_rids(connection: &Connection, before: Option<(String, u32)>) -> Result<(), StoreError> {
    if let Some((sid, next_rid)) = before {
        let sql = "UPDATE domain SET next_rid = max(next_rid, ?2) WHERE sid = ?1";
        connection.execute(sql, rusqlite::params![sid, next_rid])?;
    }
    Ok(())
}

fn open_backup(path: &Path) -> Result<Connection, StoreError> {
    if !path.is_file() {
        return Err(StoreError::Missing(path.display().to_string()));
    }
    Ok(Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?)
}

/// That the backup is whole, and that each of its secrets can be opened.
fn check(source: &Connection, ring: &KeyRing) -> Result<(), StoreError> {
    quick_check(source)?;
    let (found, known) = (migrations::version(source)?, migrations::known());
    if found > known {
        return Err(StoreError::TooNew { found, known });
    }
    rows::domain(source)?;
    let key = rows::key_id(source)?;
    ring.get(key).ok_or(SealError::UnknownKey(key))?;
    let mut query = source.prepare(&[rows::FOUND, "WHERE s.rid IS NOT NULL"].concat())?;
    let mut result = query.query([])?;
    while let Some(row) = result.next()? {
        let found = rows::found(row)?;
        if let Some(sealed) = &found.sealed {
            sealed.open(&found.account.sid, ring)?;
        }
    }
    Ok(())
}

fn quick_check(connection: &Connection) -> Result<(), StoreError> {
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" { Ok(()) } else { Err(StoreError::Damaged(verdict)) }
}

fn copy(source: &Connection, to: &Path) -> Result<(), StoreError> {
    let mut target =
        Connection::open_with_flags(to, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    target.busy_timeout(Duration::from_secs(10))?;
    let backup = Backup::new(source, &mut target)?;
    Ok(backup.run_to_completion(1024, Duration::from_millis(5), None)?)
}

/// Moves a damaged store out of the way, with the files that SQLite keeps beside it.
fn set_aside(path: &Path) -> Result<PathBuf, StoreError> {
    let aside = (1..).map(|n| with_suffix(path, &format!(".damaged-{n}"))).find(|aside| !aside.exists());
    let aside = aside.unwrap_or_else(|| with_suffix(path, ".damaged"));
    for suffix in ["", "-wal", "-shm"] {
        match fs::rename(with_suffix(path, suffix), with_suffix(&aside, suffix)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(path, &error)),
            _ => {}
        }
    }
    Ok(aside)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(io(path, &error)),
        _ => Ok(()),
    }
}

fn io(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Database(format!("{}: {error}", path.display()))
}
