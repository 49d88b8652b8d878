use crate::data::{Data, Failed};
use portcullis_authority::{KeySource, Store as _};
use serde::Serialize;

/// `portcullis key`.
#[derive(Debug, clap::Args)]
pub(crate) struct Key {
    #[command(flatten)]
    data: Data,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Change the master key: make a new one and seal every secret anew
    #[command(after_help = "Example:\n  portcullis key rotate --data /var/lib/portcullis\n\n\
        Running servers take the new key at their next logon. When it is interrupted, nothing is lost: run it again.\n\
        Backups made before stay sealed under the old key: make a new one.")]
    Rotate,
    /// Show where the master key comes from, and the ids of the keys at hand
    #[command(after_help = "Example:\n  portcullis key show")]
    Show,
}

#[derive(Serialize)]
struct Changed {
    from: String,
    to: String,
    secrets: u64,
}

#[derive(Serialize)]
struct View {
    source: String,
    active: String,
    keys: Vec<String>,
}

pub(crate) fn run(args: Key) -> Result<(), Failed> {
    let directory = args.data.open()?;
    let output = args.data.output();
    match args.command {
        Command::Rotate => {
            let done = directory.rotate_key()?;
            let changed = Changed { from: done.from.to_string(), to: done.to.to_string(), secrets: done.secrets };
            let in_environment = *directory.keys().source() == KeySource::Environment;
            output.print(&changed, |changed| {
                let Changed { from, to, secrets } = changed;
                let next = if in_environment {
                    format!("Now take key {from} out of {}.", KeySource::VARIABLE)
                } else {
                    "Make a new backup, and keep a copy of the new master.key apart from it.".to_owned()
                };
                format!("master key {from} replaced by {to}; {secrets} secrets sealed anew\n{next}")
            })
        }
        Command::Show => {
            let source = match directory.keys().source() {
                KeySource::Environment => KeySource::VARIABLE.to_owned(),
                KeySource::File(path) => path.display().to_string(),
            };
            let keys = directory.keys().current()?.ids().map(|id| id.to_string()).collect();
            let view = View { source, active: directory.store().key_id()?.to_string(), keys };
            output.print(&view, |view| {
                format!("source  {}\nactive  {}\nat hand {}", view.source, view.active, view.keys.join(" "))
            })
        }
    }
}
