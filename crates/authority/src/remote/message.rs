//! Requests and replies as bytes: numbers little-endian, texts and lists behind their length.

use super::frame::Bytes;
use crate::DomainNames;
use portcullis::ntlm::Form;
use portcullis::{Account, Claim, FindAccount, Group, Question, Refusal, Secret, VerifyNtlm, VerifyPassword};
use portcullis_wire::sid::Sid;
use portcullis_wire::{Error, Kind, Reader, Writer, filetime};
use std::net::IpAddr;
use std::sync::Arc;

/// What the network's process asks.
#[derive(Debug)]
pub enum Request<'a> {
    /// A handshake's question.
    Ask(Asked<'a>),
    /// What the domain is called.
    Domain,
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
    /// It does not, or the account may not log on.
    Refused(Refusal),
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
const ACCEPTED: u8 = 0x81;
const REFUSED: u8 = 0x82;
const DOMAIN_IS: u8 = 0x83;
const DONE: u8 = 0x84;
const FAILED: u8 = 0x85;

/// The most groups that a reply may hold; the store cuts at fewer.
const MAX_GROUPS: usize = crate::MAX_GROUPS * 2;

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
                _ => return None,
            },
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
        let mut out = Bytes::new(Vec::with_capacity(1024));
        let mut writer = Writer::new(&mut out);
        writer.u64(id);
        match self {
            Self::Accepted(key, account) => {
                writer.u8(ACCEPTED).bytes(key.expose());
                put_account(&mut writer, account);
            }
            Self::Refused(why) => put(writer.u8(REFUSED), why.row().name.as_bytes()),
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
    let unexpected = |field| Error::new(at, field, Kind::Unexpected);
    let reply = match reader.u8("kind")? {
        ACCEPTED => {
            let key = Secret::new(reader.array("key")?);
            Reply::Accepted(key, Arc::new(get_account(&mut reader)?))
        }
        REFUSED => Reply::Refused(Refusal::named(get_text(&mut reader, "refusal")?).ok_or(unexpected("refusal"))?),
        DOMAIN_IS => {
            let (netbios, dns) = (get_text(&mut reader, "netbios")?, get_text(&mut reader, "dns")?);
            Reply::Domain(DomainNames { netbios: netbios.to_owned(), dns: dns.to_owned() })
        }
        DONE => Reply::Done,
        FAILED => Reply::Failed,
        _ => return Err(unexpected("kind")),
    };
    finish(&reader).map(|()| (id, reply))
}

fn finish(reader: &Reader<'_>) -> Result<(), Error> {
    match reader.rest() {
        [] => Ok(()),
        _ => Err(Error::new(reader.offset(), "end", Kind::Unexpected)),
    }
}

fn put(writer: &mut Writer<'_>, bytes: &[u8]) {
    writer.u32(u32::try_from(bytes.len()).unwrap_or(u32::MAX)).bytes(bytes);
}

fn get<'a>(reader: &mut Reader<'a>, field: &'static str) -> Result<&'a [u8], Error> {
    let len = reader.u32(field)?;
    reader.take(usize::try_from(len).unwrap_or(usize::MAX), field)
}

fn get_text<'a>(reader: &mut Reader<'a>, field: &'static str) -> Result<&'a str, Error> {
    let at = reader.offset();
    std::str::from_utf8(get(reader, field)?).map_err(|_| Error::new(at, field, Kind::Unexpected))
}

fn put_claim(writer: &mut Writer<'_>, claim: &Claim) {
    for part in [claim.user(), claim.domain(), claim.workstation(), claim.target()] {
        put(writer, part.as_bytes());
    }
}

fn get_claim(reader: &mut Reader<'_>) -> Result<Claim, Error> {
    let mut part = |field| get_text(reader, field);
    Ok(Claim::new(part("user")?, part("domain")?, part("workstation")?, part("target")?))
}

