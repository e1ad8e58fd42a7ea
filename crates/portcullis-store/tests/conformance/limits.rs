//! Where single credentials count, and which replaced which.

use std::sync::Arc;
use std::time::Duration;

use portcullis_core::credential::Credential;
use portcullis_core::id::{Id, Revision};
use portcullis_core::limits::{Limits, MAX_GUARDS};
use portcullis_core::lookup::CredentialLookup as _;
use portcullis_core::organization::State;
use portcullis_core::policy::Networks;
use portcullis_core::scheme;
use portcullis_core::seal::MasterKey;
use portcullis_core::time::{Clock as _, Timestamp};
use portcullis_store::StoreError;
use portcullis_store::credentials::{CredentialRow, NewCredential};
use portcullis_store::memory::Memory;
use portcullis_store::sessions::NewSession;
use portcullis_store::usage::Usage;

use crate::{Bench, root, run, user, write};

const HOUR: Duration = Duration::from_secs(3_600);
/// What checks nothing, in its stored form.
const VERIFIER: [u8; 37] = [1; 37];

fn near() -> Limits {
    let networks = Networks::new(&["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()]);
    Limits { networks: Some(networks.unwrap()), guards: None }
}

fn at(guards: usize) -> Limits {
    let ids = (0..guards).map(|number| Id::from_bytes([u8::try_from(number).unwrap(); 16]));
    Limits { networks: None, guards: Some(ids.collect()) }
}

/// A key of somebody of this name.
async fn made(
    bench: &Bench,
    name: &'static str,
    limits: Limits,
    expires: Option<Timestamp>,
) -> Result<NewCredential, StoreError> {
    let root = match bench.store.read(|it| it.find_root()).await? {
        Some(root) => root.id,
        None => root(&bench.store).await,
    };
    let insert = bench.store.write(write("key"), move |it| {
        let new = NewCredential {
            scheme: scheme::API_KEY,
            key: name.into(),
            verifier: VERIFIER.to_vec(),
            owner: it.insert_user(&user(root, name))?.id,
            label: String::new(),
            read_only: false,
            not_before: None,
            expires,
            limits: limits.clone(),
        };
        it.insert_credential(&new)?;
        Ok(new)
    });
    Ok(insert.await?.value)
}

async fn row(bench: &Bench, name: &'static str) -> CredentialRow {
    let found = bench.store.read(move |it| it.find_credential(scheme::API_KEY, name)).await;
    found.unwrap().unwrap()
}

async fn id(bench: &Bench, name: &'static str) -> Id<Credential> {
    row(bench, name).await.id
}

/// What the memory of a node that begins now has of the key.
async fn remembered(bench: &Bench, name: &'static str) -> (bool, Option<Arc<Limits>>) {
    let memory = Memory::empty(Arc::new(MasterKey::fresh().unwrap())).unwrap();
    let (changes, guards) = bench
        .store
        .read(|it| Ok((it.changed_since(Revision(0))?, it.list_guards()?)))
        .await
        .unwrap();
    memory.apply(&changes, &guards).unwrap();
    let credential = memory.credential(scheme::API_KEY, name).unwrap();
    (credential.limited, memory.limits(credential.id))
}

#[test]
fn limits_come_with_their_credential_and_change_with_it() {
    run("limits", async |bench| {
        for (name, limits) in [("free", Limits::default()), ("near", near()), ("at", at(2))] {
            made(bench, name, limits.clone(), None).await.unwrap();
            let told = remembered(bench, name).await;
            let expected = (!limits.is_empty()).then(|| Arc::new(limits.clone()));
            assert_eq!(told, (!limits.is_empty(), expected), "{name}");
        }
        let free = id(bench, "free").await;
        let limit = |limits: Limits| {
            bench.store.write(write("limit"), move |it| it.set_credential_limits(free, &limits))
        };
        limit(near()).await.unwrap();
        assert_eq!(remembered(bench, "free").await, (true, Some(Arc::new(near()))));
        limit(Limits::default()).await.unwrap();
        assert!(!remembered(bench, "free").await.0);
        let revoke = move |it: &mut portcullis_store::Writing<'_>| {
            it.set_credential_state(free, State::Deleted)
        };
        bench.store.write(write("revoke"), revoke).await.unwrap();
        assert!(matches!(limit(near()).await, Err(StoreError::NotFound(_))));
    });
}

#[test]
fn a_credential_is_limited_to_so_many_guards_and_no_more() {
    run("limits_bound", async |bench| {
        made(bench, "most", at(MAX_GUARDS), None).await.unwrap();
        let more = made(bench, "more", at(MAX_GUARDS + 1), None).await;
        assert!(matches!(more, Err(StoreError::Full(_))), "{more:?}");
    });
}

#[test]
fn what_is_minted_has_limits_of_its_own_and_knows_when_it_was_made() {
    run("limits_minted", async |bench| {
        let parent = made(bench, "parent", near(), None).await.unwrap();
        let paid = id(bench, "parent").await;
        let mint = bench.store.write(write("mint"), move |it| {
            it.insert_session(&NewSession {
                scheme: scheme::BEARER,
                key: "token".into(),
                verifier: VERIFIER.to_vec(),
                owner: parent.owner,
                parent: paid,
                read_only: false,
                expires: Timestamp::MAX,
                idle: Duration::ZERO,
                ends: Timestamp::MAX,
                limits: at(1),
            })
        });
        mint.await.unwrap();
        let changes = bench.store.read(|it| it.changed_since(Revision(0))).await.unwrap();
        let [session] = changes.sessions.as_slice() else { panic!("not one session") };
        assert_eq!((&session.limits, session.created), (&at(1), bench.clock.now().wall));
        let memory = Memory::empty(Arc::new(MasterKey::fresh().unwrap())).unwrap();
        memory.apply(&changes, &[]).unwrap();
        let token = memory.credential(scheme::BEARER, "token").unwrap();
        assert_eq!((token.limited, token.minted), (true, bench.clock.now().wall));
        assert_eq!(memory.limits(token.id), Some(Arc::new(at(1))));
    });
}

#[test]
fn a_replaced_credential_counts_for_the_overlap_and_no_longer_than_it_would_have() {
    run("rotations", async |bench| {
        let now = bench.clock.now().wall;
        for (name, next, expires, ends) in [
            ("open", "open2", None, now.plus(HOUR)),
            ("long", "long2", Some(now.plus(HOUR * 2)), now.plus(HOUR)),
            ("short", "short2", Some(now.plus(HOUR / 2)), now.plus(HOUR / 2)),
        ] {
            let new = made(bench, name, near(), expires).await.unwrap();
            let CredentialRow { id: old, version, .. } = row(bench, name).await;
            let seen = (old, version);
            let used = Usage { credential: old, last_used: now, uses: 7 };
            bench.store.tend(move |it| it.add_usage(&[used])).await.unwrap();
            let new = NewCredential { key: next.into(), ..new };
            let rotate = || {
                let new = new.clone();
                bench.store.write(write("rotate"), move |it| it.rotate_credential(seen, &new, HOUR))
            };
            let successor = rotate().await.unwrap().value;
            let row = bench.store.read(move |it| it.find_credential_row(old)).await.unwrap();
            assert_eq!(row.unwrap().expires, Some(ends), "{name}");
            let rotation = bench.store.read(move |it| it.find_rotation(old)).await.unwrap();
            let rotation = rotation.unwrap();
            assert_eq!((rotation.successor, rotation.uses), (successor, 7), "{name}");
            assert!(rotate().await.is_err(), "{name} is replaced once");
        }
        let standing = bench.store.read(move |it| it.list_rotations(now)).await.unwrap();
        assert_eq!(standing.len(), 3);
        assert_eq!(standing[0].credential, id(bench, "short").await, "the first to end");
        let later = now.plus(HOUR);
        let standing = bench.store.read(move |it| it.list_rotations(later)).await.unwrap();
        assert!(standing.is_empty(), "{standing:?}");
    });
}

#[test]
fn what_is_not_active_is_not_replaced() {
    run("rotations_dead", async |bench| {
        let new = made(bench, "dead", Limits::default(), None).await.unwrap();
        let old = id(bench, "dead").await;
        for state in [State::Disabled, State::Deleted] {
            let switch =
                bench.store.write(write("state"), move |it| it.set_credential_state(old, state));
            switch.await.unwrap();
            let new = NewCredential { key: "next".into(), ..new.clone() };
            let old = (old, row(bench, "dead").await.version);
            let rotate =
                bench.store.write(write("rotate"), move |it| it.rotate_credential(old, &new, HOUR));
            assert!(matches!(rotate.await, Err(StoreError::NotFound(_))));
        }
        let next = bench.store.read(|it| it.find_credential(scheme::API_KEY, "next")).await;
        assert!(next.unwrap().is_none(), "nothing of it stays");
    });
}
