use crate::data::Failed;
use portcullis::Secret;
use portcullis::kerberos::crypto::Enctype;
use portcullis::kerberos::{ServiceKey, ServiceKeys};
use portcullis_authority::read_keytab;
use portcullis_wire::kerberos::{Keytab, KeytabEntry, unparse_components};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A keytab, with what can be read of it.
pub(super) struct Contents {
    pub(super) path: PathBuf,
    pub(super) entries: Vec<Entry>,
    /// What cannot be read, in words.
    pub(super) unreadable: Vec<String>,
    /// Its keys as a server would hold them; `None` where a server would not take the file.
    pub(super) keys: Option<ServiceKeys>,
}

/// One key of a keytab.
pub(super) struct Entry {
    pub(super) principal: String,
    pub(super) realm: Vec<u8>,
    pub(super) components: Vec<Vec<u8>>,
    pub(super) name_type: i32,
    pub(super) timestamp: u32,
    pub(super) kvno: u32,
    pub(super) etype: i32,
    pub(super) key: Secret<Vec<u8>>,
    pub(super) use_: Use,
}

/// What a key is good for here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Use {
    /// It opens tickets.
    Good,
    /// It opens tickets where that is switched on.
    Weak,
    /// It is of an encryption type that is not known here.
    UnknownEnctype,
    /// It is no key of its encryption type.
    WrongLength,
    /// It is the KDC's own.
    OfTheKdc,
}

impl Contents {
    /// Reads a keytab; an entry that cannot be read is one of `unreadable`.
    pub(super) fn read(path: &Path) -> Result<Self, Failed> {
        let bytes = read_keytab(path)?;
        let bad = |error| Failed::Failed(format!("{}: not a keytab: {error}", path.display()));
        let keytab = Keytab::decode(bytes.expose()).map_err(bad)?;
        let (mut entries, mut unreadable) = (Vec::new(), Vec::new());
        for entry in keytab.entries() {
            match entry {
                Ok(entry) => entries.push(Entry::of(&entry)),
                Err(error) => unreadable.push(error.to_string()),
            }
        }
        let keys = ServiceKeys::from_keytab(bytes.expose()).ok();
        Ok(Self { path: path.to_owned(), entries, unreadable, keys })
    }

    /// The same, where every entry must be readable.
    pub(super) fn read_whole(path: &Path) -> Result<Self, Failed> {
        let contents = Self::read(path)?;
        match contents.unreadable.first() {
            None => Ok(contents),
            Some(error) => Err(Failed::Failed(format!(
                "{path}: an entry cannot be read: {error}; see `portcullis keytab check {path}`",
                path = path.display()
            ))),
        }
    }
}

impl Entry {
    fn of(entry: &KeytabEntry<'_>) -> Self {
        let mut principal = String::new();
        unparse_components(entry.components(), entry.realm, &mut principal);
        Self {
            principal,
            realm: entry.realm.to_vec(),
            components: entry.components().map(<[u8]>::to_vec).collect(),
            name_type: entry.name_type,
            timestamp: entry.timestamp,
            kvno: entry.kvno,
            etype: entry.etype,
            key: Secret::new(entry.key.to_vec()),
            use_: Use::of(entry),
        }
    }

    pub(super) fn enctype(&self) -> String {
        Enctype::name_of(self.etype).into_owned()
    }

    /// When it was written, where somebody wrote that down.
    pub(super) fn written(&self) -> Option<SystemTime> {
        (self.timestamp != 0).then(|| UNIX_EPOCH + Duration::from_secs(self.timestamp.into()))
    }

    /// Whether both are of the same principal, version and encryption type.
    pub(super) fn is_of_the_same(&self, other: &Self) -> bool {
        (self.kvno, self.etype) == (other.kvno, other.etype)
            && (&self.realm, &self.components) == (&other.realm, &other.components)
    }

    pub(super) fn has_the_same_key(&self, other: &Self) -> bool {
        self.key.expose() == other.key.expose()
    }

    /// As messages name it.
    pub(super) fn name(&self) -> String {
        format!("{} kvno {} {}", self.principal, self.kvno, self.enctype())
    }
}

impl Use {
    fn of(entry: &KeytabEntry<'_>) -> Self {
        let first = entry.components().next();
        match Enctype::from_number(entry.etype) {
            _ if first.is_some_and(|first| first.eq_ignore_ascii_case(b"krbtgt")) => Self::OfTheKdc,
            None => Self::UnknownEnctype,
            Some(_) if ServiceKey::of_entry(entry).is_none() => Self::WrongLength,
            Some(enctype) if enctype.is_weak() => Self::Weak,
            Some(_) => Self::Good,
        }
    }

    /// Whether it opens tickets, if only where that is switched on.
    pub(super) fn opens(self) -> bool {
        matches!(self, Self::Good | Self::Weak)
    }

    /// A word for a table.
    pub(super) const fn note(self) -> &'static str {
        match self {
            Self::Good => "",
            Self::Weak => "weak",
            Self::UnknownEnctype => "not known here",
            Self::WrongLength => "wrong length",
            Self::OfTheKdc => "the KDC's own",
        }
    }
}
