use crate::account::Edit;
use crate::data::{Data, Failed};
use crate::length;
use crate::password_source;
use indicatif::{ProgressBar, ProgressStyle};
use portcullis::Secret;
use portcullis::ntlm::keys::EMPTY_NT_HASH;
use portcullis_authority::{Directory, NewAccount, NewSecret, Sqlite};
use serde::Serialize;
use std::io::{IsTerminal as _, Read as _};
use std::path::PathBuf;
use zeroize::Zeroizing;

/// `portcullis account import`.
#[derive(Debug, clap::Args)]
pub(crate) struct Import {
    /// The CSV file, or - for standard input
    #[arg(value_name = "FILE.csv")]
    file: PathBuf,
}

#[derive(Serialize)]
struct Imported {
    imported: usize,
    without_password: usize,
}

/// A row of the file: where it stands, and the account.
struct Line {
    number: u64,
    account: NewAccount,
}

/// The line that it stands on, and what is wrong.
type Mistake = (u64, String);

/// From how many rows on the progress is shown.
const MANY: usize = 50;
/// How many mistakes are told at once.
const TOLD: usize = 20;

pub(crate) fn run(args: Import, data: &Data) -> Result<(), Failed> {
    let from = args.file.display().to_string();
    let mut text = Zeroizing::new(Vec::new());
    match from.as_str() {
        "-" => std::io::stdin().lock().read_to_end(&mut text),
        _ => std::fs::File::open(&args.file).and_then(|mut file| file.read_to_end(&mut text)),
    }
    .map_err(|error| Failed::Failed(format!("{from}: {error}")))?;

    let (lines, mut mistakes) = read(&text)?;
    let directory = data.open_or_make()?;
    check(&directory, &lines, &mut mistakes);
    if !mistakes.is_empty() {
        return Err(refuse(&from, mistakes));
    }

    let (numbers, accounts): (Vec<u64>, Vec<NewAccount>) =
        lines.into_iter().map(|line| (line.number, line.account)).unzip();
    let bar = progress(accounts.len());
    let added = directory.add_accounts(&accounts, &|done| bar.set_position(u64::try_from(done).unwrap_or(0)));
    bar.finish_and_clear();
    let added = added.map_err(|batch| match batch.at.and_then(|at| numbers.get(at)) {
        Some(line) => refuse(&from, vec![(*line, batch.error.to_string())]),
        None => Failed::Failed(format!("{from}: {}; no account was made", batch.error)),
    })?;
    let imported =
        Imported { imported: added.len(), without_password: accounts.iter().filter(|a| has_none(a)).count() };
    data.output().print(&imported, |Imported { imported, without_password }| match without_password {
        0 => format!("accounts made: {imported}"),
        none => {
            format!("accounts made: {imported}; {none} of them without a password, so that nobody can log on with them")
        }
    })
}

fn has_none(account: &NewAccount) -> bool {
    match &account.secret {
        NewSecret::None => true,
        NewSecret::NtHash(hash) => *hash.expose() == EMPTY_NT_HASH,
        NewSecret::Password(_) => false,
    }
}

