use super::{Client, Keys, LongTerm, Ticket};
use crate::converse::{Outcome, Settings, talk};
use portcullis::kerberos::Kerberos;
use portcullis::kerberos::crypto::Enctype;
use portcullis::{Context, Credential, Status};

/// The time of most tests: 2026-01-01 00:00:00 UTC, in seconds since 1970.
pub const NOW: i64 = 1_767_225_600;

/// The skew that is allowed unless configured otherwise, in seconds.
pub const SKEW: i64 = 300;

/// What a host gives to calls at [`NOW`].
pub fn settings() -> Settings {
    Settings { now: super::pac::filetime(NOW), ..Settings::default() }
}

/// A service with its keys, and what its host gives to each call.
#[derive(Debug)]
pub struct Site {
    /// The acceptor's configuration.
    pub config: Kerberos,
    /// The keys, as the KDC knows them.
    pub services: Vec<LongTerm>,
    /// The authority, with the same keys.
    pub keys: Keys,
    /// What the host gives to each call.
    pub settings: Settings,
}

impl Site {
    /// A site that holds these keys.
    pub fn holding(services: Vec<LongTerm>) -> Self {
        Self { config: Kerberos::new(), keys: Keys::of(&services), services, settings: settings() }
    }

    /// The one service of most tests, `HTTP/web.example@EXAMPLE`, with an AES key of 256 bits in version 3.
    pub fn of_web() -> Self {
        Self::holding(vec![LongTerm::of("HTTP/web.example@EXAMPLE", 3, Enctype::Aes256Sha1)])
    }

    /// The same service with a key of another enctype.
    pub fn of_enctype(enctype: Enctype) -> Self {
        let mut site = Self::holding(vec![LongTerm::of("HTTP/web.example@EXAMPLE", 3, enctype)]);
        site.config.danger_accept_rc4 = enctype.is_weak();
        site
    }

    /// A ticket for the first service.
    pub fn ticket(&self, client: &str) -> Ticket {
        Ticket::of(&self.services[0], client, NOW)
    }

    /// A good client of the first service: `ann@EXAMPLE`.
    pub fn client(&self) -> Client {
        Client::of(self.ticket("ann@EXAMPLE"))
    }

    /// The credential.
    pub fn credential(&self) -> Credential {
        Credential::acceptor(self.config.clone())
    }

    /// Seconds that the host's clock is from [`NOW`].
    #[must_use]
    pub fn at(mut self, seconds: i64) -> Self {
        self.settings.now = super::pac::filetime(NOW + seconds);
        self
    }

    /// One token of a client.
    pub fn hears(&self, client: &Client) -> Outcome {
        self.hears_tokens(&[client.token()])
    }

    /// A client that must get in, by one token.
    ///
    /// # Panics
    /// When it does not.
    #[track_caller]
    pub fn accepts(&self, client: &Client) -> Context {
        let outcome = self.hears(client);
        assert_eq!(outcome.cause_name(), "ok", "{:#?}", outcome.events);
        outcome.context.unwrap()
    }

    /// A client that must be refused with this cause, status and number of a KRB-ERROR, `None` where it is told
    /// nothing; and of which nothing is kept.
    ///
    /// # Panics
    /// When it is not so.
    #[track_caller]
    pub fn refuses(&self, client: &Client, cause: &str, status: Status, code: Option<i32>) -> Outcome {
        let before = self.keys.remembered();
        let outcome = self.hears(client);
        assert_eq!(outcome.cause_name(), cause, "{:#?}", outcome.events);
        assert_eq!(outcome.statuses, [status]);
        assert_eq!(client.heard(&outcome.output).error_code(), code);
        assert_eq!(code.is_none(), outcome.output.is_empty());
        assert!(outcome.context.is_none());
        assert_eq!(self.keys.remembered(), before, "a refused token is not remembered");
        outcome
    }

    /// Tokens in turn, in one handshake.
    pub fn hears_tokens(&self, tokens: &[Vec<u8>]) -> Outcome {
        let mut tokens = tokens.iter();
        self.talks(|_| tokens.next().cloned())
    }

    /// A whole conversation: `says` makes each token from the reply to the one before.
    pub fn talks(&self, says: impl FnMut(&[u8]) -> Option<Vec<u8>>) -> Outcome {
        talk(&self.credential(), &self.keys, &self.settings, says)
    }
}
