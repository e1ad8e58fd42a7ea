//! When a node's lease ends, and when it may begin again.

use std::time::Duration;

use portcullis_core::id::Revision;
use portcullis_core::lookup::CredentialLookup as _;
use portcullis_store::memory::LEASE_MILLIS;
use portcullis_store::{Deadlines, StoreError};

use crate::bench::{
    Bench, Following, block_on, on_both, on_postgres, on_wire, postgres, user, write,
};
use crate::wire::Fault;

/// Writes something that the node must notice; its revision.
async fn touch(bench: &Bench) -> Revision {
    bench.store.write(write("touch"), |_| Ok(())).await.unwrap().revision
}

/// Until the lease is over without any time having passed.
async fn ends_at_once(node: &Following) {
    node.until(async || !node.may_answer()).await;
}

/// That no look, however often, brings the lease back.
async fn stays_over(bench: &Bench, node: &Following) {
    for _ in 0..20 {
        touch(bench).await;
        node.follower.wake();
        assert!(!node.may_answer());
    }
}

#[test]
fn a_database_that_hangs_extends_nothing_and_one_that_is_back_is_caught_up_with() {
    on_wire("held_feed", async |bench, wire| {
        let root = bench.root().await;
        let node = bench.follow();
        wire.set(Fault::Hold);
        node.follower.wake();
        bench.clock.advance(LEASE_MILLIS - 1);
        assert!(node.may_answer());
        bench.clock.advance(1);
        assert!(!node.may_answer());
        // Another node goes on meanwhile.
        let other = Bench::on_same(bench);
        let made = other.store.write(write("a"), move |it| it.insert_user(&user(root, "a")));
        let made = made.await.unwrap();
        assert!(!node.may_answer());
        wire.set(Fault::None);
        node.reach(made.revision).await;
        node.until(async || node.may_answer()).await;
        assert!(node.followed.memory.user(made.value.id).is_some());
    });
}

/// Until the node hangs at `table`, or until it does not.
fn hang(session: &mut impl postgres::GenericClient, node: &Following, table: &str, hangs: bool) {
    let waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = $1::TEXT::REGCLASS";
    while session.query(waiting, &[&table]).unwrap().is_empty() == hangs {
        node.follower.wake();
    }
}

#[test]
fn a_renewal_counts_from_before_its_row_was_written_and_none_extends_without_its_row() {
    let Some(place) = postgres("slow_feed") else { return };
    let patient = Deadlines { read: Duration::from_secs(60), ..Deadlines::default() };
    let bench = Bench::reaching(patient, place.target(), place);
    block_on(bench.root());
    let node = bench.follow();
    let (mut reads, mut rows) = (bench.place.client(), bench.place.client());
    // A renewal writes its row and then hangs in its reading.
    let mut reads = reads.transaction().unwrap();
    reads.batch_execute("LOCK guards IN ACCESS EXCLUSIVE MODE").unwrap();
    let revision = block_on(touch(&bench));
    hang(&mut rows, &node, "guards", true);
    // No other one may write its row.
    let mut rows = rows.transaction().unwrap();
    rows.batch_execute("LOCK nodes IN SHARE MODE").unwrap();
    bench.clock.advance(LEASE_MILLIS);
    reads.rollback().unwrap();
    block_on(node.reach(revision));
    assert!(!node.may_answer());
    // One that gave up its row, and the next.
    for hangs in [true, false, true] {
        hang(&mut rows, &node, "nodes", hangs);
    }
    assert!(!node.may_answer());
    rows.rollback().unwrap();
    block_on(node.until(async || node.may_answer()));
}

#[test]
fn a_node_does_not_start_without_its_database() {
    on_wire("held_start", async |bench, wire| {
        wire.set(Fault::Hold);
        let told = bench.try_follow().map(drop);
        assert!(matches!(told, Err(StoreError::Unreachable(_))), "{told:?}");
    });
}

