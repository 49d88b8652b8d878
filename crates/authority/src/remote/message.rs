//! Requests and replies as bytes: numbers little-endian, texts and lists behind their length.

use super::account::{get_account, put_account};
use super::denied::{get_denied, put_denied};
use super::fields::{finish, get, get_claim, get_flag, get_peer, get_text, put, put_claim, put_peer};
use super::frame::Bytes;
use super::ticket;
use crate::DomainNames;
use portcullis::kerberos::OpenedTicket;
use portcullis::ntlm::Form;
use portcullis::{Account, Denied, FindAccount, Question, Secret, VerifyNtlm, VerifyPassword};
use portcullis_wire::{Error, Kind, Reader, Writer};
use std::sync::Arc;

/// What the network's process asks.
#[derive(Debug)]
pub enum Request<'a> {
    /// A handshake's question.
    Ask(Asked<'a>),
    /// What the domain is called.
    Domain,
    /// Whether Kerberos tickets are opened at all.
    OpensTickets,
    /// Whether logons can be judged now.
    Health,
    /// A line of the audit log.
    Write(&'a [u8]),
}

/// A question on either side of the socket.
#[derive(Debug)]
pub enum Asked<'a> {
    /// To be sent.
    Borrowed(&'a Question),
    /// As received.
    Owned(Question),
}

/// What the authority says.
#[derive(Debug)]
pub enum Reply {
    /// The proof fits this account, and gives this key; zeros where it gives none.
    Accepted(Secret<[u8; 16]>, Arc<Account>),
    /// The ticket is opened.
    Opened(Box<OpenedTicket>),
    /// Whether a KDC was asked about a PAC, which it has made.
    Pac {
        /// Whether one was asked.
        asked: bool,
    },
    /// The authenticator is new.
    Fresh,
    /// No, and why.
    Refused(Denied),
    /// Yes or no, to what is no handshake's question.
    Is(bool),
    /// The domain's names.
    Domain(DomainNames),
    /// Done, or well.
    Done,
    /// It cannot be done; why stands in the authority's own log.
    Failed,
}

const ASK_NTLM: u8 = 1;
const ASK_PASSWORD: u8 = 2;
const DOMAIN: u8 = 3;
const HEALTH: u8 = 4;
const WRITE: u8 = 5;
const ASK_CERTIFICATE: u8 = 6;
const ASK_TICKET: u8 = 7;
const ASK_SEEN: u8 = 8;
const OPENS_TICKETS: u8 = 9;
const ASK_PAC: u8 = 10;
const ACCEPTED: u8 = 0x81;
const REFUSED: u8 = 0x82;
const DOMAIN_IS: u8 = 0x83;
const DONE: u8 = 0x84;
const FAILED: u8 = 0x85;
const OPENED: u8 = 0x86;
const FRESH: u8 = 0x87;
const IS: u8 = 0x88;
const PAC: u8 = 0x89;

impl Request<'_> {
    /// The request as the body of a frame; `None` for a question that this version has no place for.
    pub fn encode(&self, id: u64) -> Option<Bytes> {
        let mut out = Bytes::new(Vec::with_capacity(1024));
        let mut writer = Writer::new(&mut out);
        writer.u64(id);
        match self {
            Self::Ask(asked) => match asked.question() {
                Question::VerifyNtlm(question) => {
                    writer.u8(ASK_NTLM);
                    put_claim(&mut writer, &question.claim);
                    put_peer(&mut writer, question.peer);
                    writer.bytes(&question.server_challenge).u8(form_number(question.form()));
                    put(&mut writer, question.message());
                }
                Question::VerifyPassword(question) => {
                    writer.u8(ASK_PASSWORD);
                    put_claim(&mut writer, &question.claim);
                    put_peer(&mut writer, question.peer);
                    put(&mut writer, question.password.expose().as_bytes());
                }
                Question::FindAccount(question) => {
                    writer.u8(ASK_CERTIFICATE);
                    put_claim(&mut writer, &question.claim);
                    put_peer(&mut writer, question.peer);
                    writer.u8(u8::from(question.may_name_sid()));
                    put(&mut writer, question.certificate());
                }
                Question::OpenTicket(question) => ticket::put_open_ticket(writer.u8(ASK_TICKET), question),
                Question::ConfirmPac(question) => ticket::put_confirm_pac(writer.u8(ASK_PAC), question),
                Question::SeenBefore(question) => ticket::put_seen_before(writer.u8(ASK_SEEN), question),
                _ => return None,
            },
            Self::OpensTickets => drop(writer.u8(OPENS_TICKETS)),
            Self::Domain => drop(writer.u8(DOMAIN)),
            Self::Health => drop(writer.u8(HEALTH)),
            Self::Write(line) => put(writer.u8(WRITE), line),
        }
        Some(out)
    }
}

impl Asked<'_> {
    pub(super) fn question(&self) -> &Question {
        match self {
            Self::Borrowed(question) => question,
            Self::Owned(question) => question,
        }
    }
}

