//! `libportcullis.so`: the functions of `sspi.h` for programs in C and whatever calls C.
//!
//! A caller's handle stands for an object ([`handles`]); [`exports`] has the functions by their names, [`table`] gives them
//! out as a table. A context is shaken by [`establish`] leg by leg, and its messages are protected by [`message`]. What the
//! process knows beside its handles is in [`host`]; certificates, their keys and stores are [`crypt`]'s, and what
//! TLS has beside other packages is in [`schannel`], what Kerberos has in [`kerberos`]. docs/c-library.md is
//! for who writes programs against it.
//!
//! Nothing here runs on a thread of its own, no panic leaves for C, and a fork finds every lock free ([`lock`]).

mod abi;
mod acceptor;
mod attribute;
mod buffers;
mod code;
mod complete;
mod config;
mod context;
mod credential;
mod crypt;
mod decision;
mod environment;
mod establish;
mod exports;
mod flags;
mod fork;
mod handles;
mod host;
mod identity;
mod initiator;
mod kerberos;
mod lock;
mod log;
mod memory;
mod message;
mod moment;
mod packages;
mod packed;
mod password;
mod schannel;
mod secrets;
mod stepper;
mod table;
mod text;
mod token;
mod transfer;
mod winpr;
