//! Records, one at a time: the TLS library never sees the front of one that is not there yet, nor what belongs to the
//! host behind a handshake.

use super::Cause;
use crate::Failure;
use portcullis_wire::tls::{self, Foreign, RecordHeader, Split};
use rustls::{Error, InvalidMessage};
use std::io;

/// What stands at the front of a stream.
pub(super) enum Front<'a> {
    Whole(RecordHeader, &'a [u8]),
    Partial { missing: usize },
}

/// The record at the front.
pub(super) fn first(stream: &[u8]) -> Result<Front<'_>, Failure> {
    match tls::first(stream) {
        Ok(Split::Whole(header, record)) => Ok(Front::Whole(header, record)),
        Ok(Split::Partial { missing }) => Ok(Front::Partial { missing }),
        Err(error) => Err(Cause::Malformed(error).into()),
    }
}

/// The record at the front of a connection, where strangers are told by their names. An alert that they may understand
/// goes to `out`.
pub(super) fn first_of_all<'a>(stream: &'a [u8], out: &mut Vec<u8>) -> Result<Front<'a>, Failure> {
    if let Some(missing) = Foreign::undecided(stream) {
        return Ok(Front::Partial { missing });
    }
    first(stream).map_err(|failure| match Foreign::of(stream) {
        Some(Foreign::Http) => Cause::Http.into(),
        Some(Foreign::Dtls) => Cause::Dtls.into(),
        Some(Foreign::Ssl2) => {
            out.extend(plain_alert(PROTOCOL_VERSION));
            Cause::Version.into()
        }
        None => {
            out.extend(alert_of(&failure));
            failure
        }
    })
}

/// What a client is told whose first records are none, or hold no hello.
pub(super) fn alert_of(failure: &Failure) -> [u8; 7] {
    plain_alert(match failure.cause.malformed() {
        Some(error) if error.kind == portcullis_wire::Kind::TooLarge => RECORD_OVERFLOW,
        Some(_) => UNEXPECTED_MESSAGE,
        // Its length is none that a hello can have.
        None if *failure == Cause::TooLarge.into() => DECODE_ERROR,
        None if *failure == Cause::Violation.into() => UNEXPECTED_MESSAGE,
        None => INTERNAL_ERROR,
    })
}

// RFC 8446 §6.2.
const UNEXPECTED_MESSAGE: u8 = 10;
const RECORD_OVERFLOW: u8 = 22;
const HANDSHAKE_FAILURE: u8 = 40;
const DECODE_ERROR: u8 = 50;
const PROTOCOL_VERSION: u8 = 70;
const INTERNAL_ERROR: u8 = 80;
const UNRECOGNIZED_NAME: u8 = 112;

/// What a client is told whose hello is refused here and not by the library.
pub(super) fn refusal_of(cause: Cause) -> [u8; 7] {
    plain_alert(match cause {
        Cause::UnknownName => UNRECOGNIZED_NAME,
        Cause::Version => PROTOCOL_VERSION,
        _ => HANDSHAKE_FAILURE,
    })
}

/// A fatal alert before there are keys.
fn plain_alert(description: u8) -> [u8; 7] {
    [21, 3, 3, 0, 2, 2, description]
}

/// Gives the library a whole record by `read`, its read_tls.
pub(super) fn feed(record: &[u8], mut read: impl FnMut(&mut dyn io::Read) -> io::Result<usize>) -> Result<(), Error> {
    let mut rest = record;
    while !rest.is_empty() {
        match read(&mut rest) {
            Ok(0) => return Err(Error::General("a record was not taken".into())),
            // The library's bound on a message that comes in many records.
            Err(_) => return Err(InvalidMessage::MessageTooLarge.into()),
            Ok(_) => {}
        }
    }
    Ok(())
}
