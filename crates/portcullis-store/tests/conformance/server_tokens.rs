//! Keys that sign on behalf of many users: their sessions, what they spend, and who answers for them.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use portcullis_core::id::{Id, Revision};
use portcullis_core::limits::Limits;
use portcullis_core::lookup::CredentialLookup as _;
use portcullis_core::organization::State;
use portcullis_core::principal::{ANONYMOUS, Grant, Holder, User};
use portcullis_core::scheme;
use portcullis_core::seal::MasterKey;
use portcullis_core::time::{Clock as _, Timestamp};
use portcullis_store::authority::Authority;
use portcullis_store::credentials::NewCredential;
use portcullis_store::memory::Memory;
use portcullis_store::sessions::{MAX_LIVE, NewSession};
use portcullis_store::{Store, StoreError};

use super::{Bench, root, run, user, write};

fn key(owner: Id<User>, key: &str) -> NewCredential {
    NewCredential {
        scheme: scheme::API_KEY,
        key: key.into(),
        verifier: vec![1; 37],
        owner,
        label: String::new(),
        read_only: false,
        not_before: None,
        expires: None,
        limits: Limits::default(),
    }
}

/// What a node remembers that begins now.
async fn memory(bench: &Bench) -> Memory {
    let memory = Memory::empty(Arc::new(MasterKey::fresh().unwrap())).unwrap();
    let read = |it: &mut portcullis_store::Reading<'_>| {
        Ok((it.changed_since(Revision(0))?, it.list_guards()?))
    };
    let (changes, guards) = bench.store.read(read).await.unwrap();
    memory.apply(&changes, &guards).unwrap();
    memory
}

async fn count(store: &Store, bench: &Bench, owner: Id<User>) -> usize {
    let now = bench.clock.now().wall;
    let all = store.read(|it| it.changed_since(Revision(0))).await.unwrap().sessions;
    let live = |state| state == State::Active;
    all.iter().filter(|it| it.owner == owner && live(it.state) && it.expires > now).count()
}

#[test]
fn each_user_has_sessions_of_their_own_by_one_key() {
    run("sessions_by_user", async |bench| {
        let store = &bench.store;
        let root = root(store).await;
        let made = store.write(write("setup"), move |it| {
            let boss = it.insert_user(&user(root, "boss"))?.id;
            let parent = it.insert_credential(&key(boss, "parent"))?;
            let jane = it.insert_user(&user(root, "jane"))?.id;
            Ok((parent, jane, it.insert_user(&user(root, "zoe"))?.id))
        });
        let (parent, jane, zoe) = made.await.unwrap().value;
        let mint = async |owner: Id<User>, number: i64| {
            let new = NewSession {
                scheme: scheme::AUTHTOKEN,
                key: format!("{owner}{number}"),
                verifier: vec![1; 37],
                owner,
                parent,
                read_only: false,
                expires: Timestamp::MAX,
                idle: Duration::ZERO,
                ends: Timestamp::MAX,
                limits: Limits::default(),
            };
            store.write(write("mint"), move |it| it.insert_session(&new)).await.unwrap();
        };
        mint(jane, 0).await;
        for number in 0..MAX_LIVE + 3 {
            mint(zoe, number).await;
        }
        // Whoever signs in often signs nobody else out.
        assert_eq!(count(store, bench, jane).await, 1);
        assert_eq!(count(store, bench, zoe).await, usize::try_from(MAX_LIVE).unwrap());
    });
}

#[test]
fn a_signature_is_spent_once_and_forgotten_when_it_would_not_count() {
    run("signatures", async |bench| {
        let store = &bench.store;
        let root = root(store).await;
        let made = store.write(write("setup"), move |it| {
            let boss = it.insert_user(&user(root, "boss"))?.id;
            Ok([it.insert_credential(&key(boss, "one"))?, it.insert_credential(&key(boss, "two"))?])
        });
        let [one, two] = made.await.unwrap().value;
        let begun = bench.clock.now().wall;
        let spend = async |key, digest: u8, until| {
            let spent =
                store.write(write("spend"), move |it| it.spend_until(key, [digest; 16], until));
            spent.await.map(drop)
        };
        let soon = begun.plus(Duration::from_secs(60));
        for (key, digest, until) in [(one, 1, begun), (one, 2, soon), (two, 1, soon)] {
            spend(key, digest, until).await.unwrap();
            let again = spend(key, digest, until).await;
            assert!(matches!(again, Err(StoreError::Conflict)), "{again:?}");
        }
        bench.clock.0.store(1, Ordering::Relaxed);
        let now = bench.clock.now().wall;
        assert!(!store.tend(move |it| it.forget_signatures(now)).await.unwrap());
        spend(one, 1, soon).await.unwrap();
        assert!(spend(one, 2, soon).await.is_err() && spend(two, 1, soon).await.is_err());
    });
}

#[test]
fn a_write_on_behalf_of_a_user_is_undone_where_the_owner_of_the_key_lost_a_right() {
    run("key_owners", async |bench| {
        let store = &bench.store;
        let root = root(store).await;
        let made = store.write(write("setup"), move |it| {
            let boss = it.insert_user(&user(root, "boss"))?.id;
            let role = it.insert_role(Some(root), "Signer", &["Users - Sign For"])?;
            let grant = Grant { role, organization: root };
            it.set_grant(Holder::User(boss), grant, State::Active)?;
            let credential = it.insert_credential(&key(boss, "key"))?;
            Ok((boss, grant, credential, it.insert_user(&user(root, "jane"))?.id))
        });
        let made = made.await.unwrap();
        let (boss, grant, credential, jane) = made.value;
        let authority = |decided_at| Authority {
            decided_at,
            credential,
            user: jane,
            organization: root,
            over: jane,
        };
        let holds = async |decided_at| {
            let authority = authority(decided_at);
            store.write(write("uphold"), move |it| it.uphold(&authority)).await.is_ok()
        };
        assert!(holds(made.revision).await);
        let lost = store.write(write("withdraw"), move |it| {
            it.set_grant(Holder::User(boss), grant, State::Deleted)
        });
        let lost = lost.await.unwrap().revision;
        assert!(!holds(made.revision).await, "the owner lost a right since");
        assert!(holds(lost).await);
        let off = store.write(write("off"), move |it| it.set_user_state(boss, State::Disabled));
        let off = off.await.unwrap().revision;
        assert!(!holds(lost).await, "the owner was switched off since");
        assert!(holds(off).await);
    });
}

#[test]
fn a_user_is_found_by_number_until_they_are_deleted() {
    run("numbers", async |bench| {
        let store = &bench.store;
        let root = root(store).await;
        let made = store.write(write("user"), move |it| it.insert_user(&user(root, "jane")));
        let jane = made.await.unwrap().value;
        let memory = self::memory(bench).await;
        assert_eq!(memory.numbered(root, jane.number).unwrap().id, jane.id);
        assert!(memory.numbered(root, ANONYMOUS).unwrap().is_anonymous());
        assert!(memory.numbered(root, 4_711).is_none());
        assert!(memory.numbered(Id::from_bytes([9; 16]), jane.number).is_none());
        let id = jane.id;
        let gone = store.write(write("gone"), move |it| it.set_user_state(id, State::Deleted));
        gone.await.unwrap();
        let memory = self::memory(bench).await;
        assert!(memory.numbered(root, jane.number).is_none());
    });
}
