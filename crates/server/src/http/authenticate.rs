use super::connection::{ChannelNames, Connection, Half, Identity, Standing};
use super::forwarded::Trail;
use super::scheme::{self, Credentials, Token};
use crate::config::SchemeName;
use crate::decision::{Attempt, CorrelationId};
use crate::half_open::{Bounds, Ticket};
use crate::random::SystemRandom;
use crate::server::Core;
use hyper::Version;
use hyper::http::request::Parts;
use portcullis::{Call, CallCause, ContextFlags, Failure, Handshake, HostCause, Wants};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

/// What one request's credentials come to.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// The client is known; `persists` when the connection stays its own. A last token, under its scheme, may be for it.
    Known { identity: Identity, persists: bool, token: Option<(SchemeName, Vec<u8>)> },
    /// The client must answer this token.
    Challenge { scheme: SchemeName, token: Vec<u8>, ticket: Ticket<Half>, correlation_id: CorrelationId },
    /// Refused, or without credentials. There is no id where the system has no randomness.
    Nobody { correlation_id: Option<CorrelationId> },
}

/// The bytes that a half-open handshake takes beside its tokens, about.
const HALF_OPEN_OVERHEAD: usize = 1024;

impl Connection {
    pub(super) async fn judge(
        &self,
        core: &Core,
        head: &Parts,
        standing: Standing,
        credentials: Credentials,
    ) -> Verdict {
        let Some(correlation_id) = CorrelationId::new() else {
            tracing::error!("the operating system's random source failed; everybody is refused");
            return Verdict::Nobody { correlation_id: None };
        };
        let attempt = |package| Attempt {
            client: self.client(core, head),
            ..Attempt::new(correlation_id.clone(), self.peer, self.local, package)
        };
        let trail = Trail::of(&head.headers);
        match credentials {
            Credentials::None => match standing {
                Standing::Known(identity) if self.still_is(core, head, &identity, trail) => {
                    Verdict::Known { identity, persists: true, token: None }
                }
                _ => match self.certified(core, head) {
                    Some(identity) => Verdict::Known { identity, persists: false, token: None },
                    None => Verdict::Nobody { correlation_id: Some(correlation_id) },
                },
            },
            Credentials::Unusable(package, cause) => core.refuse(attempt(package), &cause.into()),
            Credentials::Token(scheme, token) => match (self.refuses(core, head, scheme), standing) {
                (Some(cause), _) => core.refuse(attempt(scheme.name()), &cause.into()),
                (None, Standing::Shaking { ticket, correlation_id })
                    if scheme.is_connection_bound() && !scheme::begins(&token) =>
                {
                    match ticket.redeem() {
                        Some(half) if half.trail == trail && half.scheme == scheme => {
                            self.step(core, half, token, self.persists(core, head)).await
                        }
                        // Another client than the one that began: a proxy stands in between after all.
                        Some(half) => core.refuse(half.attempt, &HostCause::Proxied.into()),
                        // It was too slow, or had to make room: that was decided and written down when it happened.
                        None => Verdict::Nobody { correlation_id: Some(correlation_id) },
                    }
                }
                (None, _) => {
                    let half = self.half(core, scheme, attempt(scheme.name()), trail);
                    let persists = scheme.is_connection_bound() && self.persists(core, head);
                    self.step(core, half, token, persists).await
                }
            },
        }
    }

    /// Whether a request without credentials is still the connection's user's.
    fn still_is(&self, core: &Core, head: &Parts, identity: &Identity, trail: Trail) -> bool {
        self.persists(core, head)
            && identity.trail == trail
            && !identity.has_ended(SystemTime::now())
            && head.version == Version::HTTP_11
    }

    fn half(&self, core: &Core, scheme: SchemeName, attempt: Attempt, trail: Trail) -> Half {
        let credential = match scheme {
            SchemeName::Negotiate => &core.negotiate,
            SchemeName::NTLM => &core.ntlm,
            SchemeName::Basic => &core.basic,
        };
        Half { scheme, needs: credential.begin(), attempt, trail, close: Arc::clone(&self.close) }
    }

