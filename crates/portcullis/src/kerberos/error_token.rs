//! KRB-ERROR: what the client is told of a refusal (RFC 4120 §5.9.1, MS-KILE 3.4.5.2).

use super::reply::Frame;
use crate::Status;
use portcullis_wire::kerberos::{InnerToken, KerbErrorData, KerberosTime, KrbError, Ticket, error_code};
use std::time::{SystemTime, UNIX_EPOCH};

/// What is told.
pub(super) struct Told<'a> {
    pub(super) code: i32,
    /// The server's time: with it a client of another clock can correct itself.
    pub(super) now: SystemTime,
    /// The ticket that came, for the service's name.
    pub(super) ticket: &'a Ticket<'a>,
    pub(super) status: Status,
}

/// KERB-ERROR-DATA of a clock that is off: the client may correct its own and try again (MS-KILE 2.2.1).
const SKEW_RECOVERY: i32 = 2;

/// The message in its frame.
pub(super) fn make(told: &Told<'_>, frame: Frame) -> Vec<u8> {
    let susec = told.now.duration_since(UNIX_EPOCH).map_or(0, |since| since.subsec_micros());
    let mut data = Vec::new();
    if told.code == error_code::KRB_AP_ERR_SKEW {
        KerbErrorData { data_type: SKEW_RECOVERY, data_value: None }.encode(&mut data);
    }
    let text = told.status.name().unwrap_or_default();
    let error = KrbError {
        ctime: None,
        cusec: None,
        stime: KerberosTime::from_system(told.now),
        susec,
        error_code: told.code,
        crealm: None,
        cname: None,
        realm: told.ticket.realm,
        sname: told.ticket.sname,
        e_text: (!text.is_empty()).then_some(text.as_bytes()),
        e_data: (!data.is_empty()).then_some(&data),
    };
    let mut message = Vec::with_capacity(160);
    error.encode(&mut message);
    frame.around(InnerToken::KrbError, &message)
}
