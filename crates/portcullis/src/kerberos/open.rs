use super::crypto::Enctype;
use super::keys::is_ticket_granting;
use super::{Cause, OpenTicket, PacPolicy, ServiceKey, ServiceKeys, ServiceNames, pac};
use crate::Secret;
use crate::question::Denied;
use portcullis_wire::kerberos::{EncTicketPart, Ticket, unparse};
use std::fmt::Write as _;

/// A ticket that a service's key opened. Only [`open_ticket`] makes this value.
#[derive(Debug)]
pub struct OpenedTicket {
    part: Secret<Vec<u8>>,
    service: Service,
    pac: PacVerdict,
}

/// Whose key opened a ticket.
#[derive(Clone, PartialEq, Eq)]
pub struct Service {
    /// The key's principal, with its realm.
    pub principal: String,
    /// The key's version.
    pub kvno: u32,
    /// The key's enctype.
    pub enctype: Enctype,
    /// What the key is known by where it must not be seen.
    pub key_id: [u8; 16],
}

impl std::fmt::Debug for Service {
    /// Without the key's digest: of a key that is made of a password alone, it would let that be guessed.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { principal, kvno, enctype, key_id: _ } = self;
        f.debug_struct("Service")
            .field("principal", principal)
            .field("kvno", kvno)
            .field("enctype", enctype)
            .finish_non_exhaustive()
    }
}

/// How the PAC's signature was judged by whoever holds the service's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PacVerdict {
    /// There is none, or it is not to be looked at.
    Unused,
    /// It is signed with the key that opened the ticket.
    Verified,
}

impl OpenedTicket {
    /// For an authority that does not hold the key itself: someone it trusts opened the ticket, and judged its PAC.
    /// `part` is EncTicketPart in DER (RFC 4120 §5.3), as deciphered.
    pub fn vouched_for(part: Secret<Vec<u8>>, service: Service, pac: PacVerdict) -> Self {
        Self { part, service, pac }
    }

    /// EncTicketPart in DER, as deciphered.
    pub fn part(&self) -> &Secret<Vec<u8>> {
        &self.part
    }

    /// Whose key it was.
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// How the PAC was judged.
    pub fn pac(&self) -> PacVerdict {
        self.pac
    }
}

/// Opens a ticket with the first of `keys` that fits, and verifies the server signature of its PAC with the same key.
/// The key must stand under a name that both `serving`, which who holds the keys says, and the question allow.
///
/// # Errors
/// Why none opens it, or why the PAC's signature is not good, with what was wanted and what is held.
pub fn open_ticket(keys: &ServiceKeys, serving: &ServiceNames, question: &OpenTicket) -> Result<OpenedTicket, Denied> {
    let ticket = Ticket::decode(question.ticket()).map_err(Cause::Malformed)?;
    let denied = |cause: Cause, why: &str| Denied {
        cause: cause.into(),
        detail: format!("{}; held: {}{why}", wanted(&ticket), keys.held(ticket.realm, &ticket.sname)),
    };
    let enctype = usable(ticket.enc_part.etype, question.danger_accept_rc4).map_err(|cause| denied(cause, ""))?;
    if keys.keys().is_empty() {
        return Err(denied(Cause::NoKeytab, ""));
    }
    // A ticket under a krbtgt key opens with none of these: such keys are not held. One that only says so is refused
    // before anything is deciphered.
    if is_ticket_granting(ticket.sname.components().next()) {
        return Err(denied(Cause::TicketGranting, ""));
    }
    let mut tried = 0;
    for key in keys.candidates(ticket.realm, &ticket.sname, ticket.enc_part.kvno, enctype) {
        tried += 1;
        let mut part = Secret::new(ticket.enc_part.cipher.to_vec());
        let Ok(()) = key.ticket().open(part.expose_mut()) else { continue };
        let allowed = |key: &&ServiceKey| [serving, &question.services].iter().all(|names| names.allow(&key.principal));
        let Some(named) = keys.same(key).find(allowed) else {
            return Err(denied(Cause::ServiceNotOurs, &format!("; opened by {}", key.principal)));
        };
        let pac = match question.pac {
            PacPolicy::Ignore => PacVerdict::Unused,
            PacPolicy::VerifyIfPresent | PacPolicy::Require => {
                let inside = EncTicketPart::decode(part.expose()).map_err(Cause::Malformed)?;
                pac::verify_server_signature(&inside, key)?
            }
        };
        let service =
            Service { principal: named.principal.clone(), kvno: key.kvno, enctype: key.enctype(), key_id: key.id() };
        return Ok(OpenedTicket { part, service, pac });
    }
    let version_held = ticket.enc_part.kvno.is_none_or(|kvno| {
        kvno == 0
            || keys.keys().iter().any(|key| key.is_named(ticket.realm, &ticket.sname) && [0, kvno].contains(&key.kvno))
    });
    Err(denied(
        match tried {
            0 => Cause::NoKey,
            _ if keys.names(ticket.realm, &ticket.sname) && !version_held => Cause::NoKeyVersion,
            _ => Cause::WrongKey,
        },
        &format!("; keys tried: {tried}"),
    ))
}

/// The enctype of a number, where it may be used.
pub(super) fn usable(number: i32, accept_rc4: bool) -> Result<Enctype, Cause> {
    match Enctype::from_number(number) {
        None => Err(Cause::UnknownEnctype),
        Some(enctype) if enctype.is_weak() && !accept_rc4 => Err(Cause::Rc4Refused),
        Some(enctype) => Ok(enctype),
    }
}

/// What a ticket wants, for the operator.
pub(super) fn wanted(ticket: &Ticket<'_>) -> String {
    let mut text = "ticket for ".to_owned();
    unparse(&ticket.sname, ticket.realm, &mut text);
    match ticket.enc_part.kvno {
        Some(kvno) => drop(write!(text, ", kvno {kvno}")),
        None => text.push_str(", without kvno"),
    }
    let _ = write!(text, ", {}", Enctype::name_of(ticket.enc_part.etype));
    text
}
