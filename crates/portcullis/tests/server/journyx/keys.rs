//! API keys: making them for oneself and others, who sees what of them, and their limits.

use serde_json::{Value, json};

use super::client::{Client, GENERATE};
use super::{House, PASSWORD, SITE, UNKNOWN, is_id, user_id};
use crate::common::Server;

const DAY: f64 = 86_400.0;

fn path(key: &Value) -> String {
    format!("/api_keys/{}", key["id_api_key"].as_str().unwrap())
}

#[test]
fn a_key_for_oneself_is_shown_at_once_and_again_later() {
    let house = House::new();
    house.user("zoe", &["API Key Generate", "API Key Sign In"]);
    let (caller, id) = (house.sign_in("zoe"), user_id(&house, "zoe"));
    let body = json!({ "pname": "my script", "read_only": true, "expires_days": 7 });
    let (status, key) = caller.post(GENERATE, &body).ok();
    assert_eq!(status, json!(["API Key created."]));
    for (field, value) in [
        ("id_user", json!(id)),
        ("id_user_fullname", json!("zoe")),
        ("pname", json!("my script")),
        ("version", json!("2")),
        ("read_only", json!(true)),
        ("expired", json!(false)),
        ("expires_days", json!(7)),
        ("creator", json!(id)),
        ("creator_fullname", json!("zoe")),
    ] {
        assert_eq!(key[field], value, "{field} of {key}");
    }
    assert!(is_id(&key["id_api_key"]), "{key}");
    let moment = |field: &str| key[field].as_f64().unwrap_or_else(|| panic!("{field} of {key}"));
    assert!((moment("expires_timestamp") - moment("create_timestamp") - 7.0 * DAY).abs() < 1.0);
    let shown = key["display_key"].as_str().unwrap();
    assert!(shown.starts_with("pcl_key_"), "it has another form");
    assert_eq!(caller.get(&path(&key)).item()["display_key"], key["display_key"]);
    assert_eq!(caller.keys()[0]["display_key"], key["display_key"]);
    house.basic("zoe", shown).get("/users").page();
    house.nobody().sign_in("zoe", shown).get("/users").page();
}

#[test]
fn a_key_without_wishes_has_no_name_may_write_and_lives_as_long_as_it_can() {
    let house = House::new();
    house.user("zoe", &["API Key Generate"]);
    let caller = house.sign_in("zoe");
    for body in [json!({}), json!({ "unknown": 1 })] {
        let key = caller.generate(&body);
        assert_eq!((&key["read_only"], &key["expires_days"]), (&json!(false), &json!(180)));
        assert!([json!(""), json!(null)].contains(&key["pname"]), "{key}");
    }
    let short = house.nobody().at("short.example").sign_in("zoe", PASSWORD);
    assert_eq!(short.generate(&json!({}))["expires_days"], json!(30));
}

#[test]
fn a_key_for_another_is_shown_to_its_owner_and_never_to_who_made_it() {
    let house = House::new();
    house.user("zoe", &["API Key Sign In"]);
    let boss = house.boss();
    let (zoe, id) = (house.sign_in("zoe"), user_id(&house, "zoe"));
    let made = boss.generate(&json!({ "id_user": id, "pname": "for zoe" }));
    assert_eq!(made["id_user"], json!(id));
    assert_eq!(made["creator"], json!(user_id(&house, "boss")));
    let by_id = format!("/api_keys?id_user={id}");
    let named = boss.patch(&path(&made), &json!({ "pname": "renamed" })).item();
    for seen in [&made, &boss.get(&path(&made)).item(), &boss.get(&by_id).list()[0], &named] {
        assert!(seen.get("display_key").is_none(), "{seen}");
    }
    let own = zoe.get(&path(&made)).item();
    let key = own["display_key"].as_str().unwrap();
    assert_eq!(own["modifier_fullname"], json!("boss"));
    assert_eq!(own["pname"], json!("renamed"));
    house.basic("zoe", key).get("/users").page();
    house.basic("boss", key).get("/users").forbidden("it is not the maker's");
    let (status, results) = boss.delete(&path(&made)).ok();
    assert_eq!((status, results), (json!(["API Key deleted."]), json!({})));
    house.basic("zoe", key).get("/users").forbidden("deleted");
    zoe.get(&path(&made)).forbidden("deleted");
}

#[test]
fn a_limit_is_told_and_never_bent() {
    let house = House::new();
    house.user("zoe", &["API Key Generate"]);
    let caller = house.sign_in("zoe");
    let long = "x".repeat(101);
    for body in [
        json!({ "expires_days": 181 }),
        json!({ "expires_days": 0 }),
        json!({ "expires_days": -1 }),
        json!({ "expires_days": 1.5 }),
        json!({ "expires_days": "7" }),
        json!({ "expires_days": true }),
        json!({ "expires_days": [7] }),
        json!({ "expires_days": 1_000_000_000_000_i64 }),
        json!({ "pname": long }),
        json!({ "pname": "é".repeat(51) }),
        json!({ "pname": 1 }),
        json!({ "pname": ["a"] }),
        json!({ "read_only": "yes" }),
        json!({ "read_only": 1 }),
        json!({ "id_user": 1 }),
        json!([]),
        json!("x"),
    ] {
        caller.post(GENERATE, &body).refused(400, &body.to_string());
    }
    for body in ["{", "no json", "{}{}"] {
        caller.call("POST", GENERATE, body).refused(400, body);
    }
    assert_eq!(caller.keys(), Vec::<Value>::new());
    for body in [
        json!({ "expires_days": 180 }),
        json!({ "expires_days": 1 }),
        json!({ "pname": &long[..100] }),
    ] {
        caller.generate(&body);
    }
    let short = caller.at("short.example");
    short.post(GENERATE, &json!({ "expires_days": 31 })).refused(400, "the setting is lower");
    short.generate(&json!({ "expires_days": 30 }));
    let made = path(&caller.keys()[0]);
    for body in [json!({ "pname": long }), json!({ "pname": 1 }), json!([])] {
        caller.patch(&made, &body).refused(400, &body.to_string());
    }
}

