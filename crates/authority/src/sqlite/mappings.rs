use super::accounts::by_rid;
use super::rows::damaged;
use crate::moment::{from_ms, to_ms};
use crate::{CertificateMapping, StoreError};
use portcullis_wire::x509::Form;
use rusqlite::{Connection, OptionalExtension as _, params};

pub(super) fn owner(connection: &Connection, mapping: &CertificateMapping) -> Result<Option<u32>, StoreError> {
    let mut query = connection.prepare_cached("SELECT rid FROM certificate_mapping WHERE form = ?1 AND key = ?2")?;
    Ok(query.query_row(params![mapping.form.name(), mapping.key], |row| row.get(0)).optional()?)
}

pub(super) fn add(connection: &Connection, rid: u32, mapping: &CertificateMapping) -> Result<bool, StoreError> {
    by_rid(connection, rid)?;
    match owner(connection, mapping)? {
        Some(owner) if owner == rid => return Ok(false),
        Some(owner) => {
            let account = by_rid(connection, owner)?.account.name;
            return Err(StoreError::MappingTaken { identity: mapping.text.clone(), account });
        }
        None => {}
    }
    let CertificateMapping { form, key, text, created } = mapping;
    connection.execute(
        "INSERT INTO certificate_mapping (form, key, rid, text, created) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![form.name(), key, rid, text, to_ms(*created)],
    )?;
    Ok(true)
}

pub(super) fn remove(connection: &Connection, rid: u32, mapping: &CertificateMapping) -> Result<bool, StoreError> {
    let sql = "DELETE FROM certificate_mapping WHERE form = ?1 AND key = ?2 AND rid = ?3";
    Ok(connection.execute(sql, params![mapping.form.name(), mapping.key, rid])? != 0)
}

pub(super) fn of(connection: &Connection, rid: u32) -> Result<Vec<CertificateMapping>, StoreError> {
    let mut query =
        connection.prepare_cached("SELECT form, key, text, created FROM certificate_mapping WHERE rid = ?1")?;
    let mut result = query.query([rid])?;
    let mut mappings = Vec::new();
    while let Some(row) = result.next()? {
        let form: String = row.get(0)?;
        let form = Form::named(&form).ok_or_else(|| damaged("a mapping of a certificate has a form that is none"))?;
        mappings.push(CertificateMapping { form, key: row.get(1)?, text: row.get(2)?, created: from_ms(row.get(3)?) });
    }
    mappings.sort_by(|a, b| (a.form, &a.text).cmp(&(b.form, &b.text)));
    Ok(mappings)
}
