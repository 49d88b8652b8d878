//! What belongs to one TCP connection.
//!
//! A Negotiate or NTLM handshake and the identity that it gives belong to the connection that carried them, and to nothing else:
//! no cookie, no address, no table finds them again. A request takes the connection's [`Standing`] out, and puts one
//! back when it is answered; a request that is broken off leaves nobody.
//!
//! - A request without credentials is served as the connection's user, where it has one and nothing suggests that
//!   someone else is speaking ([`super::forwarded`]).
//! - Any `Authorization` header ends what the connection was, before it is looked at. A handshake that succeeds
//!   gives it a new user; Basic speaks for its one request only and leaves a connection without a user. So two
//!   identities never mix, and a failure leaves none.
//! - An identity ends with the logon hours of its account.

use super::authenticate::Verdict;
use super::forwarded::Trail;
use super::respond::Offers;
use super::{forwarded, scheme};
use crate::config::SchemeName;
use crate::connections::Registration;
use crate::decision::{Attempt, CorrelationId};
use crate::half_open::Ticket;
use crate::server::{Core, Shared};
use crate::tls::TlsChannel;
use hyper::Version;
use hyper::http::request::Parts;
use portcullis::{ChannelBindings, Facts, HostCause, NeedsToken};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;
use tokio::sync::Notify;

/// One TCP connection.
pub(crate) struct Connection {
    pub(crate) shared: Arc<Shared>,
    pub(crate) peer: SocketAddr,
    pub(crate) local: SocketAddr,
    pub(crate) channel: Channel,
    pub(crate) registration: Registration,
    /// Asks the connection's task to end it.
    pub(crate) close: Arc<Notify>,
    pub(crate) standing: Mutex<Standing>,
}

/// Who can read what the connection carries.
#[derive(Debug, Clone)]
pub(crate) enum Channel {
    /// Everybody on the way.
    Plain,
    /// Both ends are this computer.
    Loopback,
    /// Both ends of TLS.
    Tls(Arc<TlsChannel>),
}

/// Who the connection belongs to.
#[derive(Debug, Default)]
pub(crate) enum Standing {
    /// Nobody yet, or nobody any more.
    #[default]
    Nobody,
    /// A handshake waits for its next token. The id stays when the handshake was dropped meanwhile.
    Shaking { ticket: Ticket<Half>, correlation_id: CorrelationId },
    /// The client is known.
    Known(Identity),
}

/// A handshake that waits, with what belongs to it.
#[derive(Debug)]
pub(crate) struct Half {
    pub(crate) scheme: SchemeName,
    pub(crate) needs: NeedsToken,
    pub(crate) attempt: Attempt,
    pub(crate) trail: Trail,
    pub(crate) close: Arc<Notify>,
}

/// A client that logged on.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) facts: Arc<Facts>,
    /// The logon's: every answer to this client carries it, so that any of them leads to the audit line.
    pub(crate) correlation_id: CorrelationId,
    pub(crate) trail: Trail,
}

/// What names the channel to clients that bind themselves to it.
pub(super) struct ChannelNames<'c> {
    pub(super) end_point: Option<&'c ChannelBindings>,
    pub(super) further: Vec<ChannelBindings>,
}

impl ChannelNames<'_> {
    pub(super) fn any(&self) -> bool {
        self.end_point.is_some() || !self.further.is_empty()
    }
}

impl Channel {
    pub(crate) fn between(peer: SocketAddr, local: SocketAddr) -> Self {
        let both = peer.ip().to_canonical().is_loopback() && local.ip().to_canonical().is_loopback();
        if both { Self::Loopback } else { Self::Plain }
    }

    /// Whether a password may be sent as it is.
    const fn is_private(&self) -> bool {
        matches!(self, Self::Loopback | Self::Tls(_))
    }

    /// TLS, where it is.
    pub(crate) fn tls(&self) -> Option<&TlsChannel> {
        if let Self::Tls(channel) = self { Some(channel) } else { None }
    }
}

impl Identity {
    pub(crate) fn has_ended(&self, now: SystemTime) -> bool {
        self.facts.expiry.is_some_and(|end| end <= now)
    }
}

