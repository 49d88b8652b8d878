//! `portcullis keytab`: what a keytab holds, what is wrong with it, and several made into one. No key is ever printed.

mod check;
mod entries;
mod findings;
mod list;
mod merge;
mod ticket;

use crate::data::Failed;
use crate::output::Output;
use std::path::PathBuf;

/// `portcullis keytab`.
#[derive(Debug, clap::Args)]
pub(crate) struct Keytab {
    /// Print JSON, for programs
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the keys of a keytab, without the keys themselves
    #[command(after_help = "Example:\n  portcullis keytab list /etc/krb5.keytab")]
    List {
        /// The keytab
        file: PathBuf,
    },
    /// Say what is wrong with a keytab, and what to do; exits with 1 where something is
    #[command(after_help = "Examples:\n  portcullis keytab check /etc/krb5.keytab\n  \
        portcullis keytab check /etc/krb5.keytab --ticket YIIFmAYGKwYBBQUCoIIF...\n  \
        portcullis keytab check /etc/krb5.keytab --ticket - < token.txt\n\n\
        The ticket is what a client sends: the base64 of an Authorization header, with or without `Negotiate` before it.\n\
        It is compared with what the keytab holds, and opened where a key fits.")]
    Check {
        /// The keytab
        file: PathBuf,
        /// A client's token in base64, or - to read it from standard input
        #[arg(long, value_name = "TOKEN")]
        ticket: Option<String>,
    },
    /// Make one keytab of several: all their keys, the newest versions first
    #[command(after_help = "Examples:\n  portcullis keytab merge /etc/krb5.keytab new.keytab -o /etc/krb5.keytab\n  \
        portcullis keytab merge a.keytab b.keytab -o both.keytab --dry-run\n\n\
        The keytab is replaced in one step, readable for its owner alone: a running server reads the old one or the new.\n\
        Old versions are kept, for tickets that were made with them are good for hours. Two different keys of the same\n\
        principal, version and encryption type are an error, unless --prefer says which one is right.")]
    Merge {
        /// The keytabs
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Where to write: one of the keytabs, or a new file
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
        /// Which of two contradicting keys is right
        #[arg(long, value_name = "WHICH")]
        prefer: Option<merge::Prefer>,
        /// Write over a file that is none of the keytabs
        #[arg(long)]
        overwrite: bool,
        /// Write nothing; say what would be written
        #[arg(long)]
        dry_run: bool,
    },
}

pub(crate) fn run(args: Keytab) -> Result<(), Failed> {
    let output = Output { json: args.json };
    match args.command {
        Command::List { file } => list::run(&file, output),
        Command::Check { file, ticket } => check::run(&file, ticket.as_deref(), output),
        Command::Merge { files, output: to, prefer, overwrite, dry_run } => {
            merge::run(&files, &to, merge::Options { prefer, overwrite, dry_run }, output)
        }
    }
}
