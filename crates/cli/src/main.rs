//! `portcullis`: accepts Windows logons, and administers who may log on.
#![forbid(unsafe_code)]

mod account;
mod account_view;
mod authority;
mod backup;
mod certificate;
mod config;
mod connect;
mod data;
mod domain;
mod group;
mod import;
mod isolation;
mod keeper;
mod key;
mod keytab;
mod length;
mod logging;
mod output;
mod password_source;
mod policy;
mod serve;

use clap::{CommandFactory as _, Parser as _};
use std::process::ExitCode;

/// Accepts Windows logons (Negotiate, Kerberos, NTLM) on any platform, and administers who may log on
#[derive(Debug, clap::Parser)]
#[command(name = "portcullis", version, propagate_version = true, after_help = EXAMPLES)]
struct Portcullis {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Serve: ask clients who they are, and tell them
    Serve(serve::Serve),
    /// Hold the accounts, and answer another process that serves
    Authority(authority::Authority),
    /// Log on to a server as a client, and show each message decoded
    Connect(connect::Connect),
    /// Accounts: who may log on
    Account(account::Account),
    /// Groups, and who is in them
    Group(group::Group),
    /// The domain's names
    Domain(domain::Domain),
    /// Rules for passwords, for wrong ones, and for certificates
    Policy(policy::Policy),
    /// The master key that secrets are sealed under
    Key(key::Key),
    /// Keytabs, which hold the keys for Kerberos: what is in them, and what is wrong
    Keytab(keytab::Keytab),
    /// Copy the store into a file, also while it is in use
    Backup(backup::Backup),
    /// Put a backup in the store's place, also while it is in use
    Restore(backup::Restore),
    /// The configuration file
    #[command(subcommand)]
    Config(config::Config),
    /// Keeps what a serving process gave up; `serve` starts it
    #[command(hide = true)]
    Keeper(keeper::Keep),
    /// Print a shell's completion script
    #[command(after_help = "Example:\n  portcullis completions bash > /etc/bash_completion.d/portcullis")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

const EXAMPLES: &str = "Examples:
  portcullis serve                   the first start makes a store and an account, and says how to log on
  portcullis serve --http 0.0.0.0:80 --data /var/lib/portcullis
  portcullis account add ann         asks for a password
  portcullis keytab check /etc/krb5.keytab
  portcullis connect http://127.0.0.1:8080/ --user ann
  portcullis config check            whether the configuration makes sense";

fn main() -> ExitCode {
    let result = match Portcullis::parse().command {
        Command::Serve(args) => args.run(),
        Command::Authority(args) => args.run(),
        Command::Connect(args) => args.run(),
        Command::Keeper(args) => args.run(),
        Command::Account(args) => account::run(args),
        Command::Group(args) => group::run(args),
        Command::Domain(args) => domain::run(args),
        Command::Policy(args) => policy::run(args),
        Command::Key(args) => key::run(args),
        Command::Keytab(args) => keytab::run(args),
        Command::Backup(args) => backup::backup(args),
        Command::Restore(args) => backup::restore(args),
        Command::Config(args) => args.run(),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Portcullis::command(), "portcullis", &mut std::io::stdout());
            Ok(())
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            eprintln!("portcullis: {failed}");
            ExitCode::from(failed.code())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Portcullis::command().debug_assert();
    }
}
