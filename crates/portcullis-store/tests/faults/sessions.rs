//! One job's failure is its own: the next one finds a session that stands in no transaction.

use std::sync::{Arc, Mutex, mpsc};

use portcullis_core::id::Revision;
use portcullis_core::secret::SecretBuf;
use portcullis_store::{Reading, Store, StoreError, Target, Tending};

use crate::bench::{Hand, on_both, on_wire, write};
use crate::wire::Fault;

/// As many jobs as there are reading threads, and some more.
const ALL_THREADS: usize = 6;

#[test]
fn a_read_that_fails_or_breaks_leaves_nothing_to_the_next() {
    on_both("failing_reads", async |bench| {
        bench.root().await;
        bench.place.raw("ALTER TABLE guards RENAME TO hidden");
        for _ in 0..ALL_THREADS {
            assert!(bench.store.read(|it| it.list_guards()).await.is_err());
            let broken = |it: &mut Reading<'_>| -> Result<(), StoreError> {
                it.stamp()?;
                panic!("on purpose")
            };
            assert!(matches!(bench.store.read(broken).await, Err(StoreError::Stopped)));
            // An open snapshot of before would not see it, an aborted one nothing at all.
            let stamp = bench.store.read(|it| it.stamp()).await.unwrap();
            let next = bench.store.write(write("next"), |_| Ok(())).await.unwrap();
            assert_eq!(next.revision, Revision(stamp.revision.0 + 1));
        }
        bench.place.raw("ALTER TABLE hidden RENAME TO guards");
        for _ in 0..ALL_THREADS {
            assert!(bench.store.read(|it| it.list_guards()).await.is_ok());
        }
    });
}

#[test]
fn housekeeping_that_fails_or_breaks_leaves_nothing_to_the_next() {
    on_both("failing_tends", async |bench| {
        for seq in 0..ALL_THREADS {
            let name = [u8::try_from(seq).unwrap(); 16];
            let twice = move |it: &mut Tending<'_>| {
                it.insert_node(name, "twice", "")?;
                it.insert_node(name, "twice", "")
            };
            assert!(matches!(bench.store.tend(twice).await, Err(StoreError::Conflict)));
            let broken = move |it: &mut Tending<'_>| -> Result<(), StoreError> {
                it.insert_node(name, "broken", "")?;
                panic!("on purpose")
            };
            assert!(matches!(bench.store.tend(broken).await, Err(StoreError::Stopped)));
            assert!(bench.rows().await.is_empty());
        }
    });
}

#[test]
fn a_read_that_gets_no_answer_is_told_so_and_the_next_one_has_a_new_session() {
    on_wire("held_read", async |bench, wire| {
        let before = bench.root().await;
        wire.set(Fault::Hold);
        let told = bench.store.read(|it| it.find_root()).await;
        assert!(matches!(told, Err(StoreError::Unreachable(_))), "{told:?}");
        wire.set(Fault::None);
        let root = bench.store.read(|it| it.find_root()).await.unwrap();
        assert_eq!(root.unwrap().id, before);
    });
}

#[test]
fn a_read_that_has_queued_for_too_long_is_never_begun() {
    on_both("queued_reads", async |bench| {
        let (go, goes) = mpsc::channel::<()>();
        let goes = Arc::new(Mutex::new(goes));
        let (begun, has_begun) = mpsc::channel();
        let block = || {
            let (goes, begun) = (goes.clone(), begun.clone());
            bench.store.read(move |_| {
                begun.send(()).unwrap();
                goes.lock().unwrap().recv().unwrap();
                Ok(())
            })
        };
        let late = bench.store.read(|it| it.stamp());
        let meanwhile = async {
            has_begun.recv().unwrap();
            has_begun.recv().unwrap();
            bench.clock.advance(10_001);
            go.send(()).unwrap();
            go.send(()).unwrap();
        };
        let (first, second, late, ()) = tokio::join!(biased; block(), block(), late, meanwhile);
        assert!(first.is_ok() && second.is_ok());
        assert!(matches!(late, Err(StoreError::Busy)), "{late:?}");
    });
}

#[test]
fn a_server_that_is_not_there_is_named_as_that_without_the_password() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("postgres://me:hush@{closed}/portcullis");
    let target = Target::Postgres(SecretBuf::new(url));
    let told = Store::open(target, Arc::new(Hand::default())).unwrap_err();
    assert!(matches!(told, StoreError::Unreachable(_)), "{told:?}");
    assert!(told.to_string().starts_with("the database cannot be reached: "), "{told}");
    assert!(!told.to_string().contains("hush"), "{told}");
}
