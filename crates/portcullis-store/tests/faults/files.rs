//! SQLite: a file that is locked, gone, replaced, or none.

use std::fs;
use std::path::PathBuf;

use portcullis_store::{SQLITE_FILE, Store, StoreError};

use crate::bench::{Bench, Place, block_on, file, sqlite, write};

fn path(place: &Place) -> PathBuf {
    place.folder().unwrap().join(SQLITE_FILE)
}

#[test]
fn a_second_writer_that_holds_the_lock_makes_a_write_busy_and_not_hang() {
    let bench = Bench::on(sqlite());
    block_on(async {
        let other = file(path(&bench.place).parent().unwrap());
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let told = bench.store.write(write("a"), |_| Ok(())).await;
        assert!(matches!(told, Err(StoreError::Busy)), "{told:?}");
        // Readers are not in its way, nor it in theirs.
        assert!(bench.store.read(|it| it.stamp()).await.is_ok());
        other.execute_batch("ROLLBACK").unwrap();
        assert_eq!(bench.store.write(write("b"), |_| Ok(())).await.unwrap().revision.0, 1);
    });
}

#[test]
fn a_file_that_is_gone_or_replaced_is_an_error_at_once_and_never_made_anew() {
    for replace in [false, true] {
        let bench = Bench::on(sqlite());
        let node = bench.follow();
        block_on(async {
            let root = bench.root().await;
            node.reach(portcullis_core::id::Revision(1)).await;
            assert!(node.may_answer());
            let path = path(&bench.place);
            if replace {
                let copy = path.with_extension("copy");
                fs::copy(&path, &copy).unwrap();
                fs::rename(copy, &path).unwrap();
            } else {
                fs::remove_file(&path).unwrap();
            }
            let told = bench.store.write(write("a"), |_| Ok(())).await;
            assert!(matches!(told, Err(StoreError::Folder { .. })), "{replace}: {told:?}");
            let told = bench.store.read(move |it| it.list_users(root, 0)).await;
            assert!(matches!(told, Err(StoreError::Folder { .. })), "{replace}: {told:?}");
            node.until(async || !node.may_answer()).await;
            assert_eq!(path.exists(), replace);
        });
    }
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_as_it_is() {
    let place = sqlite();
    let path = path(&place);
    let content = "no database at all, and longer than a header of SQLite would be".repeat(20);
    fs::write(&path, &content).unwrap();
    let clock = std::sync::Arc::new(crate::bench::Hand::default());
    assert!(matches!(Store::open(place.target(), clock), Err(StoreError::Engine(_))));
    assert_eq!(fs::read_to_string(&path).unwrap(), content);
}
