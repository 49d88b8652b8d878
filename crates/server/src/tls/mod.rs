//! TLS under the HTTP endpoint, through the Schannel package: who calls `serve --https` talks to the same handshake as
//! a program that calls AcceptSecurityContext.
//!
//! - `settings.rs`    `[tls]`, and the credential that it makes
//! - `self_signed.rs` the certificate of a first start
//! - `handshake.rs`   tokens to and from a socket, and the authority's answers between
//! - `stream.rs`      an established context as a stream of bytes
//! - `connect.rs`     the same from a client's side
//! - `channel.rs`     what a connection's requests are told of it

mod channel;
mod connect;
mod handshake;
mod self_signed;
mod settings;
mod stream;

pub use connect::connect_tls;
pub use self_signed::self_signed;
pub use settings::{
    CertificateFiles, ClientAuthName, Fetch, Files, Loaded, MappingName, RevocationName, Tls, TlsError, TlsSettings,
    VersionName,
};

pub(crate) use channel::TlsChannel;
pub(crate) use handshake::{Accepted, accept};
pub(crate) use settings::end_points;
pub use stream::TlsStream;
