use super::entries::{Contents, Entry};
use crate::data::Failed;
use crate::output::{Output, table};
use portcullis::Secret;
use portcullis_wire::kerberos::{NewKeytabEntry, encode_keytab};
use serde::Serialize;
use std::cmp::Reverse;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Which of two contradicting keys is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Prefer {
    /// The one of the file that is named first
    First,
    /// The one of the file that is named last
    Last,
    /// The one that was written last, by its timestamp
    Newest,
}

pub(super) struct Options {
    pub(super) prefer: Option<Prefer>,
    pub(super) overwrite: bool,
    pub(super) dry_run: bool,
}

#[derive(Serialize)]
struct View {
    output: String,
    written: bool,
    keys: Vec<Row>,
    /// Keys that were in more than one place.
    duplicates: usize,
    /// Keys that another one was preferred to.
    dropped: Vec<String>,
}

#[derive(Serialize)]
struct Row {
    principal: String,
    kvno: u32,
    enctype: String,
    from: String,
}

/// A key, and the number of the file that it is from.
struct Sourced {
    entry: Entry,
    file: usize,
}

pub(super) fn run(files: &[PathBuf], to: &Path, options: Options, output: Output) -> Result<(), Failed> {
    // What a name means is what is replaced.
    let to = fs::canonicalize(to).unwrap_or_else(|_| to.to_owned());
    let is_input = files.iter().any(|file| fs::canonicalize(file).is_ok_and(|file| file == to));
    if to.exists() && !is_input && !options.overwrite {
        let to = to.display();
        return Err(Failed::Failed(format!(
            "{to} is there, and none of the keytabs that are merged: name it too, or give --overwrite"
        )));
    }
    let mut merged = Merged::default();
    for (number, file) in files.iter().enumerate() {
        for entry in Contents::read_whole(file)?.entries {
            merged.add(Sourced { entry, file: number }, options.prefer);
        }
    }
    if !merged.contradictions.is_empty() {
        return Err(Failed::Failed(format!(
            "different keys of the same principal, version and encryption type:\n  {}\nnothing is written; find out which \
             one the KDC has (`kvno`), and give --prefer",
            merged.contradictions.join("\n  ")
        )));
    }
    merged.sort();
    if !options.dry_run {
        write(&to, &merged.encode()?)?;
    }
    let from = |number: usize| files.get(number).map(|file| file.display().to_string()).unwrap_or_default();
    let row = |Sourced { entry, file }: &Sourced| Row {
        principal: entry.principal.clone(),
        kvno: entry.kvno,
        enctype: entry.enctype(),
        from: from(*file),
    };
    let view = View {
        output: to.display().to_string(),
        written: !options.dry_run,
        keys: merged.keys.iter().map(row).collect(),
        duplicates: merged.duplicates,
        dropped: merged.dropped,
    };
    output.print(&view, words)
}

#[derive(Default)]
struct Merged {
    keys: Vec<Sourced>,
    duplicates: usize,
    dropped: Vec<String>,
    contradictions: Vec<String>,
}

impl Merged {
    fn add(&mut self, new: Sourced, prefer: Option<Prefer>) {
        let Some(old) = self.keys.iter_mut().find(|old| old.entry.is_of_the_same(&new.entry)) else {
            return self.keys.push(new);
        };
        if old.entry.has_the_same_key(&new.entry) {
            self.duplicates += 1;
            return;
        }
        let name = new.entry.name();
        let takes_new = match prefer {
            None => return self.contradictions.push(name),
            Some(Prefer::First) => false,
            Some(Prefer::Last) => true,
            Some(Prefer::Newest) if old.entry.timestamp == new.entry.timestamp => {
                return self.contradictions.push(format!("{name} (both written at the same time)"));
            }
            Some(Prefer::Newest) => new.entry.timestamp > old.entry.timestamp,
        };
        self.dropped.push(name);
        if takes_new {
            *old = new;
        }
    }

    /// Principals in the order in which they come; of each the newest version first, which programs that look no
    /// further then take.
    fn sort(&mut self) {
        let mut order: Vec<String> = Vec::new();
        for Sourced { entry, .. } in &self.keys {
            if !order.contains(&entry.principal) {
                order.push(entry.principal.clone());
            }
        }
        let place = |name: &String| order.iter().position(|other| other == name);
        self.keys.sort_by_key(|key| (place(&key.entry.principal), Reverse(key.entry.kvno)));
    }

    fn encode(&self) -> Result<Secret<Vec<u8>>, Failed> {
        let components: Vec<Vec<&[u8]>> =
            self.keys.iter().map(|key| key.entry.components.iter().map(Vec::as_slice).collect()).collect();
        let mut entries = Vec::with_capacity(self.keys.len());
        for (Sourced { entry, .. }, components) in self.keys.iter().zip(&components) {
            entries.push(NewKeytabEntry {
                realm: &entry.realm,
                name_type: entry.name_type,
                components,
                timestamp: entry.timestamp,
                kvno: entry.kvno,
                etype: entry.etype,
                key: entry.key.expose(),
            });
        }
        encode_keytab(&entries).map(Secret::new).map_err(|error| Failed::Failed(error.to_string()))
    }
}

/// Puts a file in another's place in one step, for its owner alone.
fn write(to: &Path, bytes: &Secret<Vec<u8>>) -> Result<(), Failed> {
    let failed = |error: io::Error| Failed::Failed(format!("{}: {error}", to.display()));
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut tag = [0; 8];
    getrandom::fill(&mut tag).map_err(|error| Failed::Failed(error.to_string()))?;
    let name = to.file_name().ok_or_else(|| Failed::Usage("--output names no file".to_owned()))?;
    let fresh = folder.join(format!(".{}.{:016x}", name.to_string_lossy(), u64::from_le_bytes(tag)));
    let owner = fs::metadata(to).ok().map(|meta| (meta.uid(), meta.gid()));
    let put = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
        file.write_all(bytes.expose())?;
        if let Some((uid, gid)) = owner {
            keep_owner(&file, uid, gid);
        }
        file.sync_all()?;
        fs::rename(&fresh, to)?;
        File::open(folder)?.sync_all()
    };
    put().map_err(|error| {
        let _ = fs::remove_file(&fresh);
        failed(error)
    })
}

/// A server that runs as another user must be able to read what root writes for it.
fn keep_owner(file: &File, uid: u32, gid: u32) {
    let same = file.metadata().is_ok_and(|meta| (meta.uid(), meta.gid()) == (uid, gid));
    if !same && std::os::unix::fs::fchown(file, Some(uid), Some(gid)).is_err() {
        eprintln!("portcullis: the new keytab is yours; the old one was of user {uid}, who cannot read it now");
    }
}

fn words(view: &View) -> String {
    let cells = |row: &Row| [row.kvno.to_string(), row.principal.clone(), row.enctype.clone(), row.from.clone()];
    let mut text = table(["KVNO", "PRINCIPAL", "ENCTYPE", "FROM"], view.keys.iter().map(cells));
    for dropped in &view.dropped {
        text.push_str(&format!("\nleft out, another key was preferred: {}", crate::output::visible(dropped)));
    }
    let done = if view.written { "written to" } else { "nothing is written; it would go to" };
    let (keys, duplicates) = (view.keys.len(), view.duplicates);
    text.push_str(&format!("\n{keys} keys ({duplicates} were there twice) {done} {}", view.output));
    text
}
