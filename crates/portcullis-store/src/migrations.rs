//! One numbered set of migrations for both engines, forwards only.

use sha2::{Digest as _, Sha256};

use crate::engine::{Connection, Mode};
use crate::error::StoreError;
use crate::sql::sql;
use crate::store::committed;

/// Every migration, in the order of their numbers, from 1.
pub const ALL: &[&str] = &[
    include_str!("../migrations/0001_house.sql"),
    include_str!("../migrations/0002_people.sql"),
    include_str!("../migrations/0003_provisioning.sql"),
    include_str!("../migrations/0004_sessions.sql"),
    include_str!("../migrations/0005_key_details.sql"),
    include_str!("../migrations/0006_limits.sql"),
    include_str!("../migrations/0007_tracking.sql"),
    include_str!("../migrations/0008_connectors.sql"),
    include_str!("../migrations/0009_server_tokens.sql"),
    include_str!("../migrations/0010_signing_keys.sql"),
];

const KNOWN: &str = "CREATE TABLE IF NOT EXISTS migrations (
    number {INT} NOT NULL PRIMARY KEY,
    checksum {BLOB} NOT NULL
) {STRICT}";

/// Brings the database up to this build; how many migrations ran.
pub(crate) fn run(connection: &mut Connection) -> Result<usize, StoreError> {
    up_to(connection, ALL)
}

/// Brings the database up to `all`, in one transaction: killed at any statement, it is as it was.
pub(crate) fn up_to(connection: &mut Connection, all: &[&str]) -> Result<usize, StoreError> {
    connection.begin(Mode::Write)?;
    let ran = pending(connection, all);
    match ran {
        Ok(ran) => committed(connection.commit()).map(|()| ran),
        Err(error) => {
            connection.batch("ROLLBACK")?;
            Err(error)
        }
    }
}

fn pending(connection: &mut Connection, all: &[&str]) -> Result<usize, StoreError> {
    connection.lock_for_migration()?;
    let words = connection.words();
    connection.batch(&worded(KNOWN, words))?;
    let found = connection.rows(&sql!("SELECT checksum FROM migrations ORDER BY number"), &[])?;
    if found.len() > all.len() {
        return Err(StoreError::Newer { found: found.len() as i64, known: all.len() as i64 });
    }
    let ran = all.len() - found.len();
    let mut found = found.into_iter();
    for (number, text) in (1_i64..).zip(all) {
        let checksum = Sha256::digest(text.as_bytes()).to_vec();
        match found.next() {
            Some(mut row) => {
                if row.next::<Vec<u8>>("migrations")? != checksum {
                    return Err(StoreError::MigrationChanged { number });
                }
            }
            None => {
                connection.batch(&worded(text, words))?;
                let record = sql!("INSERT INTO migrations (number, checksum) VALUES ($1, $2)");
                connection.execute(&record, &[number.into(), checksum.as_slice().into()])?;
            }
        }
    }
    Ok(ran)
}

fn worded(text: &str, words: &[(&str, &str)]) -> String {
    words.iter().fold(text.to_owned(), |text, (token, word)| text.replace(token, word))
}
