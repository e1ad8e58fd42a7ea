//! What holds for each resource, whatever the engine.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http::Uri;
use portcullis_core::ability::{Ability, BUILT_IN, OWNER};
use portcullis_core::credential::Credential;
use portcullis_core::guard::{Definition, Kind, Source};
use portcullis_core::id::{Id, Revision};
use portcullis_core::limits::Limits;
use portcullis_core::organization::{MAX_DEPTH, Organization, State};
use portcullis_core::principal::{Grant, Holder, User};
use portcullis_core::scheme::{self, Options};
use portcullis_core::time::{Clock as _, Timestamp};
use portcullis_store::authority::Authority;
use portcullis_store::credentials::{self, NewCredential};
use portcullis_store::organizations::NewOrganization;
use portcullis_store::sessions::{MAX_LIVE, NewSession, SessionRow};
use portcullis_store::store::Written;
use portcullis_store::usage::Usage;
use portcullis_store::users::UserChange;
use portcullis_store::{Store, StoreError};

use crate::{root, run, user, write};

async fn org(store: &Store, parent: Id<Organization>, realm: bool) -> Id<Organization> {
    let new = NewOrganization { parent: Some(parent), name: "Same".into(), realm };
    store.write(write("org"), move |it| it.insert_organization(&new)).await.unwrap().value.id
}

fn key(owner: Id<User>, name: &str) -> NewCredential {
    NewCredential {
        scheme: scheme::API_KEY,
        key: name.into(),
        verifier: vec![1; 37],
        owner,
        label: String::new(),
        read_only: false,
        not_before: None,
        expires: None,
        limits: Limits::default(),
    }
}

#[test]
fn every_realm_begins_with_the_same_two_users_and_its_own_names_and_numbers() {
    run("realms", async |bench| {
        let store = &bench.store;
        let root = root(store).await;
        let realm = org(store, root, true).await;
        let below = org(store, realm, false).await;
        for at in [root, below] {
            let new = user(at, "zoe");
            let made = store.write(write("user"), move |it| it.insert_user(&new)).await.unwrap();
            assert_eq!(made.value.number, 3);
        }
        for at in [root, realm] {
            let users = store.read(move |it| it.list_users(at, 0)).await.unwrap();
            let told: Vec<_> =
                users.iter().map(|it| (it.number, it.login.as_deref(), it.signs_in)).collect();
            let expected =
                [(1, Some("admin"), true), (2, Some("anonymous"), false), (3, Some("zoe"), true)];
            assert_eq!(told, expected);
        }
        let found = store.read(move |it| it.find_user(realm, "zoe")).await.unwrap().unwrap();
        assert_eq!((found.organization, found.realm), (below, realm));
    });
}

#[test]
fn a_tree_is_listed_from_any_place_and_never_shows_what_stands_beside_it() {
    run("tree", async |bench| {
        let store = &bench.store;
        let root = root(store).await;
        let left = org(store, root, false).await;
        let right = org(store, root, false).await;
        let leaf = org(store, left, false).await;
        let list = async |top, after| {
            let page = store.read(move |it| it.list_organizations(top, after, 2)).await.unwrap();
            page.into_iter().map(|it| it.id).collect::<Vec<_>>()
        };
        assert_eq!(list(root, 0).await, [root, left]);
        assert_eq!(list(root, 2).await, [right, leaf]);
        assert_eq!(list(root, 4).await, []);
        assert_eq!(list(left, 0).await, [left, leaf]);
        assert_eq!(list(left, 2).await, [leaf]);
        assert_eq!(list(right, 0).await, [right]);
        assert_eq!(list(right, 3).await, []);
        let find = async |top, number| {
            let found = store.read(move |it| it.find_organization(top, number)).await.unwrap();
            found.map(|it| it.id)
        };
        assert_eq!(find(root, 4).await, Some(leaf));
        assert_eq!(find(left, 4).await, Some(leaf));
        assert_eq!(find(right, 4).await, None);
        assert_eq!(find(left, 1).await, None);
    });
}

#[test]
fn a_tree_grows_to_its_greatest_depth_and_no_deeper() {
    run("depth", async |bench| {
        let mut at = root(&bench.store).await;
        for _ in 1..MAX_DEPTH {
            at = org(&bench.store, at, false).await;
        }
        let new = NewOrganization { parent: Some(at), name: "Deeper".into(), realm: false };
        let made = bench.store.write(write("org"), move |it| it.insert_organization(&new)).await;
        assert!(matches!(made, Err(StoreError::Full(_))), "{made:?}");
    });
}

