//! A KDC that lies where it is told to, clients that do what they are told with its tickets, and an authority that holds
//! the services' keys.
//!
//! ```
//! use portcullis_testkit::kerberos::{Client, Site};
//! let site = Site::of_web();
//! let mut client = Client::of(site.ticket("ann@EXAMPLE"));
//! assert_eq!(site.hears(&client).cause_name(), "ok");
//! client.ticket.end_time -= 100_000;
//! let outcome = site.hears(&client);
//! assert_eq!(outcome.cause_name(), "kerberos/ticket-expired");
//! assert_eq!(client.heard(&outcome.output).error_code(), Some(32));
//! ```

mod authority;
mod ccache;
mod client;
mod delegation;
mod key;
mod name;
mod pac;
mod reply;
mod session;
mod site;
mod ticket;

pub use authority::Keys;
pub use ccache::{Cached, ccache};
pub use client::{Asks, Bound, Checksum, Client, Frame};
pub use delegation::Forwarded;
pub use key::{LongTerm, RawKey, keytab};
pub use name::Name;
pub use pac::{Info, PacPlan, PacSignature, SignatureValue, hmac_md5};
pub use reply::{Heard, Refused, Reply};
pub use session::Session;
pub use site::{NOW, SKEW, Site, settings};
pub use ticket::{PacPlace, Ticket};
