//! `portcullis`: accepts Windows logons, and administers who may log on.
#![forbid(unsafe_code)]

mod account;
mod account_view;
mod backup;
mod data;
mod domain;
mod group;
mod import;
mod key;
mod length;
mod output;
mod password_source;
mod policy;

use clap::Parser as _;
use std::process::ExitCode;

#[derive(Debug, clap::Parser)]
#[command(name = "portcullis", version, about, propagate_version = true)]
struct Portcullis {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Accounts: who may log on
    Account(account::Account),
    /// Groups, and who is in them
    Group(group::Group),
    /// The domain's names
    Domain(domain::Domain),
    /// Rules for passwords, and for wrong ones
    Policy(policy::Policy),
    /// The master key that secrets are sealed under
    Key(key::Key),
    /// Copy the store into a file, also while it is in use
    Backup(backup::Backup),
    /// Put a backup in the store's place, also while it is in use
    Restore(backup::Restore),
}

fn main() -> ExitCode {
    let result = match Portcullis::parse().command {
        Command::Account(args) => account::run(args),
        Command::Group(args) => group::run(args),
        Command::Domain(args) => domain::run(args),
        Command::Policy(args) => policy::run(args),
        Command::Key(args) => key::run(args),
        Command::Backup(args) => backup::backup(args),
        Command::Restore(args) => backup::restore(args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            eprintln!("portcullis: {failed}");
            ExitCode::from(failed.code())
        }
    }
}
