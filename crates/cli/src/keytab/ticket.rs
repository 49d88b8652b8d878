//! What a client's ticket wants, against what a keytab holds.

use super::entries::Contents;
use super::findings::Finding;
use crate::data::Failed;
use crate::output::time;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis::kerberos::crypto::Enctype;
use portcullis::kerberos::{Cause, OpenTicket, OpenedTicket, PacPolicy, ServiceKeys, ServiceNames, open_ticket};
use portcullis::{Claim, Denied};
use portcullis_wire::kerberos::{ApReq, EncTicketPart, InnerToken, KerberosTime, Ticket, recognise, unparse};
use portcullis_wire::spnego::{FirstToken, NTLM, NegTokenInit};
use serde::Serialize;
use std::io::Read as _;
use std::sync::Arc;

/// A ticket, and what became of it.
#[derive(Debug, Serialize)]
pub(super) struct View {
    service: String,
    kvno: Option<u32>,
    enctype: String,
    opened: Option<Opened>,
}

/// What stood in it.
#[derive(Debug, Serialize)]
struct Opened {
    /// Whose key opened it.
    by: String,
    kvno: u32,
    client: String,
    from: String,
    until: String,
}

/// The longest token that is looked at, in base64.
const MAX_TEXT: u64 = 1 << 18;

/// The token that `--ticket` gives, as text.
pub(super) fn text_of(given: &str) -> Result<String, Failed> {
    if given != "-" {
        return Ok(given.to_owned());
    }
    let mut text = String::new();
    std::io::stdin().lock().take(MAX_TEXT).read_to_string(&mut text)?;
    Ok(text)
}

/// Compares a token's ticket with a keytab.
///
/// # Errors
/// When it is no token with a ticket.
pub(super) fn judge(text: &str, contents: &Contents) -> Result<(View, Vec<Finding>), Failed> {
    let token = decode(text)?;
    let ticket = ticket_of(&token).map_err(|why| Failed::Failed(format!("--ticket: {why}")))?;
    let message = ApReq::decode(&ticket).map_err(|error| Failed::Failed(format!("--ticket: {error}")))?;
    let mut view = View::of(&message.ticket);
    let mut found = Vec::new();
    if message.options & ApReq::USE_SESSION_KEY != 0 {
        let what = "the ticket is one of user-to-user authentication".to_owned();
        let advice = "no keytab opens such a ticket. The client asked for a name without a service's: let it use one (`setspn -S`)";
        found.push(Finding::error("user-to-user", what, advice));
        return Ok((view, found));
    }
    let Some(keys) = &contents.keys else { return Ok((view, found)) };
    match open(keys, message.ticket.raw, false) {
        Ok(opened) => view.opened = Opened::of(&opened),
        Err(denied) => {
            found.push(Finding::error("ticket", what_of(&denied), denied.cause.advice()));
            // Whether the keys would do tells whether the encryption type is all that is wrong.
            if denied.cause == Cause::Rc4Refused.into() {
                view.opened = open(keys, message.ticket.raw, true).ok().as_ref().and_then(Opened::of);
            }
        }
    }
    Ok((view, found))
}

fn decode(text: &str) -> Result<Vec<u8>, Failed> {
    let text = text.trim();
    let text = text.strip_prefix("Authorization:").unwrap_or(text).trim_start();
    let text = match text.split_once(char::is_whitespace) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("negotiate") => token,
        _ => text,
    };
    let text: String = text.split_whitespace().collect();
    let wrong = |error| Failed::Usage(format!("--ticket: not base64 ({error}); give what stands behind `Negotiate`"));
    STANDARD.decode(text).map_err(wrong)
}

/// The AP-REQ in a token: bare, in a frame, or in SPNEGO.
fn ticket_of(token: &[u8]) -> Result<Vec<u8>, String> {
    let unreadable = |error: portcullis_wire::Error| format!("the token cannot be read: {error}");
    let inner = match FirstToken::recognise(token) {
        FirstToken::Spnego => {
            let init = NegTokenInit::decode(token).map_err(unreadable)?;
            init.mech_token.ok_or("the token offers mechanisms, and brings no ticket")?
        }
        FirstToken::Raw(_) => token,
        FirstToken::Response => {
            return Err("the token is an answer, and holds no ticket: give the client's first".into());
        }
        FirstToken::Other => {
            // One that was cut short begins well.
            let cut = recognise(token).err().filter(|_| FirstToken::is_der(token.first().copied()));
            let neither = || "this is neither a Kerberos token nor one of Negotiate".to_owned();
            return Err(cut.map_or_else(neither, |error| format!("{}; was it cut short?", unreadable(error))));
        }
    };
    if FirstToken::recognise(inner) == FirstToken::Raw(NTLM) {
        return Err(
            "this is NTLM: the client got no ticket, because it found no service principal name for the host that it \
                    was told, the host is no trusted site of its, or it spoke to an address"
                .into(),
        );
    }
    let message = recognise(inner).map_err(unreadable)?;
    match message.kind {
        InnerToken::ApReq => Ok(message.body.to_vec()),
        InnerToken::TgtReq => Err("the client asks for a ticket of user-to-user; no keytab is of use there".into()),
        _ => Err("this is a server's message; give the client's".into()),
    }
}

fn open(keys: &ServiceKeys, ticket: &[u8], accept_rc4: bool) -> Result<OpenedTicket, Denied> {
    let (services, ticket) = (Arc::new(ServiceNames::Any), ticket.to_vec());
    let pac = PacPolicy::VerifyIfPresent;
    let question = OpenTicket::new(Claim::default(), None, Arc::clone(&services), pac, accept_rc4, ticket);
    open_ticket(keys, &services, &question)
}

fn what_of(denied: &Denied) -> String {
    let why = denied.cause.name();
    if denied.detail.is_empty() { why.to_owned() } else { format!("{why}: {}", denied.detail) }
}

impl View {
    fn of(ticket: &Ticket<'_>) -> Self {
        let mut service = String::new();
        unparse(&ticket.sname, ticket.realm, &mut service);
        let enctype = Enctype::name_of(ticket.enc_part.etype).into_owned();
        Self { service, kvno: ticket.enc_part.kvno, enctype, opened: None }
    }

    /// In words.
    pub(super) fn words(&self) -> String {
        let kvno = self.kvno.map_or_else(|| "no kvno".to_owned(), |kvno| format!("kvno {kvno}"));
        let mut text = format!("the ticket is for {}, {kvno}, {}", self.service, self.enctype);
        if let Some(Opened { by, kvno, client, from, until }) = &self.opened {
            text.push_str(&format!("\nthe key of {by} kvno {kvno} opens it: {client}, from {from} until {until}"));
        }
        text
    }
}

impl Opened {
    fn of(opened: &OpenedTicket) -> Option<Self> {
        let part = EncTicketPart::decode(opened.part().expose()).ok()?;
        let mut client = String::new();
        unparse(&part.cname, part.crealm, &mut client);
        let when = |at: KerberosTime| at.to_system().map_or_else(|| "out of range".to_owned(), time);
        Some(Self {
            by: opened.service().principal.clone(),
            kvno: opened.service().kvno,
            client,
            from: when(part.starttime.unwrap_or(part.authtime)),
            until: when(part.endtime),
        })
    }
}
