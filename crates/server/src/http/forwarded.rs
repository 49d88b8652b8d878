//! Signs that an HTTP proxy stands between the client and this server.
//!
//! NTLM proves who holds the other end of a TCP connection. Behind an HTTP proxy that end is the proxy, and a proxy may
//! send several clients' requests through one connection: whoever comes second would be taken for whoever logged on
//! first (as happened to users of several proxies). Nothing in a request proves that no proxy is there, so three rules
//! add up:
//!
//! 1. On a connection whose requests show a proxy (a header of [`SIGNS`]) no identity outlives its request: the one that
//!    carries the AUTHENTICATE message is answered, since the proof is in it, and the next one needs a logon of its own.
//!    The exception is a proxy of `http.trusted_proxies`, by its address, whose operator says that it keeps one
//!    connection for each client.
//! 2. Whatever the settings, an identity and a half-open handshake belong to one [`Trail`]: the values of those headers,
//!    and the client's `User-Agent` and `Host`. A direct client repeats them with each request of a connection. When
//!    they change, someone else is speaking: the identity ends before the request is looked at.
//! 3. For proxies that leave no trace at all there is `http.persist = false`: no identity outlives the request that
//!    carried the AUTHENTICATE message.
//!
//! Rule 2 is a tell and no proof: two clients with one browser behind a silent proxy look alike. Rules 1 and 3 are the
//! safe ones, and the documentation tells operators so.

use hyper::HeaderMap;
use hyper::header::{HOST, USER_AGENT};
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::net::IpAddr;
use std::sync::LazyLock;

/// Headers that proxies add and clients do not.
const SIGNS: &[&str] = &[
    "via",
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-port",
    "x-forwarded-server",
    "x-forwarded-by",
    "x-forwarded-client-cert",
    "x-original-forwarded-for",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-proxyuser-ip",
    "x-envoy-external-address",
    "client-ip",
    "true-client-ip",
    "cf-connecting-ip",
    "fastly-client-ip",
    "x-arr-log-id",
    "x-bluecoat-via",
];

/// Who seems to be speaking on a connection: equal for two requests of one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trail(u64);

impl Trail {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        // Keyed by the process, so that nobody can look for two trails of one value.
        static KEYS: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        let mut hasher = KEYS.build_hasher();
        for name in SIGNS.iter().copied().chain([USER_AGENT.as_str(), HOST.as_str()]) {
            for value in headers.get_all(name) {
                (name, value.as_bytes()).hash(&mut hasher);
            }
        }
        Self(hasher.finish())
    }
}

/// Whether a request shows a proxy.
pub(crate) fn shows_proxy(headers: &HeaderMap) -> bool {
    SIGNS.iter().any(|name| headers.contains_key(*name))
}

/// The client's address as the last proxy saw it: only to be asked where that proxy is trusted.
pub(crate) fn client_address(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
    last.rsplit(',').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn headers(list: &[(&'static str, &'static str)]) -> HeaderMap {
        list.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn a_trail_changes_with_the_client_and_not_with_the_request() {
        let ann = headers(&[("x-forwarded-for", "192.0.2.1"), ("accept", "*/*")]);
        let same = headers(&[("x-forwarded-for", "192.0.2.1"), ("accept", "text/html"), ("cookie", "a=b")]);
        let bob = headers(&[("x-forwarded-for", "192.0.2.2"), ("accept", "*/*")]);
        assert_eq!(Trail::of(&ann), Trail::of(&same));
        assert_ne!(Trail::of(&ann), Trail::of(&bob));
        assert_ne!(Trail::of(&ann), Trail::of(&headers(&[("via", "192.0.2.1")])));
        assert_ne!(
            Trail::of(&headers(&[("user-agent", "curl/8")])),
            Trail::of(&headers(&[("user-agent", "Mozilla/5.0")]))
        );
    }

    #[test]
    fn a_proxy_shows_itself_and_its_client() {
        assert!(shows_proxy(&headers(&[("via", "1.1 proxy")])));
        assert!(!shows_proxy(&headers(&[("user-agent", "curl"), ("host", "a")])));
        // What a client wrote itself stands before what the proxy added.
        let list = headers(&[("x-forwarded-for", "10.9.9.9, 192.0.2.7")]);
        assert_eq!(client_address(&list), "192.0.2.7".parse().ok());
        assert_eq!(client_address(&headers(&[("x-forwarded-for", "unknown")])), None);
    }
}