#[test]
fn an_organization_is_deleted_with_all_that_is_in_it_and_its_names_are_free_again() {
    run("deleted", async |bench| {
        let store = &bench.store;
        let root = root(store).await;
        let tenant = org(store, root, false).await;
        let leaf = org(store, tenant, false).await;
        let definition = Definition {
            kind: Kind::Route,
            name: "orders".into(),
            hosts: vec![],
            prefix: "/".into(),
            upstreams: vec![Uri::from_static("http://127.0.0.1:9")],
            upgrades: vec![],
            identity: vec![],
            assertion: false,
            schemes: vec![(scheme::BASIC, Options::new())],
            networks: None,
            client_certificate: false,
            methods: vec![],
            ability: None,
            pass_credential: false,
            strip_prefix: false,
        };
        let filled = definition.clone();
        store
            .write(write("fill"), move |it| {
                it.insert_user(&user(tenant, "zoe"))?;
                it.insert_guard(tenant, Source::Store, &filled)
            })
            .await
            .unwrap();
        let delete =
            async |id| store.write(write("delete"), move |it| it.delete_organization(id)).await;
        assert!(matches!(delete(tenant).await, Err(StoreError::InUse(_))));
        delete(leaf).await.unwrap();
        delete(tenant).await.unwrap();
        assert!(matches!(delete(tenant).await, Err(StoreError::NotFound(_))));
        assert!(matches!(delete(root).await, Err(StoreError::NotFound(_))));
        assert!(store.read(move |it| it.find_user(root, "zoe")).await.unwrap().is_none());
        assert!(store.read(|it| it.list_guards()).await.unwrap().is_empty());
        let refused = store.write(write("user"), move |it| it.insert_user(&user(tenant, "max")));
        assert!(matches!(refused.await, Err(StoreError::NotFound(_))));
        let again = store.write(write("again"), move |it| {
            it.insert_user(&user(root, "zoe"))?;
            it.insert_guard(root, Source::Store, &definition)
        });
        again.await.unwrap();
    });
}

#[test]
fn an_address_is_unique_in_its_organization_and_an_empty_one_is_none() {
    run("email", async |bench| {
        let store = &bench.store;
        let root = root(store).await;
        let new = |login: &str, email: Option<&str>| {
            let mut new = user(root, login);
            new.email = email.map(Into::into);
            store.write(write("user"), move |it| it.insert_user(&new))
        };
        let zoe = new("zoe", Some("zoe@example.com")).await.unwrap().value.id;
        assert!(matches!(new("max", Some("zoe@example.com")).await, Err(StoreError::Conflict)));
        new("max", None).await.unwrap();
        new("ann", None).await.unwrap();
        let change = UserChange { email: Some(None), name: Some("Zo\u{eb}".into()) };
        store.write(write("change"), move |it| it.update_user(zoe, &change)).await.unwrap();
        let found = store.read(move |it| it.find_user_numbered(root, 3)).await.unwrap().unwrap();
        assert_eq!((found.email, found.name.as_str()), (None, "Zo\u{eb}"));
        new("eve", Some("zoe@example.com")).await.unwrap();
    });
}

#[test]
fn a_role_is_found_from_below_and_a_built_in_one_never_changes() {
    run("roles", async |bench| {
        let store = &bench.store;
        let root = root(store).await;
        let (left, right) = (org(store, root, false).await, org(store, root, false).await);
        let made = store.write(write("roles"), move |it| {
            it.upsert_built_in_roles()?;
            it.insert_role(Some(left), "Reader", &["Orders - Read"])
        });
        let reader = made.await.unwrap().value;
        assert!(store.read(|it| it.has_built_in_roles()).await.unwrap());
        let find = async |at, name: &'static str| {
            store.read(move |it| it.find_role(at, name)).await.unwrap().map(|it| it.id)
        };
        let leaf = org(store, left, false).await;
        assert_eq!(find(left, "Reader").await, Some(reader));
        assert_eq!(find(leaf, "Reader").await, Some(reader));
        assert_eq!(find(right, "Reader").await, None);
        assert_eq!(find(root, "Reader").await, None);
        let owner = find(leaf, OWNER.name).await.unwrap();
        let change = store.write(write("change"), move |it| {
            it.set_role_abilities(owner, &BTreeSet::<Ability>::new())
        });
        assert!(matches!(change.await, Err(StoreError::NotFound(_))));
        let delete = store.write(write("delete"), move |it| it.delete_role(owner));
        assert!(matches!(delete.await, Err(StoreError::NotFound(_))));
        let all = store.read(move |it| it.list_roles(left)).await.unwrap();
        assert_eq!(all.len(), BUILT_IN.len() + 1);
    });
}

