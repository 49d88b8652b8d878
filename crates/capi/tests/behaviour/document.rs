//! The document that the calls come to, and how it is compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// What is said of one function, or of those that differ in the characters of their texts only.
pub struct Section {
    pub exports: Vec<&'static str>,
    /// Which part of what it does, where it has several sections; empty for all.
    pub part: &'static str,
    /// What it needs to know who reads the table; empty for nothing.
    pub about: &'static str,
    /// What stands over the first column.
    pub by: &'static str,
    /// What stands over the columns of statuses.
    pub columns: Vec<&'static str>,
    /// What may come at all, by the names of its pages and the contract.
    pub documented: &'static [&'static str],
    pub rows: Vec<Row>,
}

pub struct Row {
    pub case: String,
    /// One for each column.
    pub statuses: Vec<u32>,
    pub source: String,
    pub tests: Vec<&'static str>,
}

/// The names of statuses, from the header that programs see.
pub fn names() -> BTreeMap<u32, String> {
    let header = fs::read_to_string(folder().join("include/portcullis/sspi.h")).unwrap();
    let mut names = BTreeMap::from([(0xC000_006C, "STATUS_PASSWORD_RESTRICTION".to_owned())]);
    for line in header.lines() {
        let mut words = line.split_whitespace();
        if let (Some("#define"), Some(name), Some(value)) = (words.next(), words.next(), words.next())
            && let Some(number) = value.strip_prefix("((SECURITY_STATUS)0x").and_then(|rest| rest.strip_suffix("L)"))
        {
            names.entry(u32::from_str_radix(number, 16).unwrap()).or_insert_with(|| name.to_owned());
        }
    }
    names
}

impl Section {
    fn print(&self, names: &BTreeMap<u32, String>, out: &mut String) {
        let part = if self.part.is_empty() { String::new() } else { format!(": {}", self.part) };
        writeln!(out, "\n## {}{part}\n", self.exports.join(", ")).unwrap();
        if !self.about.is_empty() {
            writeln!(out, "{}\n", self.about).unwrap();
        }
        let columns = self.columns.iter().map(|column| format!("{column} | ")).collect::<String>();
        writeln!(out, "| {} | {columns}source | test |", self.by).unwrap();
        writeln!(out, "|{}", "---|".repeat(self.columns.len() + 3)).unwrap();
        for row in &self.rows {
            let statuses: String = row.statuses.iter().map(|status| format!("{} | ", short(names, *status))).collect();
            let tests: Vec<_> = row.tests.iter().map(|test| format!("`{test}`")).collect();
            let (case, source) = (&row.case, &row.source);
            writeln!(out, "| {case} | {statuses}{source} | {} |", tests.join(", ")).unwrap();
        }
    }

    /// What is wrong with it: a status that nobody knows, or that its function does not have.
    pub fn findings(&self, names: &BTreeMap<u32, String>) -> Vec<String> {
        let mut findings = Vec::new();
        for row in &self.rows {
            assert_eq!(row.statuses.len(), self.columns.len(), "{:?}: {}", self.exports, row.case);
            assert!(!row.source.is_empty() && !row.tests.is_empty(), "{:?}: {}", self.exports, row.case);
            for (status, column) in row.statuses.iter().zip(&self.columns) {
                let name = names.get(status).map_or("a status without a name", String::as_str);
                if !self.documented.contains(&name) {
                    let (exports, case) = (self.exports.join(", "), &row.case);
                    findings.push(format!("{exports}, {case}, {column}: {name} {status:#010x}"));
                }
            }
        }
        findings
    }
}

/// SEC_ says nothing that the column does not.
fn short(names: &BTreeMap<u32, String>, status: u32) -> String {
    let Some(name) = names.get(&status) else { return format!("{status:#010x}") };
    let name = name.strip_prefix("SEC_").unwrap_or(name);
    if name == "E_OK" { "OK".into() } else { name.to_owned() }
}

pub fn print(sections: &[Section], names: &BTreeMap<u32, String>) -> String {
    let mut out = HEAD.to_owned();
    sections.iter().for_each(|section| section.print(names, &mut out));
    out
}

const HEAD: &str = "\
# The C functions, called in every state

Written by `crates/capi/tests/behaviour`, which calls each function of `libportcullis.so` with a handle in each state and
otherwise plausible arguments, and asserts that only documented statuses come, never SEC_E_INTERNAL_ERROR, and that A and W
functions answer alike. A status stands without its `SEC_`. Sources are pages of Microsoft's documentation by their titles,
sections of specifications, or what a program needs that we run; *ours* marks what nobody else specifies. Under Negotiate the
sole mechanism, NTLM, is chosen. `UPDATE=1 cargo test -p portcullis-capi --test behaviour` writes this file anew.

The functions of `wincrypt.h` have neither packages nor states and are not here: `wincrypt.h` says what each answers, and
`crates/capi/tests/c/semantics_crypt.c` shows it.
";

/// Compares with the checked-in document, or writes it where UPDATE=1 says so.
pub fn compare(text: &str) {
    let file = folder().join("../../docs/c-functions.md");
    if std::env::var_os("UPDATE").is_some_and(|update| update == "1") {
        fs::write(&file, text).unwrap();
        return;
    }
    let kept = fs::read_to_string(&file).unwrap_or_default();
    if kept != text {
        let new = Path::new(env!("CARGO_TARGET_TMPDIR")).join("c-functions.md");
        fs::write(&new, text).unwrap();
        let first = kept.lines().zip(text.lines()).find(|(kept, new)| kept != new);
        panic!(
            "{} is not what comes now: {first:?}\nread the difference; if it is right: cp {} {}",
            file.display(),
            new.display(),
            file.display()
        );
    }
}

/// Tests that are named and are not there. A name is a folder or file of tests, and a function in it; a path is a file.
pub fn missing_tests(sections: &[Section]) -> Vec<&'static str> {
    let mut missing = BTreeSet::new();
    for section in sections {
        let named = section.rows.iter().flat_map(|row| &row.tests).copied();
        missing.extend(named.filter(|test| !is_there(test, &section.exports)));
    }
    missing.into_iter().collect()
}

/// A program must call one of the functions that it is to show.
fn is_there(test: &str, exports: &[&str]) -> bool {
    if test.contains('/') {
        let program = fs::read_to_string(folder().join(test)).unwrap_or_default();
        let plain = |export: &str| export.trim_end_matches(['A', 'W']).to_owned();
        return exports.iter().any(|export| program.contains(&format!("{}(", plain(export))));
    }
    let mut parts: Vec<_> = test.split("::").collect();
    let function = parts.pop().unwrap();
    let within = |path: PathBuf| fs::read_to_string(path).is_ok_and(|text| text.contains(&format!("fn {function}(")));
    let tests = folder().join("tests").join(parts[0]);
    match parts[..] {
        [_] => fs::read_dir(tests).into_iter().flatten().any(|entry| within(entry.unwrap().path())),
        [_, module] => within(tests.join(format!("{module}.rs"))),
        _ => false,
    }
}

/// The crate's folder.
pub fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
