use crate::chance::Foretold;
use crate::converse::{Host, Settings};
use portcullis::{Authority, Cause, Context, Credential, Handshake, NeedsToken, Status};

/// How an initiator and an acceptor of the library fared with each other.
#[derive(Debug)]
pub struct Meeting {
    /// The client.
    pub initiator: Side,
    /// The server.
    pub acceptor: Side,
    /// What arrived, in turn, the client's first.
    pub messages: Vec<Vec<u8>>,
}

/// One side of a [`Meeting`].
#[derive(Debug, Default)]
pub struct Side {
    /// The context, where it came to one.
    pub context: Option<Context>,
    /// Why it refused, where it did.
    pub cause: Option<Cause>,
    /// The status of each call.
    pub statuses: Vec<Status>,
}

impl Side {
    /// The cause's name, `ok`, or `waits` for a side that never came to an end.
    pub fn ended(&self) -> &'static str {
        match (&self.context, &self.cause) {
            (Some(_), _) => "ok",
            (None, Some(cause)) => cause.name(),
            (None, None) => "waits",
        }
    }
}

/// Lets both sides of the library talk; `on_the_way` may edit each message, which it is given with its number.
pub fn meet(
    initiator: (&Credential, &Settings),
    acceptor: (&Credential, &Settings),
    authority: &dyn Authority,
    mut on_the_way: impl FnMut(usize, &mut Vec<u8>),
) -> Meeting {
    /// More than any of these conversations has: whoever goes on after that waits for ever.
    const MOST: usize = 12;
    // Each draws its own numbers: what one side takes for the other's must differ.
    let mut sides = [(initiator, 1), (acceptor, 2)].map(|((credential, settings), seed)| Talker {
        host: Host::new(settings, Foretold::scripted(&settings.server_challenge, seed)),
        waiting: Some(credential.begin()),
        context: None,
    });
    let mut messages = Vec::new();
    let mut token = Vec::new();
    for number in 0..MOST {
        token = match sides[number % 2].hear(&token, authority) {
            Some(token) => token,
            None => break,
        };
        on_the_way(number, &mut token);
        messages.push(token.clone());
    }
    let [initiator, acceptor] = sides.map(Talker::end);
    Meeting { initiator, acceptor, messages }
}

struct Talker<'s> {
    host: Host<'s, Foretold>,
    waiting: Option<NeedsToken>,
    context: Option<Context>,
}

impl Talker<'_> {
    /// Takes a token and says what to send; `None` when there is nothing more to say.
    fn hear(&mut self, token: &[u8], authority: &dyn Authority) -> Option<Vec<u8>> {
        let waiting = self.waiting.take()?;
        let mut at = self.host.call(|call| waiting.token(token, call));
        while let Some(Handshake::NeedsAnswer(asking)) = at {
            at = self.host.call(|call| asking.ask(authority, call));
        }
        let out = self.host.take_output();
        match at {
            Some(Handshake::NeedsToken(next)) => {
                self.waiting = Some(next);
                Some(out)
            }
            Some(Handshake::Established(context)) => {
                self.context = Some(context);
                Some(out).filter(|out| !out.is_empty())
            }
            _ => Some(out).filter(|out| !out.is_empty()),
        }
    }

    fn end(self) -> Side {
        let outcome = self.host.finish();
        Side { context: self.context, cause: outcome.cause, statuses: outcome.statuses }
    }
}
