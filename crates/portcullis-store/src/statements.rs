//! Every statement of every file is prepared on both engines: a later one cannot escape.

use std::fs;
use std::path::{Path, PathBuf};

use crate::engine::{Connection, Target};
use crate::migrations;
use crate::sql::{Sql, numbered};
use portcullis_core::secret::SecretBuf;

fn statements() -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false if !path.ends_with("statements.rs") && !path.ends_with("sql.rs") => {
                    found.extend(in_file(&path));
                }
                false => {}
            }
        }
    }
    found
}

fn in_file(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let calls = text.split("sql!(").skip(1);
    calls.map(|call| call.split('"').nth(1).unwrap().to_owned()).collect()
}

fn prepare_all(target: &Target) {
    let mut connection = Connection::open(target).unwrap();
    migrations::run(&mut connection).unwrap();
    for text in statements() {
        let text: &'static str = text.leak();
        let sqlite: &'static [u8] = text.replace('$', "?").into_bytes().leak();
        let sql = Sql::both(text, std::str::from_utf8(sqlite).unwrap());
        connection.prepare(&sql).unwrap_or_else(|error| panic!("{text}: {error}"));
    }
}

#[test]
fn every_statement_is_understood_by_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    prepare_all(&Target::Sqlite(folder.path().to_owned()));
    assert!(statements().len() > 30, "{}", statements().len());
}

#[test]
fn every_statement_is_understood_by_postgresql() {
    let Ok(url) = std::env::var("PORTCULLIS_TEST_POSTGRES") else { return };
    let name = "t_statements";
    let mut admin = Connection::open(&Target::Postgres(SecretBuf::new(url.as_str()))).unwrap();
    admin.batch(&format!("DROP DATABASE IF EXISTS {name}")).unwrap();
    admin.batch(&format!("CREATE DATABASE {name}")).unwrap();
    let (server, _) = url.rsplit_once('/').unwrap();
    prepare_all(&Target::Postgres(SecretBuf::new(format!("{server}/{name}"))));
}

#[test]
fn parameters_are_numbered_for_sqlite() {
    assert_eq!(&numbered::<27>("SET x = $2 WHERE id = $1   "), b"SET x = ?2 WHERE id = ?1   ");
}
