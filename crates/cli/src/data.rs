use crate::output::Output;
use portcullis_authority::{DataFolder, Directory, DomainNames, LocalNames, OpenError, Sqlite, bootstrap};
use std::fmt;
use std::path::PathBuf;

/// What every command of the administration takes.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Data {
    /// The data folder: store, master key and audit log
    #[arg(
        long = "data",
        value_name = "DIR",
        env = "PORTCULLIS_DATA",
        default_value = "./portcullis-data",
        global = true
    )]
    pub(crate) folder: PathBuf,

    /// Print JSON, for programs
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

impl Data {
    /// Opens what is there.
    pub(crate) fn open(&self) -> Result<Directory<Sqlite>, Failed> {
        Ok(Directory::open_sqlite(&self.folder, LocalNames::default())?)
    }

    /// Opens what is there; makes it first when it is not.
    pub(crate) fn open_or_make(&self) -> Result<Directory<Sqlite>, Failed> {
        let made = bootstrap(&self.folder, &DomainNames::of_this_host(), None)?;
        if made.new_store {
            eprintln!("made a new store in {}", self.folder.display());
        }
        self.open()
    }

    pub(crate) fn files(&self) -> DataFolder {
        DataFolder::new(&self.folder)
    }

    pub(crate) fn output(&self) -> Output {
        Output { json: self.json }
    }
}

/// Why a command failed: the exit code is 1, or 2 when it was called wrongly.
#[derive(Debug)]
pub(crate) enum Failed {
    /// Called wrongly.
    Usage(String),
    /// Could not be done.
    Failed(String),
}

impl Failed {
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Failed(_) => 1,
        }
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(words) | Self::Failed(words) => f.write_str(words),
        }
    }
}

macro_rules! from_error {
    ($($error:ty),*) => { $(impl From<$error> for Failed {
        fn from(error: $error) -> Self { Self::Failed(error.to_string()) }
    })* };
}
from_error!(
    OpenError,
    portcullis_authority::AdminError,
    portcullis_authority::StoreError,
    portcullis_authority::KeyError,
    portcullis_authority::KeytabError,
    portcullis_authority::SealError,
    portcullis_authority::BadDomainName,
    std::io::Error,
    tracing_subscriber::reload::Error,
    tracing_subscriber::util::TryInitError,
    String
);
