//! The store itself: revisions, batches, sealing, and the memory that follows.

use std::sync::Arc;

use portcullis_core::id::{Id, Revision};
use portcullis_core::limits::Limits;
use portcullis_core::lookup::CredentialLookup as _;
use portcullis_core::organization::State;
use portcullis_core::principal::{Grant, Holder};
use portcullis_core::scheme;
use portcullis_core::seal::{MasterKey, Pepper, PepperId, Peppers};
use portcullis_core::time::Clock as _;
use portcullis_store::StoreError;
use portcullis_store::credentials::NewCredential;
use portcullis_store::memory::{Followed, Follower, Lease, Memory};

use crate::{new_root, root, run, user, write};

#[test]
fn revisions_have_no_gaps_and_a_failed_write_changes_nothing() {
    run("gaps", async |bench| {
        let store = &bench.store;
        let root = root(store).await;
        let first =
            store.write(write("a"), move |it| it.insert_user(&user(root, "a"))).await.unwrap();
        let taken = store.write(write("b"), move |it| it.insert_user(&user(root, "a"))).await;
        assert!(matches!(taken, Err(StoreError::Conflict)), "{taken:?}");
        let half = store.write(write("c"), move |it| {
            it.insert_user(&user(root, "half"))?;
            Err::<(), _>(StoreError::Busy)
        });
        assert!(half.await.is_err());
        let next =
            store.write(write("d"), move |it| it.insert_user(&user(root, "b"))).await.unwrap();
        assert_eq!(next.revision, Revision(first.revision.0 + 1));
        let users = store.read(move |it| it.list_users(root, 0)).await.unwrap();
        let logins: Vec<_> = users.iter().map(|it| (it.number, it.login.as_deref())).collect();
        let expected = [(1, "admin"), (2, "anonymous"), (3, "a"), (4, "b")];
        assert_eq!(logins, expected.map(|(number, login)| (number, Some(login))));
        let audit = store.read(|it| it.list_audit(Revision(i64::MAX), 10)).await.unwrap();
        let actions: Vec<_> = audit.iter().map(|it| it.action.as_str()).collect();
        assert_eq!(actions, ["d", "a", "org"]);
    });
}

#[test]
fn a_write_that_breaks_loses_its_own_answer_and_nothing_else() {
    run("breaks", async |bench| {
        let broken = bench
            .store
            .write(write("break"), |_| -> Result<(), StoreError> { panic!("on purpose") });
        assert!(matches!(broken.await, Err(StoreError::Stopped)));
        root(&bench.store).await;
    });
}

#[test]
fn writes_that_queue_together_each_get_a_number_of_their_own() {
    run("batch", async |bench| {
        let root = root(&bench.store).await;
        let mut all = Vec::new();
        for number in 0..100 {
            let new = user(root, &format!("user{number}"));
            all.push(bench.store.write(write("many"), move |it| it.insert_user(&new)));
        }
        let mut seen = Vec::new();
        for one in all {
            seen.push(one.await.unwrap().revision.0);
        }
        seen.sort_unstable();
        assert_eq!(seen, (2..102).collect::<Vec<_>>());
    });
}

#[test]
fn the_pepper_is_drawn_once_and_opens_with_its_master_key_alone() {
    run("pepper", async |bench| {
        let key = MasterKey::draw().unwrap();
        let key = MasterKey::parse(key.expose_text()).unwrap();
        let first = bench.store.open_peppers(&key).await.unwrap();
        let again = bench.store.open_peppers(&key).await.unwrap();
        assert_eq!(first.current().key.digest(&[b"x"]), again.current().key.digest(&[b"x"]));
        let other = MasterKey::draw().unwrap();
        let other = MasterKey::parse(other.expose_text()).unwrap();
        assert!(matches!(bench.store.open_peppers(&other).await, Err(StoreError::Seal { .. })));
    });
}

#[test]
#[expect(clippy::too_many_lines, reason = "one story, told from its beginning to its end")]
fn memory_follows_every_change_and_the_lease_ends_with_the_follower() {
    run("memory", async |bench| {
        let store = &bench.store;
        let peppers = Peppers::new(Pepper::new(PepperId(1), &[1; 32]), vec![]);
        let issue = scheme::ALL.iter().find_map(|kind| kind.issue).unwrap();
        let issued = issue(&peppers).unwrap();
        let (key, verifier) = (issued.key.clone(), issued.verifier.to_bytes().to_vec());
        let made = store.write(write("setup"), move |it| {
            let root = it.insert_organization(&new_root())?.id;
            let owner = it.insert_user(&user(root, "owner"))?.id;
            let role = it.insert_role(None, "Owner", &["Users - Manage"])?;
            it.set_grant(Holder::User(owner), Grant { role, organization: root }, State::Active)?;
            let id = it.insert_credential(&NewCredential {
                scheme: scheme::API_KEY,
                key: issued.key,
                verifier,
                owner,
                label: String::new(),
                read_only: false,
                not_before: None,
                expires: None,
                limits: Limits {
                    networks: None,
                    guards: Some(Box::from([Id::from_bytes([7; 16])])),
                },
            })?;
            Ok((root, owner, role, id))
        });
        let (root, owner, role, id) = made.await.unwrap().value;
        let followed = Arc::new(Followed {
            memory: Arc::new(Memory::empty(Arc::new(MasterKey::fresh().unwrap())).unwrap()),
            lease: Lease::none(),
        });
        let follower = Follower::start(store, &followed, bench.clock.clone(), "test").unwrap();
        let memory = &*followed.memory;
        assert_eq!(memory.credential(scheme::API_KEY, &key).unwrap().owner, owner);
        assert!(memory.named(root, "owner").unwrap().may("Users - Manage", root, memory));
        assert!(followed.lease.check(bench.clock.now()).is_ok());

        let mut applied = follower.applied();
        for (state, expected) in [
            (State::Disabled, State::Disabled),
            (State::Active, State::Active),
            (State::Deleted, State::Deleted),
        ] {
            let done = store.write(write("key"), move |it| it.set_credential_state(id, state));
            let revision = done.await.unwrap().revision;
            follower.wake();
            applied.wait_for(|now| *now >= revision).await.unwrap();
            let found = memory.credential(scheme::API_KEY, &key).unwrap();
            assert_eq!(found.state, expected);
            assert_eq!(
                memory.limits(id).is_some(),
                expected != State::Deleted,
                "what is gone takes no room"
            );
        }
        let grant = Grant { role, organization: root };
        let done = store.write(write("role"), move |it| {
            it.set_grant(Holder::User(owner), grant, State::Deleted)?;
            it.set_user_state(owner, State::Disabled)
        });
        let revision = done.await.unwrap().revision;
        follower.wake();
        applied.wait_for(|now| *now >= revision).await.unwrap();
        let user = memory.user(owner).unwrap();
        assert_eq!((user.state, user.grants.len()), (State::Disabled, 0));
        let nodes = store.read(|it| it.list_nodes()).await.unwrap();
        assert_eq!(nodes.len(), 1);
        assert_eq!(nodes.first().unwrap().applied, revision);

        drop(follower);
        assert!(followed.lease.check(bench.clock.now()).is_err());
        assert!(store.read(|it| it.list_nodes()).await.unwrap().is_empty());
    });
}
