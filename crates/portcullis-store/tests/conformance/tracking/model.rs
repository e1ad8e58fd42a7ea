//! Random batches over few names, and after each of them all that is known against a model that
//! keeps it in the plainest way.
#![expect(clippy::indexing_slicing, clippy::panic, reason = "a test may fail loudly")]

use std::collections::{BTreeMap, BTreeSet};

use portcullis_core::subject::{Claims, Identifier, IdentifierKind, SubjectKind};
use portcullis_core::tracking::Entry;
use portcullis_store::Store;
use serde_json::{Value, json};

use super::{account, alias, both, find, known, name, source, tell, track, traits, user};
use crate::run;

/// How many batches one walk tells.
const BATCHES: usize = 150;
/// How many walks there are; with `PORTCULLIS_TEST_LENGTH=full`, many more.
const WALKS: usize = 1;
const FULL_WALKS: usize = 60;

/// Names of users, and of accounts.
const USERS: [&str; 9] = ["e:1", "e:2", "e:3", "m:1", "m:2", "m:3", "a:1", "a:2", "a:3"];
const ACCOUNTS: [&str; 5] = ["e:1", "d:1", "d:2", "a:1", "a:2"];

/// `SplitMix64` (Steele, Lea and Flood, 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(bound).unwrap()).unwrap()
    }

    /// One to three of `names`, each of another kind than the others unless it is anonymous, the
    /// one to be believed first before the others.
    fn names(&mut self, names: &[&str]) -> String {
        let mut drawn = BTreeMap::new();
        for _ in 0..=self.below(3) {
            let text = names[self.below(names.len())];
            let kind = name(text).kind;
            let own = if kind == IdentifierKind::AnonymousId { text } else { "" };
            drawn.insert((kind, own), text);
        }
        drawn.into_values().collect::<Vec<_>>().join(" ")
    }

    fn claims(&mut self) -> Claims {
        let (names, of) = (self.names(&USERS), self.names(&ACCOUNTS));
        let claims = match self.below(8) {
            0 => account(&of),
            1 => both(SubjectKind::Account, &names, &of),
            2 => both(SubjectKind::User, &names, &of),
            3 => Claims { kind: SubjectKind::Account, ..user(&names) },
            _ => user(&names),
        };
        Claims { create: self.below(6) != 0, ..claims }
    }

    fn entry(&mut self, kind: SubjectKind) -> Entry {
        let of = ["x", "y"][self.below(2)];
        let other = ["1", "2", "3"][self.below(3)];
        match self.below(8) {
            0 => alias("alias", other),
            1 => alias("unalias", other),
            2 | 3 if kind == SubjectKind::User => {
                track(json!({ "event": "e", "event_id": self.below(20) }))
            }
            4 => traits(json!({ of: { "operation": "setIfNull", "value": self.below(3) } })),
            5 => traits(json!({ of: ([json!(null), json!("text")][self.below(2)]) })),
            _ => traits(json!({ of: { "operation": "inc", "value": self.below(9) } })),
        }
    }
}

/// Somebody, in the plainest way.
#[derive(Clone, Debug, Default)]
struct Plain {
    names: BTreeSet<Identifier>,
    traits: BTreeMap<String, Value>,
    events: BTreeSet<String>,
    account: Option<usize>,
}

/// Everybody: a merged one is empty and has no names.
#[derive(Debug, Default)]
struct Model {
    users: Vec<Plain>,
    accounts: Vec<Plain>,
}

impl Model {
    fn all(&mut self, kind: SubjectKind) -> &mut Vec<Plain> {
        match kind {
            SubjectKind::Account => &mut self.accounts,
            SubjectKind::User => &mut self.users,
        }
    }

    fn holder(&mut self, kind: SubjectKind, name: &Identifier) -> Option<usize> {
        self.all(kind).iter().position(|it| it.names.contains(name))
    }

