//! What can be wrong with a keytab.

use super::entries::{Contents, Entry, Use};
use serde::Serialize;
use std::collections::BTreeMap;

/// Something that is wrong, or may become so.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    pub(super) severity: Severity,
    /// A stable name.
    pub(super) kind: &'static str,
    pub(super) what: String,
    /// What to do.
    pub(super) advice: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Severity {
    /// Clients will be refused, or others can be this service.
    Error,
    /// It works, and could be better.
    Warning,
}

impl Finding {
    pub(super) fn error(kind: &'static str, what: String, advice: &'static str) -> Self {
        Self { severity: Severity::Error, kind, what, advice }
    }

    pub(super) fn warning(kind: &'static str, what: String, advice: &'static str) -> Self {
        Self { severity: Severity::Warning, kind, what, advice }
    }
}

/// Who may read a file of this mode.
pub(super) fn of_mode(mode: u32) -> Option<Finding> {
    const ADVICE: &str = "whoever can read it can be this service, and anybody towards it: `chmod 600` it";
    let what = format!("its mode is {:04o}", mode & 0o7777);
    match mode {
        _ if mode & 0o027 != 0 => {
            Some(Finding::error("permissions", format!("others may read or write it: {what}"), ADVICE))
        }
        _ if mode & 0o070 != 0 => {
            Some(Finding::warning("group-permissions", format!("a group may use it: {what}"), ADVICE))
        }
        _ => None,
    }
}

/// What its entries are.
pub(super) fn of_entries(contents: &Contents) -> Vec<Finding> {
    let mut found = Vec::new();
    for error in &contents.unreadable {
        let advice = "a server does not take such a file: it was cut short, or written by half; export it anew";
        found.push(Finding::error("unreadable", format!("an entry cannot be read: {error}"), advice));
    }
    if !contents.entries.iter().any(|entry| entry.use_.opens()) {
        let what = format!("none of its {} entries opens a ticket", contents.entries.len());
        let advice = "no client could log on; export the service's keys (`ktpass`, `msktutil`, `kadmin ktadd`)";
        found.push(Finding::error("no-key", what, advice));
    }
    found.extend(contents.entries.iter().filter_map(of_use));
    of_pairs(&contents.entries, &mut found);
    let mut by_principal: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in contents.entries.iter().filter(|entry| entry.use_.opens()) {
        by_principal.entry(&entry.principal).or_default().push(entry);
    }
    for (principal, entries) in &by_principal {
        of_principal(principal, entries, &mut found);
    }
    found
}

fn of_use(entry: &Entry) -> Option<Finding> {
    let name = entry.name();
    Some(match entry.use_ {
        Use::OfTheKdc => Finding::error(
            "krbtgt",
            format!("{name} is the KDC's own key"),
            "with it anybody can be made anybody: it belongs nowhere but on the KDC. Take it out, and change it there, \
             twice; it is not used here",
        ),
        Use::WrongLength => Finding::error(
            "wrong-length",
            format!("{name} is not as long as a key of its encryption type"),
            "the entry is damaged; export it anew",
        ),
        Use::UnknownEnctype => Finding::warning(
            "unknown-enctype",
            format!("{name} is of an encryption type that is not known here"),
            "it is passed over. DES and 3DES are broken or withdrawn: give the account AES keys",
        ),
        Use::Weak | Use::Good => return None,
    })
}

/// Entries of the same principal, version and encryption type.
fn of_pairs(entries: &[Entry], found: &mut Vec<Finding>) {
    let mut seen: BTreeMap<(&str, u32, i32), &Entry> = BTreeMap::new();
    for entry in entries {
        match seen.get(&(entry.principal.as_str(), entry.kvno, entry.etype)) {
            None => drop(seen.insert((&entry.principal, entry.kvno, entry.etype), entry)),
            Some(first) if !first.is_of_the_same(entry) => {}
            Some(first) if first.has_the_same_key(entry) => found.push(Finding::warning(
                "duplicate",
                format!("{} is in it twice", entry.name()),
                "the second one does nothing; `portcullis keytab merge FILE -o FILE` leaves it out",
            )),
            Some(_) => found.push(Finding::error(
                "contradiction",
                format!("{} is in it with two different keys", entry.name()),
                "one of them is of another password or another account: find out which the KDC has (`kvno`), and take the \
                 other out",
            )),
        }
    }
}

/// The keys of one principal that open tickets.
fn of_principal(principal: &str, entries: &[&Entry], found: &mut Vec<Finding>) {
    let newest = entries.iter().map(|entry| entry.kvno).max().unwrap_or(0);
    let of_newest: Vec<_> = entries.iter().filter(|entry| entry.kvno == newest).collect();
    if of_newest.iter().all(|entry| entry.use_ == Use::Weak) {
        found.push(Finding::error(
            "weak-only",
            format!("{principal} kvno {newest} has no key but RC4"),
            "RC4 tickets are refused by default, and KDCs stop to make them: let the account have AES \
             (msDS-SupportedEncryptionTypes 0x18), set its password anew, and export it",
        ));
    } else if let Some(weak) = entries.iter().find(|entry| entry.use_ == Use::Weak) {
        found.push(Finding::warning(
            "weak",
            format!("{principal} has an RC4 key too (kvno {})", weak.kvno),
            "it is the password's unsalted hash, and is used by nobody who can do AES: leave it out when you export next",
        ));
    }
    let mut enctypes: Vec<_> = of_newest.iter().map(|entry| entry.etype).collect();
    enctypes.sort_unstable();
    enctypes.dedup();
    if let ([_], Some(entry)) = (enctypes.as_slice(), of_newest.first().filter(|entry| entry.use_ == Use::Good)) {
        found.push(Finding::warning(
            "one-enctype",
            format!("{principal} kvno {newest} has a key of {} only", entry.enctype()),
            "a ticket of another encryption type could not be opened: export all that the account has (`ktpass /crypto all`)",
        ));
    }
    if entries.iter().any(|entry| entry.kvno == 0) {
        found.push(Finding::warning(
            "kvno-0",
            format!("{principal} has a key of version 0"),
            "it is tried on tickets of every version. That works; after a change of the password the log cannot say that the \
             keytab is too old",
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes() {
        let severity = |mode| of_mode(mode).map(|finding| finding.severity);
        assert_eq!((severity(0o100_600), severity(0o400)), (None, None));
        assert_eq!(severity(0o640), Some(Severity::Warning));
        for mode in [0o644, 0o604, 0o660, 0o602, 0o620, 0o606] {
            assert_eq!(severity(mode), Some(Severity::Error), "{mode:o}");
        }
        assert_eq!(
            severity(0o640).into_iter().chain([Severity::Error]).min(),
            Some(Severity::Error),
            "errors come first"
        );
    }
}
