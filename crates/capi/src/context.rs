//! What a CtxtHandle stands for: a handshake under way, a context that both sides share, or one that failed.

use crate::abi::SecHandle;
use crate::buffers::Bindings;
use crate::code::Code;
use crate::credential::Credential;
use crate::handles;
use crate::lock::Lock;
use crate::packages;
use crate::schannel::attribute::NextExport;
use crate::schannel::control::Outgoing;
use crate::schannel::protocols::Protocols;
use crate::secrets::HostSecrets;
use crate::token::Token;
use library::{Context as Shared, Facts, NeedsAnswer, NeedsToken, Opener, PackageInfo, Sealer, Wants};
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

/// A context's state and, once it is established, its halves. Everything about a peer lives here, and nothing of it in the
/// credential.
pub(crate) struct Context {
    pub(crate) package: &'static PackageInfo,
    pub(crate) acceptor: bool,
    /// `None` for an imported context.
    pub(crate) credential: Option<Arc<Credential>>,
    pub(crate) state: Lock<State>,
    /// Set once: messages never wait for the lock of the state. Elsewhere, so that a half-open context stays small.
    open: OnceLock<Box<Open>>,
}

/// Where a context stands.
pub(crate) enum State {
    /// The peer's next token is due.
    Shaking(Shaking),
    /// The host must bring a secret, and then call CompleteAuthToken.
    Deferred(NeedsAnswer, Shaking),
    /// A leg is done whose output did not fit; the same input gets it.
    Pending(Pending),
    /// A thread is in the middle of a leg, or was, when its process forked.
    Busy,
    /// Both sides share a context.
    Open,
    /// It failed, or was taken apart.
    Dead,
}

/// A handshake between two legs.
pub(crate) struct Shaking {
    /// `None` while a question is open.
    pub(crate) next: Option<NeedsToken>,
    pub(crate) talk: Talk,
}

/// What the handshake's legs share.
#[derive(Default)]
pub(crate) struct Talk {
    /// The peer's address, where the host told it.
    pub(crate) peer: Option<SocketAddr>,
    /// The channel's bindings, as the last leg that brought some did.
    pub(crate) bindings: Option<Box<Bindings>>,
    /// The application protocols that a leg named.
    pub(crate) protocols: Option<Protocols>,
    /// What there is where the host itself judges. Apart, since a leg moves the rest about.
    pub(crate) host: Option<Box<HostTalk>>,
}

/// What a host that judges brings and needs.
#[derive(Default)]
pub(crate) struct HostTalk {
    /// What the host brought for this peer.
    pub(crate) secrets: HostSecrets,
    /// What the leg was called with that the host must complete: its answer is judged by that.
    pub(crate) deferred: Deferred,
}

impl Talk {
    /// What there is of the host's.
    pub(crate) fn host(&mut self) -> &mut HostTalk {
        self.host.get_or_insert_default()
    }
}

/// What a leg leaves for CompleteAuthToken.
#[derive(Default)]
pub(crate) struct Deferred {
    pub(crate) wants: Wants,
    /// Whether its output was to be memory of ours.
    pub(crate) allocates: bool,
}

/// Output that waits for a buffer that is large enough.
pub(crate) struct Pending {
    pub(crate) input: Vec<u8>,
    pub(crate) out: Vec<u8>,
    /// Bytes of the input that belong to what follows.
    pub(crate) extra: usize,
    pub(crate) next: Box<Next>,
}

/// What a leg came to.
pub(crate) enum Next {
    Shaking(Shaking),
    Established(Shared),
}

/// An established context.
pub(crate) struct Open {
    pub(crate) facts: Arc<Facts>,
    /// Until the first message: most servers send none, and need no keys.
    whole: Lock<Option<Shared>>,
    /// Set once, from then on.
    halves: OnceLock<Halves>,
    /// The handle of ACCESS_TOKEN: the context's, so that the caller need not close it.
    token: Lock<Option<SecHandle>>,
}

/// For two threads: one seals while the other opens.
pub(crate) struct Halves {
    pub(crate) sealer: Lock<Option<Sealer>>,
    pub(crate) opener: Lock<Option<Opener>>,
    /// What a stream has to send that is no data.
    pub(crate) outgoing: Lock<Outgoing>,
    /// What is exported of a stream's keys next.
    pub(crate) export: NextExport,
}

impl Context {
    /// A context of a credential's side.
    pub(crate) fn new(credential: Arc<Credential>, acceptor: bool) -> Self {
        let package = credential.package;
        Self { package, acceptor, credential: Some(credential), state: Lock::new(State::Busy), open: OnceLock::new() }
    }