#[test]
fn nobody_has_more_than_a_thousand_live_keys_and_those_are_listed_before_the_dead() {
    run("keys", async |bench| {
        let store = &bench.store;
        let new = user(root(store).await, "zoe");
        let made = store.write(write("keys"), move |it| {
            let owner = it.insert_user(&new)?.id;
            let first = it.insert_credential(&key(owner, "first"))?;
            for number in 1..credentials::MAX_LIVE {
                it.insert_credential(&key(owner, &number.to_string()))?;
            }
            Ok((owner, first))
        });
        let (owner, first) = made.await.unwrap().value;
        let one_more =
            || store.write(write("key"), move |it| it.insert_credential(&key(owner, "more")));
        let full = one_more().await;
        assert!(matches!(full, Err(StoreError::Full(_))), "{full:?}");
        let end =
            store.write(write("end"), move |it| it.set_credential_state(first, State::Deleted));
        end.await.unwrap();
        let made = one_more().await.unwrap().value;
        let listed = store.read(move |it| it.list_credentials(owner)).await.unwrap();
        let (dead, living) = listed.split_last().unwrap();
        assert_eq!((dead.id, living.len()), (first, 1_000));
        assert!(living.iter().any(|it| it.id == made));
    });
}

#[test]
fn a_key_is_replaced_as_it_was_seen_once_and_never_after_it_changed() {
    run("rotations", async |bench| {
        let store = &bench.store;
        let new = user(root(store).await, "zoe");
        let made = store.write(write("setup"), move |it| {
            let owner = it.insert_user(&new)?.id;
            Ok((owner, it.insert_credential(&key(owner, "old"))?))
        });
        let (owner, old) = made.await.unwrap().value;
        let row =
            async || store.read(move |it| it.find_credential_row(old)).await.unwrap().unwrap();
        let rotate = |version, name: &str| {
            let new = key(owner, name);
            let overlap = Duration::from_secs(60);
            store.write(write("rotate"), move |it| {
                it.rotate_credential((old, version), &new, overlap)
            })
        };
        let seen = row().await.version;
        let narrow = store.write(write("narrow"), move |it| it.update_key(old, None, true));
        narrow.await.unwrap();
        let stale = rotate(seen, "stale").await;
        assert!(matches!(stale, Err(StoreError::NotFound(_))), "{stale:?}");
        let successor = rotate(row().await.version, "new").await.unwrap().value;
        let rotation = store.read(move |it| it.find_rotation(old)).await.unwrap().unwrap();
        assert_eq!((rotation.successor, rotation.uses), (successor, 0));
        let twice = rotate(row().await.version, "again").await;
        assert!(matches!(twice, Err(StoreError::Conflict)), "{twice:?}");
    });
}

#[test]
fn a_session_ends_with_its_parent_and_the_oldest_of_too_many_makes_room() {
    run("sessions", async |bench| {
        let store = &bench.store;
        let root = root(store).await;
        let now = bench.clock.now().wall;
        let hour = now.plus(Duration::from_secs(3_600));
        let made = store.write(write("setup"), move |it| {
            let owner = it.insert_user(&user(root, "zoe"))?.id;
            let parent = NewCredential { expires: Some(hour), ..key(owner, "parent") };
            Ok((owner, it.insert_credential(&parent)?))
        });
        let (owner, parent) = made.await.unwrap().value;
        let mint = |number: i64| {
            let new = NewSession {
                scheme: scheme::API_KEY,
                key: format!("session{number}"),
                verifier: vec![1; 37],
                owner,
                parent,
                read_only: false,
                expires: Timestamp::MAX,
                idle: Duration::ZERO,
                ends: Timestamp::MAX,
                limits: Limits::default(),
            };
            store.write(write("mint"), move |it| it.insert_session(&new))
        };
        for number in 0..MAX_LIVE + 2 {
            mint(number).await.unwrap();
        }
        let changes = store.read(|it| it.changed_since(Revision(0))).await.unwrap();
        assert!(changes.sessions.iter().all(|it| it.expires == hour));
        let ended: Vec<_> =
            changes.sessions.iter().filter(|it| it.state == State::Deleted).collect();
        let mut ended: Vec<_> = ended.into_iter().map(|it| it.key.as_str()).collect();
        ended.sort_unstable();
        assert_eq!(ended, ["session0", "session1"]);
        assert_eq!(store.read(move |it| it.count_sessions(parent, now)).await.unwrap(), MAX_LIVE);
        let revoke =
            store.write(write("revoke"), move |it| it.set_credential_state(parent, State::Deleted));
        revoke.await.unwrap();
        assert!(matches!(mint(1_000).await, Err(StoreError::NotFound(_))));
    });
}

