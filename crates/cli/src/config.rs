use crate::data::Failed;
use clap::Subcommand;
use portcullis_server::{Config as Settings, DEFAULT_FILE};
use std::path::{Path, PathBuf};

/// `portcullis config …`
#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Whether a server could start with the configuration; says where and what is wrong
    Check {
        #[command(flatten)]
        folder: Folder,
    },
    /// Print the configuration file, or the default one where there is none
    Show {
        #[command(flatten)]
        folder: Folder,
    },
}

impl Config {
    pub(crate) fn run(self) -> Result<(), Failed> {
        match self {
            Self::Check { folder } => {
                let path = file_in(&folder.data);
                load(&folder.data)?;
                match path.exists() {
                    true => println!("{}: ok", path.display()),
                    false => println!("{}: not there; the defaults hold", path.display()),
                }
            }
            Self::Show { folder } => show(&folder.data)?,
        }
        Ok(())
    }
}

/// Where a server's data lies.
#[derive(Debug, clap::Args)]
pub(crate) struct Folder {
    /// The data folder: store, master key, configuration and audit log
    #[arg(long, value_name = "DIR", env = "PORTCULLIS_DATA", default_value = "./portcullis-data")]
    pub(crate) data: PathBuf,
}

/// The configuration file of a data folder.
pub(crate) fn file_in(folder: &Path) -> PathBuf {
    folder.join("portcullis.toml")
}

/// Reads the configuration of a data folder; the defaults where there is no file.
pub(crate) fn load(folder: &Path) -> Result<Settings, Failed> {
    let path = file_in(folder);
    Settings::load(&path).map_err(|error| Failed::Failed(format!("{}: {error}", path.display())))
}

/// Where the keytab lies: what the command line names lies where the command was given, what the file names beside it.
pub(crate) fn settle_keytab(settings: &mut Settings, folder: &Path, given: Option<&Path>) -> Result<(), Failed> {
    let keytab = &mut settings.kerberos.keytab;
    match given {
        Some(given) => *keytab = Some(std::path::absolute(given)?),
        None => *keytab = keytab.as_ref().map(|named| std::path::absolute(folder.join(named))).transpose()?,
    }
    Ok(())
}

/// Prints the file as it stands, comments and all.
pub(crate) fn show(folder: &Path) -> Result<(), Failed> {
    load(folder)?;
    match std::fs::read_to_string(file_in(folder)) {
        Ok(text) => print!("{text}"),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => print!("{DEFAULT_FILE}"),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
