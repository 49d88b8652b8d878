use crate::moment;
use portcullis::Secret;
use portcullis::schannel::{TicketKey, TicketKeys};
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// The keys of TLS session tickets in a file of the mode 0600, which several processes share: a session that one of
/// them began can be resumed with another. Whoever finds the newest key too old adds the next one.
///
/// A line holds one key: when it was made (milliseconds since 1970), its name, and its secret (hexadecimal).
#[derive(Debug, Clone)]
pub struct TicketFile {
    path: PathBuf,
    rotation: Duration,
    lifetime: Duration,
}

impl TicketFile {
    /// The file at `path`. A key is used to seal for `rotation`; a ticket may be used for `lifetime`.
    pub fn new(path: &Path, rotation: Duration, lifetime: Duration) -> Self {
        let rotation = rotation.clamp(LEAST, MOST);
        Self { path: path.to_owned(), rotation, lifetime: lifetime.min(TicketKeys::LONGEST) }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The keys as they stand now. Makes the file where there is none, adds a key where the newest is too old, and
    /// takes away those that open nothing any more. A file that may only be read is left as it is.
    ///
    /// # Errors
    /// When the file cannot be read or made, others may read it, or it holds something else.
    pub fn read(&self, now: SystemTime) -> io::Result<Tickets> {
        let mut options = OpenOptions::new();
        options.read(true).mode(0o600);
        // A pipe would have to be waited for.
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits() as i32);
        let reading = options.clone();
        options.write(true).create(true).truncate(false);
        let (mut file, may_write) = match options.open(&self.path) {
            Ok(file) => (file, true),
            Err(error) if is_read_only(&error) => (reading.open(&self.path)?, false),
            Err(error) => return Err(error),
        };
        private(&file)?;
        // Whoever holds the lock for long is none of us: the keys can be read all the same.
        let may_write = may_write && lock(&file);
        let mut text = Secret::new(String::new());
        file.read_to_string(text.expose_mut())?;
        let mut lines = parse(text.expose())?;
        if may_write && self.tend(&mut lines, now)? {
            rewrite(&mut file, text.expose().len(), &lines)?;
        }
        Ok(self.tickets(&lines))
    }

    /// The keys of a file that is open already, for a process that may open none. It is left as it is.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_open(&self, mut file: File) -> io::Result<Tickets> {
        private(&file)?;
        let mut text = Secret::new(String::new());
        file.read_to_string(text.expose_mut())?;
        Ok(self.tickets(&parse(text.expose())?))
    }

    /// Brings the keys up to date; says whether that changed any.
    fn tend(&self, lines: &mut Vec<Line>, now: SystemTime) -> io::Result<bool> {
        let before = lines.len();
        // A key from the future is of a clock that was wrong: it would be the newest for as long.
        lines.retain(|line| line.made <= later(now, DELAY) && now < self.opens_until(line));
        let newest = lines.iter().map(|line| line.made).max();
        let fresh = newest.is_some_and(|made| now < later(made, self.rotation));
        if !fresh {
            lines.push(Line::new(now)?);
        }
        Ok(!fresh || lines.len() != before)
    }

    fn opens_until(&self, line: &Line) -> SystemTime {
        later(line.made, self.rotation + DELAY + self.lifetime)
    }

    fn tickets(&self, lines: &[Line]) -> Tickets {
        let first = lines.iter().map(|line| line.made).min();
        let key = |line: &Line| {
            // The first key has nobody before it whom others could still use.
            let from = if Some(line.made) == first { line.made } else { later(line.made, DELAY) };
            TicketKey::new(line.name, &line.secret, from, self.opens_until(line))
        };
        let keys = TicketKeys::new(lines.iter().filter_map(key).collect(), self.lifetime);
        Tickets { keys, names: lines.iter().map(|line| line.name).collect() }
    }
}

/// The keys of a file.
#[derive(Debug, Clone)]
pub struct Tickets {
    /// As the library takes them.
    pub keys: TicketKeys,
    names: Vec<[u8; TicketKey::NAME]>,
}

impl Tickets {
    /// Whether these are the same keys.
    pub fn same_as(&self, other: &Self) -> bool {
        self.names == other.names
    }
}

