//! Lists of very many organizations: bounded pages, and each organization once.

use std::collections::BTreeSet;
use std::sync::Arc;

use portcullis_core::id::Id;
use portcullis_core::organization::Organization;
use portcullis_core::time::{Clock, Moment, Timestamp};
use portcullis_store::organizations::NewOrganization;
use portcullis_store::{Store, StoreError, Target, Write, Writing};

use crate::client::{Answer, Call, Client};
use crate::installation::{Installation, Realm};
use crate::{keeper_token, memory};

/// How many organizations there are.
const MANY: usize = 100_000;

/// So many are made in one write.
const BATCH: usize = 1_000;

/// The longest page, which is also the one that nobody asked for.
const LONGEST: usize = 10_000;

#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> Moment {
        Moment { boot: 1, wall: Timestamp::from_millis(1) }
    }
}

/// Fills the tree below the organization 2: every tenth stands below the one before it, the others flat.
fn fill(installation: &Installation, count: usize) {
    let store = Store::open(Target::Sqlite(installation.data()), Arc::new(Still)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let top = runtime.block_on(store.read(|reading| {
        let root = reading.find_root()?.unwrap().id;
        reading.find_organization(root, 2)
    }));
    let top = top.unwrap().unwrap().id;
    for _ in 0..count / BATCH {
        let write = Write::new("test", "fill").unwrap();
        runtime.block_on(store.write(write, move |writing| add(writing, top))).unwrap();
    }
}

fn add(writing: &mut Writing<'_>, top: Id<Organization>) -> Result<(), StoreError> {
    let mut last = top;
    for at in 0..BATCH {
        let parent = Some(if at % 10 == 9 { last } else { top });
        let new = NewOrganization { parent, name: format!("Organization {at}"), realm: false };
        last = writing.insert_organization(&new)?.id;
    }
    Ok(())
}

fn numbers(answer: &Answer) -> Vec<u64> {
    let all = answer.body["organizations"].as_array().unwrap();
    all.iter().map(|it| it["id"].as_str().unwrap().parse().unwrap()).collect()
}

/// Asks for every page of at most `limit`, and compares them with `all`.
fn compare(client: &mut Client, token: &str, (query, limit): (&str, usize), all: &BTreeSet<u64>) {
    let (mut seen, mut pages, mut after) = (Vec::<u64>::new(), 0, String::new());
    loop {
        let answer = client.send(&Call::new("GET", format!("org?{query}{after}")).token(token));
        assert_eq!(answer.status, 200, "{answer:?}");
        let page = numbers(&answer);
        assert!(page.len() <= limit, "{} of {limit}", page.len());
        pages += 1;
        seen.extend(&page);
        let Some(next) = answer.body["metadata"].get("next") else { break };
        let next = next.as_str().unwrap();
        assert_eq!(page.len(), limit, "a page with one after it is full");
        assert_eq!(page.last().unwrap().to_string(), next);
        after = format!("&after={next}");
    }
    // Each once, and in the order of their numbers.
    assert!(seen.iter().eq(all), "{} seen, {} wanted", seen.len(), all.len());
    assert_eq!(pages, all.len().div_ceil(limit));
}

#[test]
fn a_list_of_very_many_organizations_comes_in_bounded_pages_each_of_them_once() {
    let installation = Installation::make(&memory(), "sqlite", "many").unwrap();
    let root = installation.realm(0);
    installation.json(&["org", "create", "Partner"]);
    let (keeper, secret) = installation.owner("partner", 2, 1);
    fill(&installation, MANY);
    let partner = Realm { keeper, secret, ..root.clone() };
    let mut both = [root, partner];
    let _server = installation.serve(&mut both[..1]);
    both[1].mount = both[0].mount.clone();
    // The root's Owner sees the partner's, and the root itself.
    for (first, realm) in (1..).zip(&both) {
        let token = keeper_token(realm);
        let mut client = Client::connect(&realm.mount);
        let all: BTreeSet<u64> = (first..=u64::try_from(MANY).unwrap() + 2).collect();
        for page in [("", LONGEST), ("limit=10000", LONGEST), ("limit=4999", 4_999)] {
            compare(&mut client, &token, page, &all);
        }
    }
}
