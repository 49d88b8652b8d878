//! The conversations that `make-vectors` writes to `vectors/`.

mod ends;
mod good;
mod malformed;
mod passwords;
mod published;
mod refusals;

use crate::converse::exchange;
use crate::initiator::Initiator;
use crate::vector::{Facts, Package, Setup, Vector};
use portcullis::Status;

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
    Tokens(Vec<u8>, Option<Vec<u8>>),
}

/// What someone on the way does to a message.
pub type Edit = fn(&mut Vec<u8>);

/// Every case.
pub fn all() -> Vec<Case> {
    [good::cases(), published::cases(), refusals::cases(), malformed::cases(), ends::cases(), passwords::cases()]
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
        Self { says: Says::Tokens(first, second), ..Self::new(name, shows, Initiator::user()) }
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
            Package::Ntlm => "ntlm",
            Package::Password => "password",
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
            Says::Tokens(first, second) => exchange(&credential, realm, settings, first, |_| second.clone()),
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
        if self.expect != Status::SEC_E_OK {
            facts = Facts::default();
        }
        let published = self.source != COMPUTED;
        let vector = Vector {
            source: self.source.to_owned(),
            shows: self.shows.clone(),
            setup: self.setup.clone(),
            expect: self.expect,
            cause: self.cause.to_owned(),
            facts,
            first: outcome.messages.first().cloned().unwrap_or_default(),
            challenge: outcome.messages.get(1).filter(|_| !published && outcome.messages.len() > 2).cloned(),
            authenticate: outcome.messages.get(2).cloned(),
        };
        vector.replay().map_err(|error| format!("{}: {error}", self.name))?;
        Ok(vector)
    }
}
