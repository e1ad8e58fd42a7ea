//! What is addressed by an identity: the connector itself, and the subjects that it tells of.

use serde_json::{Value, json};

use super::{House, done, on_each_engine};

fn get(house: &House, path: &str) -> Value {
    done(&house.call(&format!("GET /api/v1/{path}"), &house.root.headers(), ""))
}

fn put(house: &House, path: &str, body: &Value) -> Value {
    let start = format!("PUT /api/v1/{path}");
    done(&house.call(&start, &house.root.headers(), &body.to_string()))
}

#[test]
fn a_connector_keeps_its_settings_and_its_status() {
    on_each_engine("settings", |house| {
        let id = house.root.id.clone();
        for path in ["app", &id] {
            let app = get(house, path);
            assert_eq!((&app["id"], &app["private_settings"]), (&json!(id), &json!({})), "{app}");
        }
        let settings = json!({ "token": "t0ken", "list": [1, { "a": null }] });
        let app = put(house, &id, &json!({ "private_settings": settings }));
        assert_eq!((&app["id"], &app["private_settings"]), (&json!(id), &settings));
        assert_eq!(get(house, "app")["private_settings"], settings);
        assert_eq!(get(house, "app/settings"), json!({ "id": id, "settings": {} }));
        // What is put replaces what was there: clients merge before they put.
        put(house, "app", &json!({ "private_settings": { "x": 1 }, "name": "ignored" }));
        assert_eq!(get(house, &id)["private_settings"], json!({ "x": 1 }));
        for bad in
            [json!({}), json!({ "private_settings": [] }), json!({ "private_settings": "x" })]
        {
            let start = format!("PUT /api/v1/{id}");
            let answer = house.call(&start, &house.root.headers(), &bad.to_string());
            assert_eq!(answer.status(), 400, "{bad}");
        }
        let large = json!({ "private_settings": { "x": "x".repeat(256 * 1_024) } }).to_string();
        let answer = house.call("PUT /api/v1/app", &house.root.headers(), &large);
        assert_eq!(answer.status(), 400, "{}", answer.0);
        assert_eq!(get(house, &id)["private_settings"], json!({ "x": 1 }));
        let status = json!({ "status": "error", "messages": ["a"] });
        assert_eq!(put(house, "app/status", &status), status);
        assert_eq!(get(house, &format!("{id}/status")), status);
        assert_eq!(get(house, "app")["status"], status);
        assert_eq!(get(house, "app")["private_settings"], json!({ "x": 1 }));
    });
}

#[test]
fn settings_stay_through_a_rotation_and_are_kept_sealed() {
    const CANARY: &str = "settingsCanary5T";
    let house = House::new();
    put(&house, "app", &json!({ "private_settings": { "token": CANARY } }));
    house.home().done(&["connector", "rotate", &house.root.id, "--overlap", "1h"]);
    assert_eq!(get(&house, "app")["private_settings"]["token"], CANARY);
    let mut written = crate::leaks::Written::default();
    written.add_files("while it runs", &house.home().data());
    let ended = house.server.stop();
    written.add_files("after it ended", &ended.home.data());
    written.add_audit(&ended.home);
    written.add("the log", ended.stderr);
    written.must_not_hold(&[CANARY, &house.root.secret]);
}

#[test]
fn a_subject_is_read_changed_and_deleted_by_its_identity() {
    on_each_engine("objects", |house| {
        let connector = &house.root;
        let names = json!({ "external_id": "42", "email": "bob@bob.com", "anonymous_id": "s:1" });
        let token = connector.user(&names);
        connector.traits(house, &token, &json!({ "name": "Bob", "n": 1 }));
        done(&connector.tell(house, "t", &token, &json!({ "event": "Viewed" })));
        let id = connector.me(house, &names)["id"].as_str().unwrap().to_owned();
        let shown = get(house, &id);
        for (field, value) in [
            ("id", json!(id)),
            ("type", json!("user")),
            ("external_id", json!("42")),
            ("email", json!("bob@bob.com")),
            ("anonymous_ids", json!(["s:1"])),
            ("traits", json!({ "name": "Bob", "n": 1 })),
            ("account", Value::Null),
        ] {
            assert_eq!(shown[field], value, "{field}: {shown}");
        }
        assert_eq!(get(house, &id.to_uppercase()), shown);
        let told = json!({ "n": { "operation": "inc", "value": 2 }, "name": null });
        assert_eq!(put(house, &id, &told)["traits"], json!({ "n": 3 }));
        let bad = json!({ "n": { "operation": "inc", "value": "x" } }).to_string();
        let object = format!("/api/v1/{id}");
        let answer = house.call(&format!("PUT {object}"), &connector.headers(), &bad);
        assert_eq!(answer.status(), 400);
        assert_eq!(get(house, &id)["traits"], json!({ "n": 3 }));
        let delete =
            || house.call(&format!("DELETE {object}"), &connector.headers(), "{}").status();
        assert_eq!([delete(), delete()], [200, 404]);
        assert_eq!(house.call(&format!("GET {object}"), &connector.headers(), "").status(), 404);
        for name in ["external_id=42", "bob@bob.com", "anonymous_id=s:1"] {
            assert!(!house.knows(name), "{name}");
        }
        assert_eq!(house.home().done(&["hull", "export"]), "");
        // Told of again, it is somebody new.
        connector.traits(house, &token, &json!({ "again": true }));
        let again = connector.me(house, &names);
        assert_eq!(again["traits"], json!({ "again": true }));
        assert_ne!(again["id"], json!(id));
    });
}

#[test]
fn an_account_that_is_deleted_leaves_its_users() {
    let house = House::new();
    let connector = &house.root;
    let both = connector.token(&json!({
        "io.hull.asUser": { "email": "bob@bob.com" }, "io.hull.asAccount": { "domain": "bob.com" },
        "io.hull.subjectType": "account",
    }));
    connector.traits(&house, &both, &json!({ "k": 1 }));
    let account = house.subject("domain=bob.com")["id"].as_str().unwrap().to_owned();
    let shown = get(&house, &account);
    assert_eq!((&shown["type"], &shown["domain"]), (&json!("account"), &json!("bob.com")));
    assert_eq!(connector.me(&house, &json!({ "email": "bob@bob.com" }))["account"]["id"], account);
    let delete = format!("DELETE /api/v1/{account}");
    done(&house.call(&delete, &connector.headers(), "{}"));
    assert_eq!(house.subject("bob@bob.com")["account"], Value::Null);
}

#[test]
fn an_admin_who_names_nobody_known_is_told_so() {
    let house = House::new();
    let token = house.root.admin(&json!({ "email": "nobody@bob.com" }));
    for path in ["me", "me/user_report"] {
        let start = format!("GET /api/v1/{path}");
        assert_eq!(house.call(&start, &house.root.bearing(&token), "").status(), 404, "{path}");
    }
    assert!(!house.knows("nobody@bob.com"));
}
