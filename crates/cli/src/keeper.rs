//! The keeper: a small process that keeps what the serving process gave up.
//!
//! A server that talks to the network has no right to open files or sockets. When it must reach the authority anew, or
//! read its configuration or the files of TLS anew, it asks the keeper, which started with the server and does these
//! things only: it opens the names that its command line gave it, and passes the open file on. With `--separate` it also runs the
//! authority process, and starts it again when it ends.

use crate::config;
use crate::data::Failed;
use clap::Args;
use portcullis_authority::TicketFile;
use portcullis_authority::remote::connect_within;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Read as _};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// `portcullis keeper`: started by `portcullis serve`, with the socket to it as standard input.
#[derive(Debug, Args)]
pub(crate) struct Keep {
    /// The authority's socket
    #[arg(long)]
    socket: PathBuf,
    /// The data folder, whose configuration may be read
    #[arg(long)]
    data: PathBuf,
    /// Run the authority too
    #[arg(long)]
    authority: bool,
    /// The keytab that the authority reads
    #[arg(long, requires = "authority")]
    keytab: Option<PathBuf>,
    /// A file that may be read; can be given several times
    #[arg(long)]
    file: Vec<PathBuf>,
    /// The file of ticket keys, to be kept up to date
    #[arg(long, requires = "ticket_seconds")]
    tickets: Option<PathBuf>,
    /// How long a ticket key is used, and a ticket: seconds
    #[arg(long, num_args = 2)]
    ticket_seconds: Vec<u64>,
}

/// What a server of TLS may have the keeper read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kept {
    /// Files, by the number that they are asked for under.
    pub(crate) files: Vec<PathBuf>,
    /// The keytab of the authority that is started with the keeper.
    pub(crate) keytab: Option<PathBuf>,
    /// The file of ticket keys, how long a key is used, and how long a ticket.
    pub(crate) tickets: Option<(PathBuf, Duration, Duration)>,
}

/// What the serving process may ask for.
const AUTHORITY: u8 = b'a';
const CONFIG: u8 = b'c';
const TICKETS: u8 = b't';
/// From this number on: the files, in their order.
const FILES: u8 = 0x80;
/// How many they may be.
const MOST_FILES: usize = 0x80;

/// How long a file is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// An authority that ends sooner than this after its start is started again only after a pause.
const SOON: Duration = Duration::from_secs(5);

/// How long the authority may take to accept a connection: less than the server waits for the keeper.
const CONNECT: Duration = Duration::from_secs(3);

/// The serving process's end.
pub(crate) struct Keeper {
    line: Mutex<Line>,
    kept: Kept,
}

struct Line {
    socket: UnixStream,
    /// Counts the requests: a reply that comes too late is not the next one's.
    number: u8,
}

impl Keeper {
    /// Starts the keeper.
    pub(crate) fn start(socket: &Path, data: &Path, authority: bool, kept: Kept) -> Result<Self, Failed> {
        if kept.files.len() > MOST_FILES {
            return Err(
                format!("[tls] names more than {MOST_FILES} files, which the keeper cannot be asked for").into()
            );
        }
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_read_timeout(Some(PATIENCE))?;
        ours.set_write_timeout(Some(PATIENCE))?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("keeper").arg("--socket").arg(socket).arg("--data").arg(data);
        if authority {
            command.arg("--authority");
            if let Some(keytab) = &kept.keytab {
                command.arg("--keytab").arg(keytab);
            }
        }
        for file in &kept.files {
            command.arg("--file").arg(file);
        }
        if let Some((path, rotation, lifetime)) = &kept.tickets {
            let seconds = [rotation, lifetime].map(|length| length.as_secs().to_string());
            command.arg("--tickets").arg(path).arg("--ticket-seconds").args(seconds);
        }
        // A group of its own: Ctrl-C is for the server, and the keeper ends when the server has.
        command.stdin(Stdio::from(OwnedFd::from(theirs))).process_group(0).spawn()?;
        Ok(Self::over(ours, kept))
    }

    fn over(socket: UnixStream, kept: Kept) -> Self {
        Self { line: Mutex::new(Line { socket, number: 0 }), kept }
    }

