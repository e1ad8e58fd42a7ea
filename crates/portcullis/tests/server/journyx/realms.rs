//! Two realms on one server: neither sees anything of the other.

use serde_json::json;

use super::client::GENERATE;
use super::{House, OF_THE_REALM, PASSWORD, id_of};
use crate::common::basic;

#[test]
fn a_second_realm_mounted_by_host_sees_nothing_of_the_first() {
    let house = House::new();
    let red = house.red.clone();
    house.user_in(&red, "red", &["Owner"]);
    house.user_in(&red, "boss", &[]);
    house.set_password("boss", "a password of its own", &red);
    house.project("1", "Secret plan");
    let boss = house.boss();
    let owner = house.at("red.example").sign_in("red", PASSWORD);
    let key = boss.generate(&json!({}));
    let page = owner.get("/users?$orderBy=username").page();
    let logins = page.iter().map(|user| user["username"].as_str().unwrap());
    let logins: Vec<_> = logins.filter(|login| !OF_THE_REALM.contains(login)).collect();
    assert_eq!(logins, ["boss", "red"]);
    assert_eq!(owner.get("/projects").page().len(), 0);
    assert_eq!(owner.keys().len(), 0);
    let bosses = id_of(&boss, "users", "username", "boss");
    let project = id_of(&boss, "projects", "pname", "Secret plan");
    let key_path = format!("/api_keys/{}", key["id_api_key"].as_str().unwrap());
    for path in [
        format!("/users/{bosses}"),
        format!("/projects/{project}"),
        key_path.clone(),
        format!("/api_keys?id_user={bosses}"),
    ] {
        assert_eq!(boss.get(&path).status(), 200, "{path}");
        owner.get(&path).forbidden(&path);
    }
    owner.delete(&key_path).forbidden("another realm's");
    owner.patch(&key_path, &json!({ "pname": "taken" })).forbidden("another realm's");
    owner.post(GENERATE, &json!({ "id_user": bosses })).forbidden("another realm's");
    assert_eq!(boss.get(&key_path).item()["pname"], key["pname"]);
}

#[test]
fn no_credential_of_one_realm_counts_in_another() {
    let house = House::new();
    let red = house.red.clone();
    house.user("zoe", &["API Key Sign In"]);
    house.user_in(&red, "zoe", &["API Key Sign In"]);
    house.set_password("zoe", "a password of its own", &red);
    let (key, reds) = (house.key("zoe", &[]), house.key("zoe", &["--realm", &red]));
    let (here, there) = (house.nobody(), house.at("red.example"));
    let (session, red_session) =
        (here.sign_in("zoe", PASSWORD), there.sign_in("zoe", "a password of its own"));
    for (wrong, right) in [
        (session.at("red.example"), session.clone()),
        (red_session.at(super::SITE), red_session.clone()),
        (there.with(&basic("zoe", PASSWORD)), here.with(&basic("zoe", PASSWORD))),
        (there.with(&basic("zoe", &key)), here.with(&basic("zoe", &key))),
        (here.with(&basic("zoe", &reds)), there.with(&basic("zoe", &reds))),
    ] {
        wrong.get("/users").forbidden("another realm's");
        right.get("/users").page();
    }
    session.at("red.example").log_out().forbidden("another realm's");
    there.log_in("zoe", &key).forbidden("another realm's");
    there.log_in("zoe", PASSWORD).forbidden("another realm's");
    session.get("/users").page();
}
