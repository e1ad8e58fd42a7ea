//! What connectors tell, as it is kept and read back.

mod attacks;
mod model;
mod together;

use portcullis_core::credential::Credential;
use portcullis_core::id::Id;
use portcullis_core::json;
use portcullis_core::subject::{Claims, Identifier, IdentifierKind, Named, SubjectId, SubjectKind};
use portcullis_core::time::Timestamp;
use portcullis_core::tracking::{BadEntry, Entry, MAX_KEPT_IDENTIFIERS, MAX_TRAIT_VALUE};
use portcullis_store::organizations::NewOrganization;
use portcullis_store::tracking::{
    BadAt, Batch, Filter, MAX_DELETED, MAX_MOVED, Outcome, Search, Source, Subject, TrackError,
};
use portcullis_store::{Store, StoreError};
use serde_json::{Value, json};

use crate::{new_root, root, run, write};

/// `e:` external id, `m:` e-mail, `d:` domain, `a:` anonymous id.
pub(crate) fn name(text: &str) -> Identifier {
    let (kind, value) = text.split_once(':').unwrap();
    let kind = match kind {
        "a" => IdentifierKind::AnonymousId,
        "d" => IdentifierKind::Domain,
        "e" => IdentifierKind::ExternalId,
        _ => IdentifierKind::Email,
    };
    Identifier::new(kind, value).unwrap()
}

fn named(text: &str) -> Named {
    Named { id: None, identifiers: text.split_whitespace().map(name).collect() }
}

/// On behalf of the user of these names.
pub(crate) fn user(names: &str) -> Claims {
    Claims {
        kind: SubjectKind::User,
        user: Some(named(names)),
        account: None,
        create: true,
        admin: false,
        not_before: Timestamp::MIN,
        expires: Timestamp::MAX,
    }
}

/// On behalf of the account of these names.
fn account(names: &str) -> Claims {
    let user = user(names);
    Claims { kind: SubjectKind::Account, account: user.user, user: None, ..user }
}

fn both(kind: SubjectKind, names: &str, account: &str) -> Claims {
    Claims { kind, account: Some(named(account)), ..user(names) }
}

pub(crate) fn traits(body: Value) -> Entry {
    Entry::parse("traits", body).unwrap()
}

fn track(body: Value) -> Entry {
    Entry::parse("track", body).unwrap()
}

fn alias(kind: &str, id: &str) -> Entry {
    Entry::parse(kind, json!({ "anonymous_id": id })).unwrap()
}

pub(crate) const CONNECTOR: [u8; 16] = [3; 16];

pub(crate) async fn source(store: &Store) -> Source {
    let organization = match store.read(|it| it.find_root()).await.unwrap() {
        Some(root) => root.id,
        None => root(store).await,
    };
    Source { organization, connector: Id::<Credential>::from_bytes(CONNECTOR) }
}

pub(crate) async fn tell(
    store: &Store,
    entries: Vec<(Claims, Entry)>,
) -> Result<Outcome, TrackError> {
    let source = source(store).await;
    store.track(Batch { source, receipt: None, entries, partial: false }).await
}

async fn tell_one(store: &Store, claims: Claims, entry: Entry) {
    let outcome = tell(store, vec![(claims, entry)]).await.unwrap();
    assert_eq!(outcome, Outcome { applied: 1, ..Outcome::default() });
}

/// Who is called this.
pub(crate) async fn find(store: &Store, kind: SubjectKind, called: &str) -> Option<Subject> {
    let (organization, called) = (source(store).await.organization, name(called));
    store.read(move |it| it.find_named(organization, kind, &called)).await.unwrap()
}

async fn person(store: &Store, called: &str) -> Subject {
    find(store, SubjectKind::User, called).await.unwrap()
}

pub(crate) fn known(subject: &Subject) -> Value {
    json::parse(&subject.traits.to_json()).unwrap()
}

/// The names of what `subject` did, the latest first.
async fn events(store: &Store, subject: SubjectId) -> Vec<String> {
    let organization = source(store).await.organization;
    let listed =
        store.read(move |it| it.list_events(organization, subject, None, 1_000)).await.unwrap();
    listed.into_iter().map(|it| it.name).collect()
}

async fn count(store: &Store, kind: SubjectKind) -> u64 {
    let organization = source(store).await.organization;
    let search = Search { kind, filter: None, skip: 0, top: 0 };
    store.read(move |it| it.list_subjects(organization, &search)).await.unwrap().total
}

