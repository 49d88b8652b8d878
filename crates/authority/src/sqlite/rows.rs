//! Rows to values and back.

use crate::moment::{duration_ms, from_ms};
use crate::{
    AccountEntry, Domain, DomainNames, Found, GroupEntry, KeyId, LockoutPolicy, LogonHours, PasswordPolicy, Policy,
    Sealed, StoreError,
};
use portcullis::Sid;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use std::time::Duration;

pub(super) fn domain(connection: &Connection) -> Result<Domain, StoreError> {
    let mut query = connection.prepare_cached("SELECT netbios, dns, sid FROM domain")?;
    let row = query
        .query_row([], |row| Ok((DomainNames { netbios: row.get(0)?, dns: row.get(1)? }, row.get::<_, String>(2)?)));
    let (names, sid) = row.optional()?.ok_or(StoreError::Empty)?;
    Ok(Domain { names, sid: sid.parse().map_err(|_| StoreError::Damaged("the domain's SID is none".into()))? })
}

pub(super) fn key_id(connection: &Connection) -> Result<KeyId, StoreError> {
    let mut query = connection.prepare_cached("SELECT key_id FROM domain")?;
    let id = query.query_row([], |row| row.get(0)).optional()?.ok_or(StoreError::Empty)?;
    Ok(KeyId(id))
}

pub(super) fn policy(connection: &Connection) -> Result<Policy, StoreError> {
    let mut query = connection.prepare_cached(
        "SELECT min_password_length, max_password_age, lockout_threshold, lockout_window, lockout_duration,
                lockout_global_threshold, address_threshold, loopback_exempt, danger_weak_certificate_mappings FROM domain",
    )?;
    let row = query.query_row([], |row| {
        let length = |at| row.get(at).map(|ms: i64| Duration::from_millis(ms.unsigned_abs()));
        let max_age = row.get::<_, Option<i64>>(1)?.map(|ms| Duration::from_millis(ms.unsigned_abs()));
        Ok(Policy {
            password: PasswordPolicy { min_length: row.get(0)?, max_age },
            lockout: LockoutPolicy {
                threshold: row.get(2)?,
                window: length(3)?,
                duration: length(4)?,
                global_threshold: row.get(5)?,
                address_threshold: row.get(6)?,
                loopback_exempt: row.get(7)?,
            },
            danger_weak_certificate_mappings: row.get(8)?,
        })
    });
    row.optional()?.ok_or(StoreError::Empty)
}

pub(super) fn set_policy(connection: &Connection, policy: &Policy) -> Result<(), StoreError> {
    let Policy { password, lockout, danger_weak_certificate_mappings } = policy;
    let changed = connection.execute(
        "UPDATE domain SET min_password_length = ?1, max_password_age = ?2, lockout_threshold = ?3, lockout_window = ?4,
                lockout_duration = ?5, lockout_global_threshold = ?6, address_threshold = ?7, loopback_exempt = ?8,
                danger_weak_certificate_mappings = ?9",
        params![
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
    if changed == 1 { Ok(()) } else { Err(StoreError::Empty) }
}

/// The columns that [`found`] reads, and the tables that they are in.
pub(super) const FOUND: &str = "SELECT d.sid, p.rid, p.name, a.upn, a.display_name, a.mail, a.disabled, a.must_change, \
     a.password_never_expires, a.expires, a.hours, a.workstations, a.password_set, a.last_logon, a.created, \
     s.key_id, s.sealed \
     FROM domain d, principal p JOIN account a ON a.rid = p.rid LEFT JOIN secret s ON s.rid = p.rid ";

pub(super) fn found(row: &Row<'_>) -> Result<Found, StoreError> {
    let sealed = match row.get::<_, Option<[u8; 8]>>(15)? {
        Some(key) => Some(Sealed { key: KeyId(key), bytes: row.get(16)? }),
        None => None,
    };
    let rid = row.get(1)?;
    let time = |at| row.get::<_, Option<i64>>(at).map(|ms| ms.map(from_ms));
    let workstations: String = row.get(11)?;
    let account = AccountEntry {
        rid,
        sid: child(row.get_ref(0)?.as_str().map_err(|_| damaged("a SID is no text"))?, rid)?,
        name: row.get(2)?,
        upn: row.get(3)?,
        display_name: row.get(4)?,
        mail: row.get(5)?,
        disabled: row.get(6)?,
        must_change: row.get(7)?,
        password_never_expires: row.get(8)?,
        expires: time(9)?,
        hours: LogonHours::from_bytes(row.get(10)?),
        workstations: workstations.lines().map(str::to_owned).collect(),
        password_set: time(12)?,
        last_logon: time(13)?,
        created: from_ms(row.get(14)?),
    };
    Ok(Found { account, sealed })
}

/// The columns that [`group`] reads, and the tables that they are in.
pub(super) const GROUP: &str =
    "SELECT d.sid, p.rid, p.name, t.description FROM domain d, team t JOIN principal p ON p.rid = t.rid ";

pub(super) fn group(row: &Row<'_>) -> Result<GroupEntry, StoreError> {
    let rid = row.get(1)?;
    let sid: String = row.get(0)?;
    Ok(GroupEntry { rid, sid: child(&sid, rid)?, name: row.get(2)?, description: row.get(3)? })
}

fn child(domain: &str, rid: u32) -> Result<Sid, StoreError> {
    let domain: Sid = domain.parse().map_err(|_| damaged("the domain's SID is none"))?;
    domain.child(rid).ok_or_else(|| damaged("the domain's SID is full"))
}

pub(super) fn damaged(what: &str) -> StoreError {
    StoreError::Damaged(what.into())
}
