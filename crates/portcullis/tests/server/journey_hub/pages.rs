//! Lists in pages: every object once, in order, whatever the size of a page.

use serde_json::{Value, json};

use super::hub::Hub;
use super::{House, made};

#[test]
fn every_list_can_be_read_in_pages_and_is_whole_without_them() {
    let house = House::new();
    for (hub, _, own) in house.everywhere() {
        let child = made(&hub.post("/org", &json!({ "name": "Child" })).one("organizations"));
        for number in 0..4 {
            let name = format!("{number}");
            hub.post("/org", &json!({ "name": name, "parentId": child })).one("organizations");
            hub.post(&format!("/project/org/{child}"), &json!({ "name": name })).one("projects");
            let user = json!({ "name": name, "email": "", "role": "Member" });
            hub.post(&format!("/user/org/{child}"), &user).one("users");
            let template = ["template", "create", &name, "--organization", own];
            house.server.home.done(&template);
        }
        for (path, key) in [
            ("/org".to_owned(), "organizations"),
            (format!("/org/{own}/templates"), "templates"),
            (format!("/project/org/{child}"), "projects"),
            (format!("/user/org/{child}"), "users"),
        ] {
            let told = hub.get(&path);
            assert_eq!(told.next(), Value::Null, "{path}");
            let whole = told.list(key).as_array().unwrap().clone();
            let numbers: Vec<u64> = whole.iter().map(|it| made(it).parse().unwrap()).collect();
            assert!(whole.len() >= 4 && numbers.is_sorted(), "{path}: {whole:?}");
            for limit in [1, 2, 3, whole.len() - 1, whole.len(), 10_000] {
                assert_eq!(walk(&hub, &path, key, limit), whole, "{path}, {limit} at once");
            }
        }
    }
}

fn walk(hub: &Hub, path: &str, key: &str, limit: usize) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    let mut query = format!("?limit={limit}");
    loop {
        let told = hub.get(&format!("{path}{query}"));
        let next = told.next();
        let page = told.list(key).as_array().unwrap().clone();
        assert!(page.len() <= limit, "{path}{query}: {page:?}");
        all.extend(page);
        if next == Value::Null {
            return all;
        }
        assert_eq!(next, all.last().unwrap()["id"], "{path}{query}");
        query = format!("?after={}&limit={limit}", next.as_str().unwrap());
    }
}

#[test]
fn a_page_goes_on_after_an_object_that_is_gone_by_now() {
    let house = House::new();
    let hub = house.boss();
    let ids: Vec<String> = (0..4)
        .map(|_| made(&hub.post("/org", &json!({ "name": "N" })).one("organizations")))
        .collect();
    let whole = hub.get("/org").list("organizations");
    let seen = whole.as_array().unwrap().iter().position(|it| it["id"] == json!(ids[1])).unwrap();
    let first = hub.get(&format!("/org?limit={}", seen + 1));
    assert_eq!(first.next(), json!(ids[1]));
    hub.delete(&format!("/org/{}", ids[1])).one("organizations");
    let rest = hub.get(&format!("/org?after={}", ids[1])).list("organizations");
    assert_eq!(rest, json!(whole.as_array().unwrap()[seen + 1..]));
    assert_eq!(hub.get("/org?after=9000000").list("organizations"), json!([]));
}
