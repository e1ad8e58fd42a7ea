//! What ends a session before its time.

use serde_json::json;

use super::{House, PASSWORD};

#[test]
fn a_session_ends_with_the_password_the_user_and_the_organization() {
    let house = House::new();
    house.user("other", &[]);
    let other = house.sign_in("other");
    let number = house.organization("Branch");
    for (why, words) in [
        ("another password", &[][..]),
        ("the user is off", &["user", "disable", "LOGIN"]),
        ("the user is gone", &["user", "delete", "LOGIN"]),
        ("the organization is off", &["org", "disable", "NUMBER"]),
    ] {
        let login = why.replace(' ', "-");
        house.user_in(&number, &login, &[]);
        let sessions = [house.sign_in(&login), house.sign_in(&login)];
        let by_password = house.basic(&login, PASSWORD);
        by_password.get("/users").page();
        let words: Vec<&str> = words
            .iter()
            .map(|word| match *word {
                "LOGIN" => &*login,
                "NUMBER" => &*number,
                word => word,
            })
            .collect();
        if words.is_empty() {
            house.set_password(&login, "another good password", "1");
        } else {
            house.home().done(&words);
        }
        for session in &sessions {
            session.get("/users").forbidden(why);
            session.log_out().forbidden(why);
        }
        by_password.get("/users").forbidden(why);
        house.nobody().log_in(&login, PASSWORD).forbidden(why);
        other.get("/users").page();
    }
}

#[test]
fn a_session_ends_with_the_key_that_it_was_opened_with() {
    let house = House::new();
    house.user("zoe", &["API Key Sign In"]);
    let by_password = house.sign_in("zoe");
    for word in ["revoke", "disable", "DELETE"] {
        let (key, kept) = (house.key("zoe", &[]), house.key("zoe", &[]));
        let session = house.nobody().sign_in("zoe", &key);
        let other = house.nobody().sign_in("zoe", &kept);
        session.get("/users").page();
        let id = key.split('_').nth(2).unwrap();
        if word == "DELETE" {
            let label = house.key("zoe", &["--label", "to be deleted"]);
            let session = house.nobody().sign_in("zoe", &label);
            let keys = by_password.keys();
            let mine = keys.iter().find(|key| key["pname"] == json!("to be deleted")).unwrap();
            let path = format!("/api_keys/{}", mine["id_api_key"].as_str().unwrap());
            by_password.delete(&path).item();
            session.get("/users").forbidden(word);
            house.basic("zoe", &label).get("/users").forbidden(word);
            house.nobody().log_in("zoe", &label).forbidden(word);
        } else {
            house.home().done(&["key", word, id]);
            session.get("/users").forbidden(word);
            house.basic("zoe", &key).get("/users").forbidden(word);
            house.nobody().log_in("zoe", &key).forbidden(word);
        }
        other.get("/users").page();
        by_password.get("/users").page();
    }
}

#[test]
fn a_key_and_its_sessions_end_with_the_role_that_lets_it_sign_in() {
    let house = House::new();
    house.user("zoe", &["API Key Sign In"]);
    let key = house.key("zoe", &[]);
    let (by_key, by_password) = (house.nobody().sign_in("zoe", &key), house.sign_in("zoe"));
    let basic = house.basic("zoe", &key);
    basic.get("/users").page();
    house.home().done(&["role", "withdraw", "API Key Sign In", "zoe"]);
    by_key.get("/users").forbidden("the role is gone");
    basic.get("/users").forbidden("the role is gone");
    house.nobody().log_in("zoe", &key).forbidden("the role is gone");
    by_password.get("/users").page();
}

#[test]
fn a_key_and_its_sessions_end_with_the_group_that_held_the_role() {
    let house = House::new();
    house.user("zoe", &[]);
    house.home().done(&["group", "create", "crew"]);
    house.home().done(&["role", "grant", "API Key Sign In", "--group", "crew"]);
    let key = house.key("zoe", &[]);
    house.nobody().log_in("zoe", &key).forbidden("not yet in the group");
    house.home().done(&["group", "add", "crew", "zoe"]);
    let session = house.nobody().sign_in("zoe", &key);
    session.get("/users").page();
    house.home().done(&["group", "remove", "crew", "zoe"]);
    session.get("/users").forbidden("out of the group");
}

#[test]
fn a_session_keeps_no_ability_that_its_user_lost() {
    let house = House::new();
    house.user("zoe", &["API Key Generate", "API Key Sign In"]);
    let session = house.sign_in("zoe");
    session.generate(&json!({}));
    house.home().done(&["role", "withdraw", "API Key Generate", "zoe"]);
    session.post(super::client::GENERATE, &json!({})).forbidden("the role is gone");
    session.get("/users").page();
}

#[test]
fn a_key_that_has_expired_signs_nobody_in() {
    let house = House::new();
    house.user("zoe", &["API Key Sign In"]);
    let words = ["key", "create", "zoe", "--expires", "2001-01-01T00:00:00Z"];
    let made = house.home().json(&words);
    let key = made["key"].as_str().unwrap();
    house.nobody().log_in("zoe", key).forbidden("expired");
    house.basic("zoe", key).get("/users").forbidden("expired");
    let told = house.sign_in("zoe").keys().remove(0);
    assert_eq!(told["expired"], json!(true), "{told}");
}

#[test]
fn a_session_outlives_the_server_and_an_end_of_it_too() {
    let house = House::new();
    house.user("zoe", &[]);
    let (kept, ended) = (house.sign_in("zoe"), house.sign_in("zoe"));
    ended.log_out().item();
    let (kept, ended) = (kept.token().to_owned(), ended.token().to_owned());
    let home = house.server.stop().home;
    let server =
        crate::common::Server::serve(home, "[[mount]]\ndialect = \"journyx\"\napi_keys = true\n");
    let caller = super::Client::new(&server, super::SITE);
    caller.with_session(&kept).get("/users").page();
    caller.with_session(&ended).get("/users").forbidden("signed out before");
}
