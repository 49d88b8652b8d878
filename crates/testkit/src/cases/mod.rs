//! The conversations that `make-vectors` writes to `vectors/`.

mod ends;
mod good;
mod kerberos;
mod kerberos_messages;
mod malformed;
mod negotiate;
mod passwords;
mod published;
mod refusals;

use crate::converse::{Outcome, exchange, talk};
use crate::initiator::Initiator;
use crate::spnego::Spnego;
use crate::vector::{Facts, Package, Setup, Vector};
use portcullis::Status;
use portcullis_wire::kerberos::{InnerToken, recognise};
use portcullis_wire::spnego::NegTokenResp;

/// A conversation to be computed, and how it must end.
#[derive(Debug, Clone)]
pub struct Case {
    /// The file's name without folder and suffix.
    pub name: String,
    /// Where the messages come from.
    pub source: &'static str,
    /// What it shows, in a sentence.
    pub shows: String,
    /// The setting.
    pub setup: Setup,
    /// Who speaks.
    pub says: Says,
    /// Whether it once ended wrongly, and is kept apart for that.
    pub regression: bool,
    /// The last status.
    pub expect: Status,
    /// The cause's name, or `ok`.
    pub cause: &'static str,
}

/// Who makes the tokens of a case.
#[derive(Debug, Clone)]
pub enum Says {
    /// A client.
    Client(Box<Initiator>),
    /// A client, and someone on the way who edits its AUTHENTICATE.
    Edited(Box<Initiator>, Edit),
    /// Nobody: these are the tokens.
    Tokens(Vec<Vec<u8>>),
    /// A Negotiate client.
    Spnego(Box<Spnego>),
    /// A Negotiate client, and someone on the way who edits its token of this number.
    EditedSpnego(Box<Spnego>, usize, Edit),
}

/// What someone on the way does to a message.
pub type Edit = fn(&mut Vec<u8>);

/// Every case.
pub fn all() -> Vec<Case> {
    [
        good::cases(),
        published::cases(),
        refusals::cases(),
        malformed::cases(),
        ends::cases(),
        passwords::cases(),
        negotiate::cases(),
        kerberos::cases(),
        kerberos_messages::cases(),
    ]
    .concat()
}

const COMPUTED: &str = "computed here";

impl Case {
    fn new(name: &str, shows: &str, initiator: Initiator) -> Self {
        Self {
            name: name.to_owned(),
            source: COMPUTED,
            shows: shows.to_owned(),
            setup: Setup::default(),
            says: Says::Client(Box::new(initiator)),
            regression: false,
            expect: Status::SEC_E_OK,
            cause: "ok",
        }
    }

    fn tokens(name: &str, shows: &str, first: Vec<u8>, second: Option<Vec<u8>>) -> Self {
        Self {
            says: Says::Tokens(std::iter::once(first).chain(second).collect()),
            ..Self::new(name, shows, Initiator::user())
        }
    }

    fn spnego(name: &str, shows: &str, client: Spnego) -> Self {
        let mut case = Self { says: Says::Spnego(Box::new(client)), ..Self::new(name, shows, Initiator::user()) };
        case.setup.package = Package::Negotiate;
        case
    }

    fn refused(self, expect: Status, cause: &'static str) -> Self {
        Self { expect, cause, ..self }
    }

    fn set(mut self, change: impl FnOnce(&mut Setup)) -> Self {
        change(&mut self.setup);
        self
    }

    /// The folder below `vectors/`.
    pub fn folder(&self) -> &'static str {
        match self.setup.package {
            _ if self.regression => "regressions",
            _ if self.setup.kerberos.is_some() => "kerberos",
            Package::Ntlm => "ntlm",
            Package::Password => "password",
            Package::Negotiate => "negotiate",
            Package::Kerberos => "kerberos",
        }
    }

    /// Plays the conversation and writes it down.
    ///
    /// # Errors
    /// When it does not end as it must.
    pub fn vector(&self) -> Result<Vector, String> {
        let (credential, realm, settings) = (self.setup.credential(), &self.setup.realm, &self.setup.settings);
        let mut key = None;
        let outcome = match &self.says {
            Says::Tokens(tokens) => {
                let (authority, mut tokens) = (self.setup.authority(), tokens.iter());
                talk(&credential, &authority, settings, |_| tokens.next().cloned())
            }
            Says::Spnego(client) => client.converse(&credential, realm, settings).0,
            Says::EditedSpnego(client, number, edit) => {
                let mut says = client.talker();
                let mut count = 0;
                talk(&credential, realm, settings, |reply| {
                    let mut token = says(reply)?;
                    if count == *number {
                        edit(&mut token);
                    }
                    count += 1;
                    Some(token)
                })
            }
            Says::Client(client) | Says::Edited(client, _) => {
                let negotiate = client.negotiate();
                exchange(&credential, realm, settings, &negotiate, |challenge| {
                    let (mut message, session) = client.authenticate(&negotiate, challenge)?;
                    if let Says::Edited(_, edit) = self.says {
                        edit(&mut message);
                    }
                    key = Some(session.key.to_vec());
                    Some(message)
                })
            }
        };
        let mut facts = Facts::of(&outcome);
        if let (Some(ours), Some(theirs)) = (&facts.session_key, key)
            && *ours != theirs
        {
            return Err(format!("{}: client and server have different keys", self.name));
        }
        if self.setup.kerberos.is_some() && outcome.replies().any(|reply| proves(reply)) {
            facts.session_key = None; // it is the server's, which draws it
        }
        if self.expect != Status::SEC_E_OK {
            facts = Facts::default();
        }
        let vector = Vector {
            source: self.source.to_owned(),
            shows: self.shows.clone(),
            setup: self.setup.clone(),
            expect: self.expect,
            cause: self.cause.to_owned(),
            facts,
            tokens: outcome.messages.iter().step_by(2).cloned().collect(),
            replies: self.compared(&outcome),
        };
        vector.replay().map_err(|error| format!("{}: {error}", self.name))?;
        Ok(vector)
    }

    /// The replies that the vector holds: of NTLM the CHALLENGE of a conversation that went on, of Negotiate all, of
    /// Kerberos those that nothing is drawn for.
    fn compared(&self, outcome: &Outcome) -> Vec<Option<Vec<u8>>> {
        let count = match self.setup.package {
            Package::Ntlm if self.source == COMPUTED => outcome.messages.len() / 2,
            Package::Ntlm => return vec![None; outcome.messages.len() / 2],
            Package::Password => 0,
            _ if self.setup.kerberos.is_some() => {
                return outcome.replies().map(|reply| (!proves(reply)).then(|| reply.clone())).collect();
            }
            Package::Negotiate | Package::Kerberos => usize::MAX,
        };
        outcome.replies().take(count).map(|reply| Some(reply.clone())).collect()
    }
}

/// Whether a reply has an AP-REP in it, which is under a key and begins with what was drawn.
fn proves(reply: &[u8]) -> bool {
    let inner = NegTokenResp::decode(reply).ok().and_then(|response| response.response_token).unwrap_or(reply);
    recognise(inner).is_ok_and(|message| message.kind == InnerToken::ApRep)
}