    /// A context that another process established.
    pub(crate) fn imported(shared: Shared) -> Self {
        let package = shared.facts().package;
        let acceptor = shared.facts().role == library::Role::Acceptor;
        let context =
            Self { package, acceptor, credential: None, state: Lock::new(State::Busy), open: OnceLock::new() };
        context.establish(shared);
        context
    }

    /// Takes the state out; whoever comes meanwhile finds the context busy.
    pub(crate) fn take(&self) -> State {
        let mut state = self.state.lock();
        match &*state {
            State::Open => State::Open,
            State::Dead => State::Dead,
            _ => std::mem::replace(&mut *state, State::Busy),
        }
    }

    pub(crate) fn put(&self, state: State) {
        let before = std::mem::replace(&mut *self.state.lock(), state);
        drop(before);
    }

    /// From now on messages can be protected.
    pub(crate) fn establish(&self, shared: Shared) {
        let open = Box::new(Open {
            facts: shared.share_facts(),
            whole: Lock::new(Some(shared)),
            halves: OnceLock::new(),
            token: Lock::new(None),
        });
        // Under the state's lock, which a fork takes first: it sees all locks in here, or none.
        let mut state = self.state.lock();
        *state = if self.open.set(open).is_ok() { State::Open } else { State::Dead };
    }

    /// The established context.
    pub(crate) fn open(&self) -> Result<&Open, Code> {
        self.open.get().map(Box::as_ref).ok_or(Code::INVALID_HANDLE)
    }

    /// Whether its messages are records of a stream.
    pub(crate) fn is_stream(&self) -> bool {
        packages::is_stream(self.package)
    }

    /// Whether this input is the one that a leg was called with before. Of a stream more may have come behind it.
    pub(crate) fn is_again(&self, before: &[u8], now: &[u8]) -> bool {
        if self.is_stream() { now.starts_with(before) } else { now == before }
    }

    /// Takes the context's locks, in their order.
    ///
    /// # Safety
    /// This thread holds none of them.
    pub(crate) unsafe fn take_locks(&self) {
        // SAFETY: as the caller says.
        unsafe {
            self.state.take();
            if let Some(open) = self.open.get() {
                open.whole.take();
                if let Some(halves) = open.halves.get() {
                    halves.sealer.take();
                    halves.opener.take();
                    halves.outgoing.take();
                    halves.export.take();
                }
                open.token.take();
            }
        }
    }

    /// Releases what [`take_locks`](Self::take_locks) took. A context is not established or halved meanwhile: that takes
    /// a lock.
    ///
    /// # Safety
    /// `take_locks` was called, by this thread or the one that it is the copy of.
    pub(crate) unsafe fn release_locks(&self) {
        // SAFETY: as the caller says.
        unsafe {
            if let Some(open) = self.open.get() {
                open.token.release();
                if let Some(halves) = open.halves.get() {
                    halves.export.release();
                    halves.outgoing.release();
                    halves.opener.release();
                    halves.sealer.release();
                }
                open.whole.release();
            }
            self.state.release();
        }
    }
}

impl Open {
    /// The halves, made for the first message.
    pub(crate) fn halves(&self) -> Result<&Halves, Code> {
        if let Some(halves) = self.halves.get() {
            return Ok(halves);
        }
        // Set under the lock, which a fork takes first.
        let mut whole = self.whole.lock();
        if let Some(shared) = whole.take() {
            let (sealer, opener, _) = shared.split();
            let halves = Halves {
                sealer: Lock::new(Some(sealer)),
                opener: Lock::new(Some(opener)),
                outgoing: Lock::new(Outgoing::default()),
                export: Lock::new(Default::default()),
            };
            self.halves.set(halves).map_err(|_| Code::INTERNAL_ERROR)?;
        }
        drop(whole);
        self.halves.get().ok_or(Code::INVALID_HANDLE)
    }

    /// The handle of the account's token, which lives as long as the context.
    pub(crate) fn token(&self) -> Result<SecHandle, Code> {
        if let Some(handle) = *self.token.lock() {
            return Ok(handle);
        }
        let made = handles::insert(Arc::new(Token::of(&self.facts)?))?;
        let mut token = self.token.lock();
        match *token {
            None => {
                *token = Some(made);
                Ok(made)
            }
            // Another thread was faster.
            Some(handle) => {
                drop(token);
                handles::remove::<Token>(made)?;
                Ok(handle)
            }
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(handle) = self.token.get_mut().take() {
            let _ = handles::remove::<Token>(handle);
        }
    }
}
