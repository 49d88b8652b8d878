//! What a CtxtHandle stands for: a handshake under way, a context that both sides share, or one that failed.

use crate::abi::SecHandle;
use crate::code::Code;
use crate::credential::Credential;
use crate::handles;
use crate::lock::Lock;
use crate::secrets::HostSecrets;
use crate::token::Token;
use library::{ChannelBindings, Context as Shared, Facts, NeedsAnswer, NeedsToken, Opener, PackageInfo, Sealer, Wants};
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

/// A context's state and, once it is established, its halves. Everything about a peer lives here, and nothing of it in the
/// credential.
pub(crate) struct Context {
    pub(crate) package: &'static PackageInfo,
    pub(crate) acceptor: bool,
    /// `None` for an imported context.
    pub(crate) credential: Option<Arc<Credential>>,
    pub(crate) state: Lock<State>,
    /// Set once: messages never wait for the lock of the state.
    open: OnceLock<Open>,
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
    pub(crate) peer: Option<IpAddr>,
    /// What the host brought for this peer.
    pub(crate) secrets: HostSecrets,
    /// The messages before the present one, for hosts that compute a MIC.
    pub(crate) transcript: Vec<u8>,
    /// What the leg was called with that the host must complete: its answer is judged by that.
    pub(crate) deferred: Deferred,
    /// How many legs there were.
    pub(crate) legs: u32,
}

/// What a leg leaves for CompleteAuthToken.
#[derive(Default)]
pub(crate) struct Deferred {
    pub(crate) wants: Wants,
    pub(crate) bindings: Option<ChannelBindings>,
    /// The buffer that its output would have gone to, and how large it was.
    pub(crate) output: (usize, u32),
}

/// Output that waits for a buffer that is large enough.
pub(crate) struct Pending {
    pub(crate) input: Vec<u8>,
    pub(crate) out: Vec<u8>,
    pub(crate) next: Box<Next>,
}

/// What a leg came to.
pub(crate) enum Next {
    Shaking(Shaking),
    Established(Box<Shared>),
}

/// An established context, for two threads: one seals while the other opens.
pub(crate) struct Open {
    pub(crate) facts: Arc<Facts>,
    pub(crate) sealer: Lock<Option<Sealer>>,
    pub(crate) opener: Lock<Option<Opener>>,
    /// The handle of ACCESS_TOKEN: the context's, so that the caller need not close it.
    token: Lock<Option<SecHandle>>,
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
        let (sealer, opener, facts) = shared.split();
        let (sealer, opener, token) = (Lock::new(Some(sealer)), Lock::new(Some(opener)), Lock::new(None));
        // Under the state's lock, which a fork takes first: it sees the halves' locks either way, or neither.
        let mut state = self.state.lock();
        *state = if self.open.set(Open { facts, sealer, opener, token }).is_ok() { State::Open } else { State::Dead };
    }

    /// The established context.
    pub(crate) fn open(&self) -> Result<&Open, Code> {
        self.open.get().ok_or(Code::INVALID_HANDLE)
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
                open.sealer.take();
                open.opener.take();
                open.token.take();
            }
        }
    }

    /// Releases what [`take_locks`](Self::take_locks) took. A context is not established meanwhile: that takes a lock.
    ///
    /// # Safety
    /// `take_locks` was called, by this thread or the one that it is the copy of.
    pub(crate) unsafe fn release_locks(&self) {
        // SAFETY: as the caller says.
        unsafe {
            if let Some(open) = self.open.get() {
                open.token.release();
                open.opener.release();
                open.sealer.release();
            }
            self.state.release();
        }
    }
}

impl Open {
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
        let token = self.token.lock().take();
        if let Some(handle) = token {
            let _ = handles::remove::<Token>(handle);
        }
    }
}
