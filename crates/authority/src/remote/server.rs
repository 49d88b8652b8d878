use super::frame::{self, Timed};
use super::message::{Asked, Reply, Request, decode_request};
use crate::DomainNames;
use portcullis::kerberos::OpenedTicket;
use portcullis::{Authority, Question, Secret, Vouched};
use rustix::net::sockopt::socket_peercred;
use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// What a process that holds the accounts does for others.
pub trait Service: Authority {
    /// What the domain is called.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn domain(&self) -> Result<DomainNames, crate::StoreError>;

    /// Whether Kerberos tickets are opened at all.
    fn opens_tickets(&self) -> bool {
        false
    }

    /// Whether logons can be judged now.
    ///
    /// # Errors
    /// What stands in the way.
    fn check(&self) -> Result<(), crate::StoreError>;

    /// Appends a line, with its end, to the audit log.
    ///
    /// # Errors
    /// When it was not written.
    fn write(&self, line: &[u8]) -> io::Result<()>;
}

/// The users whose processes may ask.
#[derive(Debug, Clone, Default)]
pub struct Peers {
    /// User ids besides root and the authority's own.
    pub besides: Vec<u32>,
}

/// A Unix socket on which other processes ask.
pub struct RemoteServer {
    listener: UnixListener,
    path: PathBuf,
    peers: Peers,
    stopping: Arc<AtomicBool>,
}

/// Connections at a time; each is a thread that waits.
const MAX_CONNECTIONS: usize = 256;

/// How long the greeting, and a request that has begun, may take.
const PATIENCE: Duration = Duration::from_secs(10);

impl RemoteServer {
    /// Listens at `path`. A socket that a dead process left there is replaced.
    ///
    /// # Errors
    /// When the path is taken by a living process or by something else than a socket, or cannot be made.
    pub fn bind(path: &Path, peers: Peers) -> io::Result<Self> {
        if fs::symlink_metadata(path).is_ok_and(|there| there.file_type().is_socket()) {
            match UnixStream::connect(path) {
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path)?,
                _ => return Err(io::ErrorKind::AddrInUse.into()),
            }
        }
        let listener = UnixListener::bind(path)?;
        // Who may ask is decided by who connects; the mode only keeps the uninvited from filling the queue.
        let mode = if peers.besides.is_empty() { 0o600 } else { 0o666 };
        fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
        Ok(Self { listener, path: path.to_owned(), peers, stopping: Arc::default() })
    }

    /// Answers until [`Stop::stop`] is called.
    pub fn run(&self, service: &Arc<dyn Service>) {
        let open = Arc::new(AtomicUsize::new(0));
        for stream in self.listener.incoming() {
            if self.stopping.load(Ordering::Acquire) {
                return;
            }
            let stream = match stream {
                Ok(stream) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    std::thread::sleep(Duration::from_millis(50));
                    continue;
                }
            };
            if !self.may_ask(&stream) {
                continue;
            }
            if open.fetch_add(1, Ordering::AcqRel) >= MAX_CONNECTIONS {
                open.fetch_sub(1, Ordering::AcqRel);
                tracing::warn!(limit = MAX_CONNECTIONS, "no place for another connection");
                continue;
            }
            let (service, place) = (Arc::clone(service), Place(Arc::clone(&open)));
            let spawned = std::thread::Builder::new().name("question".into()).spawn(move || {
                let _place = place;
                if let Err(error) = serve(&stream, &*service) {
                    tracing::debug!(%error, "a connection ended");
                }
            });
            if let Err(error) = spawned {
                tracing::error!(%error, "no thread for a connection");
            }
        }
    }

    /// How to end it from another thread.
    pub fn stop(&self) -> Stop {
        Stop { stopping: Arc::clone(&self.stopping), path: self.path.clone() }
    }

    /// Whether the process at the other end is of a user who may ask.
    fn may_ask(&self, stream: &UnixStream) -> bool {
        let own = rustix::process::geteuid().as_raw();
        match socket_peercred(stream) {
            Ok(peer) => {
                let (uid, pid) = (peer.uid.as_raw(), peer.pid.as_raw_nonzero());
                let may = uid == 0 || uid == own || self.peers.besides.contains(&uid);
                if !may {
                    tracing::warn!(uid, pid, "a process of a user who may not ask was turned away; see --allow-user");
                }
                may
            }
            Err(error) => {
                tracing::error!(%error, "the system does not say who connects; nobody is let in");
                false
            }
        }
    }
}