    /// Whom the names mean; with `act`, they get them.
    fn resolve(
        &mut self,
        kind: SubjectKind,
        names: &[Identifier],
        create: bool,
        act: bool,
    ) -> Option<usize> {
        let mut target = None;
        for (place, name) in names.iter().enumerate() {
            let Some(holder) = self.holder(kind, name) else { continue };
            let own = self.all(kind)[holder].names.clone();
            let contradicted = names[..place].iter().any(|stronger| {
                stronger.kind < name.kind
                    && own.iter().any(|it| it.kind == stronger.kind && it != stronger)
            });
            if !contradicted {
                target = Some(holder);
                break;
            }
        }
        if target.is_none() && create {
            self.all(kind).push(Plain::default());
            target = Some(self.all(kind).len() - 1);
        }
        let target = target?;
        for name in names.iter().filter(|_| act) {
            self.give(kind, target, name);
        }
        Some(target)
    }

    fn give(&mut self, kind: SubjectKind, target: usize, name: &Identifier) {
        let anonymous = name.kind == IdentifierKind::AnonymousId;
        match self.holder(kind, name) {
            Some(holder) if holder == target || !anonymous => {}
            Some(holder) => self.merge(kind, target, holder),
            None => {
                let names = &mut self.all(kind)[target].names;
                let before = names.iter().find(|it| it.kind == name.kind && !anonymous).cloned();
                match before {
                    Some(before) if before.kind == IdentifierKind::ExternalId => return,
                    Some(before) => drop(names.remove(&before)),
                    None => {}
                }
                names.insert(name.clone());
            }
        }
    }

    fn merge(&mut self, kind: SubjectKind, target: usize, other: usize) {
        let named = |it: &Identifier| it.kind != IdentifierKind::AnonymousId;
        if self.all(kind)[other].names.iter().any(named) {
            return;
        }
        let was = std::mem::take(&mut self.all(kind)[other]);
        let survivor = &mut self.all(kind)[target];
        survivor.names.extend(was.names);
        survivor.events.extend(was.events);
        survivor.account = survivor.account.or(was.account);
        for (name, value) in was.traits {
            survivor.traits.entry(name).or_insert(value);
        }
        for user in self.users.iter_mut().filter(|_| kind == SubjectKind::Account) {
            user.account = user.account.map(|it| if it == other { target } else { it });
        }
    }

    fn apply(&mut self, claims: &Claims, entry: &Entry) {
        let create = claims.create && !matches!(entry, Entry::Unalias(_));
        let names = |named: &Option<portcullis_core::subject::Named>| {
            named.as_ref().map(|it| it.identifiers.to_vec())
        };
        let (users, accounts) = (names(&claims.user), names(&claims.account));
        let target = match (claims.kind, users, accounts) {
            (SubjectKind::Account, Some(users), None) => {
                let user = self.resolve(SubjectKind::User, &users, false, false);
                user.and_then(|it| self.users[it].account)
            }
            (kind, users, accounts) => {
                let (own, other) = match kind {
                    SubjectKind::Account => (accounts, users),
                    SubjectKind::User => (users, accounts),
                };
                let target = self.resolve(kind, &own.unwrap(), create, true);
                target.inspect(|it| self.tell(kind, *it, entry));
                return self.link(kind, target, other, create);
            }
        };
        target.inspect(|it| self.tell(claims.kind, *it, entry));
    }

    fn link(
        &mut self,
        kind: SubjectKind,
        target: Option<usize>,
        other: Option<Vec<Identifier>>,
        create: bool,
    ) {
        let (Some(target), Some(names)) = (target, other) else { return };
        let (user, account) = match kind {
            SubjectKind::Account => {
                (self.resolve(SubjectKind::User, &names, create, true), Some(target))
            }
            SubjectKind::User => {
                (Some(target), self.resolve(SubjectKind::Account, &names, create, true))
            }
        };
        if let (Some(user), Some(account)) = (user, account) {
            self.users[user].account = Some(account);
        }
    }

    fn tell(&mut self, kind: SubjectKind, target: usize, entry: &Entry) {
        match entry {
            Entry::Alias(name) => self.give(kind, target, name),
            Entry::Track(event) => {
                let id = event.event_id.as_deref().unwrap().to_owned();
                self.all(kind)[target].events.insert(id);
            }
            Entry::Traits(changes) => {
                for change in changes {
                    tell_trait(&mut self.all(kind)[target].traits, change);
                }
            }
            Entry::Unalias(name) => drop(self.all(kind)[target].names.remove(name)),
        }
    }
}

