use super::accounts::add_principal;
use super::rows::{self, GROUP};
use crate::{GroupEntry, MAX_GROUPS, Member, StoreError};
use portcullis::Group;
use portcullis_wire::utf16::upper_string;
use rusqlite::{Connection, params};

pub(super) fn groups_of(connection: &Connection, rid: u32) -> Result<Vec<Group>, StoreError> {
    // UNION keeps each group once: cycles end by themselves. The bound holds whatever the memberships are.
    let sql = "WITH RECURSIVE inside (rid) AS (
                   VALUES (513), (?1) UNION SELECT m.team FROM inside JOIN membership m ON m.member = inside.rid LIMIT ?2
               ) "
        .to_owned()
        + GROUP
        + "JOIN inside ON inside.rid = t.rid ORDER BY t.rid <> 513, t.rid";
    let mut query = connection.prepare_cached(&sql)?;
    // One more for the account itself, which stands among them.
    let mut result = query.query(params![rid, i64::try_from(MAX_GROUPS + 1).unwrap_or(i64::MAX)])?;
    let mut groups = Vec::new();
    while let Some(row) = result.next()? {
        let GroupEntry { sid, name, .. } = rows::group(row)?;
        groups.push(Group { sid, name });
    }
    Ok(groups)
}

pub(super) fn add(connection: &Connection, group: &GroupEntry) -> Result<(), StoreError> {
    add_principal(connection, group.rid, &group.name)?;
    connection.execute("INSERT INTO team VALUES (?1, ?2)", params![group.rid, group.description])?;
    Ok(())
}

pub(super) fn remove(connection: &Connection, rid: u32) -> Result<(), StoreError> {
    must_be_ours(connection, rid)?;
    connection.execute("DELETE FROM principal WHERE rid = ?1", [rid])?;
    Ok(())
}

pub(super) fn by_name(connection: &Connection, name: &str) -> Result<Option<GroupEntry>, StoreError> {
    let mut query = connection.prepare_cached(&[GROUP, "WHERE p.name_key = ?1"].concat())?;
    let mut result = query.query([upper_string(name)])?;
    result.next()?.map(rows::group).transpose()
}

pub(super) fn all(connection: &Connection) -> Result<Vec<GroupEntry>, StoreError> {
    let mut query = connection.prepare_cached(&[GROUP, "ORDER BY p.name_key"].concat())?;
    let mut result = query.query([])?;
    let mut groups = Vec::new();
    while let Some(row) = result.next()? {
        groups.push(rows::group(row)?);
    }
    Ok(groups)
}

pub(super) fn members(connection: &Connection, group: u32) -> Result<Vec<Member>, StoreError> {
    let mut query = connection.prepare_cached(
        "SELECT p.rid, p.name, EXISTS (SELECT 1 FROM team t WHERE t.rid = p.rid)
         FROM membership m JOIN principal p ON p.rid = m.member WHERE m.team = ?1 ORDER BY p.name_key",
    )?;
    let members =
        query.query_map([group], |row| Ok(Member { rid: row.get(0)?, name: row.get(1)?, is_group: row.get(2)? }))?;
    Ok(members.collect::<Result<_, _>>()?)
}

pub(super) fn add_member(connection: &Connection, group: u32, member: u32) -> Result<bool, StoreError> {
    must_be_ours(connection, group)?;
    if !connection.prepare_cached("SELECT 1 FROM principal WHERE rid = ?1")?.exists([member])? {
        return Err(StoreError::NoSuchMember);
    }
    let mut insert = connection.prepare_cached("INSERT OR IGNORE INTO membership VALUES (?1, ?2)")?;
    Ok(insert.execute([member, group])? == 1)
}

pub(super) fn remove_member(connection: &Connection, group: u32, member: u32) -> Result<bool, StoreError> {
    must_be_ours(connection, group)?;
    Ok(connection.execute("DELETE FROM membership WHERE member = ?1 AND team = ?2", [member, group])? == 1)
}

fn must_be_ours(connection: &Connection, rid: u32) -> Result<(), StoreError> {
    if rid == GroupEntry::DOMAIN_USERS {
        return Err(StoreError::BuiltIn);
    }
    match connection.prepare_cached("SELECT 1 FROM team WHERE rid = ?1")?.exists([rid])? {
        true => Ok(()),
        false => Err(StoreError::NoSuchGroup),
    }
}