    /// Brings a token to a handshake, and asks the authority where the handshake asks.
    async fn step(&self, core: &Core, half: Half, token: Token, persists: bool) -> Verdict {
        let Half { scheme, needs, mut attempt, trail, close } = half;
        let client = attempt.client;
        let (mut out, mut random) = (Vec::new(), SystemRandom);
        let bindings = self.bindings(core);
        let mut next = needs.token(&token, call(core, client, &bindings, &mut attempt, &mut random, &mut out));
        loop {
            next = match next {
                Err(failure) => return core.refuse(attempt, &failure),
                Ok(Handshake::NeedsAnswer(pending)) => {
                    let answer = core.authority.answer(pending.question()).await;
                    pending.answer(answer, call(core, client, &bindings, &mut attempt, &mut random, &mut out))
                }
                // A piece: SSPI's callers may bring tokens so, and HTTP's never do. Nothing of it is kept.
                Ok(Handshake::NeedsToken(_)) if out.is_empty() => {
                    return core.refuse(attempt, &HostCause::TokenIncomplete.into());
                }
                Ok(Handshake::NeedsToken(needs)) => {
                    let bytes = token.len() + out.len() + HALF_OPEN_OVERHEAD;
                    return self.park(core, Half { scheme, needs, attempt, trail, close }, bytes, out);
                }
                Ok(Handshake::Established(context)) => {
                    let decision = attempt.established(context.facts());
                    let correlation_id = decision.correlation_id.clone();
                    if let Err(failure) = core.decide(&decision) {
                        return core.refuse(decision.attempt, &failure);
                    }
                    self.registration.settle();
                    let token = (!out.is_empty()).then_some((scheme, out));
                    let facts = Arc::new(context.facts().without_secrets());
                    let identity = Identity { facts, correlation_id, trail };
                    return Verdict::Known { identity, persists, token };
                }
                // A state that this server has no part in cannot come of the credentials that it makes.
                Ok(_) => Err(CallCause::WrongInput.into()),
            };
        }
    }

    /// Keeps a handshake until the client's next token.
    fn park(&self, core: &Core, half: Half, bytes: usize, token: Vec<u8>) -> Verdict {
        let limits = &core.config.limits;
        let bounds =
            Bounds { count: limits.half_open, per_peer: limits.half_open_per_peer, bytes: limits.half_open_bytes };
        let (scheme, correlation_id) = (half.scheme, half.attempt.correlation_id.clone());
        let parked = self.shared.half_open.park(bounds, half.attempt.client, bytes, half);
        for evicted in parked.evicted {
            core.refuse(evicted.attempt, &HostCause::HalfOpenLimit.into());
        }
        match parked.ticket {
            Ok(ticket) => Verdict::Challenge { scheme, token, ticket, correlation_id },
            Err(half) => core.refuse(half.attempt, &HostCause::HalfOpenLimit.into()),
        }
    }
}

impl Core {
    /// Refuses a client: one line for the operator, nothing but an id for the client.
    pub(crate) fn refuse(&self, attempt: Attempt, failure: &Failure) -> Verdict {
        let decision = attempt.refused(failure);
        // A refusal stands whether or not it could be written down.
        let _ = self.decide(&decision);
        Verdict::Nobody { correlation_id: Some(decision.correlation_id) }
    }
}

fn call<'a>(
    core: &Core,
    client: IpAddr,
    bindings: &'a ChannelNames<'_>,
    attempt: &'a mut Attempt,
    random: &'a mut SystemRandom,
    out: &'a mut Vec<u8>,
) -> Call<'a> {
    let mut call = Call::new(SystemTime::now(), random, attempt, out);
    call.bindings = bindings.end_point;
    call.further_bindings = &bindings.further;
    // Clients that do not know of bindings are many: who wants to refuse them says so (`ntlm.bindings`).
    let flags = ContextFlags::NONE
        .with(ContextFlags::NULL_SESSION, core.config.ntlm.allow_anonymous)
        .with(ContextFlags::ALLOW_MISSING_BINDINGS, bindings.any());
    call.want = Wants { flags, ..Wants::default() };
    call.peer = Some(client);
    call
}
