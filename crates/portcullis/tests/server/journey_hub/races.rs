//! Many callers at once: each thing is made, taken and ended by one of them.

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::thread;

use serde_json::json;

use super::hub::{Hub, Told};
use super::{House, made};

const CALLERS: usize = 16;

/// What each of many callers is told who make the same call at once, each where it is its turn.
fn all_at_once(hubs: &[Hub], call: impl Fn(&Hub) -> Told + Sync) -> Vec<Told> {
    let start = Barrier::new(CALLERS);
    thread::scope(|scope| {
        let one = |hub| {
            start.wait();
            call(hub)
        };
        let callers = hubs.iter().cycle().take(CALLERS);
        let threads: Vec<_> = callers.map(|hub| scope.spawn(move || one(hub))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// One succeeded, and each other was refused so.
#[track_caller]
fn check_one(told: Vec<Told>, status: u16) {
    let (won, lost): (Vec<_>, Vec<_>) =
        told.into_iter().partition(|told| told.answer.status() == 200);
    assert_eq!(won.len(), 1);
    lost.into_iter().for_each(|told| drop(told.refused(status, "too late")));
}

#[test]
fn what_many_make_at_once_is_made_for_each() {
    let house = House::new();
    check_creations(&[house.boss()]);
}

#[test]
fn an_address_that_many_ask_for_is_given_to_one() {
    let house = House::new();
    check_addresses(&[house.boss()]);
}

#[test]
fn whoever_comes_later_changes_what_the_one_before_left() {
    let house = House::new();
    check_changes(&[house.boss()]);
}

#[test]
fn what_many_delete_at_once_is_deleted_once() {
    let house = House::new();
    check_ends(&[house.boss()]);
}

/// Each gets a number of its own.
pub(super) fn check_creations(hubs: &[Hub]) {
    let own = organization(hubs);
    let member = json!({ "name": "N", "email": "", "role": "Member" });
    for (path, body, key) in [
        ("/org".to_owned(), json!({ "name": "N", "parentId": own }), "organizations"),
        (format!("/project/org/{own}"), json!({ "name": "N" }), "projects"),
        (format!("/user/org/{own}"), member, "users"),
    ] {
        let told = all_at_once(hubs, |hub| hub.post(&path, &body));
        let ids: BTreeSet<String> = told.into_iter().map(|told| made(&told.one(key))).collect();
        assert_eq!(ids.len(), CALLERS, "{path}");
    }
}

/// All but one are too late.
pub(super) fn check_addresses(hubs: &[Hub]) {
    let place = format!("/user/org/{}", organization(hubs));
    let user = json!({ "name": "N", "email": "one@a.example", "role": "Member" });
    check_one(all_at_once(hubs, |hub| hub.post(&place, &user)), 409);
    hubs[0].get(&place).one("users");
}

/// Whatever changed since they looked, they look again.
pub(super) fn check_changes(hubs: &[Hub]) {
    let own = organization(hubs);
    let [project, user] = inhabitants(&hubs[0], &own);
    for (path, change, key) in [
        (format!("/org/{own}"), json!({ "name": "M" }), "organizations"),
        (project, json!({ "name": "M" }), "projects"),
        (user.clone(), json!({ "name": "M" }), "users"),
        (user, json!({ "role": "Operator" }), "users"),
    ] {
        let told = all_at_once(hubs, |hub| hub.put(&path, &change));
        told.into_iter().for_each(|told| drop(told.one(key)));
    }
}

/// To all but one it is unknown by then.
pub(super) fn check_ends(hubs: &[Hub]) {
    let own = organization(hubs);
    let [project, user] = inhabitants(&hubs[0], &own);
    for path in [project, user, format!("/org/{own}")] {
        check_one(all_at_once(hubs, |hub| hub.delete(&path)), 404);
    }
}

fn organization(hubs: &[Hub]) -> String {
    made(&hubs[0].post("/org", &json!({ "name": "N" })).one("organizations"))
}

/// The addresses of a project and a user of this organization.
fn inhabitants(hub: &Hub, own: &str) -> [String; 2] {
    let project = hub.post(&format!("/project/org/{own}"), &json!({ "name": "N" }));
    let user = json!({ "name": "N", "email": "", "role": "Member" });
    let user = hub.post(&format!("/user/org/{own}"), &user);
    [
        format!("/project/{}", made(&project.one("projects"))),
        format!("/user/{}", made(&user.one("users"))),
    ]
}
