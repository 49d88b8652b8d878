use crate::chance::Foretold;
use crate::initiator::Initiator;
use crate::session::Session;
use portcullis::{
    Authority, Call, Cause, ChannelBindings, Context, ContextFlags, Credential, Event, Failure, Handshake, Random,
    Status, Wants,
};
use portcullis_wire::filetime;
use std::net::IpAddr;

/// What a host gives to every call of a conversation.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The time as FILETIME.
    pub now: u64,
    /// The server challenge.
    pub server_challenge: [u8; 8],
    /// What the host wants.
    pub want: Wants,
    /// The channel's bindings.
    pub bindings: Option<ChannelBindings>,
    /// The service that an initiator means.
    pub target: Option<String>,
    /// The peer's address.
    pub peer: Option<IpAddr>,
    /// How many bytes the output may have.
    pub room: Option<usize>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            now: 0x01da_0000_0000_0000,
            server_challenge: [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef],
            want: Wants::default(),
            bindings: None,
            target: None,
            peer: None,
            room: None,
        }
    }
}

impl Settings {
    /// These settings with flags that the host wishes for.
    #[must_use]
    pub fn wanting(mut self, flags: ContextFlags) -> Self {
        self.want.flags |= flags;
        self
    }
}

/// How a conversation went.
#[derive(Debug)]
pub struct Outcome {
    /// The status of each call.
    pub statuses: Vec<Status>,
    /// Why it failed, where it did.
    pub cause: Option<Cause>,
    /// The context, where there is one.
    pub context: Option<Context>,
    /// The client's end of the session, where it came so far.
    pub session: Option<Session>,
    /// The client's tokens and the replies to them in turn, as far as there were any. A reply may be empty.
    pub messages: Vec<Vec<u8>>,
    /// What the last call gave out, whether it succeeded or failed.
    pub output: Vec<u8>,
    /// What happened, a line each.
    pub events: Vec<String>,
}

impl Outcome {
    /// The last status.
    pub fn status(&self) -> Status {
        *self.statuses.last().unwrap()
    }

    /// What came back for each of the client's tokens.
    pub fn replies(&self) -> impl Iterator<Item = &Vec<u8>> {
        let ended = self.context.is_some() || self.cause.is_some();
        self.messages.iter().skip(1).step_by(2).chain(ended.then_some(&self.output))
    }

    /// The cause's name, or `ok`.
    pub fn cause_name(&self) -> &'static str {
        self.cause.as_ref().map_or("ok", Cause::name)
    }

    /// Both ends of an established session.
    ///
    /// # Panics
    /// When there is none.
    pub fn ends(self) -> (Context, Session) {
        assert_eq!(self.cause_name(), "ok", "{:?}", self.statuses);
        (self.context.unwrap(), self.session.unwrap())
    }
}

/// Lets `initiator` talk with an acceptor of `credential`.
pub fn converse(
    credential: &Credential,
    authority: &dyn Authority,
    initiator: &Initiator,
    settings: &Settings,
) -> Outcome {
    let negotiate = initiator.negotiate();
    let mut session = None;
    let mut outcome = exchange(credential, authority, settings, &negotiate, |challenge| {
        let (message, end) = initiator.authenticate(&negotiate, challenge)?;
        session = Some(end);
        Some(message)
    });
    outcome.session = session;
    outcome
}

/// Lets whoever makes messages talk with an acceptor: `first` is the first token, `then` makes the second from the
/// reply, or `None` to hang up.
pub fn exchange(
    credential: &Credential,
    authority: &dyn Authority,
    settings: &Settings,
    first: &[u8],
    then: impl FnOnce(&[u8]) -> Option<Vec<u8>>,
) -> Outcome {
    let (mut first, mut then) = (Some(first.to_vec()), Some(then));
    talk(credential, authority, settings, |reply| match first.take() {
        Some(first) => Some(first),
        None => then.take()?(reply),
    })
}

/// Lets whoever makes tokens talk with an acceptor to the end: `says` makes each token from the reply to the one before,
/// the first from nothing, or `None` to hang up.
pub fn talk(
    credential: &Credential,
    authority: &dyn Authority,
    settings: &Settings,
    mut says: impl FnMut(&[u8]) -> Option<Vec<u8>>,
) -> Outcome {
    let mut host = Host::new(settings, Foretold::scripted(&settings.server_challenge, 1));
    let mut waiting = credential.begin();
    let mut reply = Vec::new();
    while let Some(token) = says(&reply) {
        host.outcome.messages.push(token.clone());
        let mut at = host.call(|call| waiting.token(&token, call));
        while let Some(Handshake::NeedsAnswer(asking)) = at {
            // The questions belong to the call that brought the token: one status for all.
            at = host.call(|call| asking.ask(authority, call));
        }
        reply = host.take_output();
        match at {
            Some(Handshake::NeedsToken(next)) => {
                host.outcome.messages.push(reply.clone());
                waiting = next;
                continue;
            }
            Some(Handshake::Established(context)) => host.outcome.context = Some(context),
            Some(_) | None => {}
        }
        host.outcome.output = reply;
        break;
    }
    host.outcome
}

/// The host of one conversation.
#[derive(Debug)]
pub struct Host<'s, R> {
    settings: &'s Settings,
    random: R,
    out: Vec<u8>,
    outcome: Outcome,
}

impl<'s, R: Random> Host<'s, R> {
    /// A host at the start of a conversation.
    pub fn new(settings: &'s Settings, random: R) -> Self {
        let outcome = Outcome {
            statuses: Vec::new(),
            cause: None,
            context: None,
            session: None,
            messages: Vec::new(),
            output: Vec::new(),
            events: Vec::new(),
        };
        Self { settings, random, out: Vec::new(), outcome }
    }

    /// Makes one call and writes its status down; `None` when it failed.
    pub fn call(&mut self, step: impl FnOnce(Call<'_>) -> Result<Handshake, Failure>) -> Option<Handshake> {
        let events = &mut self.outcome.events;
        let mut note = |event: &Event<'_>| events.push(format!("{event:?}"));
        let settings = self.settings;
        let now = filetime::to_system(settings.now).unwrap();
        let mut call = Call::new(now, &mut self.random, &mut note, &mut self.out);
        call.want = settings.want;
        call.bindings = settings.bindings.as_ref();
        call.target = settings.target.as_deref();
        call.peer = settings.peer;
        call.room = settings.room;
        match step(call) {
            Ok(next) => {
                match next {
                    Handshake::NeedsToken(_) => self.outcome.statuses.push(Status::SEC_I_CONTINUE_NEEDED),
                    Handshake::Established(_) => self.outcome.statuses.push(Status::SEC_E_OK),
                    _ => {}
                }
                Some(next)
            }
            Err(failure) => {
                self.outcome.statuses.push(failure.status);
                self.outcome.cause = Some(failure.cause);
                None
            }
        }
    }

    /// What was sent to the peer and not yet taken.
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// How it went.
    pub fn finish(self) -> Outcome {
        self.outcome
    }
}
