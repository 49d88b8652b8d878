use super::rows::{self, FOUND, damaged};
use crate::memory::MAX_RID;
use crate::moment::{duration_ms, to_ms};
use crate::{
    AccountEdit, AccountEntry, Domain, DomainNames, Found, GroupEntry, KeyId, Lookup, NewEntry, Policy, Rotation,
    Sealed, StoreError,
};
use portcullis_wire::utf16::upper_string;
use rusqlite::{Connection, OptionalExtension as _, named_params, params};
use std::time::SystemTime;

pub(super) fn create_domain(connection: &Connection, domain: &Domain, key: KeyId) -> Result<(), StoreError> {
    match rows::domain(connection) {
        Ok(_) => return Err(StoreError::Exists),
        Err(StoreError::Empty) => {}
        Err(error) => return Err(error),
    }
    let Policy { password, lockout, danger_weak_certificate_mappings } = Policy::default();
    connection.execute(
        "INSERT INTO domain VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        params![
            domain.names.netbios,
            domain.names.dns,
            domain.sid.to_string(),
            GroupEntry::FIRST_RID,
            key.0,
            password.min_length,
            password.max_age.map(duration_ms),
            lockout.threshold,
            duration_ms(lockout.window),
            duration_ms(lockout.duration),
            lockout.global_threshold,
            lockout.address_threshold,
            lockout.loopback_exempt,
            danger_weak_certificate_mappings,
        ],
    )?;
    let users = GroupEntry::domain_users(&domain.sid).ok_or_else(|| damaged("the domain's SID is full"))?;
    super::groups::add(connection, &users)
}

pub(super) fn rename_domain(connection: &Connection, names: &DomainNames) -> Result<(), StoreError> {
    let changed = connection.execute("UPDATE domain SET netbios = ?1, dns = ?2", params![names.netbios, names.dns])?;
    if changed == 1 { Ok(()) } else { Err(StoreError::Empty) }
}

/// Finds an account. For a name that nobody has, some account's row is read all the same and dropped: the time tells
/// no name.
pub(super) fn find(connection: &Connection, name: Lookup<'_>) -> Result<Option<Found>, StoreError> {
    let (condition, key) = match name {
        Lookup::Name(name) => (
            "WHERE p.rid = coalesce(
                 (SELECT x.rid FROM principal x JOIN account USING (rid) WHERE x.name_key = ?1), (SELECT min(rid) FROM secret))",
            upper_string(name),
        ),
        Lookup::Upn(upn) => (
            "WHERE p.rid = coalesce((SELECT rid FROM account WHERE upn_key = ?1), (SELECT min(rid) FROM secret))",
            upper_string(upn),
        ),
        // No name was guessed, so that no time tells one.
        Lookup::Rid(rid) => return by_rid(connection, rid).map(Some).or_else(none_for_nobody),
    };
    let mut query = connection.prepare_cached(&[FOUND, condition].concat())?;
    let mut result = query.query([&key])?;
    let found = result.next()?.map(rows::found).transpose()?;
    Ok(found.filter(|Found { account, .. }| {
        let ours = match name {
            Lookup::Name(_) => Some(account.name.as_str()),
            Lookup::Upn(_) => account.upn.as_deref(),
            Lookup::Rid(_) => None,
        };
        ours.is_some_and(|ours| upper_string(ours) == key)
    }))
}

pub(super) fn serves_suffix(connection: &Connection, suffix: &str) -> Result<bool, StoreError> {
    let mut query = connection.prepare_cached("SELECT 1 FROM account WHERE upn_suffix_key = ?1")?;
    Ok(query.exists([upper_string(suffix)])?)
}

pub(super) fn note_logon(connection: &Connection, rid: u32, now: SystemTime) -> Result<(), StoreError> {
    let mut update = connection.prepare_cached("UPDATE account SET last_logon = ?2 WHERE rid = ?1")?;
    update.execute(params![rid, to_ms(now)])?;
    Ok(())
}

pub(super) fn reserve_rids(connection: &Connection, count: u32) -> Result<u32, StoreError> {
    let first = connection.query_row("SELECT next_rid FROM domain", [], |row| row.get(0)).optional()?;
    let first: u32 = first.ok_or(StoreError::Empty)?;
    let next = first.checked_add(count).filter(|next| *next <= MAX_RID).ok_or(StoreError::NoMoreRids)?;
    connection.execute("UPDATE domain SET next_rid = ?1", [next])?;
    Ok(first)
}

pub(super) fn add(connection: &Connection, new: &NewEntry) -> Result<(), StoreError> {
    let account = &new.account;
    add_principal(connection, account.rid, &account.name)?;
    connection
        .prepare_cached(
            "INSERT INTO account (rid, disabled, must_change, password_never_expires, hours, workstations, created)
         VALUES (?1, 0, 0, 0, x'', '', ?2)",
        )?
        .execute(params![account.rid, to_ms(account.created)])?;
    write_account(connection, account)?;
    if let Some(sealed) = &new.sealed {
        write_secret(connection, account.rid, sealed)?;
    }
    for group in new.groups.iter().filter(|group| **group != GroupEntry::DOMAIN_USERS) {
        super::groups::add_member(connection, *group, account.rid)?;
    }
    Ok(())
}

