use crate::account_view::View;
use crate::certificate;
use crate::data::{Data, Failed};
use crate::import;
use crate::length::{self, End};
use crate::output::table;
use crate::password_source::{Given, PasswordSource};
use portcullis::Secret;
use portcullis_authority::{AccountEdit, AccountKey, Directory, LogonHours, NewAccount, NewSecret, Sqlite, Store as _};
use serde::Serialize;

/// `portcullis account`.
#[derive(Debug, clap::Args)]
pub(crate) struct Account {
    #[command(flatten)]
    data: Data,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make an account; makes the data folder, store and key when they are missing
    #[command(after_help = "Examples:\n  portcullis account add ann\n  \
        pass show ann | portcullis account add ann --password-stdin --upn ann@corp.example --group Staff\n  \
        portcullis account add temp --random --expires 2027-01-31 --logon-hours \"mon-fri 08:00-18:00\"")]
    Add {
        /// The account's name
        name: String,
        #[command(flatten)]
        source: PasswordSource,
        /// Make it without a password: nobody can log on until one is set
        #[arg(long, conflicts_with_all = ["password_stdin", "password_file", "random"])]
        no_password: bool,
        #[command(flatten)]
        edit: Edit,
        /// Put it into this group; may be given several times
        #[arg(long = "group", value_name = "GROUP")]
        groups: Vec<String>,
    },
    /// Set an account's password, and unlock it
    #[command(after_help = "Examples:\n  portcullis account passwd ann\n  \
        portcullis account passwd ann --random --must-change\n  portcullis account passwd ann --password-file secret.txt")]
    Passwd {
        /// The account's name
        name: String,
        #[command(flatten)]
        source: PasswordSource,
        /// The password must be changed before the first logon
        #[arg(long)]
        must_change: bool,
    },
    /// List the accounts
    #[command(after_help = "Example:\n  portcullis account list --json")]
    List,
    /// Show an account: its attributes, groups, certificates, and failed logons
    #[command(after_help = "Example:\n  portcullis account show ann")]
    Show {
        /// The account's name, or its user principal name
        name: String,
    },
    /// Change an account; what is not named stays
    #[command(after_help = "Examples:\n  portcullis account set ann --mail ann@example.com --workstations PC1,PC2\n  \
        portcullis account set ann --expires never --logon-hours all --must-change=false")]
    Set {
        /// The account's name
        name: String,
        #[command(flatten)]
        edit: Edit,
    },
    /// Let nobody log on with an account
    #[command(after_help = "Example:\n  portcullis account disable ann")]
    Disable {
        /// The account's name
        name: String,
    },
    /// Let an account in again
    #[command(after_help = "Example:\n  portcullis account enable ann")]
    Enable {
        /// The account's name
        name: String,
    },
    /// Forget an account's failed logons
    #[command(after_help = "Example:\n  portcullis account unlock ann")]
    Unlock {
        /// The account's name
        name: String,
    },
    /// Let a client certificate mean an account
    MapCert(certificate::Map),
    /// Let a client certificate mean an account no longer
    UnmapCert(certificate::Unmap),
    /// Remove an account, its memberships and mapped certificates; its SID is never given again
    #[command(after_help = "Example:\n  portcullis account remove ann")]
    Remove {
        /// The account's name
        name: String,
    },
    /// Make accounts from a CSV file, all or none
    #[command(after_help = "Example:\n  portcullis account import people.csv\n\n\
        The first line names the columns: name, and any of password, nt_hash (32 hexadecimal digits), upn,\n\
        display_name, mail, disabled, must_change, password_never_expires, expires, logon_hours, workstations,\n\
        groups. Several groups or workstations stand in one field with semicolons between. An account with neither\n\
        password nor nt_hash has no password yet.")]
    Import(import::Import),
}

/// Attributes of an account.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Edit {
    /// User principal name, like ann@corp.example; empty for none
    #[arg(long, value_name = "NAME")]
    pub(crate) upn: Option<String>,
    /// Name for people; empty for none
    #[arg(long, value_name = "TEXT")]
    pub(crate) display_name: Option<String>,
    /// Mail address; empty for none
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) mail: Option<String>,
    /// The account's last day (UTC), a moment like 2027-01-31T18:00:00Z, or never
    #[arg(long, value_name = "DATE", value_parser = length::parse_end)]
    pub(crate) expires: Option<End>,
    /// When it may log on, in UTC: all, none, or ranges like "mon-fri 08:00-18:00, sat 10:00-12:00"
    #[arg(long, value_name = "HOURS", value_parser = str::parse::<LogonHours>)]
    pub(crate) logon_hours: Option<LogonHours>,
    /// Computers that it may log on from, with commas between; empty for any
    #[arg(long, value_name = "A,B")]
    pub(crate) workstations: Option<String>,
    /// The password must be changed before the first logon
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) must_change: Option<bool>,
    /// Nobody may log on with it
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) disabled: Option<bool>,
    /// The policy's greatest age does not count for its password
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) password_never_expires: Option<bool>,
}

