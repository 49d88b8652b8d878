use portcullis::{Cause, Claim, Facts, Failure, Status, Substatus};
use serde::Serialize;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};
use std::time::SystemTime;

/// The audit log: one JSON object a line, one line a decision. Lines are appended whole, so that several processes may
/// share a file.
#[derive(Debug)]
pub struct Audit {
    path: PathBuf,
    file: RwLock<File>,
}

impl Audit {
    /// Opens the file for appending; makes it, for its owner alone, when it is not there.
    ///
    /// # Errors
    /// When it cannot be opened for writing.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), file: RwLock::new(append_to(path)?) })
    }

    /// Opens the file of the same name anew: after someone has moved it away. On failure the old one stays open.
    ///
    /// # Errors
    /// When it cannot be opened for writing.
    pub fn reopen(&self) -> io::Result<()> {
        let file = append_to(&self.path)?;
        *self.file.write().unwrap_or_else(PoisonError::into_inner) = file;
        Ok(())
    }

    /// Appends a line. A failure is also told to the log, since few callers can do better.
    ///
    /// # Errors
    /// When the line could not be written whole.
    pub fn write(&self, record: &Record) -> io::Result<()> {
        let written = record.to_line().and_then(|line| self.write_line(&line));
        if let Err(error) = &written {
            let (path, cause) = (self.path.display(), record.cause);
            tracing::error!(%error, %path, cause, correlation = record.correlation, "the audit log cannot be written");
        }
        written
    }

    /// Appends a line that someone else made ([`Record::to_line`]), with its end.
    ///
    /// # Errors
    /// When the line could not be written whole.
    pub fn write_line(&self, line: &[u8]) -> io::Result<()> {
        let mut file: &File = &self.file.read().unwrap_or_else(PoisonError::into_inner);
        // One call for one line: O_APPEND keeps lines of several writers apart.
        file.write_all(line)
    }

    /// The file's name.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

/// One decision.
#[derive(Debug, Clone)]
pub struct Record {
    /// When it was made.
    pub time: SystemTime,
    /// Whether the client was let in.
    pub accepted: bool,
    /// The stable name of the cause, `ok` for a yes.
    pub cause: &'static str,
    /// The status that the host returned.
    pub status: Status,
    /// What a Windows host would write to its log.
    pub substatus: Substatus,
    /// Whom the authority named: `DOMAIN\user`, and the SID where it has one. `None` unless the client was let in under a name.
    pub account: Option<(String, Option<String>)>,
    /// What the client said of itself; empty where it said nothing.
    pub claim: Claim,
    /// The package that the client spoke to.
    pub package: &'static str,
    /// The mechanism that did the work; empty when it never came to that.
    pub mechanism: &'static str,
    /// The form of the proof: `NTLMv2`, `password` …; empty when it never came to that.
    pub version: &'static str,
    /// The client's address.
    pub peer: Option<SocketAddr>,
    /// The id that the client was told.
    pub correlation: String,
    /// On which values a refusal rests: what was wanted, and what there is.
    pub detail: Option<String>,
    /// Where a token was malformed: the offset in bytes, and the field.
    pub malformed: Option<(usize, &'static str)>,
}

impl Record {
    /// A yes: everything is read from what the handshake learned.
    pub fn accepted(time: SystemTime, facts: &Facts, peer: Option<SocketAddr>, correlation: &str) -> Self {
        let account =
            facts.account.as_ref().map(|account| (account.qualified_name(), account.sid.map(|sid| sid.to_string())));
        Self {
            time,
            accepted: true,
            cause: "ok",
            status: Status::SEC_E_OK,
            substatus: Substatus::SUCCESS,
            account,
            claim: facts.claim.clone(),
            package: facts.package.name,
            mechanism: facts.mechanism().name,
            version: facts.version,
            peer,
            correlation: correlation.to_owned(),
            detail: None,
            malformed: None,
        }
    }

    /// A no. What the client claimed, and by which mechanism, comes from the handshake's events: set the fields
    /// [`claim`](Self::claim), [`mechanism`](Self::mechanism) and [`version`](Self::version).
    pub fn refused(
        time: SystemTime,
        failure: &Failure,
        package: &'static str,
        peer: Option<SocketAddr>,
        correlation: &str,
    ) -> Self {
        let cause: &Cause = &failure.cause;
        Self {
            time,
            accepted: false,
            cause: cause.name(),
            status: failure.status,
            substatus: cause.substatus(),
            account: None,
            claim: Claim::default(),
            package,
            mechanism: "",
            version: "",
            peer,
            correlation: correlation.to_owned(),
            detail: None,
            malformed: cause.malformed().map(|error| (error.offset, error.field)),
        }
    }