/// Takes a name for an account or a group.
pub(super) fn add_principal(connection: &Connection, rid: u32, name: &str) -> Result<(), StoreError> {
    let key = upper_string(name);
    if connection.prepare_cached("SELECT 1 FROM principal WHERE name_key = ?1")?.exists([&key])? {
        return Err(StoreError::NameTaken(name.to_owned()));
    }
    connection.prepare_cached("INSERT INTO principal VALUES (?1, ?2, ?3)")?.execute(params![rid, name, key])?;
    Ok(())
}

pub(super) fn edit(connection: &Connection, rid: u32, edit: AccountEdit) -> Result<AccountEntry, StoreError> {
    let mut account = by_rid(connection, rid)?.account;
    edit.apply(&mut account);
    write_account(connection, &account)?;
    Ok(account)
}

pub(super) fn set_secret(
    connection: &Connection,
    rid: u32,
    sealed: &Sealed,
    now: SystemTime,
    must_change: bool,
) -> Result<(), StoreError> {
    by_rid(connection, rid)?;
    write_secret(connection, rid, sealed)?;
    connection.execute(
        "UPDATE account SET password_set = ?2, must_change = ?3 WHERE rid = ?1",
        params![rid, to_ms(now), must_change],
    )?;
    Ok(())
}

pub(super) fn remove(connection: &Connection, rid: u32) -> Result<(), StoreError> {
    by_rid(connection, rid)?;
    connection.execute("DELETE FROM principal WHERE rid = ?1", [rid])?;
    Ok(())
}

pub(super) fn all(connection: &Connection) -> Result<Vec<AccountEntry>, StoreError> {
    let mut query = connection.prepare_cached(&[FOUND, "ORDER BY p.name_key"].concat())?;
    let mut result = query.query([])?;
    let mut accounts = Vec::new();
    while let Some(row) = result.next()? {
        accounts.push(rows::found(row)?.account);
    }
    Ok(accounts)
}

pub(super) fn reseal(connection: &Connection, rotation: &mut dyn Rotation) -> Result<u64, StoreError> {
    let old = rows::key_id(connection)?;
    let new = rotation.choose(old)?;
    if new == old {
        return Ok(0);
    }
    connection.execute("UPDATE domain SET key_id = ?1", [new.0])?;
    let mut query = connection.prepare_cached(&[FOUND, "WHERE s.rid IS NOT NULL ORDER BY p.rid"].concat())?;
    let mut result = query.query([])?;
    let mut fresh = Vec::new();
    while let Some(row) = result.next()? {
        let found = rows::found(row)?;
        if let Some(sealed) = found.sealed {
            fresh.push((found.account.rid, rotation.reseal(&found.account.sid, &sealed)?));
        }
    }
    for (rid, sealed) in &fresh {
        write_secret(connection, *rid, sealed)?;
    }
    Ok(u64::try_from(fresh.len()).unwrap_or(u64::MAX))
}

fn none_for_nobody(error: StoreError) -> Result<Option<Found>, StoreError> {
    match error {
        StoreError::NoSuchAccount => Ok(None),
        error => Err(error),
    }
}

pub(super) fn by_rid(connection: &Connection, rid: u32) -> Result<Found, StoreError> {
    let mut query = connection.prepare_cached(&[FOUND, "WHERE p.rid = ?1"].concat())?;
    let mut result = query.query([rid])?;
    result.next()?.map(rows::found).transpose()?.ok_or(StoreError::NoSuchAccount)
}

fn write_account(connection: &Connection, account: &AccountEntry) -> Result<(), StoreError> {
    let upn_key = account.upn.as_deref().map(upper_string);
    let mut taken = connection.prepare_cached("SELECT 1 FROM account WHERE upn_key = ?1 AND rid <> ?2")?;
    if let Some(upn) = &account.upn
        && taken.exists(params![upn_key, account.rid])?
    {
        return Err(StoreError::UpnTaken(upn.clone()));
    }
    let suffix = upn_key.as_ref().and_then(|upn| upn.rsplit_once('@')).map(|(_, suffix)| suffix);
    let mut update = connection.prepare_cached(
        "UPDATE account SET upn = :upn, upn_key = :upn_key, upn_suffix_key = :suffix, display_name = :display_name,
                mail = :mail, disabled = :disabled, must_change = :must_change,
                password_never_expires = :password_never_expires, expires = :expires, hours = :hours,
                workstations = :workstations, password_set = :password_set, last_logon = :last_logon
         WHERE rid = :rid",
    )?;
    update.execute(named_params! {
        ":rid": account.rid,
        ":upn": account.upn,
        ":upn_key": upn_key,
        ":suffix": suffix,
        ":display_name": account.display_name,
        ":mail": account.mail,
        ":disabled": account.disabled,
        ":must_change": account.must_change,
        ":password_never_expires": account.password_never_expires,
        ":expires": account.expires.map(to_ms),
        ":hours": account.hours.to_bytes(),
        ":workstations": account.workstations.join("\n"),
        ":password_set": account.password_set.map(to_ms),
        ":last_logon": account.last_logon.map(to_ms),
    })?;
    Ok(())
}

fn write_secret(connection: &Connection, rid: u32, sealed: &Sealed) -> Result<(), StoreError> {
    if rows::key_id(connection)? != sealed.key {
        return Err(StoreError::StaleKey);
    }
    let mut insert = connection.prepare_cached("INSERT OR REPLACE INTO secret VALUES (?1, ?2, ?3)")?;
    insert.execute(params![rid, sealed.key.0, sealed.bytes])?;
    Ok(())
}