fn put_peer(writer: &mut Writer<'_>, peer: Option<IpAddr>) {
    match peer {
        None => writer.u8(0),
        Some(IpAddr::V4(ip)) => writer.u8(4).bytes(&ip.octets()),
        Some(IpAddr::V6(ip)) => writer.u8(6).bytes(&ip.octets()),
    };
}

fn get_peer(reader: &mut Reader<'_>) -> Result<Option<IpAddr>, Error> {
    let at = reader.offset();
    Ok(match reader.u8("peer")? {
        0 => None,
        4 => Some(IpAddr::from(reader.array::<4>("peer")?)),
        6 => Some(IpAddr::from(reader.array::<16>("peer")?)),
        _ => return Err(Error::new(at, "peer", Kind::Unexpected)),
    })
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

fn put_account(writer: &mut Writer<'_>, account: &Account) {
    writer.u8(u8::from(account.sid.is_some()));
    account.sid.iter().for_each(|sid| put_sid(writer, sid));
    for text in [&account.name, &account.domain, &account.dns_domain] {
        put(writer, text.as_bytes());
    }
    for text in [&account.upn, &account.display_name, &account.mail] {
        writer.u8(u8::from(text.is_some()));
        text.iter().for_each(|text| put(writer, text.as_bytes()));
    }
    for time in [account.logoff_at, account.password_expires_at] {
        // A time that is too late to be written is never.
        let time = time.map(filetime::from_system).filter(|time| *time < filetime::NEVER);
        writer.u8(u8::from(time.is_some()));
        if let Some(time) = time {
            writer.u64(time);
        }
    }
    writer.u32(u32::try_from(account.groups.len()).unwrap_or(u32::MAX));
    for group in &account.groups {
        put_sid(writer, &group.sid);
        put(writer, group.name.as_bytes());
    }
}

fn get_account(reader: &mut Reader<'_>) -> Result<Account, Error> {
    let sid = if get_flag(reader, "sid")? { Some(Sid::decode(reader)?) } else { None };
    let mut text = |field| get_text(reader, field).map(str::to_owned);
    let (name, domain, dns_domain) = (text("name")?, text("domain")?, text("dns domain")?);
    let mut optional = |field| {
        Ok::<_, Error>(match get_flag(reader, field)? {
            true => Some(get_text(reader, field)?.to_owned()),
            false => None,
        })
    };
    let (upn, display_name, mail) = (optional("upn")?, optional("display name")?, optional("mail")?);
    let mut time = |field| {
        Ok::<_, Error>(match get_flag(reader, field)? {
            true => {
                let at = reader.offset();
                let time = filetime::to_system(reader.u64(field)?);
                Some(time.ok_or(Error::new(at, field, Kind::Unexpected))?)
            }
            false => None,
        })
    };
    let (logoff_at, password_expires_at) = (time("logoff")?, time("password expiry")?);
    let (at, count) = (reader.offset(), usize::try_from(reader.u32("groups")?).unwrap_or(usize::MAX));
    if count > MAX_GROUPS {
        return Err(Error::new(at, "groups", Kind::TooLarge));
    }
    let group = |_| Ok(Group { sid: Sid::decode(reader)?, name: get_text(reader, "group")?.to_owned() });
    let groups = (0..count).map(group).collect::<Result<_, Error>>()?;
    Ok(Account { sid, name, domain, dns_domain, upn, display_name, mail, groups, logoff_at, password_expires_at })
}

/// A yes or no.
fn get_flag(reader: &mut Reader<'_>, field: &'static str) -> Result<bool, Error> {
    let at = reader.offset();
    match reader.u8(field)? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Error::new(at, field, Kind::Unexpected)),
    }
}

fn put_sid(writer: &mut Writer<'_>, sid: &Sid) {
    let mut bytes = Vec::with_capacity(32);
    sid.encode_into(&mut bytes);
    writer.bytes(&bytes);
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
