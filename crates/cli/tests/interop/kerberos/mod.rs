//! Kerberos: clients that nobody here wrote, with tickets of KDCs that nobody here wrote.
//!
//! - `clients` runs those that log on by HTTP, `services` what they log on to: `portcullis serve --keytab`, or an acceptor
//!   of others;
//! - `reference`: the clients against MIT's and Heimdal's acceptors. What fails here is no fault of ours;
//! - `logons`: the same against ours; `enctypes`: keys and session keys of each kind, and what becomes of keytabs;
//! - `refusals`: a cause for each thing that is wrong; `bindings`: over HTTPS;
//! - `domain`: users of Samba's Active Directory, whose SIDs it knows itself;
//! - `seal`: messages both ways; `initiator`: our client and the acceptors of others.

mod bindings;
mod clients;
mod domain;
mod enctypes;
mod initiator;
mod logons;
mod reference;
mod refusals;
mod seal;
mod services;
