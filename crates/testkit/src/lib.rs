//! What proves Portcullis: clients that misbehave, vectors and how to replay them, oracles for fuzzing, realms of real
//! KDCs, and a small service to sign and seal with.
//!
//! [`converse`] lets an [`Initiator`] talk with an acceptor in one process:
//!
//! ```
//! use portcullis::{Credential, Status, ntlm};
//! use portcullis_testkit::{Initiator, Realm, Settings, converse};
//!
//! let credential = Credential::acceptor(ntlm::Ntlm::new(ntlm::ServerNames::standalone("WEB1")));
//! let mut client = Initiator::user();
//! client.password = "guess".into();
//! let outcome = converse(&credential, &Realm::of_user(), &client, &Settings::default());
//! assert_eq!(outcome.statuses, [Status::SEC_I_CONTINUE_NEEDED, Status::SEC_E_LOGON_DENIED]);
//! assert_eq!(outcome.cause_name(), "account/wrong-proof");
//! ```
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a kit for tests fails where a test must fail; what reads a network says so itself"
)]

pub mod cases;
mod chance;
mod converse;
pub mod hex;
pub mod initiator;
pub mod kdc;
pub mod kerberos;
mod meeting;
pub mod oracle;
pub mod printed;
mod rc4;
mod realm;
pub mod seal;
mod session;
pub mod spnego;
pub mod tls;
pub mod vector;

pub use chance::{Broken, Foretold};
pub use converse::{Host, Outcome, Settings, converse, exchange, talk};
pub use initiator::{Bindings, Initiator, Layout, Mic, NegotiateForm, Responses, Slot};
pub use meeting::{Meeting, Side, meet};
pub use rc4::Rc4;
pub use realm::{Entry, Realm};
pub use session::{Part, Session};

/// The names of the server in most tests.
pub fn server_names() -> portcullis::ntlm::ServerNames {
    portcullis::ntlm::ServerNames {
        netbios_computer: "SERVER".into(),
        netbios_domain: "DOMAIN".into(),
        dns_computer: "server.domain.example".into(),
        dns_domain: "domain.example".into(),
        dns_tree: String::new(),
        standalone: false,
    }
}
