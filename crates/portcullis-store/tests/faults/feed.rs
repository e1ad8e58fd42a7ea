//! One snapshot, one order: no change falls between two looks, and none is seen before its time.

use portcullis_core::id::{Id, Revision};
use portcullis_core::lookup::CredentialLookup as _;
use portcullis_core::principal::User;

use crate::bench::{Bench, on_both, user, write};

#[test]
fn a_row_touched_between_two_pages_is_in_the_next_snapshot() {
    on_both("pages", async |bench| {
        let root = bench.root().await;
        let other = Bench::on_same(bench);
        let touch = move || {
            let touched = other.store.write(write("touch"), move |it| {
                it.set_organization_state(root, portcullis_core::organization::State::Disabled)?;
                it.insert_user(&user(root, "late"))
            });
            crate::bench::block_on(touched).unwrap().revision
        };
        let looked = bench.store.read(move |it| {
            let before = it.stamp()?.revision;
            let touched = touch();
            Ok((before, touched, it.changed_since(Revision(0))?))
        });
        let (before, touched, first) = looked.await.unwrap();
        assert_eq!(first.stamp.revision, before, "the snapshot moved");
        assert_eq!(first.users.len(), 2, "the realm's own");
        let second = bench.store.read(move |it| it.changed_since(before)).await.unwrap();
        assert_eq!(second.stamp.revision, touched);
        let seen = (second.organizations.len(), second.users.len());
        assert_eq!(seen, (1, 1), "a change fell between two looks");
    });
}

/// Writes twenty users, one after the other; who got which revision.
async fn twenty(bench: &Bench, name: &str, root: Root) -> Vec<(Revision, Id<User>)> {
    let mut made = Vec::new();
    for number in 0..20 {
        let new = user(root, &format!("{name}{number}"));
        let one = bench.store.write(write("one"), move |it| it.insert_user(&new)).await.unwrap();
        made.push((one.revision, one.value.id));
    }
    made
}

type Root = Id<portcullis_core::organization::Organization>;

#[test]
fn two_writers_commit_in_the_order_of_their_numbers_and_no_look_finds_a_hole() {
    on_both("two_writers", async |bench| {
        let root = bench.root().await;
        let node = bench.follow();
        let other = Bench::on_same(bench);
        let looks = async {
            for _ in 0..60 {
                let look = bench
                    .store
                    .read(|it| Ok((it.stamp()?.revision, it.list_audit(Revision(i64::MAX), 100)?)));
                let (revision, entries) = look.await.unwrap();
                let numbers: Vec<_> = entries.into_iter().map(|it| it.revision.0).collect();
                assert_eq!(numbers, (1..=revision.0).rev().collect::<Vec<_>>());
                tokio::task::yield_now().await;
            }
        };
        let applied = async {
            let mut applied = node.follower.applied();
            let mut all = vec![*applied.borrow()];
            while all.last().is_some_and(|last| last.0 < 41) {
                node.follower.wake();
                applied.changed().await.unwrap();
                let now = *applied.borrow_and_update();
                all.push(now);
            }
            all
        };
        let ours = twenty(bench, "ours", root);
        let (ours, theirs, (), applied) =
            tokio::join!(ours, twenty(&other, "theirs", root), looks, applied);
        assert!(applied.is_sorted());
        let mut all = [ours, theirs].concat();
        all.sort_unstable_by_key(|(revision, _)| *revision);
        let numbers: Vec<_> = all.iter().map(|(revision, _)| revision.0).collect();
        assert_eq!(numbers, (2..=41).collect::<Vec<_>>());
        for (revision, id) in all {
            assert_eq!(node.followed.memory.user(id).map(|it| it.version), Some(revision));
        }
    });
}
