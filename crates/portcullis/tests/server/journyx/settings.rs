//! The switches of a mount: whether keys count, and whether passwords do.

use serde_json::json;

use super::client::GENERATE;
use super::{House, PASSWORD};
use crate::common::basic;

#[test]
fn where_keys_are_off_they_neither_sign_in_nor_are_made() {
    let house = House::new();
    house.user("zoe", &["API Key Generate", "API Key Sign In"]);
    let key = house.key("zoe", &[]);
    let off = house.at("off.example");
    off.log_in("zoe", &key).forbidden("keys are off");
    off.with(&basic("zoe", &key)).get("/users").forbidden("keys are off");
    let by_password = off.sign_in("zoe", PASSWORD);
    by_password.post(GENERATE, &json!({})).forbidden("keys are off");
    off.with(&basic("zoe", PASSWORD)).get("/users").page();
    let by_key = house.nobody().sign_in("zoe", &key);
    by_key.get("/users").page();
    by_key.at("off.example").get("/users").forbidden("a session of a key is judged alike");
}

#[test]
fn where_single_sign_on_is_on_keys_count_and_passwords_do_not() {
    let house = House::new();
    house.user("zoe", &["API Key Sign In"]);
    let (key, sso) = (house.key("zoe", &[]), house.at("sso.example"));
    sso.log_in("zoe", PASSWORD).forbidden("passwords are off");
    sso.with(&basic("zoe", PASSWORD)).get("/users").forbidden("passwords are off");
    sso.with(&basic("zoe", &key)).get("/users").page();
    let session = sso.sign_in("zoe", &key);
    session.get("/users").page();
    session.log_out().item();
}

#[test]
fn a_mount_made_beside_the_server_has_the_same_settings() {
    let house = House::new();
    house.user("zoe", &["API Key Sign In"]);
    let key = house.key("zoe", &[]);
    let words = ["mount", "create", "late", "--dialect", "journyx", "--host", "late.example"];
    let set = ["--set", "api_keys=true", "--set", "sso_only=true", "--set", "key_days=9"];
    house.home().done(&[&words[..], &set].concat());
    let late = house.at("late.example");
    late.log_in("zoe", PASSWORD).forbidden("passwords are off");
    late.sign_in("zoe", &key).get("/users").page();
    house.home().done(&["mount", "delete", "late"]);
}

#[test]
fn a_setting_that_makes_no_sense_is_refused() {
    let house = House::new();
    for set in [
        "api_keys=yes",
        "sso_only=1",
        "key_days=0",
        "key_days=181",
        "key_days=x",
        "session_idle=59s",
        "session_cap=0s",
        "session_idle=x",
        "unknown=1",
        "api_keys",
    ] {
        let words = ["mount", "create", "bad", "--dialect", "journyx", "--host", "bad.example"];
        let output = house.home().run(&[&words[..], &["--set", set]].concat());
        assert!(!output.status.success(), "{set}");
    }
    let mounts = house.home().done(&["--json", "mount", "list"]);
    assert!(mounts.contains("without-keys") && !mounts.contains("\"bad\""), "{mounts}");
}
