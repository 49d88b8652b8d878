use crate::data::{Data, Failed};
use portcullis_authority::{KeyError, KeyRing, KeySource, Sqlite, Store as _, StoreError};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// `portcullis backup`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  portcullis backup /backup/portcullis-monday.db\n  \
    portcullis backup /backup/portcullis.db --with-key\n\n\
    The store may be in use. Its secrets stay sealed: without the master key a backup is of no use, and it should not lie\n\
    beside it.")]
pub(crate) struct Backup {
    /// The file to make; one that is there is not overwritten
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Also copy the master key, to FILE.key: whoever gets both can log on as anybody
    #[arg(long)]
    with_key: bool,
    #[command(flatten)]
    data: Data,
}

/// `portcullis restore`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  portcullis restore /backup/portcullis-monday.db\n  \
    portcullis restore /backup/portcullis.db --key /backup/portcullis.db.key --data /var/lib/portcullis\n\n\
    Servers may run: they see the restored accounts at the next logon. What the store held is kept beside it.")]
pub(crate) struct Restore {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// A file with the master key that the backup is sealed under, when the data folder has another one
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    #[command(flatten)]
    data: Data,
}

#[derive(Serialize)]
struct Made {
    backup: PathBuf,
    key_copy: Option<PathBuf>,
    key_id: String,
}

#[derive(Serialize)]
struct Restored {
    restored: PathBuf,
    accounts: usize,
    kept: Option<PathBuf>,
}

pub(crate) fn backup(args: Backup) -> Result<(), Failed> {
    let directory = args.data.open()?;
    directory.store().backup(&args.file)?;
    let key_id = directory.store().key_id()?;
    let key_copy = match args.with_key {
        true => {
            let copy = with_suffix(&args.file, ".key");
            KeySource::File(copy.clone()).create_with(&*directory.keys().current()?)?;
            Some(copy)
        }
        false => None,
    };
    let made = Made { backup: args.file, key_copy, key_id: key_id.to_string() };
    args.data.output().print(&made, |made| {
        let key = match &made.key_copy {
            Some(copy) => format!("The master key is in {}: keep the two apart.", copy.display()),
            None => format!("The master key {} is not part of it: keep a copy of it elsewhere.", made.key_id),
        };
        format!("backup written to {}\n{key}", made.backup.display())
    })
}

pub(crate) fn restore(args: Restore) -> Result<(), Failed> {
    let files = args.data.files();
    std::fs::create_dir_all(files.path())?;
    let source = files.keys();
    let ring = ring_for(&source, args.key.as_deref())?;
    let store = files.store();
    let saved = save(&store)?;
    let set_aside = Sqlite::restore(&store, &args.file, &ring)?;
    let directory = args.data.open()?;
    let accounts = directory.store().accounts()?.len();
    let restored = Restored { restored: args.file, accounts, kept: set_aside.or(saved) };
    args.data.output().print(&restored, |restored| {
        let kept = restored
            .kept
            .as_ref()
            .map_or_else(String::new, |kept| format!("\nwhat was there is in {}", kept.display()));
        format!("restored {} accounts from {}{kept}", restored.accounts, restored.restored.display())
    })
}

/// The keys of the data folder, and those of `key` behind them, safe in the folder before anything needs them.
fn ring_for(source: &KeySource, key: Option<&Path>) -> Result<KeyRing, Failed> {
    let Some(key) = key else { return Ok(source.load()?) };
    let brought = KeySource::File(key.to_owned()).load()?;
    match source.load() {
        Err(KeyError::Missing(_)) => {
            source.create_with(&brought)?;
            Ok(brought)
        }
        held => {
            let held = held?;
            let all = held.and(&brought);
            if all.ids().count() > held.ids().count() {
                source.replace(&all)?;
            }
            Ok(all)
        }
    }
}

/// A copy of what is there now; none when there is nothing, or nothing that can be copied.
fn save(store: &Path) -> Result<Option<PathBuf>, Failed> {
    let held = match Sqlite::open(store).and_then(|store| store.domain().map(|_| store)) {
        Ok(held) => held,
        Err(StoreError::Missing(_) | StoreError::Empty | StoreError::Damaged(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let free = (1..10_000).map(|n| with_suffix(store, &format!(".before-restore-{n}"))).find(|path| !path.exists());
    let copy = free.ok_or_else(|| Failed::Failed("too many copies from earlier restores; remove some".into()))?;
    match held.backup(&copy) {
        Ok(()) => Ok(Some(copy)),
        Err(StoreError::Damaged(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