/// Between a key's making and its use to seal, other processes must have read the file.
const DELAY: Duration = Duration::from_secs(300);

/// The shortest that a key is used.
const LEAST: Duration = Duration::from_secs(600);

/// The longest.
const MOST: Duration = Duration::from_secs(90 * 24 * 3600);

/// How long the file's lock is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

const HEADER: &str =
    "# Keys of TLS session tickets: whoever has them can read recorded sessions. Kept up by portcullis.\n";

struct Line {
    made: SystemTime,
    name: [u8; TicketKey::NAME],
    secret: Secret<[u8; 32]>,
}

impl Line {
    fn new(now: SystemTime) -> io::Result<Self> {
        let (mut name, mut secret) = ([0; TicketKey::NAME], Secret::new([0; 32]));
        getrandom::fill(&mut name).map_err(|_| io::ErrorKind::Other)?;
        getrandom::fill(secret.expose_mut()).map_err(|_| io::ErrorKind::Other)?;
        // As it will be read again.
        Ok(Self { made: moment::from_ms(moment::to_ms(now)), name, secret })
    }

    fn to_text(&self) -> String {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let secret = Secret::new(hex(self.secret.expose()));
        format!("{} {} {}\n", moment::to_ms(self.made), hex(&self.name), secret.expose())
    }

    fn parse(text: &str) -> Option<Self> {
        let mut fields = text.split_ascii_whitespace();
        let made = moment::from_ms(fields.next()?.parse().ok()?);
        let name = unhex(fields.next()?)?;
        let secret = Secret::new(unhex(fields.next()?)?);
        fields.next().is_none().then_some(Self { made, name, secret })
    }
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if text.len() != 2 * N {
        return None;
    }
    for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

fn parse(text: &str) -> io::Result<Vec<Line>> {
    // Whoever wrote this last was cut off: what it had written of its last key was never used.
    let is_torn = text.starts_with(HEADER) && !text.ends_with('\n');
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).peekable();
    let mut keys = Vec::new();
    while let Some(line) = lines.next() {
        match Line::parse(line) {
            Some(key) => keys.push(key),
            None if is_torn && lines.peek().is_none() => {}
            None => {
                let why = "a line is no ticket key; remove the file, and a new one is made";
                return Err(io::Error::new(io::ErrorKind::InvalidData, why));
            }
        }
    }
    Ok(keys)
}

/// Writes these keys over a file of so many bytes. Whoever reads without the lock finds the old keys or the new ones:
/// nothing is cut off before the new ones stand there, in one piece.
fn rewrite(file: &mut File, old_len: usize, lines: &[Line]) -> io::Result<()> {
    let keys = Secret::new(lines.iter().map(Line::to_text).collect::<String>());
    let len = HEADER.len() + keys.expose().len();
    let mut whole = Secret::new(Vec::with_capacity(len.max(old_len)));
    whole.expose_mut().extend(HEADER.as_bytes());
    whole.expose_mut().extend(keys.expose().as_bytes());
    // Empty lines instead of the end of what was longer.
    whole.expose_mut().resize(len.max(old_len), b'\n');
    file.rewind()?;
    file.write_all(whole.expose())?;
    file.set_len(u64::try_from(len).unwrap_or(u64::MAX))?;
    file.sync_all()
}

/// A point in time that much later. There is none after the last, and a file may name any.
fn later(time: SystemTime, by: Duration) -> SystemTime {
    time.checked_add(by).unwrap_or(time)
}

/// Locks the file; `false` when somebody else does not let go of it.
fn lock(file: &File) -> bool {
    let until = Instant::now() + PATIENCE;
    while file.try_lock().is_err() {
        if Instant::now() >= until {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}

fn private(file: &File) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
    }
    if metadata.mode() & 0o077 == 0 {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::PermissionDenied, "others may read it; `chmod 600` it"))
}