#[test]
fn another_users_keys_are_as_unknown_as_ones_that_never_were() {
    let house = House::new();
    house.user("zoe", &["API Key Generate", "API Key Sign In"]);
    house.user("ann", &["API Key Generate", "API Key Sign In"]);
    let (zoe, ann) = (house.sign_in("zoe"), house.sign_in("ann"));
    let zoes = path(&zoe.generate(&json!({ "pname": "zoe's" })));
    let before = zoe.keys();
    let unknown = format!("/api_keys/{UNKNOWN}");
    for path in [zoes.clone(), unknown, zoes.to_lowercase(), "/api_keys/x".into()] {
        ann.get(&path).forbidden(&path);
        ann.patch(&path, &json!({ "pname": "ann's" })).forbidden(&path);
        ann.delete(&path).forbidden(&path);
    }
    for id in [user_id(&house, "zoe"), UNKNOWN.to_owned()] {
        ann.get(&format!("/api_keys?id_user={id}")).forbidden(&id);
        ann.post(GENERATE, &json!({ "id_user": id })).forbidden(&id);
    }
    let own = user_id(&house, "ann");
    assert_eq!(ann.generate(&json!({ "id_user": own }))["id_user"], json!(own));
    assert_eq!(ann.keys().len(), 1);
    assert_eq!(zoe.keys(), before);
    let boss = house.boss();
    boss.post(GENERATE, &json!({ "id_user": UNKNOWN })).forbidden("no such user");
}

#[test]
fn the_use_of_a_key_is_told_to_its_owner() {
    let house = House::new();
    house.user("zoe", &["API Key Generate", "API Key Sign In"]);
    let caller = house.sign_in("zoe");
    let made = caller.generate(&json!({}));
    assert_eq!(made["last_used_timestamp"], json!(null), "{made}");
    assert!(made.get("last_used_timestamp").is_some(), "{made}");
    house.basic("zoe", made["display_key"].as_str().unwrap()).get("/users").page();
    // What was used is written at the latest when the server ends.
    let home = house.server.stop().home;
    let server = Server::serve(home, "[[mount]]\ndialect = \"journyx\"\napi_keys = true\n");
    let told = Client::new(&server, SITE).sign_in("zoe", PASSWORD).get(&path(&made)).item();
    assert!(told["last_used_timestamp"].as_f64() >= made["create_timestamp"].as_f64(), "{told}");
}

#[test]
fn a_query_finds_ones_own_keys_and_everybodys_for_who_manages_them() {
    let house = House::new();
    house.user("zoe", &["API Key Generate"]);
    let (boss, zoe, id) = (house.boss(), house.sign_in("zoe"), user_id(&house, "zoe"));
    for (caller, name) in [(&boss, "first"), (&zoe, "second"), (&zoe, "third")] {
        caller.generate(&json!({ "pname": name, "read_only": name == "third" }));
    }
    let names = |caller: &Client, query: &str| {
        let found = caller.get(&format!("/api_keys?{query}")).page();
        assert!(found.iter().all(|key| key.get("display_key").is_none()), "{query}");
        let names = found.iter().map(|key| key["pname"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>().join(" ")
    };
    for (query, all, own) in [
        ("$orderBy=pname", "first second third", "second third"),
        ("$orderBy=pname desc&$top=1", "third", "third"),
        ("$filter=read_only eq true", "third", "third"),
        ("$filter=pname eq \"first\"", "first", ""),
        (&format!("$orderBy=pname&$filter=id_user eq \"{id}\""), "second third", "second third"),
        ("$select=pname&$orderBy=pname&$skip=1", "second third", "third"),
    ] {
        let query = query.replace(' ', "%20").replace('"', "%22");
        assert_eq!(names(&boss, &query), all, "{query}");
        assert_eq!(names(&zoe, &query), own, "{query}");
    }
    for bad in ["$filter=display_key%20eq%20%22x%22", "$verifier=1", "$select=display_key"] {
        zoe.get(&format!("/api_keys?{bad}")).refused(400, bad);
    }
    zoe.get(&format!("/api_keys?id_user={id}&$top=1")).refused(400, "two ways to say whose");
}

#[test]
fn a_user_who_is_gone_takes_their_keys_along() {
    let house = House::new();
    house.user("zoe", &["API Key Sign In"]);
    let boss = house.boss();
    let id = user_id(&house, "zoe");
    let made = boss.generate(&json!({ "id_user": id }));
    house.home().done(&["user", "delete", "zoe"]);
    boss.get(&path(&made)).forbidden("the user is gone");
    boss.get(&format!("/api_keys?id_user={id}")).forbidden("the user is gone");
    boss.post(GENERATE, &json!({ "id_user": id })).forbidden("the user is gone");
}