/// In milliseconds.
const HOUR: i64 = 3_600_000;

/// A session of this name that expires then, and slides by so many milliseconds to its end.
fn sliding(
    owner: Id<User>,
    name: &str,
    expires: Timestamp,
    (idle, ends): (i64, Timestamp),
) -> NewSession {
    NewSession {
        scheme: scheme::SESSION,
        key: name.into(),
        verifier: vec![1; 37],
        owner,
        parent: Id::from_bytes([0; 16]),
        read_only: false,
        expires,
        idle: Duration::from_millis(idle.unsigned_abs()),
        ends,
        limits: Limits::default(),
    }
}

/// Opens the session on a credential of its own.
async fn open_session(
    store: &Store,
    new: NewSession,
    parent_ends: Option<Timestamp>,
) -> Id<Credential> {
    let name = format!("{}-parent", new.key);
    let parent = NewCredential { expires: parent_ends, ..key(new.owner, &name) };
    let made = store.write(write("mint"), move |it| {
        let parent = it.insert_credential(&parent)?;
        it.insert_session(&NewSession { parent, ..new })
    });
    made.await.unwrap().value
}

async fn session_row(store: &Store, id: Id<Credential>) -> SessionRow {
    let all = store.read(|it| it.changed_since(Revision(0))).await.unwrap().sessions;
    all.into_iter().find(|it| it.id == id).unwrap()
}

/// Uses the sessions as they are now.
async fn slide(store: &Store, ids: &[Id<Credential>]) -> Result<Written<u64>, StoreError> {
    let mut used = Vec::new();
    for id in ids {
        used.push((*id, session_row(store, *id).await.version));
    }
    store.write(write("slide"), move |it| it.slide_sessions(&used)).await
}

#[test]
fn a_use_slides_a_session_to_its_end_and_never_one_that_ended_expired_or_moved() {
    run("slides", async |bench| {
        let store = &bench.store;
        let root = root(store).await;
        let begun = bench.clock.now().wall;
        let at = move |hours: i64| Timestamp::from_millis(begun.millis() + hours * HOUR);
        let owner = store.write(write("u"), move |it| it.insert_user(&user(root, "zoe")));
        let owner = owner.await.unwrap().value.id;
        let mint = async |name: &str, idle: i64, parent_ends: Option<Timestamp>| {
            let new = sliding(owner, name, at(1), (idle, at(3)));
            open_session(store, new, parent_ends).await
        };
        let sliding = mint("sliding", HOUR, None).await;
        let bounded = mint("bounded", HOUR, Some(at(2))).await;
        let still = mint("still", 0, None).await;
        let ended = mint("ended", HOUR, None).await;
        store.write(write("end"), move |it| it.end_session(ended)).await.unwrap();

        let row = async |id| session_row(store, id).await;
        let slide = async |ids: &[Id<Credential>]| slide(store, ids).await;
        let all = [sliding, bounded, still, ended];
        let passes = |millis: i64| bench.clock.0.store(millis, Ordering::Relaxed);

        passes(HOUR / 2);
        let slid = slide(&all).await.unwrap();
        assert_eq!(slid.value, 2);
        let half = Timestamp::from_millis(begun.millis() + HOUR / 2 + HOUR);
        for (id, expires, state) in [
            (sliding, half, State::Active),
            (bounded, half, State::Active),
            (still, at(1), State::Active),
            (ended, at(1), State::Deleted),
        ] {
            let row = row(id).await;
            assert_eq!((row.expires, row.state), (expires, state), "{}", row.key);
            assert_eq!(row.version == slid.revision, expires == half, "{}", row.key);
        }

        // What was used at an older version has moved already.
        let stale = (sliding, Revision(slid.revision.0 - 1));
        let again = store.write(write("stale"), move |it| it.slide_sessions(&[stale])).await;
        assert!(matches!(again, Err(StoreError::NotFound(_))), "{again:?}");

        passes(HOUR + HOUR / 4);
        assert_eq!(slide(&all).await.unwrap().value, 2);
        assert_eq!(row(bounded).await.expires, at(2), "no later than its parent");
        passes(2 * HOUR);
        assert_eq!(slide(&all).await.unwrap().value, 1, "expired at this very moment");
        assert_eq!(row(sliding).await.expires, at(3), "its end");
        for millis in [2 * HOUR + HOUR / 2, 3 * HOUR] {
            passes(millis);
            assert!(matches!(slide(&all).await, Err(StoreError::NotFound(_))));
        }
        // A clock that was set back never shortens anything.
        passes(0);
        assert!(matches!(slide(&all).await, Err(StoreError::NotFound(_))));

        let trail = store.read(|it| it.list_audit(Revision(i64::MAX), 100)).await.unwrap();
        assert_eq!(trail.iter().filter(|it| it.action == "slide").count(), 3);
    });
}