impl Edit {
    pub(crate) fn into_edit(self) -> AccountEdit {
        let text = |text: Option<String>| text.map(|text| (!text.is_empty()).then_some(text));
        let names = |list: String| {
            list.split([',', ';']).map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
        };
        AccountEdit {
            upn: text(self.upn),
            display_name: text(self.display_name),
            mail: text(self.mail),
            disabled: self.disabled,
            must_change: self.must_change,
            password_never_expires: self.password_never_expires,
            expires: self.expires.map(|End(end)| end),
            hours: self.logon_hours,
            workstations: self.workstations.map(names),
        }
    }
}

#[derive(Serialize)]
struct Secretive {
    name: String,
    sid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

pub(crate) fn run(args: Account) -> Result<(), Failed> {
    let (data, output) = (args.data.clone(), args.data.output());
    match args.command {
        Command::Add { name, source, no_password, edit, groups } => {
            // Before the folder is made: a password that was not given makes nothing.
            let given = if no_password { None } else { Some(source.read(&name)?) };
            let shown = given.as_ref().and_then(shown);
            let secret = given.map_or(NewSecret::None, |given| NewSecret::Password(given.password));
            let directory = data.open_or_make()?;
            let entry = directory.add_account(NewAccount { name, secret, edit: edit.into_edit(), groups })?;
            let made = Secretive { name: entry.name, sid: entry.sid.to_string(), password: shown };
            output.print(&made, |made| format!("account {} made: {}{}", made.name, made.sid, told(made)))
        }
        Command::Passwd { name, source, must_change } => {
            let directory = data.open()?;
            let account = directory.account(&name)?;
            let given = source.read(&account.name)?;
            directory.set_password(&account.name, &given.password, must_change)?;
            let set = Secretive { name: account.name, sid: account.sid.to_string(), password: shown(&given) };
            output.print(&set, |set| format!("password of {} set{}", set.name, told(set)))
        }
        Command::List => list(&data),
        Command::Show { name } => show(&data.open()?, &data, &name),
        Command::Set { name, edit } => {
            let edit = edit.into_edit();
            if edit == AccountEdit::default() {
                return Err(Failed::Usage(
                    "nothing to change: name an attribute, see `portcullis account set --help`".into(),
                ));
            }
            let directory = data.open()?;
            directory.edit_account(&name, edit)?;
            show(&directory, &data, &name)
        }
        Command::Disable { name } => set_disabled(&data, &name, true),
        Command::Enable { name } => set_disabled(&data, &name, false),
        Command::Unlock { name } => {
            let directory = data.open()?;
            let account = directory.account(&name)?;
            let count = directory.store().unlock(AccountKey::of(&account.name))?;
            output.done(&format!("account {} unlocked; {count} counters of failed logons forgotten", account.name))
        }
        Command::MapCert(map) => certificate::map(map, &data),
        Command::UnmapCert(unmap) => certificate::unmap(unmap, &data),
        Command::Remove { name } => {
            let directory = data.open()?;
            let account = directory.account(&name)?;
            directory.store().remove_account(account.rid)?;
            output.done(&format!("account {} removed", account.name))
        }
        Command::Import(import) => import::run(import, &data),
    }
}

fn shown(given: &Given) -> Option<String> {
    let password: &Secret<String> = &given.password;
    given.show.then(|| password.expose().clone())
}

fn told(account: &Secretive) -> String {
    account
        .password
        .as_ref()
        .map_or_else(String::new, |password| format!("\npassword: {password}\nIt is shown this once."))
}

fn set_disabled(data: &Data, name: &str, disabled: bool) -> Result<(), Failed> {
    let directory = data.open()?;
    let edit = AccountEdit { disabled: Some(disabled), ..AccountEdit::default() };
    let account = directory.edit_account(name, edit)?;
    let state = if disabled { "disabled" } else { "enabled" };
    data.output().done(&format!("account {} {state}", account.name))
}

fn list(data: &Data) -> Result<(), Failed> {
    let directory = data.open()?;
    let accounts = directory.store().accounts()?;
    let views = accounts.iter().map(|account| View::of(&directory, account, false)).collect::<Result<Vec<_>, _>>()?;
    data.output().print(&views, |views| {
        let row = |view: &View| {
            let [display, last] = [&view.display_name, &view.last_logon].map(|text| text.clone().unwrap_or_default());
            [view.name.clone(), view.state.join(", "), display, view.sid.clone(), last]
        };
        table(["NAME", "STATE", "DISPLAY NAME", "SID", "LAST LOGON"], views.iter().map(row))
    })
}

fn show(directory: &Directory<Sqlite>, data: &Data, name: &str) -> Result<(), Failed> {
    let view = View::of(directory, &directory.account(name)?, true)?;
    data.output().print(&view, View::words)
}
