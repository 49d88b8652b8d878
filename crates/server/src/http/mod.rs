//! The HTTP endpoint: it says who the client is.
//!
//! - `connection.rs`   what belongs to one TCP connection: an NTLM handshake, then an identity, and nothing else does
//! - `authenticate.rs` one request's credentials → who it is, a challenge, or a refusal
//! - `scheme.rs`       reads `Authorization`
//! - `forwarded.rs`    signs of a proxy, and why they end an identity
//! - `drain.rs`        bodies that nobody reads
//! - `respond.rs`, `who.rs`  answers

mod authenticate;
mod connection;
mod drain;
mod forwarded;
mod respond;
mod scheme;
mod who;

pub(crate) use connection::{Channel, Connection, Half, Standing};

use crate::decision::CorrelationId;
use crate::server::Core;
use authenticate::Verdict;
use drain::Drained;
use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, Request, Version};
use respond::{Answer, Form};
use scheme::Credentials;
use std::time::Duration;
use who::Who;

/// Whether a request must come again over HTTP/1.1: over HTTP/2 the connection is no one's, and a handshake that
/// belongs to a connection cannot be had (RFC 9113 §11.3 has an error for just that).
pub(crate) fn needs_http11(connection: &Connection, head: &Parts) -> bool {
    if head.version != Version::HTTP_2 {
        return false;
    }
    let core = connection.shared.core();
    if is_open_to_all(&core, head) {
        return false;
    }
    let offers = || core.config.http.schemes.iter().any(|scheme| scheme.is_connection_bound());
    match scheme::read(&head.headers, core.config.limits.token_bytes) {
        Credentials::None => offers() && connection.certified(&core, head).is_none(),
        Credentials::Token(scheme, _) => scheme.is_connection_bound(),
        Credentials::Unusable(..) => false,
    }
}

/// Answers one request of a connection. Requests of one connection come here one after the other, but for those of
/// HTTP/2, which neither find nor leave a [`Standing`].
pub(crate) async fn answer(connection: &Connection, request: Request<Incoming>) -> Answer {
    let core = connection.shared.core();
    let (head, body) = request.into_parts();
    let form = Form::wanted(&head.headers);
    if let Some(answer) = open_to_all(&core, &head, form) {
        // Whoever asks without credentials says nothing about the connection's user, and learns nothing of it.
        let bound = core.config.limits.unauthenticated_body_bytes;
        return finish(&core, body, bound, answer).await.0;
    }
    let origin = allowed_origin(&core, &head.headers);
    let limits = &core.config.limits;
    let verdict = connection.authenticate(&core, &head).await;
    let offers = connection.offers(&core, &head);
    let answer = match verdict {
        Verdict::Known { identity, persists, token } => {
            let who = Who::of(&identity.facts, connection.channel.tls(), &identity.correlation_id);
            let mut answer = respond::who(form, &who, &identity.correlation_id, persists);
            if let Some((scheme, token)) = token {
                respond::add_token(&mut answer, scheme, &token);
            }
            let (answer, _) = finish(&core, body, limits.body_bytes, answer).await;
            if persists {
                connection.stand(Standing::Known(identity));
            }
            answer
        }
        Verdict::Challenge { scheme, token, ticket, correlation_id } => {
            let challenge = respond::Offers { challenges: Vec::new(), connection_bound: true };
            let mut answer = respond::unauthorized(form, &challenge, Some(&correlation_id));
            respond::add_token(&mut answer, scheme, &token);
            let (answer, drained) = finish(&core, body, limits.unauthenticated_body_bytes, answer).await;
            match drained {
                Drained::Whole => {
                    connection.stand(Standing::Shaking { ticket, correlation_id });
                    answer
                }
                // The connection ends here, and with it the handshake: no challenge that cannot be answered.
                Drained::Left => respond::closing(respond::unauthorized(form, &offers, Some(&correlation_id))),
            }
        }
        Verdict::Nobody { correlation_id } => {
            let answer = respond::unauthorized(form, &offers, correlation_id.as_ref());
            finish(&core, body, limits.unauthenticated_body_bytes, answer).await.0
        }
    };
    match origin {
        Some(origin) => respond::allow_origin(answer, &origin, false),
        None => answer,
    }
}

/// Whether a request is answered without asking who the client is.
fn is_open_to_all(core: &Core, head: &Parts) -> bool {
    (head.uri.path() == "/healthz" && matches!(head.method, Method::GET | Method::HEAD))
        || header_bytes(head) > core.config.limits.header_bytes
        || head.method == Method::CONNECT
        || is_preflight(head)
}

/// Exactly what a browser sends before a request of another origin; WebDAV's OPTIONS is no such thing.
fn is_preflight(head: &Parts) -> bool {
    head.method == Method::OPTIONS
        && head.headers.contains_key(header::ORIGIN)
        && head.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// What is answered without asking who the client is.
fn open_to_all(core: &Core, head: &Parts, form: Form) -> Option<Answer> {
    if head.uri.path() == "/healthz" && matches!(head.method, Method::GET | Method::HEAD) {
        return Some(respond::health(tokio::task::block_in_place(|| (core.healthy)())));
    }
    let bound = core.config.limits.header_bytes;
    if header_bytes(head) > bound {
        return Some(respond::headers_too_large(form, bound, CorrelationId::new().as_ref()));
    }
    if head.method == Method::CONNECT {
        return Some(respond::no_tunnel(form, CorrelationId::new().as_ref()));
    }
    is_preflight(head).then(|| match allowed_origin(core, &head.headers) {
        Some(origin) => respond::allow_origin(respond::preflight(), &origin, true),
        None => respond::preflight(),
    })
}

/// Reads the rest of the request; the connection closes after the answer where that cannot be done.
async fn finish(core: &Core, body: Incoming, bound: u64, answer: Answer) -> (Answer, Drained) {
    let patience = Duration::from_secs(core.config.limits.body_seconds);
    match drain::drain(body, bound, patience).await {
        Drained::Whole => (answer, Drained::Whole),
        Drained::Left => (respond::closing(answer), Drained::Left),
    }
}

fn allowed_origin(core: &Core, headers: &HeaderMap) -> Option<HeaderValue> {
    let origin = headers.get(header::ORIGIN)?;
    let allowed = core.config.http.cors_origins.iter().any(|ours| ours.as_bytes() == origin.as_bytes());
    allowed.then(|| origin.clone())
}

/// As they came, near enough: names, values and four bytes between them.
fn header_bytes(head: &Parts) -> usize {
    let target = head.uri.path_and_query().map_or(0, |target| target.as_str().len());
    head.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum::<usize>() + target
}
