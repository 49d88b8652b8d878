//! The peer's flights, record by record.

use super::cause;
use super::engine::{Tickets, drain, during};
use super::records::{self, Front};
use crate::Failure;
use crate::call::Leg;
use rustls::Connection;
use rustls::pki_types::UnixTime;
use std::time::UNIX_EPOCH;

/// How far the peer's bytes went.
pub(super) enum Progress {
    /// Not one whole record.
    Incomplete(usize),
    /// All records are taken, and more must come.
    Wanting,
    /// There is something to send, or the handshake is through.
    Turn,
}

/// Takes whole records until this side must speak or the handshake is through; what is left is counted in the leg.
pub(super) fn take(
    connection: &mut Connection,
    bytes: &[u8],
    tickets: Tickets,
    leg: &mut Leg<'_>,
) -> Result<Progress, Failure> {
    let mut rest = bytes;
    loop {
        leg.left = rest.len();
        let record = match records::first(rest) {
            Ok(Front::Whole(_, record)) => record,
            Ok(Front::Partial { missing }) if rest.len() == bytes.len() => return Ok(Progress::Incomplete(missing)),
            Ok(Front::Partial { .. }) => return Ok(Progress::Wanting),
            Err(failure) => return Err(failure),
        };
        let taken = during(time(leg), tickets, || {
            records::feed(record, |rest| connection.read_tls(rest))?;
            connection.process_new_packets()
        });
        rest = rest.get(record.len()..).unwrap_or_default();
        if let Err(error) = taken {
            // The alert.
            drain(connection, leg.out);
            return Err(cause::of(&error));
        }
        if connection.wants_write() || !connection.is_handshaking() {
            leg.left = rest.len();
            return Ok(Progress::Turn);
        }
    }
}

/// The time of the call.
pub(super) fn time(leg: &Leg<'_>) -> UnixTime {
    UnixTime::since_unix_epoch(leg.now.duration_since(UNIX_EPOCH).unwrap_or_default())
}
