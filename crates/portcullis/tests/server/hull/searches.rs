//! The searches that clients make, and the names of traits.

use serde_json::{Value, json};

use super::client::{batch, entry};
use super::{House, done, on_each_engine};

fn search(house: &House, what: &str, body: &Value) -> Value {
    let start = format!("POST /api/v1/search/{what}");
    done(&house.call(&start, &house.root.headers(), &body.to_string()))
}

#[test]
fn subjects_are_found_by_one_exact_value_and_in_pages() {
    on_each_engine("searches", |house| {
        let connector = &house.root;
        let entries: Vec<Value> = (0..45)
            .map(|number| {
                let token = connector.user(&json!({ "email": format!("u{number}@bob.com") }));
                entry("traits", &json!({ "n": number, "odd": number % 2 == 1 }), &token)
            })
            .collect();
        assert_eq!(connector.send(house, &batch(&entries, 1)).status(), 204);
        let account = connector.account(&json!({ "domain": "bob.com" }));
        connector.traits(house, &account, &json!({ "name": "Bob Inc" }));
        let total = |what: &str, query: Value| {
            let told = search(house, what, &json!({ "query": query }));
            told["pagination"]["total"].as_u64().unwrap()
        };
        let users = "user_reports";
        for (query, expected) in [
            (json!({ "match_all": {} }), 45),
            (json!({}), 45),
            (json!({ "term": { "email": "U7@bob.com" } }), 1),
            (json!({ "term": { "email.exact": "u7@bob.com" } }), 1),
            (json!({ "bool": { "filter": [{ "term": { "traits_n": 7 } }] } }), 1),
            (json!({ "term": { "traits_odd": true } }), 22),
            (json!({ "term": { "traits_odd": "true" } }), 0),
            (json!({ "term": { "email": "nobody@bob.com" } }), 0),
            (json!({ "term": { "domain": "bob.com" } }), 0),
        ] {
            assert_eq!(total(users, query.clone()), expected, "{query}");
        }
        assert_eq!(total("account_reports", json!({ "term": { "domain": "bob.com" } })), 1);
        assert_eq!(total("account_reports", json!({ "match_all": {} })), 1);
        let mut seen = Vec::new();
        for (page, expected) in [(1, 20), (2, 20), (3, 5), (4, 0)] {
            let told = search(house, users, &json!({ "page": page, "per_page": 20 }));
            let data = told["data"].as_array().unwrap();
            assert_eq!(data.len(), expected, "{page}");
            let pagination = &told["pagination"];
            assert_eq!((&pagination["pages"], &pagination["page"]), (&json!(3), &json!(page)));
            seen.extend(data.iter().map(|it| it["email"].as_str().unwrap().to_owned()));
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 45);
        assert_eq!(search(house, users, &json!({}))["data"].as_array().unwrap().len(), 30);
    });
}

#[test]
fn what_is_not_understood_is_refused_rather_than_answered_with_everything() {
    let house = House::new();
    for body in [
        json!({ "query": { "match": { "email": "a" } } }),
        json!({ "query": { "bool": { "must_not": [{ "term": { "a": 1 } }] } } }),
        json!({ "query": { "bool": { "must": [{ "term": { "a": 1 } }, { "term": { "b": 1 } }] } } }),
        json!({ "query": { "term": { "id": "bob" } } }),
        json!({ "query": "all" }),
        json!({ "page": 0 }),
        json!({ "per_page": 101 }),
        json!({ "per_page": "many" }),
    ] {
        let start = "POST /api/v1/search/user_reports";
        let answer = house.call(start, &house.root.headers(), &body.to_string());
        assert_eq!(answer.status(), 400, "{body}: {}", answer.0);
    }
    for body in ["{}", "[]", "{\"query\":{\"term\":{\"event\":\"e\"}}}"] {
        let answer = house.call("POST /api/v1/search/events", &house.root.headers(), body);
        assert_eq!(answer.status(), 400, "{body}: {}", answer.0);
    }
}

#[test]
fn events_of_a_user_are_told_the_latest_first() {
    on_each_engine("search_events", |house| {
        let connector = &house.root;
        let bob = json!({ "email": "bob@bob.com" });
        let token = connector.user(&bob);
        for (number, day) in [(1, 3), (2, 5), (3, 4)] {
            let created = format!("2026-11-0{day}T00:00:00Z");
            let event = json!({ "event": "e", "event_id": number, "created_at": created });
            done(&connector.tell(house, "t", &token, &event));
        }
        let id = &connector.me(house, &bob)["id"];
        let query = json!({ "term": { "user_id": id } });
        let told = search(house, "events", &json!({ "query": query }));
        let data = told["data"].as_array().unwrap();
        let ids: Vec<&str> = data.iter().map(|it| it["event_id"].as_str().unwrap()).collect();
        assert_eq!(ids, ["2", "3", "1"], "{told}");
        assert!(data.iter().all(|it| it["user_id"] == *id && it["event"] == "e"));
        let told = search(house, "events", &json!({ "query": query, "page": 2, "per_page": 2 }));
        assert_eq!(told["data"].as_array().unwrap().len(), 1, "{told}");
        // Nobody did nothing.
        let query = json!({ "term": { "user_id": "0123456789abcdef01234567" } });
        assert_eq!(search(house, "events", &json!({ "query": query }))["data"], json!([]));
    });
}

#[test]
fn the_names_of_traits_are_told_as_a_tree_and_as_a_schema() {
    on_each_engine("bootstrap", |house| {
        let connector = &house.root;
        let token = connector.user(&json!({ "email": "bob@bob.com" }));
        connector.traits(house, &token, &json!({ "name": "Bob", "zendesk/open": 1 }));
        let account = connector.account(&json!({ "domain": "bob.com" }));
        connector.traits(house, &account, &json!({ "plan": "gold" }));
        let get = |path: &str| {
            done(&house.call(&format!("GET /api/v1/{path}"), &connector.headers(), ""))
        };
        let tree = get("search/user_reports/bootstrap")["tree"].to_string();
        for name in ["traits_name", "traits_zendesk/open"] {
            assert!(tree.contains(name), "{tree}");
        }
        assert!(!tree.contains("plan"), "{tree}");
        let tree = get("search/account_reports/bootstrap")["tree"].to_string();
        assert!(tree.contains("traits_plan") && !tree.contains("zendesk"), "{tree}");
        assert_eq!(get("users/schema"), json!([{ "key": "name" }, { "key": "zendesk/open" }]));
        assert_eq!(get("users_segments"), json!([]));
        assert_eq!(get("accounts_segments"), json!([]));
    });
}
