use crate::lockout::{Counter, Counters};
use crate::moment::{duration_ms, to_ms};
use crate::{AccountKey, AddressKey, Attempt, Gate, LockEntry, LockoutPolicy, StoreError};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use std::time::SystemTime;

pub(super) fn gate(connection: &Connection, attempt: &Attempt, now: SystemTime) -> Result<Gate, StoreError> {
    Ok(read(connection, attempt)?.gate(attempt, to_ms(now)))
}

/// Runs alone ([`super::pool`] begins an immediate transaction): nobody counts between the look and the count.
pub(super) fn count_failure(
    connection: &Connection,
    attempt: &Attempt,
    now: SystemTime,
    policy: &LockoutPolicy,
) -> Result<Gate, StoreError> {
    let now = to_ms(now);
    let before = read(connection, attempt)?;
    let gate = before.gate(attempt, now);
    if !matches!(gate, Gate::Open { .. }) {
        return Ok(gate);
    }
    sweep(connection, now)?;
    let after = before.fail(attempt, now, policy);
    let window = duration_ms(policy.window);
    let any = AddressKey::any();
    write(connection, attempt.account, &attempt.address, after.here, window)?;
    write(connection, attempt.account, &any, after.everywhere, window)?;
    write(connection, AccountKey::ANY, &attempt.address, after.address, window)?;
    Ok(gate)
}

pub(super) fn forget_failures(connection: &Connection, attempt: &Attempt) -> Result<(), StoreError> {
    let mut delete = connection.prepare_cached("DELETE FROM failure WHERE account = ?1 AND address = ?2")?;
    delete.execute(params![attempt.account.0, attempt.address.as_str()])?;
    Ok(())
}

pub(super) fn locks(
    connection: &Connection,
    account: AccountKey,
    now: SystemTime,
) -> Result<Vec<LockEntry>, StoreError> {
    let now = to_ms(now);
    let mut query = connection.prepare_cached(
        "SELECT count, since, locked_until, address FROM failure WHERE account = ?1 AND ends > ?2 ORDER BY address",
    )?;
    let locks = query
        .query_map(params![account.0, now], |row| Ok(LockEntry::of(&row.get::<_, String>(3)?, counter(row)?, now)))?;
    Ok(locks.collect::<Result<_, _>>()?)
}

pub(super) fn unlock(connection: &Connection, account: AccountKey) -> Result<usize, StoreError> {
    Ok(connection.execute("DELETE FROM failure WHERE account = ?1", [account.0])?)
}

pub(super) fn check_writable(connection: &Connection) -> Result<(), StoreError> {
    let nobody = AccountKey([0xff; 16]);
    let counter = Counter { count: 0, since: 0, locked_until: 0 };
    write(connection, nobody, &AddressKey::any(), Some(counter), 0)?;
    connection.prepare_cached("DELETE FROM failure WHERE account = ?1")?.execute([nobody.0])?;
    Ok(())
}

/// How many counters a file holds at most: some 100 MB, reached by a flood alone.
pub(super) const MOST: i64 = 1_000_000;
/// After how many failures a process looks how many there are.
pub(super) const LOOK_EVERY: u64 = 4096;

/// Takes away the counters that end first when there are more than `most`, and a tenth beyond.
pub(super) fn bound(connection: &Connection, most: i64) -> Result<(), StoreError> {
    let count: i64 = connection.query_row("SELECT count(*) FROM failure", [], |row| row.get(0))?;
    if count > most {
        connection.execute(
            "DELETE FROM failure WHERE (account, address) IN
                (SELECT account, address FROM failure ORDER BY ends LIMIT ?1)",
            [count - most + most / 10],
        )?;
    }
    Ok(())
}

fn read(connection: &Connection, attempt: &Attempt) -> Result<Counters, StoreError> {
    let mut query = connection
        .prepare_cached("SELECT count, since, locked_until FROM failure WHERE account = ?1 AND address = ?2")?;
    let mut one = |account: AccountKey, address: &AddressKey| {
        query.query_row(params![account.0, address.as_str()], counter).optional()
    };
    Ok(Counters {
        here: one(attempt.account, &attempt.address)?,
        everywhere: one(attempt.account, &AddressKey::any())?,
        address: if attempt.throttled { one(AccountKey::ANY, &attempt.address)? } else { None },
    })
}

fn counter(row: &Row<'_>) -> rusqlite::Result<Counter> {
    Ok(Counter { count: row.get(0)?, since: row.get(1)?, locked_until: row.get(2)? })
}

fn write(
    connection: &Connection,
    account: AccountKey,
    address: &AddressKey,
    counter: Option<Counter>,
    window: i64,
) -> Result<(), StoreError> {
    let Some(counter) = counter else { return Ok(()) };
    let mut insert = connection.prepare_cached("INSERT OR REPLACE INTO failure VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    let Counter { count, since, locked_until } = counter;
    insert.execute(params![account.0, address.as_str(), count, since, locked_until, counter.ends(window)])?;
    Ok(())
}

/// Each count takes away a few that have ended: more than it adds, so that the table stays as large as what happened
/// within one window.
fn sweep(connection: &Connection, now: i64) -> Result<(), StoreError> {
    let mut delete = connection.prepare_cached(
        "DELETE FROM failure WHERE (account, address) IN (SELECT account, address FROM failure WHERE ends <= ?1 LIMIT 8)",
    )?;
    delete.execute([now])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_bounded() {
        let mut connection = Connection::open_in_memory().unwrap();
        super::super::migrations::run(&mut connection).unwrap();
        for number in 0..60 {
            let counter = Counter { count: 1, since: number, locked_until: 0 };
            write(&connection, AccountKey::of(&number.to_string()), &AddressKey::any(), Some(counter), 10).unwrap();
        }
        let left = || {
            let sql = "SELECT count(*), min(since) FROM failure";
            connection.query_row(sql, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))).unwrap()
        };
        bound(&connection, 60).unwrap();
        assert_eq!(left(), (60, 0));
        // Those that end last stay.
        bound(&connection, 50).unwrap();
        assert_eq!(left(), (45, 15));
    }
}