    /// The record as a line of JSON, with its line end. Control characters are escaped, so that no name can forge a
    /// line.
    ///
    /// # Errors
    /// When the record cannot be written as JSON.
    pub fn to_line(&self) -> io::Result<Vec<u8>> {
        let said = |text: &'_ str| (!text.is_empty()).then(|| text.to_owned());
        let line = Line {
            time: rfc3339(self.time),
            outcome: if self.accepted { "accepted" } else { "refused" },
            cause: self.cause,
            status: Code { name: self.status.name().unwrap_or("?"), code: format!("{:#010x}", self.status.0) },
            substatus: Code {
                name: self.substatus.row().map_or("?", |row| row.name),
                code: format!("{:#010x}", self.substatus.0),
            },
            account: self.account.as_ref().map(|(name, _)| name.clone()).or_else(|| claimed_name(&self.claim)),
            sid: self.account.as_ref().and_then(|(_, sid)| sid.as_deref()),
            claimed_user: said(self.claim.user()),
            claimed_domain: said(self.claim.domain()),
            package: self.package,
            mechanism: said(self.mechanism),
            version: said(self.version),
            workstation: said(self.claim.workstation()),
            target: said(self.claim.target()),
            peer: self.peer,
            correlation: &self.correlation,
            detail: self.detail.as_deref(),
            malformed: self.malformed.map(|(offset, field)| Malformed { offset, field }),
        };
        let mut bytes = serde_json::to_vec(&line)?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

/// The name that the client claimed, in the form of an account's.
fn claimed_name(claim: &Claim) -> Option<String> {
    match (claim.domain(), claim.user()) {
        (_, "") => None,
        ("", user) => Some(user.to_owned()),
        (domain, user) => Some(format!("{domain}\\{user}")),
    }
}

#[derive(Serialize)]
struct Line<'a> {
    time: String,
    outcome: &'static str,
    cause: &'static str,
    status: Code,
    substatus: Code,
    /// The account that was let in; in a refusal, which has no `sid`, the one that the client tried.
    account: Option<String>,
    sid: Option<&'a str>,
    claimed_user: Option<String>,
    claimed_domain: Option<String>,
    package: &'static str,
    mechanism: Option<String>,
    version: Option<String>,
    workstation: Option<String>,
    target: Option<String>,
    peer: Option<SocketAddr>,
    correlation: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    malformed: Option<Malformed>,
}

#[derive(Serialize)]
struct Code {
    name: &'static str,
    code: String,
}

#[derive(Serialize)]
struct Malformed {
    offset: usize,
    field: &'static str,
}

/// RFC 3339 in UTC, to the microsecond.
fn rfc3339(time: SystemTime) -> String {
    match jiff::Timestamp::try_from(time) {
        Ok(time) => time.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string(),
        Err(_) => "1970-01-01T00:00:00.000000Z".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis::Refusal;
    use std::time::{Duration, UNIX_EPOCH};

    fn refused(user: &str) -> Record {
        let time = UNIX_EPOCH + Duration::from_micros(1_795_305_600_123_456);
        let peer = Some("192.0.2.7:50000".parse().unwrap());
        let mut record = Record::refused(time, &Failure::from(Refusal::WrongProof), "NTLM", peer, "c0ffee");
        record.claim = Claim::new(user, "CORP", "PC1", "HTTP/web1");
        record
    }

    #[test]
    fn a_line_says_all() {
        let line = String::from_utf8(refused("ann").to_line().unwrap()).unwrap();
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["time"], "2026-11-22T00:00:00.123456Z");
        assert_eq!(value["outcome"], "refused");
        assert_eq!(value["cause"], "account/wrong-proof");
        assert_eq!(value["status"]["name"], "SEC_E_LOGON_DENIED");
        assert_eq!(value["status"]["code"], "0x8009030c");
        assert_eq!(value["substatus"]["code"], "0xc000006a");
        assert_eq!((&value["account"], &value["sid"]), (&r"CORP\ann".into(), &serde_json::Value::Null));
        assert_eq!((&value["claimed_user"], &value["peer"]), (&"ann".into(), &"192.0.2.7:50000".into()));
        assert_eq!((&value["workstation"], &value["target"]), (&"PC1".into(), &"HTTP/web1".into()));
        assert!(value.get("malformed").is_none());
    }

    #[test]
    fn no_name_forges_a_line() {
        let evil = "x\"}\n{\"outcome\":\"accepted\"\r\u{1b}[2J\u{2028}";
        let line = String::from_utf8(refused(evil).to_line().unwrap()).unwrap();
        assert_eq!(line.matches('\n').count(), 1);
        assert!(!line.contains(['\r', '\u{1b}']));
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["claimed_user"], evil);
    }

    #[test]
    fn lines_are_appended_and_the_file_can_be_moved() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        let audit = Audit::open(&path).unwrap();
        let second = Audit::open(&path).unwrap();
        std::thread::scope(|scope| {
            for audit in [&audit, &second, &audit, &second] {
                scope.spawn(move || (0..100).for_each(|_| audit.write(&refused("ann")).unwrap()));
            }
        });
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 400);
        assert!(text.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
        std::fs::rename(&path, folder.path().join("old")).unwrap();
        audit.reopen().unwrap();
        audit.write(&refused("bob")).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 1);
    }

    #[test]
    fn a_full_disk_is_told() {
        let audit = Audit::open(Path::new("/dev/full")).unwrap();
        assert!(audit.write(&refused("ann")).is_err());
    }
}
