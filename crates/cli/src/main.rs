//! `portcullis`: accepts Windows logons, and administers who may log on.

mod config;
mod logging;
mod serve;

use clap::{CommandFactory, Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Accepts Windows logons (NTLM) on any platform, and administers who may log on.
#[derive(Debug, Parser)]
#[command(name = "portcullis", version, propagate_version = true, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve: ask clients who they are, and tell them.
    Serve(serve::Serve),
    /// Look at the configuration.
    #[command(subcommand)]
    Config(config::Config),
    /// Print a shell's completion script.
    #[command(after_help = "Example:\n  portcullis completions bash > /etc/bash_completion.d/portcullis")]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// Where a command's data lies.
#[derive(Debug, clap::Args)]
struct Data {
    /// The data folder: store, key, configuration and audit log.
    #[arg(long, value_name = "DIR", env = "PORTCULLIS_DATA", default_value = "portcullis-data")]
    data: PathBuf,
}

/// What a command says when it fails.
type Failed = Box<dyn std::error::Error>;

const EXAMPLES: &str = "Examples:
  portcullis serve                          the first start makes a store, an account, and says how to log on
  portcullis serve --http 0.0.0.0:80 --data /var/lib/portcullis
  portcullis config check                   whether the configuration makes sense";

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Serve(serve) => serve.run(),
        Command::Config(config) => config.run(),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "portcullis", &mut std::io::stdout());
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("portcullis: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
