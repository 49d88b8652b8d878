use super::frame::{self, Timed};
use super::message::{Asked, Reply, Request, decode_reply};
use crate::DomainNames;
use portcullis::{Answer, Authority, Question, Refusal, ntlm, password};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with, sockopt};
use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// An authority in another process. It holds no secret, and connects anew when the other process comes back.
///
/// While the other process does not answer, one question at a time tries it and all others are refused at once: nobody
/// waits longer than the patience, and a stopped process is not given a queue.
pub struct Remote {
    connect: Connect,
    patience: Duration,
    idle: Mutex<Vec<UnixStream>>,
    trouble: Mutex<Trouble>,
    next: AtomicU64,
}

/// How a connection is made.
pub type Connect = Box<dyn Fn() -> io::Result<UnixStream> + Send + Sync>;

/// Connections kept for the next question.
const MAX_IDLE: usize = 64;

/// After a failure the next question is tried no sooner.
const RETRY: Duration = Duration::from_millis(200);

/// What is known of a process that did not answer.
#[derive(Debug, Default)]
struct Trouble {
    since: Option<Instant>,
    /// Whether it ever answered: one that is still starting is nothing to worry about.
    answered: bool,
    /// Someone is trying it.
    trying: bool,
}

/// Why the other process could not be asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RemoteError {
    /// It did not answer a moment ago; this question was not tried.
    #[error("the authority did not answer a moment ago")]
    Down,
    /// The connection could not be made, or broke, or took too long.
    #[error("the authority process does not answer: {0}")]
    Io(#[from] io::Error),
    /// It speaks another version of the protocol.
    #[error("the authority process speaks version {0} of the protocol, this one version {version}: both must be of one release", version = frame::VERSION)]
    Version(u16),
    /// It said something that cannot be read.
    #[error("the authority process answered nonsense: {0}")]
    Nonsense(#[from] portcullis_wire::Error),
    /// It said something that was not asked.
    #[error("the authority process answered another question")]
    Foreign,
    /// It could not do what was asked; its log says why.
    #[error("the authority process could not do it; its log says why")]
    Failed,
}

impl Remote {
    /// The authority at a socket. Each answer may take `patience`.
    pub fn at(path: &Path, patience: Duration) -> Self {
        let path = PathBuf::from(path);
        Self::connecting(Box::new(move || connect_within(&path, patience)), patience)
    }

    /// The authority that `connect` finds, for a process that may not connect itself.
    pub fn connecting(connect: Connect, patience: Duration) -> Self {
        let (idle, trouble, next) = (Mutex::default(), Mutex::default(), AtomicU64::new(1));
        Self { connect, patience, idle, trouble, next }
    }

    /// What the domain is called.
    ///
    /// # Errors
    /// When the authority cannot be asked, or cannot read its store.
    pub fn domain(&self) -> Result<DomainNames, RemoteError> {
        match self.ask(&Request::Domain)? {
            Reply::Domain(names) => Ok(names),
            Reply::Failed => Err(RemoteError::Failed),
            _ => Err(RemoteError::Foreign),
        }
    }

    /// Whether it opens Kerberos tickets: Kerberos need not be offered where it does not.
    ///
    /// # Errors
    /// When the authority cannot be asked.
    pub fn opens_tickets(&self) -> Result<bool, RemoteError> {
        match self.ask(&Request::OpensTickets)? {
            Reply::Is(yes) => Ok(yes),
            _ => Err(RemoteError::Foreign),
        }
    }

    /// Whether logons can be judged now.
    ///
    /// # Errors
    /// When they cannot.
    pub fn check(&self) -> Result<(), RemoteError> {
        self.done(&Request::Health)
    }

    /// Appends a line, with its end, to the authority's audit log.
    ///
    /// # Errors
    /// When it was not written.
    pub fn write(&self, line: &[u8]) -> Result<(), RemoteError> {
        self.done(&Request::Write(line))
    }

    fn done(&self, request: &Request<'_>) -> Result<(), RemoteError> {
        match self.ask(request)? {
            Reply::Done => Ok(()),
            Reply::Failed => Err(RemoteError::Failed),
            _ => Err(RemoteError::Foreign),
        }
    }

    fn ask(&self, request: &Request<'_>) -> Result<Reply, RemoteError> {
        let trying = self.may_try().ok_or(RemoteError::Down)?;
        let result = self.exchange(request);
        self.tried(trying, result.is_ok());
        result
    }

    /// Whether this question may go out; `Some(true)` where it is the one that tries a process in trouble.
    fn may_try(&self) -> Option<bool> {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        match trouble.since {
            None => Some(false),
            Some(since) if trouble.trying || since.elapsed() < RETRY => None,
            Some(_) => {
                trouble.trying = true;
                Some(true)
            }
        }
    }

    fn tried(&self, trying: bool, well: bool) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if trying {
            trouble.trying = false;
        }
        if well {
            if trouble.since.take().is_some() && trouble.answered {
                tracing::info!("the authority process answers again");
            }
            trouble.answered = true;
            return;
        }
        if trouble.since.is_none() && trouble.answered {
            tracing::error!("the authority process does not answer: clients are refused until it does");
        }
        trouble.since = Some(Instant::now());
        // What waits there belongs to a process that may be gone.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn exchange(&self, request: &Request<'_>) -> Result<Reply, RemoteError> {
        let deadline = Instant::now() + self.patience;
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let body = request.encode(id).ok_or(RemoteError::Failed)?;
        let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let (stream, reply) = match kept.map(|stream| on(stream, &body, deadline)) {
            Some(Ok(done)) => done,
            // The other process was restarted meanwhile. At worst a wrong proof is counted twice, or a new authenticator
            // is found to be seen: never less.
            Some(Err(error)) if is_gone(&error) => on(self.fresh(deadline)?, &body, deadline)?,
            Some(Err(error)) => return Err(error),
            None => on(self.fresh(deadline)?, &body, deadline)?,
        };
        let (answered, reply) = decode_reply(&reply)?;
        if answered != id {
            return Err(RemoteError::Foreign);
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MAX_IDLE {
            idle.push(stream);
        }
        Ok(reply)
    }

    fn fresh(&self, deadline: Instant) -> Result<UnixStream, RemoteError> {
        let stream = (self.connect)()?;
        frame::greet(&mut Timed::until(&stream, deadline))?.map_err(RemoteError::Version)?;
        Ok(stream)
    }
}

impl Authority for Remote {
    fn answer(&self, question: &Question) -> Answer {
        match (question, self.ask(&Request::Ask(Asked::Borrowed(question)))) {
            (Question::VerifyNtlm(ntlm), Ok(Reply::Accepted(key, account))) => {
                ntlm.accept(ntlm::Verified::vouched_for(key), account)
            }
            (Question::VerifyPassword(password), Ok(Reply::Accepted(_, account))) => {
                password.accept(password::Verified::vouched_for(), account)
            }
            (Question::FindAccount(certificate), Ok(Reply::Accepted(_, account))) => certificate.accept(account),
            (Question::OpenTicket(ticket), Ok(Reply::Opened(opened))) => ticket.accept(*opened),
            (Question::ConfirmPac(pac), Ok(Reply::Pac { asked: true })) => pac.confirm(),
            (Question::ConfirmPac(pac), Ok(Reply::Pac { asked: false })) => pac.not_asked(),
            (Question::SeenBefore(authenticator), Ok(Reply::Fresh)) => authenticator.fresh(),
            (question, Ok(Reply::Refused(why))) => question.refuse(why),
            (question, result) => {
                if let Err(error) = result {
                    tracing::debug!(%error, "a question was not answered");
                }
                question.refuse(Refusal::AuthorityUnreachable)
            }
        }
    }
}

/// One question on one connection.
fn on(stream: UnixStream, body: &[u8], deadline: Instant) -> Result<(UnixStream, frame::Bytes), RemoteError> {
    let mut timed = Timed::until(&stream, deadline);
    frame::write(&mut timed, body)?;
    let reply = frame::read(&mut timed)?.ok_or_else(|| io::Error::from(io::ErrorKind::ConnectionReset))?;
    Ok((stream, reply))
}

/// Whether a kept connection turned out to be closed.
fn is_gone(error: &RemoteError) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    matches!(error, RemoteError::Io(error) if matches!(error.kind(), BrokenPipe | ConnectionReset | UnexpectedEof))
}

/// Connects to a socket, and waits no longer than `patience`: a process that is stopped lets its queue fill up, and then a
/// connection would wait without end.
///
/// # Errors
/// When nobody listens there, or not in time.
pub fn connect_within(path: &Path, patience: Duration) -> io::Result<UnixStream> {
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    sockopt::set_socket_timeout(&socket, sockopt::Timeout::Send, Some(patience))?;
    connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(UnixStream::from(socket))
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remote").field("patience", &self.patience).finish_non_exhaustive()
    }
}