    /// One of the files that it was started with, open to be read.
    pub(crate) fn open(&self, path: &Path) -> io::Result<File> {
        let is_tickets = self.kept.tickets.as_ref().is_some_and(|(tickets, _, _)| tickets == path);
        let number = self.kept.files.iter().position(|file| file == path).and_then(|at| u8::try_from(at).ok());
        let what = match number {
            _ if is_tickets => TICKETS,
            Some(number) => FILES.checked_add(number).ok_or(io::ErrorKind::InvalidInput)?,
            None => {
                let why = "this file was not named when the server started; start it anew";
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
            }
        };
        self.ask(what).map(File::from)
    }

    /// The content of one of the files that it was started with.
    pub(crate) fn file(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.open(path)?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// A new connection to the authority.
    pub(crate) fn connect(&self) -> io::Result<UnixStream> {
        self.ask(AUTHORITY).map(UnixStream::from)
    }

    /// The configuration file's text; `None` where there is no file.
    pub(crate) fn config(&self) -> io::Result<Option<String>> {
        match self.ask(CONFIG) {
            Ok(file) => {
                let mut text = String::new();
                File::from(file).read_to_string(&mut text)?;
                Ok(Some(text))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn ask(&self, what: u8) -> io::Result<OwnedFd> {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        line.number = line.number.wrapping_add(1);
        send(&line.socket, &[what, line.number], None)?;
        let until = Instant::now() + PATIENCE;
        loop {
            let (number, opened) = receive(&line.socket)?;
            if number == line.number {
                return opened;
            }
            if Instant::now() >= until {
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
    }
}

impl Keep {
    /// The arguments of the authority's process.
    fn command(&self) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = ["authority", "--with-parent", "--socket"].map(Into::into).to_vec();
        arguments.extend([self.socket.clone().into(), "--data".into(), self.data.clone().into()]);
        if let Some(keytab) = &self.keytab {
            arguments.extend(["--keytab".into(), keytab.clone().into()]);
        }
        arguments
    }

    /// Serves until the server has ended.
    pub(crate) fn run(self) -> Result<(), Failed> {
        crate::isolation::leave_no_dumps();
        let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
        let supervised = self.authority.then(|| Supervised::start(self.command())).transpose()?;
        let mut request = [0; 2];
        while (&socket).read_exact(&mut request).is_ok() {
            let [what, number] = request;
            let opened = match what {
                AUTHORITY => connect_within(&self.socket, CONNECT).map(OwnedFd::from),
                CONFIG => File::open(config::file_in(&self.data)).map(OwnedFd::from),
                TICKETS => self.open_tickets().map(OwnedFd::from),
                FILES.. => match self.file.get(usize::from(what - FILES)) {
                    Some(path) => File::open(path).map(OwnedFd::from),
                    None => Err(io::ErrorKind::InvalidInput.into()),
                },
                _ => Err(io::ErrorKind::InvalidInput.into()),
            };
            if reply(&socket, number, opened).is_err() {
                break;
            }
        }
        if let Some(supervised) = supervised {
            supervised.end();
        }
        Ok(())
    }
}

impl Keep {
    /// Brings the ticket keys up to date, and opens their file.
    fn open_tickets(&self) -> io::Result<File> {
        let (Some(path), [rotation, lifetime]) = (&self.tickets, self.ticket_seconds.as_slice()) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let file = TicketFile::new(path, Duration::from_secs(*rotation), Duration::from_secs(*lifetime));
        file.read(SystemTime::now())?;
        File::open(path)
    }
}

/// "Input/output error", for failures that have no number.
const EIO: i32 = rustix::io::Errno::IO.raw_os_error();

/// A reply: the number of its request, the error's number or 0, and the file.
fn reply(socket: &UnixStream, number: u8, opened: io::Result<OwnedFd>) -> io::Result<()> {
    let error = opened.as_ref().err().map_or(0, |error| error.raw_os_error().unwrap_or(EIO));
    let [a, b, c, d] = error.to_le_bytes();
    send(socket, &[number, a, b, c, d], opened.as_ref().ok().map(|file| file.as_fd()))
}

/// The next reply.
fn receive(socket: &UnixStream) -> io::Result<(u8, io::Result<OwnedFd>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut bytes = [0; 5];
    let read = recvmsg(socket, &mut [IoSliceMut::new(&mut bytes)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
    if read.bytes != bytes.len() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let mut files = ancillary.drain().flat_map(|message| match message {
        RecvAncillaryMessage::ScmRights(files) => files.collect(),
        _ => Vec::new(),
    });
    let [number, error @ ..] = bytes;
    let opened = files.next().ok_or_else(|| io::Error::from_raw_os_error(i32::from_le_bytes(error)));
    Ok((number, opened))
}

fn send(socket: &UnixStream, bytes: &[u8], file: Option<BorrowedFd<'_>>) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let files = file.map(|file| [file]);
    if let Some(files) = &files {
        ancillary.push(SendAncillaryMessage::ScmRights(files));
    }
    sendmsg(socket, &[IoSlice::new(bytes)], &mut ancillary, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// An authority process that is started again when it ends.
struct Supervised {
    state: Arc<Mutex<State>>,
}

struct State {
    child: Child,
    ending: bool,
}

impl Supervised {
    fn start(arguments: Vec<OsString>) -> Result<Self, Failed> {
        let state = Arc::new(Mutex::new(State { child: spawn(&arguments)?, ending: false }));
        let watched = Arc::clone(&state);
        let mut started = Instant::now();
        std::thread::Builder::new().name("supervision".into()).spawn(move || {
            loop {
                std::thread::sleep(Duration::from_millis(50));
                let mut state = watched.lock().unwrap_or_else(PoisonError::into_inner);
                let ended = match state.child.try_wait() {
                    _ if state.ending => return,
                    Ok(None) => continue,
                    Ok(Some(status)) => status.to_string(),
                    Err(error) => error.to_string(),
                };
                drop(state);
                eprintln!("portcullis: the authority process ended ({ended}); it is started again");
                if started.elapsed() < SOON {
                    std::thread::sleep(Duration::from_secs(1));
                }
                started = Instant::now();
                let mut state = watched.lock().unwrap_or_else(PoisonError::into_inner);
                if state.ending {
                    return;
                }
                match spawn(&arguments) {
                    Ok(child) => state.child = child,
                    Err(error) => eprintln!("portcullis: the authority process does not start: {error}"),
                }
            }
        })?;
        Ok(Self { state })
    }

    /// Ends the authority, by force where it does not listen.
    fn end(self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.ending = true;
        if let Some(pid) = rustix::process::Pid::from_raw(i32::try_from(state.child.id()).unwrap_or_default()) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        for _ in 0..100 {
            if !matches!(state.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = state.child.kill();
        let _ = state.child.wait();
    }
}

fn spawn(arguments: &[OsString]) -> io::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(arguments);
    // Nothing of the server's: not its end of the keeper's socket.
    command.stdin(Stdio::null()).spawn()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_goes_from_one_end_to_the_other() {
        let (server, keeper) = UnixStream::pair().unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("portcullis.toml"), "[http]\n").unwrap();
        let path = folder.path().join("portcullis.toml");
        let answering = std::thread::spawn(move || {
            let mut request = [0; 2];
            (&keeper).read_exact(&mut request).unwrap();
            reply(&keeper, request[1], Ok(File::open(&path).unwrap().into())).unwrap();
            (&keeper).read_exact(&mut request).unwrap();
            // One that nobody waits for any more comes first.
            reply(&keeper, request[1].wrapping_sub(1), Ok(File::open(&path).unwrap().into())).unwrap();
            reply(&keeper, request[1], Err(rustix::io::Errno::NOENT.into())).unwrap();
        });
        let keeper = Keeper::over(server, Kept::default());
        assert_eq!(keeper.config().unwrap().as_deref(), Some("[http]\n"));
        assert_eq!(keeper.config().unwrap(), None);
        answering.join().unwrap();
        assert!(keeper.connect().is_err());
    }
}
