use super::fields::{get_flag, get_text, put, put_sid};
use portcullis::{Account, Group};
use portcullis_wire::sid::Sid;
use portcullis_wire::{Error, Kind, Reader, Writer, filetime};

/// The most groups that a reply may hold; the store cuts at fewer.
const MAX_GROUPS: usize = crate::MAX_GROUPS * 2;

pub(super) fn put_account(writer: &mut Writer<'_>, account: &Account) {
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

pub(super) fn get_account(reader: &mut Reader<'_>) -> Result<Account, Error> {
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
