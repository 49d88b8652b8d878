//! Conversations as text files: what was said, in which setting, and how it must end (`vectors/README.md`).

mod kerberos;
mod setup;

pub use kerberos::{Judges, KerberosSetup};
pub use setup::{Package, Setup};

use crate::converse::{Outcome, talk};
use crate::hex;
use portcullis::Status;
use portcullis::status;

/// One conversation and its end.
#[derive(Debug, Clone)]
pub struct Vector {
    /// Where the messages come from: `published by …`, `computed here`, `captured from …`.
    pub source: String,
    /// What it shows, in a sentence.
    pub shows: String,
    /// The setting.
    pub setup: Setup,
    /// The status of the last call.
    pub expect: Status,
    /// The cause's name, or `ok`.
    pub cause: String,
    /// What an established context must say of itself; empty lines are not checked.
    pub facts: Facts,
    /// The client's tokens in turn.
    pub tokens: Vec<Vec<u8>>,
    /// What comes back for each, as it must be; `None` where it is not compared.
    pub replies: Vec<Option<Vec<u8>>>,
}

/// What an established context says of itself, as far as a vector compares it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// `DOMAIN\name`.
    pub client: Option<String>,
    /// The form of the proof.
    pub version: Option<String>,
    /// The granted flags' names in the order of the catalogue, with spaces between.
    pub granted: Option<String>,
    /// The session key.
    pub session_key: Option<Vec<u8>>,
    /// The client's target.
    pub target: Option<String>,
}

impl Facts {
    /// Everything that an outcome's context says.
    pub fn of(outcome: &Outcome) -> Self {
        let Some(context) = &outcome.context else { return Self::default() };
        let facts = context.facts();
        Self {
            client: facts.client_name(),
            version: Some(facts.version.to_owned()),
            granted: Some(facts.granted.names().collect::<Vec<_>>().join(" ")),
            session_key: facts.session_key.as_ref().map(|key| key.expose().to_vec()),
            target: Some(facts.claim.target().to_owned()).filter(|target| !target.is_empty()),
        }
    }

    /// Whether all that `self` says is said by `other`.
    fn hold_in(&self, other: &Self) -> bool {
        let (Self { client, version, granted, session_key, target }, o) = (self, other);
        (client.is_none() || *client == o.client)
            && (version.is_none() || *version == o.version)
            && (granted.is_none() || *granted == o.granted)
            && (session_key.is_none() || *session_key == o.session_key)
            && (target.is_none() || *target == o.target)
    }
}

impl Vector {
    /// Plays the conversation against an acceptor of today.
    ///
    /// # Errors
    /// What differs.
    pub fn replay(&self) -> Result<Outcome, String> {
        let (credential, authority) = (self.setup.credential(), self.setup.authority());
        for token in self.setup.kerberos.iter().flat_map(|kerberos| &kerberos.earlier) {
            let mut token = Some(token.clone());
            let outcome = talk(&credential, &authority, &self.setup.settings, |_| token.take());
            if !outcome.status().is_success() {
                return Err(format!("an earlier token: {:?}", outcome.cause));
            }
        }
        let mut tokens = self.tokens.iter();
        let outcome = talk(&credential, &authority, &self.setup.settings, |_| tokens.next().cloned());
        let differs = |what: &str, expected: &dyn std::fmt::Debug, got: &dyn std::fmt::Debug| {
            Err(format!("{what}: expected {expected:?}, got {got:?}"))
        };
        if outcome.statuses.is_empty() || outcome.status() != self.expect {
            return differs("status", &self.expect, &(&outcome.statuses, &outcome.cause));
        }
        if outcome.cause_name() != self.cause {
            return differs("cause", &self.cause, &outcome.cause);
        }
        if outcome.statuses.len() != self.tokens.len() {
            return differs("calls", &self.tokens.len(), &outcome.statuses);
        }
        for (number, (expected, got)) in self.replies.iter().zip(outcome.replies()).enumerate() {
            if expected.as_ref().is_some_and(|expected| expected != got) {
                let expected = expected.as_deref().map(hex::encode);
                return differs(&format!("reply {}", number + 1), &expected, &hex::encode(got));
            }
        }
        let facts = Facts::of(&outcome);
        if !self.facts.hold_in(&facts) {
            return differs("facts", &self.facts, &facts);
        }
        Ok(outcome)
    }

    /// Reads a file's text.
    ///
    /// # Errors
    /// The line that cannot be read.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut vector = Self {
            source: String::new(),
            shows: String::new(),
            setup: Setup::default(),
            expect: Status::SEC_E_OK,
            cause: String::new(),
            facts: Facts::default(),
            tokens: Vec::new(),
            replies: Vec::new(),
        };
        vector.setup.realm.accounts.clear();
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        for line in lines {
            let (key, value) = line.split_once(':').ok_or_else(|| format!("no colon: {line}"))?;
            vector.line(key, value.trim()).ok_or_else(|| format!("cannot be read: {line}"))?;
        }
        match vector.source.is_empty() || vector.cause.is_empty() || vector.shows.is_empty() {
            true => Err("source, shows, expect and cause must be there".to_owned()),
            false => Ok(vector),
        }
    }

    fn line(&mut self, key: &str, value: &str) -> Option<()> {
        let text = || Some(value.to_owned());
        match key {
            "source" => self.source = text()?,
            "shows" => self.shows = text()?,
            "expect" => self.expect = status::TABLE.iter().find(|row| row.name == value)?.status,
            "cause" => self.cause = text()?,
            "client" => self.facts.client = text(),
            "version" => self.facts.version = text(),
            "granted" => self.facts.granted = text(),
            "session-key" => self.facts.session_key = Some(hex::decode(value)?),
            "target" => self.facts.target = text(),
            "negotiate" | "token" | "authenticate" => self.tokens.push(hex::decode(value)?),
            "challenge" | "reply" => {
                // A reply stands behind its token; those before it that have none are not compared.
                self.replies.resize(self.tokens.len().checked_sub(1)?, None);
                self.replies.push(if value == "*" { None } else { Some(hex::decode(value)?) });
            }
            _ => self.setup.line(key, value)?,
        }
        Some(())
    }

    /// The file's text.
    pub fn print(&self) -> String {
        let mut lines = vec![format!("source: {}", self.source), format!("shows: {}", self.shows)];
        let mut line = |key: &str, value: &str| lines.push(format!("{key}: {value}"));
        line("expect", self.expect.name().unwrap_or_default());
        line("cause", &self.cause);
        let facts = &self.facts;
        let texts = [
            ("client", &facts.client),
            ("version", &facts.version),
            ("granted", &facts.granted),
            ("target", &facts.target),
        ];
        for (key, value) in texts {
            value.iter().for_each(|value| line(key, value));
        }
        facts.session_key.iter().for_each(|key| line("session-key", &hex::encode(key)));
        self.setup.print(&mut line);
        let (tokens, reply): (&[&str], _) = match self.setup.package {
            Package::Ntlm => (&["negotiate", "authenticate"], "challenge"),
            Package::Password | Package::Negotiate | Package::Kerberos => (&[], "reply"),
        };
        for (number, token) in self.tokens.iter().enumerate() {
            line(tokens.get(number).unwrap_or(&"token"), &hex::encode(token));
            match self.replies.get(number) {
                Some(Some(bytes)) => line(reply, &hex::encode(bytes)),
                Some(None) if number + 1 < self.tokens.len() => line(reply, "*"),
                Some(None) | None => {}
            }
        }
        lines.push(String::new());
        lines.join("\n")
    }
}