impl Connection {
    /// Takes the standing out; nobody is left.
    pub(super) fn take(&self) -> Standing {
        std::mem::take(&mut *self.standing.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts a standing back.
    pub(super) fn stand(&self, standing: Standing) {
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner) = standing;
    }

    /// What a refused client is offered.
    pub(super) fn offers(&self, core: &Core, head: &Parts) -> Offers {
        let mut offers = Offers::default();
        for scheme in &core.config.http.schemes {
            if self.refuses(core, head, *scheme).is_some() {
                continue;
            }
            offers.challenges.push(match scheme {
                SchemeName::Negotiate | SchemeName::NTLM => scheme.name().to_owned(),
                SchemeName::Basic => format!("Basic realm=\"{}\", charset=\"UTF-8\"", core.config.http.realm),
            });
            offers.connection_bound |= scheme.is_connection_bound();
        }
        offers
    }

    /// Why a scheme is neither offered nor taken here; `None` when it is.
    pub(super) fn refuses(&self, core: &Core, head: &Parts, scheme: SchemeName) -> Option<HostCause> {
        if !core.config.http.schemes.contains(&scheme) {
            return Some(HostCause::SchemeNotOffered);
        }
        match scheme {
            // A handshake needs a connection that lasts; HTTP/1.0 has none that proxies agree on.
            SchemeName::Negotiate | SchemeName::NTLM if head.version != Version::HTTP_11 => {
                Some(HostCause::SchemeNotOffered)
            }
            // Loopback is private to this computer only where the client is on it.
            SchemeName::Basic if !self.channel.is_private() || self.is_shared(core, head) => {
                Some(HostCause::PlaintextRefused)
            }
            SchemeName::Negotiate | SchemeName::NTLM | SchemeName::Basic => None,
        }
    }

    /// Whether an identity may outlive its request on this connection.
    pub(super) fn persists(&self, core: &Core, head: &Parts) -> bool {
        core.config.http.persist && !self.is_shared(core, head)
    }

    /// Whether the connection may carry several clients' requests.
    pub(super) fn is_shared(&self, core: &Core, head: &Parts) -> bool {
        forwarded::shows_proxy(&head.headers) && !self.peer_is_trusted(core)
    }

    /// The client's address: the peer's, or what a trusted proxy says it is.
    pub(super) fn client(&self, core: &Core, head: &Parts) -> IpAddr {
        let named = || forwarded::client_address(&head.headers);
        let client = self.peer_is_trusted(core).then(named).flatten();
        client.unwrap_or(self.peer.ip()).to_canonical()
    }

    fn peer_is_trusted(&self, core: &Core) -> bool {
        core.config.http.trusted_proxies.iter().any(|network| network.contains(self.peer.ip()))
    }

    /// What clients may be bound to.
    pub(super) fn bindings<'c>(&'c self, core: &'c Core) -> ChannelNames<'c> {
        let channel = self.channel.tls();
        let own = channel.and_then(|channel| channel.exporter.clone());
        // Behind a terminator the client's channel ends there, whatever this connection is.
        let further = own.into_iter().chain(core.terminators.iter().cloned()).collect();
        ChannelNames { end_point: channel.and_then(TlsChannel::end_point), further }
    }

    /// Whom the client's certificate says it is, where it said so in the handshake.
    pub(super) fn certified(&self, core: &Core, head: &Parts) -> Option<Identity> {
        // A proxy's own certificate is not its clients'.
        if self.is_shared(core, head) {
            return None;
        }
        let (channel, trail) = (self.channel.tls()?, Trail::of(&head.headers));
        let identity =
            Identity { facts: Arc::clone(&channel.facts), correlation_id: channel.correlation_id.clone(), trail };
        (channel.facts.account.is_some() && !identity.has_ended(SystemTime::now())).then_some(identity)
    }

    /// Who a request comes from.
    pub(super) async fn authenticate(&self, core: &Core, head: &Parts) -> Verdict {
        let standing = self.take();
        let credentials = scheme::read(&head.headers, core.config.limits.token_bytes);
        self.judge(core, head, standing, credentials).await
    }
}
