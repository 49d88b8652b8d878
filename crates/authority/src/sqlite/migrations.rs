use crate::StoreError;
use rusqlite::{Connection, Transaction, TransactionBehavior};

/// Brings the tables up to date, in one transaction: a file has the version `user_version`, and each migration leads
/// from one version to the next. A migration that was released is never changed.
pub(super) fn run(connection: &mut Connection) -> Result<(), StoreError> {
    let known = known();
    if version(connection)? == known {
        return Ok(());
    }
    let transaction = Transaction::new(connection, TransactionBehavior::Immediate)?;
    // Again, since another process may have been faster.
    let found = version(&transaction)?;
    if found > known {
        return Err(StoreError::TooNew { found, known });
    }
    for migration in MIGRATIONS.iter().skip(usize::try_from(found).unwrap_or(0)) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", known)?;
    Ok(transaction.commit()?)
}

/// The highest version that this program knows.
pub(super) fn known() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// The version of a file's tables.
pub(super) fn version(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

/// Times are milliseconds since the epoch, lengths of time milliseconds; `key` columns are names upper-cased as Windows
/// does.
const MIGRATIONS: &[&str] = &[
    "
CREATE TABLE domain (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    netbios TEXT NOT NULL,
    dns TEXT NOT NULL,
    sid TEXT NOT NULL,
    next_rid INTEGER NOT NULL,
    key_id BLOB NOT NULL,
    min_password_length INTEGER NOT NULL,
    max_password_age INTEGER,
    lockout_threshold INTEGER NOT NULL,
    lockout_window INTEGER NOT NULL,
    lockout_duration INTEGER NOT NULL,
    lockout_global_threshold INTEGER NOT NULL,
    address_threshold INTEGER NOT NULL,
    loopback_exempt INTEGER NOT NULL
) STRICT;

-- Accounts and groups share names and relative ids.
CREATE TABLE principal (
    rid INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE account (
    rid INTEGER PRIMARY KEY REFERENCES principal (rid) ON DELETE CASCADE,
    upn TEXT,
    upn_key TEXT UNIQUE,
    upn_suffix_key TEXT,
    display_name TEXT,
    mail TEXT,
    disabled INTEGER NOT NULL,
    must_change INTEGER NOT NULL,
    password_never_expires INTEGER NOT NULL,
    expires INTEGER,
    hours BLOB NOT NULL,
    workstations TEXT NOT NULL, -- one a line
    password_set INTEGER,
    last_logon INTEGER,
    created INTEGER NOT NULL
) STRICT;
CREATE INDEX account_upn_suffix ON account (upn_suffix_key) WHERE upn_suffix_key IS NOT NULL;

-- Apart from the accounts, whose rows are written at logons.
CREATE TABLE secret (
    rid INTEGER PRIMARY KEY REFERENCES account (rid) ON DELETE CASCADE,
    key_id BLOB NOT NULL,
    sealed BLOB NOT NULL
) STRICT;

CREATE TABLE team (
    rid INTEGER PRIMARY KEY REFERENCES principal (rid) ON DELETE CASCADE,
    description TEXT NOT NULL
) STRICT;

CREATE TABLE membership (
    member INTEGER NOT NULL REFERENCES principal (rid) ON DELETE CASCADE,
    team INTEGER NOT NULL REFERENCES team (rid) ON DELETE CASCADE,
    PRIMARY KEY (member, team)
) STRICT, WITHOUT ROWID;
CREATE INDEX membership_team ON membership (team);

-- Failed logons: for an account and an address, for an account ('*'), for an address (account of zeros).
CREATE TABLE failure (
    account BLOB NOT NULL,
    address TEXT NOT NULL,
    count INTEGER NOT NULL,
    since INTEGER NOT NULL,
    locked_until INTEGER NOT NULL,
    ends INTEGER NOT NULL,
    PRIMARY KEY (account, address)
) STRICT, WITHOUT ROWID;
CREATE INDEX failure_ends ON failure (ends);
",
    "
-- Which certificates are whose: each of a form is one account's.
CREATE TABLE certificate_mapping (
    form TEXT NOT NULL,
    key BLOB NOT NULL,
    rid INTEGER NOT NULL REFERENCES account (rid) ON DELETE CASCADE,
    text TEXT NOT NULL,
    created INTEGER NOT NULL,
    PRIMARY KEY (form, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX certificate_mapping_rid ON certificate_mapping (rid);
ALTER TABLE domain ADD COLUMN danger_weak_certificate_mappings INTEGER NOT NULL DEFAULT 0;
",
    "
-- Kerberos authenticators that were taken, each until the second in which its time is over.
CREATE TABLE seen (
    tag BLOB PRIMARY KEY,
    until INTEGER NOT NULL -- seconds since the epoch
) STRICT, WITHOUT ROWID;
CREATE INDEX seen_until ON seen (until);
-- Of those that were over by this second nothing is known any more.
CREATE TABLE seen_forgotten (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    until INTEGER NOT NULL
) STRICT;
INSERT INTO seen_forgotten (one, until) VALUES (1, 0);
",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_once_and_refuses_newer_files() {
        let mut connection = Connection::open_in_memory().unwrap();
        run(&mut connection).unwrap();
        run(&mut connection).unwrap();
        assert_eq!(version(&connection).unwrap(), 3);
        connection.pragma_update(None, "user_version", 4).unwrap();
        assert!(matches!(run(&mut connection), Err(StoreError::TooNew { found: 4, known: 3 })));
    }

    /// A store of the first release keeps its domain, and gets the rules that came since as they are by default.
    #[test]
    fn the_first_version_is_brought_up_to_date() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(MIGRATIONS[0]).unwrap();
        connection.pragma_update(None, "user_version", 1).unwrap();
        let sql = "INSERT INTO domain VALUES (1, 'CORP', '', 'S-1-5-21-1-2-3', 1000, x'0102030405060708', 1, NULL, 7, 1, 1, 1, 1, 1)";
        connection.execute_batch(sql).unwrap();
        run(&mut connection).unwrap();
        let policy = super::super::rows::policy(&connection).unwrap();
        assert_eq!((policy.lockout.threshold, policy.danger_weak_certificate_mappings), (7, false));
    }
}
