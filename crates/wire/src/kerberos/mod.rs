//! Kerberos 5 as an acceptor meets it (RFC 4120, RFC 4121, MS-KILE): messages, one file each, and the files in which
//! keys and tickets are kept.
//!
//! A decoded message borrows from its bytes. The DER is strict: each length and number in its shortest form, nothing
//! behind a message. Three liberties are taken, for peers that are met in practice: a negative number where an unsigned
//! one belongs is read as its two's complement, a flag field may be shorter or longer than 32 bits, and a
//! GeneralString may hold any bytes.

mod ap_rep;
mod ap_req;
mod authenticator;
mod authorization_data;
mod authorization_walk;
mod ccache;
mod ccache_parts;
mod enc_krb_cred_part;
mod enc_ticket_part;
mod encrypted_data;
pub mod error_code;
pub mod etype;
mod gss;
mod gss_checksum;
mod host_address;
mod keytab;
mod keytab_writer;
mod krb_cred;
mod krb_error;
mod message_token;
pub mod pac;
mod principal_name;
mod principal_text;
mod rc4_token;
mod tgt;
mod ticket;
mod ticket_flags;
mod time;

pub use ap_rep::{ApRep, EncApRepPart};
pub use ap_req::ApReq;
pub use authenticator::Authenticator;
pub use authorization_data::{
    AD_ETYPE_NEGOTIATION, AD_IF_RELEVANT, AD_WIN2K_PAC, ApOptions, AuthorizationData, AuthorizationEntry, EtypeList,
    KERB_AP_OPTIONS, KERB_AUTH_DATA_CLIENT_TARGET, KERB_AUTH_DATA_TOKEN_RESTRICTIONS, KERB_LOCAL,
    LsapTokenInfoIntegrity, RestrictionEntries, RestrictionEntry, client_target,
};
pub use authorization_walk::{FlatEntry, Flattened};
pub use ccache::{Ccache, Credential, CredentialTimes, Credentials};
pub use ccache_parts::{CcachePrincipal, Tagged};
pub use enc_krb_cred_part::{EncKrbCredPart, KrbCredInfo};
pub use enc_ticket_part::{EncTicketPart, Transited};
pub use encrypted_data::{Checksum, EncryptedData, EncryptionKey};
pub use gss::{InnerToken, Recognised, frame_token, recognise};
pub use gss_checksum::{GssChecksum, gss_flag};
pub use host_address::{HostAddress, HostAddresses};
pub use keytab::{Keytab, KeytabEntries, KeytabEntry};
pub use keytab_writer::{NewKeytabEntry, encode_keytab};
pub use krb_cred::{KrbCred, Tickets};
pub use krb_error::{KerbErrorData, KerbExtError, KrbError};
pub use message_token::{MicHeader, WrapHeader, token_flag};
pub use principal_name::{
    NT_ENTERPRISE, NT_MS_PRINCIPAL, NT_PRINCIPAL, NT_SMTP_NAME, NT_SRV_HST, NT_SRV_INST, NT_SRV_XHST, NT_UID,
    NT_UNKNOWN, NT_WELLKNOWN, NT_X500_PRINCIPAL, PrincipalName, encode_principal_name,
};
pub use principal_text::{ParsedPrincipal, PrincipalText, parse_principal, unparse, unparse_components};
pub use rc4_token::{Rc4Mic, Rc4Wrap};
pub use tgt::{TgtReply, TgtRequest};
pub use ticket::Ticket;
pub use ticket_flags::TicketFlags;
pub use time::KerberosTime;

use crate::der::{Constructed, Der, enclose, tag};
use crate::{Error, Kind};

/// The protocol's version, in every message and every ticket.
const VERSION: i32 = 5;

/// Decodes a message that stands alone.
fn alone<'a, T>(
    bytes: &'a [u8],
    field: &'static str,
    read: impl FnOnce(&mut Der<'a>) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut der = Der::new(bytes);
    let message = read(&mut der)?;
    der.finish(field).map(|()| message)
}

/// What `fields` makes of the SEQUENCE in `[APPLICATION number]` that comes next.
fn application<'a, T>(
    der: &mut Der<'a>,
    number: u8,
    field: &'static str,
    fields: impl FnOnce(&mut Der<'a>) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut outer = der.take(tag::application(number), field)?;
    let value = sequence(&mut outer, field, fields)?;
    outer.finish(field).map(|()| value)
}

/// Appends `fields` as a SEQUENCE in `[APPLICATION number]`.
fn write_application(number: u8, fields: Constructed, out: &mut Vec<u8>) {
    let start = out.len();
    fields.end(tag::SEQUENCE, out);
    enclose(tag::application(number), start, out);
}

/// pvno and msg-type, to which a message's other fields are appended.
fn write_front(msg_type: i32) -> Constructed {
    Constructed::new().with_integer(tag::context(0), VERSION.into()).with_integer(tag::context(1), msg_type.into())
}

/// What `fields` makes of the SEQUENCE that comes next; it must read all of it.
fn sequence<'a, T>(
    der: &mut Der<'a>,
    field: &'static str,
    fields: impl FnOnce(&mut Der<'a>) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut inner = der.take(tag::SEQUENCE, field)?;
    let value = fields(&mut inner)?;
    inner.finish(field).map(|()| value)
}

/// The protocol's version in the explicit tag `number`: nothing else is spoken.
fn version(der: &mut Der<'_>, number: u8, field: &'static str) -> Result<(), Error> {
    constant(der, number, field, VERSION)
}

/// pvno and msg-type, with which each message begins.
fn front(der: &mut Der<'_>, msg_type: i32) -> Result<(), Error> {
    version(der, 0, "pvno")?;
    constant(der, 1, "msg-type", msg_type)
}

fn constant(der: &mut Der<'_>, number: u8, field: &'static str, expected: i32) -> Result<(), Error> {
    let at = der.offset();
    let found = der.explicit(number, field, |der| der.int32(field))?;
    if found == expected { Ok(()) } else { Err(Error::new(at, field, Kind::Unexpected)) }
}

/// Realm (RFC 4120 §5.2.2).
fn realm<'a>(der: &mut Der<'a>, field: &'static str) -> Result<&'a [u8], Error> {
    der.bytes(tag::GENERAL_STRING, field)
}

/// Microseconds (RFC 4120 §5.2.4): less than a million.
fn microseconds(der: &mut Der<'_>, field: &'static str) -> Result<u32, Error> {
    let at = der.offset();
    match u32::try_from(der.int32(field)?) {
        Ok(number @ ..1_000_000) => Ok(number),
        _ => Err(Error::new(at, field, Kind::Unexpected)),
    }
}
