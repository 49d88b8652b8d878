//! Kerberos for callers in C: where a service's keys ([`keys`]) and a client's tickets ([`tickets`], [`renewal`]) come from, what
//! its contexts answer beside others ([`attribute`]), and what all of them share ([`process`]).

pub(crate) mod attribute;
mod files;
mod keys;
pub(crate) mod process;
pub(crate) mod renewal;
mod tickets;

pub(crate) use keys::{Keys, unusable};
pub(crate) use tickets::Tickets;