#[test]
fn usage_adds_up_and_the_last_use_never_goes_back() {
    run("usage", async |bench| {
        let credential: Id<Credential> = Id::from_bytes([7; 16]);
        for (uses, last) in [(2, 500), (3, 900), (1, 700)] {
            let last_used = Timestamp::from_millis(last);
            let counted = [Usage { credential, last_used, uses }];
            bench.store.tend(move |it| it.add_usage(&counted)).await.unwrap();
        }
        let found = bench.store.read(move |it| it.find_usage(credential)).await.unwrap().unwrap();
        assert_eq!((found.uses, found.last_used), (6, Timestamp::from_millis(900)));
    });
}

/// Rule 9 of `docs/revocation.md`.
#[test]
fn a_write_is_decided_again_if_anything_it_was_decided_from_has_changed() {
    run("uphold", async |bench| {
        let store = &bench.store;
        let root = root(store).await;
        let tenant = org(store, root, false).await;
        let made = store.write(write("setup"), move |it| {
            let owner = it.insert_user(&user(tenant, "zoe"))?.id;
            let role = it.insert_role(None, "Owner", &["Users - Manage"])?;
            let circle = it.insert_group(tenant, "Team")?;
            it.set_member(owner, circle, State::Active)?;
            let held = Grant { role, organization: tenant };
            it.set_grant(Holder::Group(circle), held, State::Active)?;
            let parent = it.insert_credential(&key(owner, "parent"))?;
            let session = it.insert_session(&NewSession {
                scheme: scheme::API_KEY,
                key: "session".into(),
                verifier: vec![1; 37],
                owner,
                parent,
                read_only: false,
                expires: Timestamp::MAX,
                idle: Duration::ZERO,
                ends: Timestamp::MAX,
                limits: Limits::default(),
            })?;
            Ok((owner, circle, held, parent, session))
        });
        let made = made.await.unwrap();
        let (owner, circle, held, parent, session) = made.value;
        let try_at = async |decided_at| {
            let (user, organization) = (owner, tenant);
            let authority =
                Authority { decided_at, credential: session, user, organization, over: user };
            store.write(write("try"), move |it| it.uphold(&authority)).await
        };
        let mut decided = made.revision;
        try_at(decided).await.unwrap();
        let others = store.write(write("other"), move |it| it.insert_user(&user(root, "max")));
        others.await.unwrap();
        try_at(decided).await.unwrap();
        type Change =
            Box<dyn FnOnce(&mut portcullis_store::Writing<'_>) -> Result<(), StoreError> + Send>;
        let changes: [Change; 7] = [
            Box::new(move |it| it.set_user_state(owner, State::Active)),
            Box::new(move |it| it.set_organization_state(root, State::Active)),
            Box::new(move |it| it.set_organization_state(tenant, State::Active)),
            Box::new(move |it| it.set_credential_state(parent, State::Active)),
            Box::new(move |it| it.set_member(owner, circle, State::Active)),
            Box::new(move |it| it.set_grant(Holder::Group(circle), held, State::Active)),
            Box::new(move |it| it.end_session(session)),
        ];
        for change in changes {
            let changed = store.write(write("change"), change).await.unwrap().revision;
            assert!(matches!(try_at(decided).await, Err(StoreError::Changed)));
            try_at(changed).await.unwrap();
            decided = changed;
        }
    });
}
