use super::body::{Body, borrowed_text, choice, flag, len, option, text, time};
use super::ticket;
use crate::kerberos::crypto::Enctype;
use crate::protection::Protection;
use crate::{
    Account, BindingsOutcome, CallCause, Claim, ContextFlags, Facts, Failure, Group, Negotiation, PackageInfo, Role,
    Sid, Sizes, ntlm, package, password,
};
use portcullis_wire::{Error, Kind, Reader};
use std::sync::Arc;

/// Writes facts: the packages from the outermost inward, then what they share. Algorithms and session key are the
/// keys' to tell.
pub(super) fn write(facts: &Facts, body: &mut Body) -> Result<(), Failure> {
    body.text(facts.package.name);
    if let Some(inner) = &facts.inner {
        // What is around it repeats the inner package's facts (`Facts::within`).
        let negotiation = facts.negotiation.ok_or(CallCause::NotExportable)?;
        body.flag(true).choice(NEGOTIATIONS, &negotiation)?;
        return write(inner, body);
    }
    // Taken apart: a new field does not compile until it has a place here.
    let Facts {
        package: _,
        // A context with a channel is not exported.
        channel: _,
        role,
        account,
        claim,
        version,
        granted,
        start,
        expiry,
        sizes,
        key_info: _,
        session_key: _,
        bindings,
        bindings_aware,
        logon_id,
        negotiation: _,
        inner: _,
        ticket,
    } = facts;
    body.flag(false).choice(ROLES, role)?;
    body.option(account.as_deref(), write_account);
    body.text(claim.user()).text(claim.domain()).text(claim.workstation()).text(claim.target());
    body.choice(VERSIONS, version)?.u32(granted.0).time(*start).option(*expiry, Body::time);
    let Sizes { max_token, max_signature, block_size, security_trailer } = *sizes;
    body.u32(max_token).u32(max_signature).u32(block_size).u32(security_trailer);
    body.choice(BINDINGS, bindings)?.flag(*bindings_aware).u64(*logon_id);
    body.option(ticket.as_deref(), ticket::write);
    Ok(())
}

/// Reads facts, and asks the keys for what they tell.
pub(super) fn read(reader: &mut Reader<'_>, keys: &dyn Protection) -> Result<Facts, Error> {
    read_nested(reader, keys, MAX_NESTED)
}

fn read_nested(reader: &mut Reader<'_>, keys: &dyn Protection, depth: usize) -> Result<Facts, Error> {
    let package = read_package(reader)?;
    let at = reader.offset();
    if !flag(reader, "HasInner")? {
        return read_innermost(package, reader, keys);
    }
    let depth = depth.checked_sub(1).ok_or(Error::new(at, "HasInner", Kind::TooLarge))?;
    let negotiation = choice(NEGOTIATIONS, reader, "Negotiation")?;
    Ok(Arc::new(read_nested(reader, keys, depth)?).within(package, negotiation))
}