/// Decodes a request: its id, and what is asked.
///
/// # Errors
/// With the offset and the field.
pub fn decode_request(body: &[u8]) -> Result<(u64, Request<'_>), Error> {
    let mut reader = Reader::new(body);
    let id = reader.u64("id")?;
    let at = reader.offset();
    let request = match reader.u8("kind")? {
        ASK_NTLM => {
            let (claim, peer) = (get_claim(&mut reader)?, get_peer(&mut reader)?);
            let challenge = reader.array("server challenge")?;
            let form = get_form(&mut reader)?;
            let message = get(&mut reader, "message")?.to_vec();
            Request::Ask(Asked::Owned(Question::VerifyNtlm(VerifyNtlm::new(claim, challenge, peer, message, form))))
        }
        ASK_PASSWORD => {
            let (claim, peer) = (get_claim(&mut reader)?, get_peer(&mut reader)?);
            let password = Secret::new(get_text(&mut reader, "password")?.to_owned());
            Request::Ask(Asked::Owned(Question::VerifyPassword(VerifyPassword::new(claim, password, peer))))
        }
        ASK_CERTIFICATE => {
            let (claim, peer) = (get_claim(&mut reader)?, get_peer(&mut reader)?);
            let may_name_sid = get_flag(&mut reader, "may name SID")?;
            let certificate = get(&mut reader, "certificate")?.to_vec();
            Request::Ask(Asked::Owned(Question::FindAccount(FindAccount::new(claim, peer, certificate, may_name_sid))))
        }
        ASK_TICKET => Request::Ask(Asked::Owned(Question::OpenTicket(ticket::get_open_ticket(&mut reader)?))),
        ASK_PAC => Request::Ask(Asked::Owned(Question::ConfirmPac(ticket::get_confirm_pac(&mut reader)?))),
        ASK_SEEN => Request::Ask(Asked::Owned(Question::SeenBefore(ticket::get_seen_before(&mut reader)?))),
        OPENS_TICKETS => Request::OpensTickets,
        DOMAIN => Request::Domain,
        HEALTH => Request::Health,
        WRITE => Request::Write(get(&mut reader, "line")?),
        _ => return Err(Error::new(at, "kind", Kind::Unexpected)),
    };
    finish(&reader).map(|()| (id, request))
}

impl Reply {
    /// The reply as the body of a frame.
    pub fn encode(&self, id: u64) -> Bytes {
        let room = if let Self::Opened(opened) = self { ticket::opened_len(opened) } else { 1024 };
        let mut out = Bytes::new(Vec::with_capacity(room));
        let mut writer = Writer::new(&mut out);
        writer.u64(id);
        match self {
            Self::Accepted(key, account) => {
                writer.u8(ACCEPTED).bytes(key.expose());
                put_account(&mut writer, account);
            }
            Self::Opened(opened) => ticket::put_opened(writer.u8(OPENED), opened),
            Self::Pac { asked } => drop(writer.u8(PAC).u8(u8::from(*asked))),
            Self::Fresh => drop(writer.u8(FRESH)),
            Self::Refused(denied) => put_denied(writer.u8(REFUSED), denied),
            Self::Is(yes) => drop(writer.u8(IS).u8(u8::from(*yes))),
            Self::Domain(names) => {
                put(writer.u8(DOMAIN_IS), names.netbios.as_bytes());
                put(&mut writer, names.dns.as_bytes());
            }
            Self::Done => drop(writer.u8(DONE)),
            Self::Failed => drop(writer.u8(FAILED)),
        }
        out
    }
}

/// Decodes a reply: the id of its request, and what is said.
///
/// # Errors
/// With the offset and the field. A refusal that this version does not know is one.
pub fn decode_reply(body: &[u8]) -> Result<(u64, Reply), Error> {
    let mut reader = Reader::new(body);
    let id = reader.u64("id")?;
    let at = reader.offset();
    let reply = match reader.u8("kind")? {
        ACCEPTED => {
            let key = Secret::new(reader.array("key")?);
            Reply::Accepted(key, Arc::new(get_account(&mut reader)?))
        }
        OPENED => Reply::Opened(Box::new(ticket::get_opened(&mut reader)?)),
        PAC => Reply::Pac { asked: get_flag(&mut reader, "asked")? },
        FRESH => Reply::Fresh,
        REFUSED => Reply::Refused(get_denied(&mut reader)?),
        IS => Reply::Is(get_flag(&mut reader, "yes or no")?),
        DOMAIN_IS => {
            let (netbios, dns) = (get_text(&mut reader, "netbios")?, get_text(&mut reader, "dns")?);
            Reply::Domain(DomainNames { netbios: netbios.to_owned(), dns: dns.to_owned() })
        }
        DONE => Reply::Done,
        FAILED => Reply::Failed,
        _ => return Err(Error::new(at, "kind", Kind::Unexpected)),
    };
    finish(&reader).map(|()| (id, reply))
}

const fn form_number(form: Form) -> u8 {
    match form {
        Form::V1 => 1,
        Form::V1Ess => 2,
        Form::V2 => 3,
    }
}

fn get_form(reader: &mut Reader<'_>) -> Result<Form, Error> {
    let at = reader.offset();
    let number = reader.u8("form")?;
    let form = [Form::V1, Form::V1Ess, Form::V2].into_iter().find(|form| form_number(*form) == number);
    form.ok_or(Error::new(at, "form", Kind::Unexpected))
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