/// Ends a [`RemoteServer`].
#[derive(Debug, Clone)]
pub struct Stop {
    stopping: Arc<AtomicBool>,
    path: PathBuf,
}

impl Stop {
    /// Takes no more connections, and removes the socket. Questions under way are not waited for.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        // Whoever waits for a connection gets one.
        let _ = UnixStream::connect(&self.path);
        let _ = fs::remove_file(&self.path);
    }
}

/// One connection's place among the open ones.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

fn serve(stream: &UnixStream, service: &dyn Service) -> io::Result<()> {
    if let Err(version) = frame::greet(&mut Timed::until(stream, Instant::now() + PATIENCE))? {
        tracing::error!(version, ours = frame::VERSION, "a server of another release asks: update both together");
        return Ok(());
    }
    loop {
        // Between questions a server may be silent for as long as its clients are.
        stream.set_read_timeout(None)?;
        let mut first = [0];
        if rustix::net::recv(stream, &mut first, rustix::net::RecvFlags::PEEK)?.0 == 0 {
            return Ok(());
        }
        let mut timed = Timed::until(stream, Instant::now() + PATIENCE);
        let Some(body) = frame::read(&mut timed)? else { return Ok(()) };
        let nonsense = |error| io::Error::new(io::ErrorKind::InvalidData, error);
        let (id, mut request) = decode_request(&body).map_err(nonsense)?;
        correct(&mut request);
        let reply = answer(&request, service).encode(id);
        frame::write(&mut Timed::until(stream, Instant::now() + PATIENCE), &reply)?;
    }
}

/// The time of the replay cache is this process's: one server's clock must not make it forget what another asks about.
fn correct(request: &mut Request<'_>) {
    if let Request::Ask(Asked::Owned(Question::SeenBefore(question))) = request {
        question.now = question.now.min(SystemTime::now());
    }
}

fn answer(request: &Request<'_>, service: &dyn Service) -> Reply {
    let failed = |what: &str, error: &dyn std::fmt::Display| {
        tracing::error!(%error, what, "a request could not be carried out");
        Reply::Failed
    };
    match request {
        Request::Ask(asked) => match service.answer(asked.question()).verdict() {
            Ok(Vouched::Account { key, account }) => Reply::Accepted(Secret::new(*key.expose()), Arc::clone(account)),
            Ok(Vouched::Ticket(opened)) => {
                let part = Secret::new(opened.part().expose().clone());
                let copy = OpenedTicket::vouched_for(part, opened.service().clone(), opened.pac());
                Reply::Opened(Box::new(copy))
            }
            Ok(Vouched::Pac { asked }) => Reply::Pac { asked },
            Ok(Vouched::Fresh) => Reply::Fresh,
            Ok(_) => failed("question", &"an answer of a kind that this version has no place for"),
            Err(denied) => Reply::Refused(denied.clone()),
        },
        Request::OpensTickets => Reply::Is(service.opens_tickets()),
        Request::Domain => service.domain().map_or_else(|error| failed("domain", &error), Reply::Domain),
        Request::Health => service.check().map_or_else(|error| failed("health", &error), |()| Reply::Done),
        Request::Write(line) if !is_a_line(line) => failed("audit", &"not a line of JSON"),
        Request::Write(line) => service.write(line).map_or_else(|error| failed("audit", &error), |()| Reply::Done),
    }
}

/// Whether bytes are one JSON object and its line end: whoever writes cannot forge a second line.
fn is_a_line(bytes: &[u8]) -> bool {
    match bytes.strip_suffix(b"\n") {
        Some(line) => {
            !line.contains(&b'\n')
                && line.starts_with(b"{")
                && serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok()
        }
        None => false,
    }
}
