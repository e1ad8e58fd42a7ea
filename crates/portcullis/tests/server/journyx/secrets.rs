//! Passwords, keys and tokens show nowhere: no file, log, error, trail or later answer.

use serde_json::json;

use super::client::GENERATE;
use super::{House, PASSWORD};
use crate::common::basic;
use crate::leaks::Written;

const WRONG: &str = "wrongPasswordCanary4K";

#[test]
fn no_flow_of_the_dialect_shows_a_secret() {
    let house = House::with("[log]\nlevel = \"debug\"\nformat = \"json\"\n");
    house.user("zoe", &["API Key Generate", "API Key Sign In"]);
    let session = house.sign_in("zoe");
    let token = session.token().to_owned();
    let made = session.generate(&json!({ "pname": "shown" }));
    let key = made["display_key"].as_str().unwrap().to_owned();
    let by_key = house.nobody().sign_in("zoe", &key);
    let second = by_key.token().to_owned();
    let mut written = Written::default();
    let nobody = house.nobody();
    for told in [
        session.get("/users"),
        session.get("/roles"),
        session.get(&format!("/users?token={token}&$filter={key}")),
        session.get(&format!("/users?$select={PASSWORD}").replace(' ', "+")),
        nobody.log_in("zoe", WRONG),
        nobody.log_in(&key, &token),
        nobody.call("POST", "/login", &format!("{{\"{token}\":{key}")),
        nobody.with(&basic("zoe", WRONG)).get("/users"),
        nobody.with(&basic(&key, &token)).get("/users"),
        nobody.with_session(&format!("{token}x")).get("/users"),
        session.post(GENERATE, &json!({ "expires_days": key })),
        by_key.log_out(),
    ] {
        let (head, body) = told.answer.0.split_once("\r\n\r\n").unwrap();
        // What was asked may be said back to who asked it, in `uri` alone.
        let body = if body.contains("\"uri\"") {
            let mut body: serde_json::Value = serde_json::from_str(body).unwrap();
            body["uri"] = json!("");
            body.to_string()
        } else {
            body.to_owned()
        };
        written.add("an answer", format!("{head}\r\n\r\n{body}"));
    }
    let id = key.split('_').nth(2).unwrap();
    for words in [
        &["--json", "key", "list", "zoe"][..],
        &["--json", "key", "show", id],
        &["--json", "user", "show", "zoe"],
        &["--json", "mount", "list"],
        &["key", "revoke", id],
    ] {
        written.add_output(&words.join(" "), house.home().run(words));
    }
    written.add_files("while it runs", &house.home().data());
    let ended = house.server.stop();
    assert!(ended.stderr.contains("\"level\":\"INFO\""), "{}", ended.stderr);
    written.add("the server, stdout", ended.stdout);
    written.add("the server, stderr", ended.stderr);
    written.add_files("after it ended", &ended.home.data());
    written.add_audit(&ended.home);
    let last = |text: &str| text.rsplit('_').next().unwrap().to_owned();
    let parts = [last(&token), last(&second), last(&key)];
    written.must_not_hold(&[PASSWORD, WRONG, &parts[0], &parts[1], &parts[2]]);
}
