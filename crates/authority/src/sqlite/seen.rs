//! Kerberos authenticators that were taken, for all processes of a store.

use crate::StoreError;
use crate::replay::{seconds_up, whole_seconds};
use rusqlite::{Connection, OptionalExtension as _, params};
use std::time::SystemTime;

/// After how many new ones a process takes away those that are over, and how many at once: more than come meanwhile.
pub(super) const PURGE_EVERY: u64 = 32;
const PURGE: i64 = 256;

/// Whether a tag is new; it is no longer then. One statement looks and writes.
pub(super) fn remember(
    connection: &Connection,
    tag: &[u8; 16],
    now: SystemTime,
    until: SystemTime,
) -> Result<bool, StoreError> {
    let (now, until) = (whole_seconds(now), second(seconds_up(until)));
    if until <= second(now) {
        return Ok(false);
    }
    let mut insert = connection.prepare_cached(
        "INSERT INTO seen (tag, until) SELECT ?1, ?2 WHERE ?2 > (SELECT until FROM seen_forgotten)
            ON CONFLICT (tag) DO NOTHING",
    )?;
    Ok(insert.execute(params![tag, until])? == 1)
}

/// Takes some of those away that are over, the oldest first, and notes of which time nothing is known any more.
pub(super) fn purge(connection: &Connection, now: SystemTime) -> Result<(), StoreError> {
    let mut last = connection
        .prepare_cached("SELECT max(until) FROM (SELECT until FROM seen WHERE until <= ?1 ORDER BY until LIMIT ?2)")?;
    let now = second(whole_seconds(now));
    let last: Option<i64> = last.query_row(params![now, PURGE], |row| row.get(0)).optional()?.flatten();
    let Some(last) = last else { return Ok(()) };
    connection
        .prepare_cached(
            "DELETE FROM seen WHERE tag IN (SELECT tag FROM seen WHERE until <= ?1 ORDER BY until LIMIT ?2)",
        )?
        .execute(params![now, PURGE])?;
    connection.prepare_cached("UPDATE seen_forgotten SET until = max(until, ?1)")?.execute([last])?;
    Ok(())
}

fn second(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX)
}
