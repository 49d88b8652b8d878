//! HTTPS: clients of TLS that nobody here wrote, certificates of every kind, and people in the middle.
//!
//! - `certificates` makes what the tests present, `listener` a server that uses it;
//! - `program` talks with a program line by line, `clients` runs those that ask once; `proxy` stands in between;
//! - `handshakes`: openssl and gnutls-cli; `programs`: curl, Java, Python, sslscan; `odd`: bytes that none of them sends;
//! - `identities`: the server's own certificates; `accounts`, `mappings`: those of clients;
//! - `resumption`, `tickets`: what a session ticket is worth, and where;
//! - `bindings`, `certificate_kinds`: extended protection; `http2`; `settings`: what is set, where, and when it counts.
//!
//! Names that the server gives to things, and that more than one test asserts, stand in `names`.

mod accounts;
mod bindings;
mod certificate_kinds;
pub(crate) mod certificates;
mod clients;
mod handshakes;
mod http2;
mod identities;
pub(crate) mod listener;
mod mappings;
pub(crate) mod names;
mod odd;
mod program;
mod programs;
mod proxy;
mod resumption;
mod settings;
mod tickets;
