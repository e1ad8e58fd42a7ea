//! Keys that sign: how they come into memory and go from it, and what the database holds of them.

use std::sync::Arc;
use std::time::Duration;

use portcullis_core::assertion::{Assertion, ISSUER, Line};
use portcullis_core::id::{Id, Revision};
use portcullis_core::seal::{MasterKey, equal};
use portcullis_core::signing::{Drawn, MAX_KEYS, SigningKey, draw};
use portcullis_core::time::{Clock as _, Timestamp};
use portcullis_store::memory::Memory;
use portcullis_store::{Store, StoreError};

use super::{Bench, root, run, write};

/// A node: its memory, and the revision up to which it has followed the feed.
struct Node {
    memory: Memory,
    applied: Revision,
}

impl Node {
    fn new(master: &Arc<MasterKey>) -> Self {
        Self { memory: Memory::empty(Arc::clone(master)).unwrap(), applied: Revision(0) }
    }

    async fn follow(&mut self, store: &Store) -> Result<(), StoreError> {
        let since = self.applied;
        let changes = store.read(move |it| it.changed_since(since)).await?;
        self.memory.apply(&changes, &[])?;
        self.applied = changes.stamp.revision;
        Ok(())
    }

    fn signer(&self, now: Timestamp) -> Option<Id<SigningKey>> {
        self.memory.signing_keys().signer(now).map(|key| key.id)
    }

    fn publishes(&self, id: Id<SigningKey>, now: Timestamp) -> bool {
        self.memory.signing_keys().published(now).contains(&id.to_string())
    }
}

async fn insert(bench: &Bench, drawn: &Drawn, from: Timestamp) -> Result<(), StoreError> {
    let drawn = drawn.clone();
    let done = bench.store.write(write("key"), move |it| it.insert_signing_key(&drawn, from));
    done.await.map(drop)
}

#[test]
fn a_key_signs_on_every_node_until_it_is_deleted() {
    run("signing_keys", async |bench| {
        let (store, now) = (&bench.store, bench.clock.now().wall);
        root(store).await;
        let master = Arc::new(MasterKey::fresh().unwrap());
        let (mut follows, later) = (Node::new(&master), now.plus(Duration::from_secs(1)));
        follows.follow(store).await.unwrap();
        assert!(follows.signer(now).is_none() && follows.memory.signing_keys().is_empty());
        let [one, two] = [(); 2].map(|()| draw(&master, now).unwrap());
        insert(bench, &one, now).await.unwrap();
        insert(bench, &two, later).await.unwrap();
        follows.follow(store).await.unwrap();
        let mut begins = Node::new(&master);
        begins.follow(store).await.unwrap();
        for node in [&follows, &begins] {
            assert_eq!((node.signer(now), node.signer(later)), (Some(one.id), Some(two.id)));
            assert!(node.publishes(one.id, later) && node.publishes(two.id, now));
        }
        let id = one.id;
        store.write(write("delete"), move |it| it.delete_signing_key(id)).await.unwrap();
        follows.follow(store).await.unwrap();
        let mut begins = Node::new(&master);
        begins.follow(store).await.unwrap();
        for node in [&follows, &begins] {
            assert_eq!(node.signer(now), Some(two.id));
            assert!(!node.publishes(one.id, now));
        }
        let again = store.write(write("delete"), move |it| it.delete_signing_key(id)).await;
        assert!(matches!(again, Err(StoreError::NotFound(_))), "{again:?}");
        let left = store.read(|it| it.list_signing_keys()).await.unwrap();
        assert_eq!(left.iter().map(|row| row.drawn.id).collect::<Vec<_>>(), [two.id]);
        let rows = store.read(|it| it.changed_since(Revision(0))).await.unwrap().signing_keys;
        let gone = rows.iter().find(|row| row.drawn.id == one.id).unwrap();
        assert!(gone.drawn.sealed.is_empty() && gone.drawn.public == one.public);
    });
}

#[test]
fn a_key_that_cannot_be_opened_stops_the_node_and_changes_nothing() {
    run("bad_signing_keys", async |bench| {
        let (store, now) = (&bench.store, bench.clock.now().wall);
        root(store).await;
        let master = Arc::new(MasterKey::fresh().unwrap());
        let [good, other] = [(); 2].map(|()| draw(&master, now).unwrap());
        let mut node = Node::new(&master);
        insert(bench, &good, now).await.unwrap();
        node.follow(store).await.unwrap();
        let forged = Drawn { public: other.public.clone(), ..draw(&master, now).unwrap() };
        let strange = draw(&MasterKey::fresh().unwrap(), now).unwrap();
        let moved = Drawn { id: Id::from_bytes([7; 16]), ..other };
        for bad in [forged, strange, moved] {
            insert(bench, &bad, now).await.unwrap();
            assert!(node.follow(store).await.is_err(), "{:?}", bad.id);
            assert_eq!(node.signer(now), Some(good.id));
            assert!(!node.publishes(bad.id, now));
            let id = bad.id;
            store.write(write("delete"), move |it| it.delete_signing_key(id)).await.unwrap();
        }
        node.follow(store).await.unwrap();
    });
}

#[test]
fn only_so_many_keys_count_at_once() {
    run("many_signing_keys", async |bench| {
        let now = bench.clock.now().wall;
        let master = MasterKey::fresh().unwrap();
        let draw = || draw(&master, now).unwrap();
        let first = draw();
        insert(bench, &first, now).await.unwrap();
        for _ in 1..MAX_KEYS {
            insert(bench, &draw(), now).await.unwrap();
        }
        assert!(matches!(insert(bench, &draw(), now).await, Err(StoreError::Full(_))));
        let id = first.id;
        bench.store.write(write("delete"), move |it| it.delete_signing_key(id)).await.unwrap();
        insert(bench, &draw(), now).await.unwrap();
    });
}

#[test]
fn nothing_private_of_a_key_is_in_the_database_in_clear() {
    run("sealed_signing_keys", async |bench| {
        let now = bench.clock.now().wall;
        let master = MasterKey::fresh().unwrap();
        let drawn = draw(&master, now).unwrap();
        insert(bench, &drawn, now).await.unwrap();
        let context = format!("signing_keys.sealed/{}", drawn.id);
        let private = master.open(&drawn.sealed, context.as_bytes()).unwrap();
        // RFC 5915, section 3: the 32 bytes of the private number stand behind their length.
        let at = private.expose().windows(2).position(|it| it == [4, 32]).unwrap() + 2;
        let number = private.expose().get(at..at + 32).unwrap();
        let rows = bench.store.read(|it| it.list_signing_keys()).await.unwrap();
        let row = rows.first().unwrap();
        for column in [&row.drawn.public, &row.drawn.sealed] {
            assert!(column.windows(32).all(|it| !equal(it, number)));
        }
        let audit = bench.store.read(|it| it.list_audit(Revision(i64::MAX), 10)).await.unwrap();
        assert_eq!(audit.len(), 1);
        // What was stored signs.
        let key = SigningKey::open(&row.drawn, row.signs_from, &master).unwrap();
        let asserted = Assertion {
            issuer: ISSUER,
            audience: "a",
            user: None,
            anonymous: true,
            made: now,
            expires: now,
            request: "r",
            scheme: None,
            credential: None,
            organization: None,
            login: None,
            groups: &[],
            request_line: Line { method: "GET", host: "h", path: "/" },
        };
        assert_eq!(asserted.sign(&key).unwrap().split('.').count(), 3);
    });
}