fn read_package(reader: &mut Reader<'_>) -> Result<&'static PackageInfo, Error> {
    let at = reader.offset();
    package::named(borrowed_text(reader, "Package")?).ok_or(Error::new(at, "Package", Kind::Unexpected))
}

fn read_innermost(
    package: &'static PackageInfo,
    reader: &mut Reader<'_>,
    keys: &dyn Protection,
) -> Result<Facts, Error> {
    Ok(Facts {
        package,
        role: choice(ROLES, reader, "Role")?,
        account: option(reader, "Account", |reader, _| read_account(reader))?.map(Arc::new),
        claim: read_claim(reader)?,
        version: choice(VERSIONS, reader, "Version")?,
        granted: ContextFlags(reader.u32("Granted")?),
        start: time(reader, "Start")?,
        expiry: option(reader, "Expiry", time)?,
        sizes: Sizes {
            max_token: reader.u32("MaxToken")?,
            max_signature: reader.u32("MaxSignature")?,
            block_size: reader.u32("BlockSize")?,
            security_trailer: reader.u32("SecurityTrailer")?,
        },
        key_info: keys.key_info(),
        session_key: keys.session_key(),
        bindings: choice(BINDINGS, reader, "Bindings")?,
        bindings_aware: flag(reader, "BindingsAware")?,
        logon_id: reader.u64("LogonId")?,
        negotiation: None,
        inner: None,
        channel: None,
        ticket: option(reader, "Ticket", |reader, _| ticket::read(reader))?.map(Arc::new),
    })
}

fn read_claim(reader: &mut Reader<'_>) -> Result<Claim, Error> {
    let (user, domain) = (borrowed_text(reader, "User")?, borrowed_text(reader, "Domain")?);
    let (workstation, target) = (borrowed_text(reader, "Workstation")?, borrowed_text(reader, "Target")?);
    Ok(Claim::new(user, domain, workstation, target))
}

fn write_account<'b>(body: &'b mut Body, account: &Account) -> &'b mut Body {
    let Account { sid, name, domain, dns_domain, upn, display_name, mail, groups, logoff_at, password_expires_at } =
        account;
    body.option(sid.as_ref(), write_sid).text(name).text(domain).text(dns_domain);
    for text in [upn, display_name, mail] {
        body.option(text.as_deref(), Body::text);
    }
    body.len(groups.len());
    for Group { sid, name } in groups {
        write_sid(body, sid).text(name);
    }
    body.option(*logoff_at, Body::time).option(*password_expires_at, Body::time)
}

fn read_account(reader: &mut Reader<'_>) -> Result<Account, Error> {
    Ok(Account {
        sid: option(reader, "Sid", |reader, _| Sid::decode(reader))?,
        name: text(reader, "Name")?,
        domain: text(reader, "Domain")?,
        dns_domain: text(reader, "DnsDomain")?,
        upn: option(reader, "Upn", text)?,
        display_name: option(reader, "DisplayName", text)?,
        mail: option(reader, "Mail", text)?,
        groups: read_groups(reader)?,
        logoff_at: option(reader, "LogoffAt", time)?,
        password_expires_at: option(reader, "PasswordExpiresAt", time)?,
    })
}

fn read_groups(reader: &mut Reader<'_>) -> Result<Vec<Group>, Error> {
    let len = len(reader, MIN_GROUP, "Groups")?;
    let mut groups = Vec::with_capacity(len);
    for _ in 0..len {
        groups.push(Group { sid: Sid::decode(reader)?, name: text(reader, "GroupName")? });
    }
    Ok(groups)
}

fn write_sid<'b>(body: &'b mut Body, sid: &Sid) -> &'b mut Body {
    let mut bytes = Vec::with_capacity(MAX_SID);
    sid.encode_into(&mut bytes);
    body.bytes(&bytes)
}

const ROLES: &[Role] = &[Role::Acceptor, Role::Initiator];

const NEGOTIATIONS: &[Negotiation] = &[Negotiation::Complete, Negotiation::Direct];

const BINDINGS: &[BindingsOutcome] = &[
    BindingsOutcome::Unchecked,
    BindingsOutcome::Matched,
    BindingsOutcome::AllowedMissing,
    BindingsOutcome::Proxied,
    BindingsOutcome::Missing,
    BindingsOutcome::Mismatch,
];

/// Every form of a proof.
const VERSIONS: &[&str] = &[
    ntlm::Form::V1.name(),
    ntlm::Form::V1Ess.name(),
    ntlm::Form::V2.name(),
    ntlm::ANONYMOUS,
    password::VERSION,
    Enctype::Aes128Sha1.name(),
    Enctype::Aes256Sha1.name(),
    Enctype::Aes128Sha256.name(),
    Enctype::Aes256Sha384.name(),
    Enctype::Rc4.name(),
    Enctype::Camellia128.name(),
    Enctype::Camellia256.name(),
];

/// How deep packages may lie in each other.
const MAX_NESTED: usize = 3;

/// A group of the shortest SID and without a name.
const MIN_GROUP: usize = 12;

const MAX_SID: usize = 8 + 4 * Sid::MAX_SUB_AUTHORITIES;