#[test]
fn what_was_told_is_read_back() {
    run("tracking_back", async |bench| {
        let store = &bench.store;
        let told = vec![
            (user("e:1 m:bob@bob.com"), traits(json!({ "name": "Bob", "n": 1, "plan": null }))),
            (user("m:Bob@bob.com"), traits(json!({ "n": { "operation": "inc", "value": 2 } }))),
            (
                user("e:1"),
                track(json!({
                    "event": "Viewed", "event_id": "1", "properties": { "p": 1 }, "url": "/a",
                })),
            ),
            (user("e:1"), track(json!({ "event": "Earlier", "created_at": 1_600_000_000 }))),
            (user("e:1"), track(json!({ "event": "Bought" }))),
            (user("e:1"), alias("alias", "s:1")),
        ];
        assert_eq!(tell(store, told).await.unwrap().applied, 6);
        let bob = person(store, "a:s:1").await;
        assert_eq!(known(&bob), json!({ "name": "Bob", "n": 3 }));
        let names: Vec<_> = ["a:s:1", "m:bob@bob.com", "e:1"].map(name).to_vec();
        assert_eq!(bob.identifiers, names);
        assert_eq!(events(store, bob.id).await, ["Bought", "Viewed", "Earlier"]);

        let source = source(store).await;
        let all =
            move |after| store.read(move |it| it.export_events(source.organization, after, 2));
        let mut told = all(None).await.unwrap();
        told.extend(all(Some(told[1].id)).await.unwrap());
        let order: Vec<_> = told.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(order, ["Viewed", "Earlier", "Bought"], "in the order of their telling");
        let viewed = &told[0];
        assert_eq!(viewed.properties.get(), r#"{"p":1}"#);
        assert_eq!(viewed.context.get(), r#"{"url":"/a"}"#);
        assert_eq!((viewed.subject, viewed.connector), (bob.id, source.connector));
        assert_eq!(viewed.event_id.as_deref(), Some("1"));

        tell_one(store, user("e:1"), alias("unalias", "s:1")).await;
        assert!(find(store, SubjectKind::User, "a:s:1").await.is_none());
        tell_one(store, user("e:1"), traits(json!({ "name": null }))).await;
        assert_eq!(known(&person(store, "e:1").await), json!({ "n": 3 }));
    });
}

#[test]
fn events_are_paged_from_the_latest_on() {
    run("tracking_pages", async |bench| {
        let store = &bench.store;
        let told: Vec<_> = (0..7)
            .map(|it| {
                // Some of the same moment.
                let body = json!({ "event": it.to_string(), "created_at": 1_000 + it / 2 });
                (user("e:1"), track(body))
            })
            .collect();
        tell(store, told).await.unwrap();
        let (one, organization) = (person(store, "e:1").await.id, source(store).await.organization);
        let (mut seen, mut before) = (Vec::new(), None);
        loop {
            let page = store.read(move |it| it.list_events(organization, one, before, 2)).await;
            let page = page.unwrap();
            before = page.last().map(|it| (it.moment, it.id));
            if page.is_empty() {
                break;
            }
            seen.extend(page.into_iter().map(|it| it.name));
        }
        assert_eq!(seen, ["6", "5", "4", "3", "2", "1", "0"]);
    });
}

#[test]
fn what_is_told_twice_happened_once() {
    run("tracking_twice", async |bench| {
        let store = &bench.store;
        let source = source(store).await;
        let entries = vec![
            (user("e:1"), traits(json!({ "n": { "operation": "inc", "value": 1 } }))),
            (user("e:1"), track(json!({ "event": "a", "event_id": "1" }))),
            (user("e:1"), track(json!({ "event": "anonymous" }))),
        ];
        let batch = Batch { source, receipt: Some([7; 16]), entries, partial: false };
        assert_eq!(store.track(batch.clone()).await.unwrap().applied, 3);
        let again = store.track(batch.clone()).await.unwrap();
        assert_eq!(again, Outcome { repeated: true, ..Outcome::default() });
        let elsewhere = Source { connector: Id::from_bytes([4; 16]), ..source };
        let other = Batch { source: elsewhere, ..batch.clone() };
        assert!(!store.track(other).await.unwrap().repeated, "another connector's");
        let one = person(store, "e:1").await;
        assert_eq!(known(&one), json!({ "n": 2 }));
        assert_eq!(events(store, one.id).await, ["anonymous", "anonymous", "a"]);

        let before = one.created;
        let forget = move |limit| {
            store.tend(move |it| {
                it.forget_receipts(before.plus(std::time::Duration::from_millis(1)), limit)
            })
        };
        let none = store.tend(move |it| it.forget_receipts(before, 10)).await.unwrap();
        assert_eq!(none, 0, "not old enough");
        assert_eq!((forget(1).await.unwrap(), forget(5).await.unwrap()), (1, 1));
        assert!(!store.track(batch).await.unwrap().repeated, "forgotten");
    });
}

#[test]
fn a_batch_is_applied_whole_or_not_at_all_unless_it_may_be_in_part() {
    run("tracking_whole", async |bench| {
        let store = &bench.store;
        let source = source(store).await;
        tell_one(store, user("e:1"), traits(json!({ "n": 1.7e308 }))).await;
        let far = json!({ "n": { "operation": "inc", "value": 1.7e308 } });
        let entries = vec![
            (user("e:2 a:2"), traits(json!({ "ok": true }))),
            (user("e:1 a:1"), traits(far)),
            (account("d:one"), track(json!({ "event": "e" }))),
            (user("e:1"), track(json!({ "event": "e" }))),
        ];
        let batch = Batch { source, receipt: Some([1; 16]), entries, partial: false };
        let bad = [
            (1, BadEntry::Overgrown(portcullis_core::tracking::Overgrown::Number)),
            (2, BadEntry::AccountEvent),
        ];
        let bad = bad.map(|(index, reason)| BadAt { index, reason }).to_vec();
        let told = store.track(batch.clone()).await;
        let Err(TrackError::Bad(found)) = told else { panic!("{told:?}") };
        assert_eq!(found, bad);
        assert!(find(store, SubjectKind::User, "e:2").await.is_none());
        assert!(events(store, person(store, "e:1").await.id).await.is_empty());

        let partial = Batch { partial: true, ..batch };
        let outcome = store.track(partial.clone()).await.unwrap();
        assert_eq!(outcome, Outcome { repeated: false, applied: 2, bad });
        assert!(find(store, SubjectKind::User, "a:2").await.is_some());
        assert!(find(store, SubjectKind::User, "a:1").await.is_none(), "nothing of a bad entry");
        assert!(find(store, SubjectKind::Account, "d:one").await.is_none());
        assert!(store.track(partial).await.unwrap().repeated);
    });
}

#[test]
fn a_job_that_hides_a_failure_stands_for_nothing() {
    run("tracking_spoilt", async |bench| {
        let source = source(&bench.store).await;
        let entries = vec![
            (user("e:1"), track(json!({ "event": "e" }))),
            (account("d:1"), track(json!({ "event": "e" }))),
        ];
        let batch = Batch { source, receipt: None, entries, partial: false };
        let hidden = bench.store.record(move |it| {
            assert!(it.apply_batch(&batch).is_err());
            Ok::<_, StoreError>(())
        });
        assert!(hidden.await.is_err());
        assert!(find(&bench.store, SubjectKind::User, "e:1").await.is_none());
        // Nor does one that breaks hold up those that follow.
        let broken = bench.store.record(|_| -> Result<(), StoreError> { panic!("on purpose") });
        assert!(matches!(broken.await, Err(StoreError::Stopped)));
        tell_one(&bench.store, user("e:1"), traits(json!({}))).await;
    });
}

#[test]
fn who_turns_out_to_be_somebody_is_merged_into_them() {
    run("tracking_merge", async |bench| {
        let store = &bench.store;
        let told = vec![
            (user("a:1"), traits(json!({ "name": "?", "seen": 1 }))),
            (user("a:1"), track(json!({ "event": "before", "event_id": "1" }))),
            (user("a:1"), track(json!({ "event": "both", "event_id": "2" }))),
            (user("a:2"), track(json!({ "event": "other browser" }))),
            (both(SubjectKind::User, "a:2", "d:bob.com"), traits(json!({}))),
        ];
        tell(store, told).await.unwrap();
        let (first, second) = (person(store, "a:1").await.id, person(store, "a:2").await.id);
        tell_one(store, user("e:1"), traits(json!({ "name": "Bob" }))).await;
        tell_one(store, user("e:1"), track(json!({ "event": "both", "event_id": "2" }))).await;
        tell_one(store, user("e:1 a:1"), traits(json!({ "n": 1 }))).await;
        tell_one(store, user("e:1"), alias("alias", "2")).await;
        // A retry of what was told of either.
        tell_one(store, user("a:1"), track(json!({ "event": "before", "event_id": "1" }))).await;

        let bob = person(store, "a:1").await;
        assert_eq!(person(store, "a:2").await.id, bob.id);
        assert_eq!(known(&bob), json!({ "name": "Bob", "seen": 1, "n": 1 }));
        let mut happened = events(store, bob.id).await;
        happened.sort();
        assert_eq!(happened, ["before", "both", "other browser"]);
        let company = find(store, SubjectKind::Account, "d:bob.com").await.unwrap();
        assert_eq!(bob.account, Some(company.id), "the link moves too");
        let organization = source(store).await.organization;
        for gone in [first, second] {
            let found = store.read(move |it| it.find_subject(organization, gone)).await.unwrap();
            assert!(found.is_none());
            assert!(events(store, gone).await.is_empty());
        }
        assert_eq!(count(store, SubjectKind::User).await, 1);

        // In one batch it is the same, with none of them written yet.
        let told = vec![
            (user("a:5"), track(json!({ "event": "e" }))),
            (both(SubjectKind::Account, "e:5", "a:acme"), traits(json!({ "a": 1 }))),
            (user("e:5 a:5"), traits(json!({ "b": 1 }))),
            (both(SubjectKind::Account, "e:5", "d:acme.com a:acme"), traits(json!({ "c": 1 }))),
            (account("d:acme.com"), alias("alias", "other")),
        ];
        tell(store, told).await.unwrap();
        let five = person(store, "a:5").await;
        assert_eq!((known(&five), events(store, five.id).await.len()), (json!({ "b": 1 }), 1));
        let acme = find(store, SubjectKind::Account, "a:other").await.unwrap();
        assert_eq!((five.account, known(&acme)), (Some(acme.id), json!({ "a": 1, "c": 1 })));
    });
}

#[test]
fn an_account_that_merges_keeps_its_users() {
    run("tracking_accounts", async |bench| {
        let store = &bench.store;
        tell_one(store, both(SubjectKind::User, "e:1", "a:x"), traits(json!({}))).await;
        let told = vec![
            (user("e:1"), traits(json!({ "loaded": true }))),
            (account("d:acme.com"), alias("alias", "x")),
            (both(SubjectKind::User, "e:2", "a:x"), traits(json!({}))),
        ];
        tell(store, told).await.unwrap();
        let acme = find(store, SubjectKind::Account, "d:acme.com").await.unwrap();
        for called in ["e:1", "e:2"] {
            assert_eq!(person(store, called).await.account, Some(acme.id), "{called}");
        }
        assert_eq!(count(store, SubjectKind::Account).await, 1);
    });
}

#[test]
fn an_account_without_a_name_is_that_of_the_user() {
    run("tracking_linked", async |bench| {
        let store = &bench.store;
        let unnamed = |names| Claims { kind: SubjectKind::Account, ..user(names) };
        let nothing = tell(store, vec![(unnamed("e:1"), traits(json!({ "n": 1 })))]).await.unwrap();
        assert_eq!(nothing, Outcome::default());
        assert_eq!(count(store, SubjectKind::User).await, 0, "nobody is made for it");
        tell_one(store, both(SubjectKind::Account, "e:1", "d:a.com"), traits(json!({ "n": 1 })))
            .await;
        tell_one(store, unnamed("e:1"), traits(json!({ "n": 2 }))).await;
        let organization = source(store).await.organization;
        let found = store.read(move |it| it.find_claimed(organization, &unnamed("e:1"))).await;
        assert_eq!(known(&found.unwrap().unwrap()), json!({ "n": 2 }));
        assert_eq!(known(&person(store, "e:1").await), json!({}));
    });
}

#[test]
fn who_is_not_to_be_made_is_not() {
    run("tracking_make", async |bench| {
        let store = &bench.store;
        let absent = SubjectId::from_bytes([9; 12]);
        let by_id = |id| Claims {
            user: Some(Named { id: Some(id), identifiers: Box::default() }),
            ..user("")
        };
        let told = vec![
            (Claims { create: false, ..user("e:1") }, traits(json!({ "n": 1 }))),
            (user("e:1"), alias("unalias", "x")),
            (by_id(absent), traits(json!({ "n": 1 }))),
        ];
        assert_eq!(tell(store, told).await.unwrap(), Outcome::default());
        assert_eq!(count(store, SubjectKind::User).await, 0);

        tell_one(store, user("e:1"), traits(json!({}))).await;
        let one = person(store, "e:1").await.id;
        tell_one(store, by_id(one), traits(json!({ "n": 1 }))).await;
        assert_eq!(known(&person(store, "e:1").await), json!({ "n": 1 }));
        // It is nobody's of another organization, and no account.
        let parent = Some(source(store).await.organization);
        let new = NewOrganization { parent, ..new_root() };
        let other = store.write(write("org"), move |it| it.insert_organization(&new));
        let elsewhere =
            Source { organization: other.await.unwrap().value.id, ..source(store).await };
        let as_account =
            Claims { kind: SubjectKind::Account, account: by_id(one).user, ..account("") };
        let entries = vec![(by_id(one), traits(json!({ "n": 2 })))];
        let batch = Batch { source: elsewhere, receipt: None, entries, partial: false };
        assert_eq!(store.track(batch).await.unwrap(), Outcome::default());
        let told = tell(store, vec![(as_account, traits(json!({ "n": 2 })))]).await.unwrap();
        assert_eq!(told, Outcome::default());
        let read = store.read(move |it| it.find_subject(elsewhere.organization, one)).await;
        assert!(read.unwrap().is_none());
        assert_eq!(known(&person(store, "e:1").await), json!({ "n": 1 }));
    });
}

#[test]
fn traits_are_changed_and_subjects_deleted_by_their_identity() {
    run("tracking_delete", async |bench| {
        let store = &bench.store;
        let organization = source(store).await.organization;
        tell_one(store, both(SubjectKind::User, "e:1 a:1", "d:a.com"), traits(json!({}))).await;
        let (one, company) = {
            let one = person(store, "e:1").await;
            (one.id, one.account.unwrap())
        };
        for (id, there) in [(one, true), (company, true), (SubjectId::from_bytes([1; 12]), false)] {
            let Entry::Traits(changes) = traits(json!({ "n": 1 })) else { return };
            let changed = store.change_traits(organization, id, changes).await.unwrap();
            assert_eq!(changed, there);
        }
        assert_eq!(known(&person(store, "a:1").await), json!({ "n": 1 }));
        let many = MAX_DELETED + 10;
        for part in 0..many / 1_002 + 1 {
            let event = |it| (user("e:1"), track(json!({ "event": "e", "event_id": it })));
            let told = (0..1_002).map(|it| event(part * 1_002 + it)).collect();
            tell(store, told).await.unwrap();
        }
        assert!(store.delete_subject(organization, company).await.unwrap());
        assert_eq!(person(store, "e:1").await.account, None);
        assert!(store.delete_subject(organization, one).await.unwrap());
        assert!(!store.delete_subject(organization, one).await.unwrap());
        assert_eq!(count(store, SubjectKind::User).await, 0);
        let left = store.read(move |it| it.export_events(organization, None, 1)).await.unwrap();
        assert!(left.is_empty());
        tell_one(store, user("e:1"), traits(json!({}))).await;
        assert_ne!(person(store, "e:1").await.id, one);
    });
}

#[test]
fn who_has_done_too_much_to_be_moved_stays() {
    run("tracking_busy", async |bench| {
        let store = &bench.store;
        let mut told = 0;
        while told <= MAX_MOVED {
            let event = |_| (user("a:1"), track(json!({ "event": "e" })));
            tell(store, (0..1_000).map(event).collect()).await.unwrap();
            told += 1_000;
        }
        let busy = person(store, "a:1").await.id;
        tell_one(store, user("e:1"), traits(json!({}))).await;
        tell_one(store, user("e:1 a:1"), alias("alias", "1")).await;
        assert_eq!(person(store, "a:1").await.id, busy);
        assert_ne!(person(store, "e:1").await.id, busy);
        tell_one(store, user("e:1"), alias("unalias", "1")).await;
        assert_eq!(person(store, "a:1").await.id, busy, "only its own is taken away");
    });
}

#[test]
fn nobody_grows_without_end() {
    run("tracking_bounds", async |bench| {
        let store = &bench.store;
        let fill: Vec<_> = (1..MAX_KEPT_IDENTIFIERS)
            .map(|it| (user("e:1"), alias("alias", &it.to_string())))
            .collect();
        tell(store, fill).await.unwrap();
        let told = tell(store, vec![(user("e:1"), alias("alias", "more"))]).await;
        let Err(TrackError::Bad(bad)) = told else { panic!("{told:?}") };
        assert_eq!(bad, [BadAt { index: 0, reason: BadEntry::TooManyIdentifiers }]);
        tell_one(store, user("e:1 a:more"), traits(json!({}))).await;
        assert!(find(store, SubjectKind::User, "a:more").await.is_none());

        let long = "x".repeat(MAX_TRAIT_VALUE - 2);
        let body = |from: usize| json!({ from.to_string(): &long, (from + 1).to_string(): &long });
        tell_one(store, user("e:1"), traits(body(0))).await;
        let told = tell(store, vec![(user("e:1"), traits(body(2)))]).await;
        assert!(matches!(told, Err(TrackError::Bad(_))), "{told:?}");
    });
}

#[test]
fn subjects_are_found_by_what_they_have() {
    run("tracking_search", async |bench| {
        let store = &bench.store;
        let organization = source(store).await.organization;
        let told = (0..25).map(|it| {
            let plan =
                json!({ "plan": if it % 2 == 0 { "pro" } else { "free" }, "f": 0.1, "n": it });
            (user(&format!("e:{it}")), traits(plan))
        });
        tell(store, told.collect()).await.unwrap();
        tell_one(store, account("d:a.com"), traits(json!({ "plan": "pro" }))).await;
        let search = |filter: Option<Filter>, skip, top| {
            let search = Search { kind: SubjectKind::User, filter, skip, top };
            async move {
                let found = store.read(move |it| it.list_subjects(organization, &search)).await;
                let found = found.unwrap();
                assert!(!found.cut);
                (found.subjects.len(), found.total)
            }
        };
        let having = |name: &str, value: Value| Some(Filter::Trait(name.into(), value));
        for (filter, skip, top, expected) in [
            (None, 0, 10, (10, 25)),
            (None, 20, 10, (5, 25)),
            (having("plan", json!("pro")), 0, 10, (10, 13)),
            (having("plan", json!("pro")), 10, 10, (3, 13)),
            (having("f", json!(0.1)), 0, 30, (25, 25)),
            (having("n", json!(7)), 0, 30, (1, 1)),
            (having("n", json!("7")), 0, 30, (0, 0)),
            (having("none", json!(null)), 0, 30, (25, 25)),
            (Some(Filter::Identifier(name("e:7"))), 0, 30, (1, 1)),
            (Some(Filter::Identifier(name("e:7"))), 1, 30, (0, 1)),
            (Some(Filter::Identifier(name("d:a.com"))), 0, 30, (0, 0)),
        ] {
            let told = format!("{filter:?} {skip}");
            assert_eq!(search(filter, skip, top).await, expected, "{told}");
        }
        let names = store.read(move |it| it.list_trait_names(organization, SubjectKind::User));
        assert_eq!(names.await.unwrap().into_iter().collect::<Vec<_>>(), ["f", "n", "plan"]);
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = store
                .read(move |it| it.export_subjects(organization, SubjectKind::User, after, 10))
                .await
                .unwrap();
            after = page.last().map(|it| it.id);
            if page.is_empty() {
                break;
            }
            seen.extend(page.into_iter().map(|it| it.identifiers));
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 25, "each once, with its name");
    });
}

#[test]
fn what_is_recorded_takes_no_revision_and_leaves_no_trace_in_the_audit_trail() {
    run("tracking_silent", async |bench| {
        let store = &bench.store;
        source(store).await;
        let before = store.read(|it| it.stamp()).await.unwrap();
        tell_one(store, user("e:1"), traits(json!({}))).await;
        assert_eq!(store.read(|it| it.stamp()).await.unwrap(), before);
        let audit = store.read(|it| it.list_audit(portcullis_core::id::Revision(i64::MAX), 10));
        assert_eq!(audit.await.unwrap().len(), 1, "that of the organization");
    });
}