#[test]
fn another_epoch_a_lower_revision_or_a_floor_above_end_the_lease_for_good() {
    let histories = [
        ("epoch", "UPDATE meta SET epoch = {bytes}"),
        ("revision", "UPDATE meta SET revision = revision - 1"),
        ("floor", "UPDATE meta SET floor = revision + 1"),
    ];
    for (what, change) in histories {
        on_both(&format!("history_{what}"), async |bench| {
            bench.root().await;
            touch(bench).await;
            touch(bench).await;
            let node = bench.follow();
            assert!(node.may_answer());
            bench.place.raw(&change.replace("{bytes}", bench.place.bytes()));
            if what == "revision" {
                // What the audit trail tells of the number would be in its way.
                bench
                    .place
                    .raw("DELETE FROM audit WHERE revision = (SELECT MAX(revision) FROM audit)");
            }
            ends_at_once(&node).await;
            // Not even when the numbers have grown above what it had applied.
            stays_over(bench, &node).await;
            // It leaves once the lease is over, and passes for a node no longer.
            node.until(async || bench.rows().await.is_empty()).await;
        });
    }
}

#[test]
fn what_this_build_cannot_understand_ends_the_lease_at_once_and_is_not_applied() {
    for (what, change) in [
        ("scheme", "UPDATE credentials SET scheme = 'later'"),
        ("state", "UPDATE credentials SET state = 'frozen'"),
        ("verifier", "UPDATE credentials SET verifier = {bytes}"),
        ("user", "UPDATE users SET state = 'frozen', revision = (SELECT revision FROM meta)"),
        ("role", "UPDATE roles SET abilities = 'all', revision = (SELECT revision FROM meta)"),
    ] {
        on_both(&format!("unknown_{what}"), async |bench| {
            bench.root_with_key().await;
            let node = bench.follow();
            let before = *node.follower.applied().borrow();
            touch(bench).await;
            node.reach(Revision(before.0 + 1)).await;
            assert!(node.may_answer());
            let change = change.replace("{bytes}", bench.place.bytes());
            bench.place.raw(&format!(
                "BEGIN;
                 UPDATE meta SET revision = revision + 1;
                 {change};
                 UPDATE credentials SET revision = (SELECT revision FROM meta);
                 COMMIT"
            ));
            ends_at_once(&node).await;
            for _ in 0..20 {
                node.follower.wake();
                assert!(!node.may_answer(), "{what}");
            }
            assert_eq!(node.follower.applied().borrow().0, before.0 + 1, "{what}");
        });
    }
}

#[test]
fn a_node_whose_row_another_has_written_joins_anew_under_its_own_name() {
    on_both("cloned", async |bench| {
        bench.root().await;
        let node = bench.follow();
        let [before] = <[_; 1]>::try_from(bench.rows().await).unwrap();
        bench.place.raw("UPDATE nodes SET seq = seq + 1000");
        // On SQLite the row is written when there is something to say.
        let revision = touch(bench).await;
        node.reach(revision).await;
        let new = async || -> Vec<_> {
            let rows = bench.rows().await;
            rows.into_iter().filter(|row| row.incarnation != before.incarnation).collect()
        };
        node.until(async || new().await.iter().any(|row| row.applied >= revision)).await;
        let names: Vec<_> = new().await.into_iter().map(|row| row.name).collect();
        assert_eq!(names, ["east-1"]);
        node.until(async || node.may_answer()).await;
    });
}

#[test]
fn a_feed_that_failed_is_looked_at_again() {
    on_both("retried", async |bench| {
        bench.root().await;
        let node = bench.follow();
        bench.place.raw("ALTER TABLE guards RENAME TO hidden");
        let revision = touch(bench).await;
        for _ in 0..20 {
            node.follower.wake();
        }
        assert!(*node.follower.applied().borrow() < revision);
        bench.place.raw("ALTER TABLE hidden RENAME TO guards");
        node.reach(revision).await;
        assert!(node.may_answer());
    });
}

#[test]
fn a_row_that_cannot_be_written_withholds_no_revision_from_this_process() {
    on_postgres("unwritten_row", async |bench| {
        bench.root().await;
        let node = bench.follow();
        bench.place.raw(
            "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql
                 AS 'BEGIN RAISE EXCEPTION ''not this one''; END';
             CREATE TRIGGER no BEFORE UPDATE ON nodes FOR EACH ROW
                 WHEN (NEW.applied > OLD.applied) EXECUTE FUNCTION no()",
        );
        let revision = touch(bench).await;
        node.reach(revision).await;
        bench.place.raw("DROP TRIGGER no ON nodes");
        node.until(async || bench.rows().await.iter().all(|row| row.applied >= revision)).await;
    });
}