fn progress(rows: usize) -> ProgressBar {
    if rows < MANY || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(u64::try_from(rows).unwrap_or(0));
    match ProgressStyle::with_template("{bar:40} {pos}/{len} {eta}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Reads all rows; what is wrong with some is told together with what is wrong with others.
fn read(text: &[u8]) -> Result<(Vec<Line>, Vec<Mistake>), Failed> {
    let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::Headers).flexible(false).from_reader(text);
    let columns: Vec<String> = match reader.headers() {
        Ok(head) => head.iter().map(str::to_ascii_lowercase).collect(),
        Err(error) => return Err(Failed::Failed(format!("line 1: {error}"))),
    };
    if !columns.iter().any(|column| column == "name") {
        return Err(Failed::Failed("line 1: there is no column `name`; the first line must name the columns".into()));
    }
    if let Some(unknown) = columns.iter().find(|column| !COLUMNS.contains(&column.as_str())) {
        let known = COLUMNS.join(", ");
        return Err(Failed::Failed(format!("line 1: unknown column `{unknown}`; known are {known}")));
    }
    let (mut lines, mut mistakes) = (Vec::new(), Vec::new());
    for row in reader.records() {
        match row {
            Ok(row) => {
                let number = row.position().map_or(0, csv::Position::line);
                match account(columns.iter().map(String::as_str).zip(row.iter())) {
                    Ok(account) => lines.push(Line { number, account }),
                    Err(mistake) => mistakes.push((number, mistake)),
                }
            }
            Err(error) => mistakes.push((error.position().map_or(0, csv::Position::line), csv_words(&error))),
        }
    }
    Ok((lines, mistakes))
}

const COLUMNS: [&str; 13] = [
    "name",
    "password",
    "nt_hash",
    "upn",
    "display_name",
    "mail",
    "disabled",
    "must_change",
    "password_never_expires",
    "expires",
    "logon_hours",
    "workstations",
    "groups",
];

/// Not the error's own words, which may hold the row's text, and so a password.
fn csv_words(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("{len} fields where the first line has {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => "not UTF-8 text".into(),
        _ => "not readable as CSV".into(),
    }
}

fn account<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> Result<NewAccount, String> {
    let mut name = String::new();
    let (mut edit, mut groups) = (Edit::default(), Vec::new());
    let (mut password, mut hash) = (None, None);
    for (column, value) in fields.filter(|(_, value)| !value.is_empty()) {
        let text = || Some(value.to_owned());
        match column {
            "name" => name = value.to_owned(),
            "password" => password = Some(Secret::new(value.to_owned())),
            "nt_hash" => hash = Some(password_source::nt_hash(value).ok_or("nt_hash: not 32 hexadecimal digits")?),
            "upn" => edit.upn = text(),
            "display_name" => edit.display_name = text(),
            "mail" => edit.mail = text(),
            "disabled" => edit.disabled = Some(truth(column, value)?),
            "must_change" => edit.must_change = Some(truth(column, value)?),
            "password_never_expires" => edit.password_never_expires = Some(truth(column, value)?),
            "expires" => edit.expires = Some(length::parse_end(value)?),
            "logon_hours" => edit.logon_hours = Some(value.parse().map_err(|error| format!("logon_hours: {error}"))?),
            "workstations" => edit.workstations = text(),
            _ => groups.extend(value.split(';').map(str::trim).filter(|group| !group.is_empty()).map(str::to_owned)),
        }
    }
    let secret = match (password, hash) {
        (Some(_), Some(_)) => return Err("both password and nt_hash; give one".into()),
        (Some(password), None) => NewSecret::Password(password),
        (None, Some(hash)) => NewSecret::NtHash(hash),
        (None, None) => NewSecret::None,
    };
    if name.is_empty() {
        return Err("no name".into());
    }
    Ok(NewAccount { name, secret, edit: edit.into_edit(), groups })
}

fn truth(column: &str, text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Ok(true),
        "false" | "no" | "0" => Ok(false),
        _ => Err(format!("{column}: `{text}` is neither true nor false")),
    }
}

/// What the store would say of each row, and rows of one name.
fn check(directory: &Directory<Sqlite>, lines: &[Line], mistakes: &mut Vec<Mistake>) {
    let mut seen = std::collections::HashMap::new();
    for Line { number, account } in lines {
        if let Err(error) = directory.check_account(account) {
            mistakes.push((*number, error.to_string()));
        } else if let Some(first) = seen.insert(portcullis_wire::utf16::upper_string(&account.name), number) {
            mistakes.push((*number, format!("the name `{}` stands on line {first} already", account.name)));
        }
    }
}

fn refuse(from: &str, mut mistakes: Vec<Mistake>) -> Failed {
    mistakes.sort();
    let mut words = String::new();
    for (line, mistake) in mistakes.iter().take(TOLD) {
        words.push_str(&format!("{from}, line {line}: {mistake}\n"));
    }
    if mistakes.len() > TOLD {
        words.push_str(&format!("… and {} more\n", mistakes.len() - TOLD));
    }
    Failed::Failed(words + "no account was made")
}
