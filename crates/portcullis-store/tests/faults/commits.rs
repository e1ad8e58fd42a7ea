//! What is told of a write whose COMMIT met a fault: done, not done, or not known.

use std::sync::mpsc;
use std::time::Duration;

use portcullis_core::id::{Id, Revision};
use portcullis_core::organization::Organization;
use portcullis_store::{Deadlines, Store, StoreError, Writing};

use crate::bench::{Bench, SHORT, on_both, on_postgres, on_wire, on_wire_within, user, write};
use crate::wire::Fault;

/// The actions in the audit trail, the newest first.
async fn actions(bench: &Bench) -> Vec<String> {
    let entries = bench.store.read(|it| it.list_audit(Revision(i64::MAX), 100)).await.unwrap();
    entries.into_iter().map(|it| it.action).collect()
}

#[test]
fn a_commit_whose_answer_is_lost_or_late_is_looked_up_and_told_as_done() {
    for fault in [Fault::CutAnswer, Fault::SwallowAnswer, Fault::WarnAtCommit] {
        on_wire("lost_answer", async |bench, wire| {
            let root = bench.root().await;
            let before = wire.connections();
            wire.set(fault);
            let made = bench.store.write(write("a"), move |it| it.insert_user(&user(root, "a")));
            let made = made.await.unwrap();
            assert_eq!(made.revision, Revision(2), "{fault:?}");
            assert!(wire.connections() > before, "{fault:?}: asked in the old session");
            let found = bench.store.read(move |it| it.find_user(root, "a")).await.unwrap();
            assert_eq!(found.unwrap().id, made.value.id, "{fault:?}");
            assert_eq!(actions(bench).await, ["a", "org"], "{fault:?}");
        });
    }
}

#[test]
fn a_commit_that_does_not_arrive_is_never_told_as_done_and_leaves_nothing() {
    on_wire("cut_commit", async |bench, wire| {
        let root = bench.root().await;
        wire.set(Fault::CutCommit);
        let lost = write("lost");
        let request = lost.request;
        let told = bench.store.write(lost, move |it| it.insert_user(&user(root, "a"))).await;
        assert!(matches!(told, Err(StoreError::Unreachable(_))), "{told:?}");
        assert_eq!(bench.store.find_outcome(request).await.unwrap(), None);
        // Neither its number nor its name is taken.
        let again = bench.store.write(write("b"), move |it| it.insert_user(&user(root, "a")));
        assert_eq!(again.await.unwrap().revision, Revision(2));
        assert_eq!(actions(bench).await, ["b", "org"]);
    });
}

#[test]
fn an_outcome_that_cannot_be_looked_up_is_told_as_unknown_and_found_later() {
    on_wire("unknown", async |bench, wire| {
        let root = bench.root().await;
        wire.set(Fault::CutAnswerAndHold);
        let lost = write("lost");
        let request = lost.request;
        let told = bench.store.write(lost, move |it| it.insert_user(&user(root, "a"))).await;
        assert!(matches!(told, Err(StoreError::UnknownOutcome)), "{told:?}");
        wire.set(Fault::None);
        assert_eq!(bench.store.find_outcome(request).await.unwrap(), Some(Revision(2)));
    });
}

#[test]
fn while_a_commit_may_still_arrive_its_outcome_is_unknown() {
    // The old session keeps the number for longer than anybody waits here.
    let patient = Deadlines { lock: Duration::from_secs(60), ..SHORT };
    on_wire_within(patient, "late_commit", async |bench, wire| {
        let root = bench.root().await;
        wire.set(Fault::DelayCommit);
        let late = write("late");
        let request = late.request;
        let told = bench.store.write(late, move |it| it.insert_user(&user(root, "a"))).await;
        assert!(matches!(told, Err(StoreError::UnknownOutcome)), "{told:?}");
        let still = bench.store.find_outcome(request).await;
        assert!(still.is_err(), "{still:?}");
        wire.set(Fault::None);
        let mut found = Err(StoreError::Busy);
        while found.is_err() {
            found = bench.store.find_outcome(request).await;
        }
        assert_eq!(found.unwrap(), Some(Revision(2)));
    });
}

#[test]
fn a_commit_that_the_server_refuses_is_told_as_failed_and_the_next_one_stands() {
    on_postgres("refused", async |bench| {
        let root = bench.root().await;
        bench.place.raw(
            "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql
                 AS 'BEGIN RAISE EXCEPTION ''not this one''; END';
             CREATE CONSTRAINT TRIGGER no AFTER INSERT ON audit DEFERRABLE INITIALLY DEFERRED
                 FOR EACH ROW WHEN (NEW.action = 'refused') EXECUTE FUNCTION no()",
        );
        let told = bench.store.write(write("refused"), move |it| it.insert_user(&user(root, "a")));
        assert!(matches!(told.await, Err(StoreError::Engine(_))));
        let next = bench.store.write(write("next"), move |it| it.insert_user(&user(root, "a")));
        assert_eq!(next.await.unwrap().revision, Revision(2));
        assert_eq!(actions(bench).await, ["next", "org"]);
    });
}

/// A write that takes its number, says which, and rests until it is told to go on.
fn rest(
    root: Id<Organization>,
    taken: mpsc::Sender<Revision>,
    go: mpsc::Receiver<()>,
) -> impl FnOnce(&mut Writing<'_>) -> Result<(), StoreError> + Send {
    move |writing| {
        taken.send(writing.revision).unwrap();
        go.recv().unwrap();
        writing.insert_user(&user(root, "rested")).map(drop)
    }
}

/// Another node's store on the same database.
fn second(bench: &Bench) -> Store {
    Store::open(bench.place.target(), bench.clock.clone()).unwrap()
}

#[test]
fn whoever_rests_with_the_number_is_cut_and_stops_nobody() {
    on_wire("resting", async |bench, _| {
        let root = bench.root().await;
        let other = second(bench);
        let ((taken, has_taken), (go, goes)) = (mpsc::channel(), mpsc::channel());
        let rests = bench.store.write(write("rests"), rest(root, taken, goes));
        let others = async {
            // The first poll of the other one has queued it.
            let taken = has_taken.recv().unwrap();
            let mut told = Err(StoreError::Busy);
            while matches!(told, Err(StoreError::Busy)) {
                let user = user(root, "other");
                told = other.write(write("other"), move |it| it.insert_user(&user)).await;
            }
            assert_eq!(told.unwrap().revision, taken);
            go.send(()).unwrap();
        };
        let (told, ()) = tokio::join!(biased; rests, others);
        assert!(
            matches!(told, Err(StoreError::Unreachable(_) | StoreError::Engine(_))),
            "{told:?}"
        );
        assert_eq!(actions(bench).await, ["other", "org"]);
    });
}

#[test]
fn a_write_that_has_queued_for_too_long_is_never_begun() {
    on_both("queued", async |bench| {
        let root = bench.root().await;
        let ((taken, has_taken), (go, goes)) = (mpsc::channel(), mpsc::channel());
        let first = bench.store.write(write("first"), rest(root, taken, goes));
        let late = bench.store.write(write("late"), move |it| it.insert_user(&user(root, "late")));
        let meanwhile = async {
            has_taken.recv().unwrap();
            bench.clock.advance(10_001);
            go.send(()).unwrap();
        };
        let (first, late, ()) = tokio::join!(biased; first, late, meanwhile);
        assert_eq!(first.unwrap().revision, Revision(2));
        assert!(matches!(late, Err(StoreError::Busy)), "{late:?}");
        assert_eq!(actions(bench).await, ["first", "org"]);
    });
}
