//! Random calls of the Journey Hub against a reference that says what each must answer: the tree,
//! its users, roles and projects, by Owners at every depth, through the server itself.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod client;
mod commands;
mod credentials;
mod installation;
mod lists;
mod many;
mod mistakes;
#[path = "../../../portcullis-store/tests/model/random.rs"]
mod random;
mod reference;
mod steps;
mod walk;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::thread;

use client::{Call, Client, proof};
use installation::{Installation, Realm};
use reference::{Connection, MAX_DEPTH, TOO_DEEP, Template};
use walk::{Walk, Wrong};

/// How many calls one run makes on each engine; with `PORTCULLIS_TEST_LENGTH=full`, many more.
const STEPS: usize = 10_000;
const FULL_STEPS: usize = 100_000;

/// How many realms share them, each walked through at the same time as the others: where several
/// nodes could share a database, a write waits for the nodes' rows.
const SQLITE_REALMS: usize = 4;
const POSTGRES_REALMS: usize = 12;

/// After so many steps, one caller's whole view is compared; after many more, everything.
const COMPARE_ONE: usize = 60;
const COMPARE_ALL: usize = 300;

/// What a run must have met to have tried anything.
const MET: &[(&str, u16)] = &[
    ("create org", 200),
    ("create org", 401),
    ("create org", 404),
    ("create org", TOO_DEEP),
    ("create project", 200),
    ("create project", 401),
    ("create project", 404),
    ("create users", 200),
    ("create users", 401),
    ("create users", 404),
    ("create users", 409),
    ("delete org", 200),
    ("delete org", 401),
    ("delete org", 403),
    ("delete org", 404),
    ("delete org", 409),
    ("delete project", 200),
    ("delete project", 404),
    ("delete user", 200),
    ("delete user", 404),
    ("exchange", 200),
    ("exchange", 401),
    ("list orgs", 200),
    ("list orgs", 401),
    ("list projects", 200),
    ("list projects", 404),
    ("list templates", 200),
    ("list templates", 404),
    ("list users", 200),
    ("list users", 404),
    ("mistake", 400),
    ("mistake", 404),
    ("mistake", 405),
    ("mistake", 415),
    ("read org", 200),
    ("read org", 404),
    ("read project", 200),
    ("read project", 404),
    ("read user", 200),
    ("read user", 404),
    ("read one's own", 200),
    ("read one's own", 401),
    ("rename org", 200),
    ("rename org", 403),
    ("rename org", 404),
    ("update project", 200),
    ("update project", 404),
    ("update user", 200),
    ("update user", 404),
    ("update user", 409),
];

/// Whether the long form of a test is wanted.
fn is_full() -> bool {
    std::env::var("PORTCULLIS_TEST_LENGTH").is_ok_and(|length| length == "full")
}

/// Where data are kept: durable writes to a busy disk would take minutes, and what is lost with the
/// power is others' to test.
pub(crate) fn memory() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { memory } else { std::env::temp_dir() }
}

fn walk(engine: &str, realms: usize) {
    let steps = if is_full() { FULL_STEPS } else { STEPS }.div_ceil(realms);
    let seed = std::env::var("PORTCULLIS_TEST_SEED").ok().and_then(|it| it.parse().ok());
    let seed = seed.unwrap_or(0x0068_7562);
    let Some(installation) = Installation::make(&memory(), engine, "hub_model") else { return };
    let mut all: Vec<Realm> = (0..realms).map(|at| installation.realm(at)).collect();
    let templates: Vec<(u64, Template)> =
        all.iter().map(|it| template(&installation, it)).collect();
    let server = installation.serve(&mut all);
    let all: Vec<(Realm, String)> = all
        .into_iter()
        .map(|realm| (keeper_token(&realm), realm))
        .map(|(token, realm)| (realm, token))
        .collect();
    let one = |at: usize| {
        let mut walk = Walk::begin(at, seed, &installation, &all);
        let (number, template) = templates[at].clone();
        walk.offer(number, template);
        for step in 0..steps {
            if let Err(wrong) = walk_on(&mut walk, step, steps) {
                let (told, log) = (walk.told(), server.log());
                let place = format!("{engine}, seed {seed}, realm {at}, step {step}");
                panic!("{place}: {wrong}\nafter{told}\nthe server's log:\n{log}");
            }
        }
        walk.seen
    };
    let mut seen = BTreeMap::new();
    thread::scope(|scope| {
        let one = &one;
        let walks: Vec<_> = (0..realms).map(|at| scope.spawn(move || one(at))).collect();
        for (what, count) in walks.into_iter().flat_map(|walk| walk.join().unwrap()) {
            *seen.entry(what).or_insert(0) += count;
        }
    });
    let never: Vec<_> = MET.iter().filter(|what| !seen.contains_key(what)).collect();
    assert!(never.is_empty(), "never met: {never:?}, but {seen:#?}");
}

fn walk_on(walk: &mut Walk<'_>, step: usize, steps: usize) -> Result<(), Wrong> {
    walk.step()?;
    if step == steps / 3 {
        dig(walk)?;
    }
    if step.is_multiple_of(COMPARE_ONE) {
        let caller = walk.live_caller();
        walk.compare_as(&caller)?;
    }
    if step.is_multiple_of(COMPARE_ALL) || step + 1 == steps {
        let keeper = walk.keeper();
        walk.compare_as(&keeper)?;
    }
    Ok(())
}

/// One below the other, until the tree is too deep.
fn dig(walk: &mut Walk<'_>) -> Result<(), Wrong> {
    let keeper = walk.keeper();
    for _ in 0..=MAX_DEPTH {
        let deepest = |org: &u64| walk.model.depth(*org);
        let standing = walk.model.orgs.iter().filter(|(_, org)| !org.gone);
        let deepest = standing.map(|(number, _)| *number).max_by_key(deepest).unwrap();
        walk.create_org_below(&keeper, Some(&deepest.to_string()))?;
    }
    Ok(())
}

/// A template of a realm's with two connections.
fn template(installation: &Installation, realm: &Realm) -> (u64, Template) {
    let (top, name) = (realm.top.to_string(), format!("Template of {}", realm.name));
    let connections = ["--connection", "queue:Orders", "--connection", "graph:Customers"];
    let place = ["--description", "As sold", "--organization", &top];
    let made =
        installation.json(&[&["template", "create", &name], &place[..], &connections].concat());
    let connections = [("1", "Orders", "queue"), ("2", "Customers", "graph")];
    let connections = connections.map(|(id, name, kind)| Connection {
        id: id.into(),
        name: name.into(),
        kind: kind.into(),
    });
    let (org, description) = (realm.top, "As sold".into());
    let template = Template { org, name, description, connections: connections.into() };
    (made["id"].as_str().unwrap().parse().unwrap(), template)
}

/// The first token of a realm's Owner, which nobody takes away.
pub(crate) fn keeper_token(realm: &Realm) -> String {
    let body = proof("userId", &realm.keeper.to_string(), &realm.secret, "the first");
    let answer = Client::connect(&realm.mount).send(&Call::new("POST", "token").json(&body));
    credentials::token(&answer).unwrap_or_else(|| panic!("no token: {answer:?}"))
}

#[test]
fn every_answer_is_the_references_on_sqlite() {
    walk("sqlite", SQLITE_REALMS);
}

#[test]
fn every_answer_is_the_references_on_postgresql() {
    walk("postgresql", POSTGRES_REALMS);
}