fn is_read_only(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    #[test]
    fn keys_are_made_shared_and_taken_away() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tickets");
        let file = || TicketFile::new(&path, DAY / 2, DAY);
        let now = SystemTime::now();
        let first = file().read(now).unwrap();
        assert_eq!(first.names.len(), 1);
        assert!(file().read(now + DAY / 3).unwrap().same_as(&first), "another process reads the same");
        let second = file().read(now + DAY / 2).unwrap();
        assert_eq!((second.names.len(), second.names[0]), (2, first.names[0]));
        assert!(file().read_open(File::open(&path).unwrap()).unwrap().same_as(&second));
        let later = file().read(now + DAY / 2 + DAY + DELAY).unwrap();
        assert!(!later.names.contains(&first.names[0]), "it opens nothing any more");
        assert!(later.names.contains(&second.names[1]));
    }

    #[test]
    fn a_clock_that_was_wrong_and_a_lock_that_is_held() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tickets");
        let now = SystemTime::now();
        let file = TicketFile::new(&path, Duration::from_secs(u64::MAX / 2), DAY);
        let ahead = file.read(now + DAY * 3).unwrap();
        let back = file.read(now).unwrap();
        assert!(back.names.len() == 1 && back.names != ahead.names, "the key from the future is gone");
        assert!(file.read(now + Duration::from_secs(60)).unwrap().same_as(&back), "and no other one is made");
        let held = File::open(&path).unwrap();
        held.lock().unwrap();
        assert!(file.read(now).unwrap().same_as(&back), "it is read all the same");
    }

    #[test]
    fn the_end_of_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tickets");
        let file = TicketFile::new(&path, Duration::MAX, Duration::MAX);
        assert_eq!((file.rotation, file.lifetime), (MOST, TicketKeys::LONGEST));
        let now = SystemTime::now();
        let first = file.read(now).unwrap();
        let line = Line { made: moment::from_ms(i64::MAX), ..Line::new(now).unwrap() };
        let mut open = OpenOptions::new().append(true).open(&path).unwrap();
        open.write_all(line.to_text().as_bytes()).unwrap();
        assert_eq!(file.read_open(File::open(&path).unwrap()).unwrap().names.len(), 2);
        assert!(file.read(now).unwrap().same_as(&first));
        let last = now.checked_add(Duration::from_secs(i64::MAX as u64 - (1 << 31))).unwrap();
        assert_eq!(later(last, Duration::MAX), last);
        assert_eq!(file.read(last).unwrap().names.len(), 1);
    }

    #[test]
    fn a_writer_that_was_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tickets");
        let file = TicketFile::new(&path, DAY / 2, DAY);
        let now = SystemTime::now();
        let first = file.read(now).unwrap();
        let both = file.read(now + DAY / 2).unwrap();
        let whole = std::fs::read(&path).unwrap();
        assert_eq!(both.names.len(), 2);
        for len in 0..whole.len() {
            OpenOptions::new().write(true).open(&path).unwrap().write_all(&whole).unwrap();
            OpenOptions::new().write(true).open(&path).unwrap().set_len(len as u64).unwrap();
            let rest = file.read_open(File::open(&path).unwrap()).unwrap();
            assert!(both.names.starts_with(&rest.names), "{len}");
            let fresh = file.read(now + DAY / 2).unwrap();
            assert!(fresh.names.starts_with(&rest.names) && !fresh.names.is_empty(), "{len}");
        }
        assert!(both.names.starts_with(&first.names));
        // What is no longer needed leaves nothing behind.
        let alone = file.read(now + DAY * 9).unwrap();
        assert_eq!(alone.names.len(), 1);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!((text.lines().count(), text.ends_with("\n\n")), (2, false));
    }

    #[test]
    fn what_is_no_file_is_not_waited_for() {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        mknodat(CWD, &pipe, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        for path in [pipe.as_path(), Path::new("/dev/null")] {
            let error = TicketFile::new(path, DAY, DAY).read(SystemTime::now()).map(drop).unwrap_err();
            assert_eq!(
                (error.kind(), error.to_string().as_str()),
                (io::ErrorKind::InvalidInput, "it is no regular file")
            );
        }
    }

    #[test]
    fn a_file_of_something_else_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tickets");
        std::fs::write(&path, "12 ab cd\n").unwrap();
        let file = TicketFile::new(&path, DAY, DAY);
        assert_eq!(file.read(SystemTime::now()).unwrap_err().kind(), io::ErrorKind::PermissionDenied, "0644");
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        assert_eq!(file.read(SystemTime::now()).unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "12 ab cd\n");
    }
}
