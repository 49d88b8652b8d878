use super::{Client, Keys, LongTerm, Ticket};
use crate::converse::{Outcome, Settings, talk};
use portcullis::Credential;
use portcullis::kerberos::Kerberos;
use portcullis::kerberos::crypto::Enctype;

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
