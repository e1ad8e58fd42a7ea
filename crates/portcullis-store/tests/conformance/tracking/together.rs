//! Many who tell of the same subjects at once, on one node and on two.
#![expect(clippy::indexing_slicing, reason = "a test may fail loudly")]

use std::collections::BTreeSet;
use std::sync::Arc;

use portcullis_core::secret::SecretBuf;
use portcullis_core::subject::{Claims, SubjectKind};
use portcullis_core::tracking::Entry;
use portcullis_store::tracking::{Batch, Source};
use portcullis_store::{Store, Target};
use serde_json::json;

use super::{find, known, source, tell, track, traits, user};
use crate::{Hand, run, target};

/// So many tell at once.
const TELLERS: usize = 8;
/// Each so many batches.
const BATCHES: usize = 20;
/// Of so many subjects.
const SUBJECTS: usize = 5;

/// What one teller tells: each subject counted up by one, under names that others use too.
fn batch(teller: usize, number: usize) -> Vec<(Claims, Entry)> {
    let mut entries = Vec::new();
    for subject in 0..SUBJECTS {
        let names = match (teller + number) % 3 {
            0 => format!("e:{subject}"),
            1 => format!("e:{subject} m:{subject}@x.com"),
            _ => format!("e:{subject} a:{subject}-{teller}-{number}"),
        };
        let inc = json!({ "n": { "operation": "inc", "value": 1 } });
        entries.push((user(&names), traits(inc)));
        let event = json!({ "event": "e", "event_id": format!("{teller}-{number}") });
        entries.push((user(&names), track(event)));
    }
    entries
}

/// All that one teller tells, and tells again; how many batches were not applied before.
async fn tell_each(stores: [Arc<Store>; 2], source: Source, teller: usize) -> usize {
    let mut first = 0;
    for number in 0..BATCHES {
        let digest = u128::try_from(teller * BATCHES + number).unwrap().to_be_bytes();
        let entries = batch(teller, number);
        let told = Batch { source, receipt: Some(digest), entries, partial: false };
        first += usize::from(!stores[0].track(told.clone()).await.unwrap().repeated);
        assert!(stores[1].track(told).await.unwrap().repeated);
    }
    first
}

/// Everything that `tellers` tell through `stores` in turn; who is there twice has a twin, who tells
/// the same at once.
async fn tell_all(stores: &[Arc<Store>], tellers: impl Iterator<Item = usize>) {
    let source = source(&stores[0]).await;
    let mut tasks = tokio::task::JoinSet::new();
    for teller in tellers {
        let turn = tasks.len();
        let pair = [turn, turn + 1].map(|it| Arc::clone(&stores[it % stores.len()]));
        tasks.spawn(tell_each(pair, source, teller));
    }
    let applied: usize = tasks.join_all().await.into_iter().sum();
    assert_eq!(applied, TELLERS * BATCHES, "each batch once");
    let organization = source.organization;
    let mut ids = BTreeSet::new();
    for subject in 0..SUBJECTS {
        let found = find(&stores[0], SubjectKind::User, &format!("e:{subject}")).await.unwrap();
        assert_eq!(known(&found), json!({ "n": TELLERS * BATCHES }), "no update is lost");
        ids.insert(found.id);
        for called in &found.identifiers {
            let called = called.clone();
            let holder =
                stores[0].read(move |it| it.find_named(organization, SubjectKind::User, &called));
            assert_eq!(holder.await.unwrap().map(|it| it.id), Some(found.id));
        }
        let id = found.id;
        let told = stores[0].read(move |it| it.list_events(organization, id, None, 1_000)).await;
        assert_eq!(told.unwrap().len(), TELLERS * BATCHES, "each event once");
    }
    let all = stores[0]
        .read(move |it| it.export_subjects(organization, SubjectKind::User, None, 1_000))
        .await;
    assert_eq!(all.unwrap().iter().map(|it| it.id).collect::<BTreeSet<_>>(), ids, "none twice");
}

/// On SQLite, and on one node and two of PostgreSQL.
#[expect(clippy::needless_pass_by_value, reason = "a closure written where it is passed")]
fn on_nodes(name: &str, test: impl AsyncFn(&[Arc<Store>])) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for (engine, nodes) in [("sqlite", 1), ("postgresql", 1), ("postgresql", 2)] {
        let folder = tempfile::tempdir().unwrap();
        let name = format!("tracking_{name}{nodes}");
        let Some(target) = target(engine, &name, folder.path()) else { continue };
        let again = || match &target {
            Target::Postgres(url) => Target::Postgres(SecretBuf::new(url.expose_text())),
            Target::Sqlite(folder) => Target::Sqlite(folder.clone()),
        };
        let open = |_| Arc::new(Store::open(again(), Arc::new(Hand::default())).unwrap());
        let stores: Vec<_> = (0..nodes).map(open).collect();
        runtime.block_on(test(&stores));
    }
}

#[test]
fn what_many_tell_of_the_same_subjects_adds_up() {
    on_nodes("together", async |stores| tell_all(stores, 0..TELLERS).await);
}

#[test]
fn what_two_tell_at_once_is_told_once() {
    // Apart from the others: who waits for a twin's receipt does nothing else at the same time.
    let twins = || (0..TELLERS).flat_map(|teller| [teller, teller]);
    on_nodes("twins", async |stores| tell_all(stores, twins()).await);
}

#[test]
fn those_who_meet_at_once_become_one() {
    run("tracking_meet", async |bench| {
        let store = &bench.store;
        let told = (0..30).map(|number| {
            let names = format!("a:{number} a:{}", (number + 1) % 30);
            tell(store, vec![(user(&names), traits(json!({ number.to_string(): 1 })))])
        });
        let mut all = Vec::new();
        for one in told {
            all.push(one.await.unwrap());
        }
        assert!(all.iter().all(|it| it.applied == 1));
        let one = find(store, SubjectKind::User, "a:0").await.unwrap();
        assert_eq!((one.identifiers.len(), one.traits.len()), (30, 30));
    });
}
