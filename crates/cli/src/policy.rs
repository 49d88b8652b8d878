use crate::data::{Data, Failed};
use crate::length::{self, OrNever};
use crate::output::table;
use portcullis_authority::{Policy as Rules, Store as _};
use serde::Serialize;
use std::time::Duration;

/// `portcullis policy`.
#[derive(Debug, clap::Args)]
pub(crate) struct Policy {
    #[command(flatten)]
    data: Data,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Show the rules for passwords, for wrong passwords, and for certificates
    #[command(after_help = "Example:\n  portcullis policy show --json")]
    Show,
    /// Change rules; what is not named stays
    #[command(after_help = "Examples:\n  portcullis policy set --min-password-length 12 --max-password-age 90d\n  \
        portcullis policy set --lockout-threshold 5 --lockout-window 15m --lockout-duration 30m\n\n\
        A threshold of 0 switches it off. A lockout duration of 0 locks until `portcullis account unlock`.")]
    Set(Changes),
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = true)]
struct Changes {
    /// Wrong passwords for one account from one address until it is locked for that address
    #[arg(long, value_name = "N")]
    lockout_threshold: Option<u32>,
    /// Wrong passwords are forgotten after this time
    #[arg(long, value_name = "TIME", value_parser = length::parse)]
    lockout_window: Option<Duration>,
    /// How long a lock lasts; 0 until unlocked
    #[arg(long, value_name = "TIME", value_parser = length::parse)]
    lockout_duration: Option<Duration>,
    /// Wrong passwords for one account from anywhere until it is locked for everyone
    #[arg(long, value_name = "N")]
    lockout_global_threshold: Option<u32>,
    /// Wrong passwords from one address for any account until the address is refused for a window
    #[arg(long, value_name = "N")]
    address_threshold: Option<u32>,
    /// Whether loopback addresses are exempt from the threshold of addresses
    #[arg(long, value_name = "BOOL")]
    loopback_exempt: Option<bool>,
    /// The fewest characters of a new password
    #[arg(long, value_name = "N")]
    min_password_length: Option<u32>,
    /// How old a password may become, or never
    #[arg(long, value_name = "TIME", value_parser = length::parse_or_never)]
    max_password_age: Option<OrNever>,
    /// Whether certificates also mean accounts by subject, mail address or user principal name, which others may come
    /// to have
    #[arg(long, value_name = "BOOL")]
    danger_weak_certificate_mappings: Option<bool>,
}

#[derive(Serialize)]
struct View {
    lockout_threshold: u32,
    lockout_window_seconds: u64,
    lockout_duration_seconds: u64,
    lockout_global_threshold: u32,
    address_threshold: u32,
    loopback_exempt: bool,
    min_password_length: u32,
    max_password_age_seconds: Option<u64>,
    danger_weak_certificate_mappings: bool,
}

pub(crate) fn run(args: Policy) -> Result<(), Failed> {
    let directory = args.data.open()?;
    let mut rules = directory.store().policy()?;
    if let Command::Set(changes) = args.command {
        change(&mut rules, changes)?;
        directory.store().set_policy(&rules)?;
    }
    let Rules { password, lockout, danger_weak_certificate_mappings } = &rules;
    let view = View {
        lockout_threshold: lockout.threshold,
        lockout_window_seconds: lockout.window.as_secs(),
        lockout_duration_seconds: lockout.duration.as_secs(),
        lockout_global_threshold: lockout.global_threshold,
        address_threshold: lockout.address_threshold,
        loopback_exempt: lockout.loopback_exempt,
        min_password_length: password.min_length,
        max_password_age_seconds: password.max_age.map(|age| age.as_secs()),
        danger_weak_certificate_mappings: *danger_weak_certificate_mappings,
    };
    args.data.output().print(&view, |_| words(&rules))
}

fn change(rules: &mut Rules, changes: Changes) -> Result<(), Failed> {
    let Rules { password, lockout, danger_weak_certificate_mappings: weak } = rules;
    if changes.lockout_window.is_some_and(|window| window.is_zero()) {
        return Err(Failed::Usage(
            "--lockout-window: failures must be counted over some time; to lock nobody, use --lockout-threshold 0"
                .into(),
        ));
    }
    lockout.threshold = changes.lockout_threshold.unwrap_or(lockout.threshold);
    lockout.window = changes.lockout_window.unwrap_or(lockout.window);
    lockout.duration = changes.lockout_duration.unwrap_or(lockout.duration);
    lockout.global_threshold = changes.lockout_global_threshold.unwrap_or(lockout.global_threshold);
    lockout.address_threshold = changes.address_threshold.unwrap_or(lockout.address_threshold);
    lockout.loopback_exempt = changes.loopback_exempt.unwrap_or(lockout.loopback_exempt);
    *weak = changes.danger_weak_certificate_mappings.unwrap_or(*weak);
    password.min_length = changes.min_password_length.unwrap_or(password.min_length);
    if let Some(OrNever(age)) = changes.max_password_age {
        if age.is_some_and(|age| age.is_zero()) {
            return Err(Failed::Usage(
                "--max-password-age: a password must live for some time; write never for ever".into(),
            ));
        }
        password.max_age = age;
    }
    Ok(())
}

fn words(Rules { password, lockout, danger_weak_certificate_mappings: weak }: &Rules) -> String {
    let count = |threshold: u32| if threshold == 0 { "off".to_owned() } else { threshold.to_string() };
    let duration =
        if lockout.duration.is_zero() { "until unlocked".to_owned() } else { length::show(lockout.duration) };
    let rows = [
        ("lockout threshold", count(lockout.threshold), "wrong passwords for one account from one address"),
        ("lockout window", length::show(lockout.window), "within this time"),
        ("lockout duration", duration, "how long a lock lasts"),
        ("lockout global threshold", count(lockout.global_threshold), "wrong passwords for one account from anywhere"),
        ("address threshold", count(lockout.address_threshold), "wrong passwords from one address for any account"),
        ("loopback exempt", lockout.loopback_exempt.to_string(), "from the threshold of addresses"),
        ("min password length", password.min_length.to_string(), "characters"),
        (
            "max password age",
            password.max_age.map_or_else(|| "never".to_owned(), length::show),
            "until it must be set anew",
        ),
        ("weak certificate mappings", weak.to_string(), "whether subject, mail and user principal name count"),
    ];
    table(["RULE", "VALUE", ""], rows.map(|(rule, value, what)| [rule.to_owned(), value, what.to_owned()]))
}