fn tell_trait(traits: &mut BTreeMap<String, Value>, change: &portcullis_core::tracking::Change) {
    use portcullis_core::tracking::Operation;
    let name = change.name.to_string();
    let now = traits.get(&name).cloned();
    let next = match &change.operation {
        Operation::Dec(by) => {
            json!(now.and_then(|it| it.as_i64()).unwrap_or(0) - by.as_i64().unwrap())
        }
        Operation::Inc(by) => {
            json!(now.and_then(|it| it.as_i64()).unwrap_or(0) + by.as_i64().unwrap())
        }
        Operation::Set(value) => serde_json::from_str(value.get()).unwrap(),
        Operation::SetIfNull(value) => {
            now.unwrap_or_else(|| serde_json::from_str(value.get()).unwrap())
        }
    };
    if next.is_null() {
        traits.remove(&name);
    } else {
        traits.insert(name, next);
    }
}

/// Whether the store knows of `kind` just what the model does.
async fn compare(store: &Store, model: &mut Model, kind: SubjectKind, told: &str) {
    let organization = source(store).await.organization;
    let everybody = store.read(move |it| it.export_subjects(organization, kind, None, 1_000)).await;
    let everybody = everybody.unwrap();
    let mut named = 0;
    for plain in model.all(kind).clone() {
        let Some(one) = plain.names.first() else { continue };
        named += 1;
        let called = match one.kind {
            IdentifierKind::AnonymousId => format!("a:{}", one.value),
            IdentifierKind::Domain => format!("d:{}", one.value),
            IdentifierKind::Email => format!("m:{}", one.value),
            IdentifierKind::ExternalId => format!("e:{}", one.value),
        };
        let found = find(store, kind, &called).await;
        let found = found.unwrap_or_else(|| panic!("{told}: no {called}"));
        let names: BTreeSet<_> = found.identifiers.iter().cloned().collect();
        assert_eq!(names, plain.names, "{told}: {called}");
        let traits = Value::Object(plain.traits.into_iter().collect());
        assert_eq!(known(&found), traits, "{told}: {called}");
        let id = found.id;
        let events = store.read(move |it| it.list_events(organization, id, None, 1_000)).await;
        let events: Vec<_> = events.unwrap().into_iter().filter_map(|it| it.event_id).collect();
        assert_eq!(events.len(), plain.events.len(), "{told}: {called}");
        assert!(events.iter().all(|it| plain.events.contains(it)), "{told}: {called}");
        if let Some(account) = plain.account {
            let linked = found.account.unwrap();
            let linked = everybody_else(store, linked).await;
            assert_eq!(linked, model.accounts[account].names, "{told}: {called}");
        }
    }
    let with_names = everybody.iter().filter(|it| !it.identifiers.is_empty()).count();
    assert_eq!(with_names, named, "{told}: somebody is there twice");
}

/// What the account is called.
async fn everybody_else(
    store: &Store,
    id: portcullis_core::subject::SubjectId,
) -> BTreeSet<Identifier> {
    let organization = source(store).await.organization;
    let found = store.read(move |it| it.find_subject(organization, id)).await.unwrap();
    found.unwrap().identifiers.into_iter().collect()
}

#[test]
fn whatever_is_told_is_known_as_the_model_knows_it() {
    let full = std::env::var("PORTCULLIS_TEST_LENGTH").is_ok_and(|length| length == "full");
    let seed = std::env::var("PORTCULLIS_TEST_SEED").ok().and_then(|it| it.parse().ok());
    let seed = seed.unwrap_or(0x0070_6f72_7463_756c);
    for seed in (seed..).take(if full { FULL_WALKS } else { WALKS }) {
        walk(seed);
    }
}

fn walk(seed: u64) {
    run("tracking_model", async |bench| {
        let (mut random, mut model) = (Random(seed), Model::default());
        for number in 0..BATCHES {
            let draw = |_| {
                let claims = random.claims();
                let entry = random.entry(claims.kind);
                (claims, entry)
            };
            let entries: Vec<_> = (0..=number % 6).map(draw).collect();
            let told = format!("seed {seed}, batch {number}: {entries:?}");
            for (claims, entry) in &entries {
                model.apply(claims, entry);
            }
            tell(&bench.store, entries).await.unwrap();
            for kind in [SubjectKind::Account, SubjectKind::User] {
                compare(&bench.store, &mut model, kind, &told).await;
            }
        }
    });
}
