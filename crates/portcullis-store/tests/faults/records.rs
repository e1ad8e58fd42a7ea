//! What is recorded while something breaks: told again, nothing of it is done twice.

use std::sync::mpsc;

use portcullis_core::id::{Id, Revision};
use portcullis_core::subject::{Claims, Identifier, IdentifierKind, Named, SubjectKind};
use portcullis_core::time::Timestamp;
use portcullis_core::tracking::Entry;
use portcullis_store::StoreError;
use portcullis_store::tracking::{Batch, Source, TrackError};
use serde_json::json;

use crate::bench::{Bench, on_both, on_postgres, on_wire, user, write};
use crate::wire::Fault;

fn name() -> Identifier {
    Identifier::new(IdentifierKind::ExternalId, "1").unwrap()
}

/// A subject is counted up, and does something without a name of its own.
async fn batch(bench: &Bench, receipt: u8) -> Batch {
    let organization = match bench.store.read(|it| it.find_root()).await.unwrap() {
        Some(root) => root.id,
        None => bench.root().await,
    };
    let claims = Claims {
        kind: SubjectKind::User,
        user: Some(Named { id: None, identifiers: [name()].into() }),
        account: None,
        create: true,
        admin: false,
        not_before: Timestamp::MIN,
        expires: Timestamp::MAX,
    };
    let told = [
        ("traits", json!({ "n": { "operation": "inc", "value": 1 } })),
        ("track", json!({ "event": "e" })),
    ];
    let entries =
        told.map(|(kind, body)| (claims.clone(), Entry::parse(kind, body).unwrap())).to_vec();
    let source = Source { organization, connector: Id::from_bytes([1; 16]) };
    Batch { source, receipt: Some([receipt; 16]), entries, partial: false }
}

/// How far the subject was counted, and how much it did.
async fn counted(bench: &Bench, batch: &Batch) -> (String, usize) {
    let organization = batch.source.organization;
    let read = bench.store.read(move |it| {
        let found = it.find_named(organization, SubjectKind::User, &name())?.unwrap();
        let n = found.traits.find("n").unwrap().get().to_owned();
        Ok((n, it.list_events(organization, found.id, None, 100)?.len()))
    });
    read.await.unwrap()
}

#[test]
fn a_batch_whose_commit_met_a_fault_is_told_again_and_applied_once() {
    for fault in [
        Fault::CutCommit,
        Fault::CutAnswer,
        Fault::CutAnswerAndHold,
        Fault::SwallowAnswer,
        Fault::WarnAtCommit,
    ] {
        on_wire("record_lost", async |bench, wire| {
            let batch = batch(bench, 1).await;
            wire.set(fault);
            let told = bench.store.track(batch.clone()).await;
            assert!(
                matches!(told, Err(TrackError::Store(StoreError::UnknownOutcome))),
                "{fault:?}: {told:?}"
            );
            wire.set(Fault::None);
            let mut again = bench.store.track(batch.clone()).await;
            while matches!(&again, Err(TrackError::Store(error)) if error.is_passing()) {
                again = bench.store.track(batch.clone()).await;
            }
            assert_eq!(again.unwrap().repeated, fault != Fault::CutCommit, "{fault:?}");
            assert_eq!(counted(bench, &batch).await, ("1".into(), 1), "{fault:?}");
        });
    }
}

#[test]
fn a_refused_commit_is_a_failure_and_leaves_nothing() {
    on_postgres("record_refused", async |bench| {
        let batch = batch(bench, 1).await;
        bench.place.raw(
            "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql
                 AS 'BEGIN RAISE EXCEPTION ''not this one''; END';
             CREATE CONSTRAINT TRIGGER no AFTER INSERT ON receipts DEFERRABLE INITIALLY DEFERRED
                 FOR EACH ROW EXECUTE FUNCTION no()",
        );
        let told = bench.store.track(batch.clone()).await;
        assert!(matches!(told, Err(TrackError::Store(StoreError::Engine(_)))), "{told:?}");
        bench.place.raw("DROP TRIGGER no ON receipts");
        assert!(!bench.store.track(batch.clone()).await.unwrap().repeated);
        assert_eq!(counted(bench, &batch).await, ("1".into(), 1));
    });
}

#[test]
fn what_is_recorded_never_holds_the_number() {
    on_postgres("record_apart", async |bench| {
        let root = bench.root().await;
        let ((taken, has_taken), (go, goes)) = (mpsc::channel(), mpsc::channel());
        let rests = bench.store.record(move |_| {
            taken.send(()).unwrap();
            goes.recv().unwrap();
            Ok::<_, StoreError>(())
        });
        let meanwhile = async {
            has_taken.recv().unwrap();
            let told = bench.store.write(write("a"), move |it| it.insert_user(&user(root, "a")));
            assert_eq!(told.await.unwrap().revision, Revision(2));
            go.send(()).unwrap();
        };
        let (told, ()) = tokio::join!(biased; rests, meanwhile);
        told.unwrap();
    });
}

#[test]
fn a_job_that_breaks_or_fails_loses_nothing_of_the_others() {
    on_both("record_breaks", async |bench| {
        let (first, second) = (batch(bench, 1).await, batch(bench, 2).await);
        let good = bench.store.track(first.clone());
        let fails = bench.store.record(|_| Err::<(), _>(StoreError::Changed));
        let breaks = bench.store.record(|_| -> Result<(), StoreError> { panic!("on purpose") });
        let better = bench.store.track(second);
        let (good, fails, breaks, better) = tokio::join!(biased; good, fails, breaks, better);
        assert!(matches!(fails, Err(StoreError::Changed)));
        assert!(matches!(breaks, Err(StoreError::Stopped)));
        assert_eq!((good.unwrap().applied, better.unwrap().applied), (2, 2));
        assert_eq!(counted(bench, &first).await, ("2".into(), 2));
    });
}
