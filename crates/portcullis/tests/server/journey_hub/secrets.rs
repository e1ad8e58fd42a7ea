//! The secret and the tokens show nowhere: no file, log, error, trail or later answer.

use serde_json::json;

use super::hub::{FORM, Hub, JSON, Secret, hash, nonce};
use super::{House, MOUNTS};
use crate::common::{Home, Quickstart, Server};
use crate::leaks::Written;

#[test]
fn no_flow_of_the_dialect_shows_a_secret_or_a_token() {
    let home = Home::new();
    let tenant = home.json(&["org", "create", "Red", "--realm"])["number"].to_string();
    let secret = Secret::of_an_owner(&home, "boss", "1");
    let config = MOUNTS.replace("RED", &tenant).replace("BLUE", &tenant);
    let log = "[log]\nlevel = \"debug\"\nformat = \"json\"\n";
    let server = Server::serve(home, &format!("{log}{config}"));
    let hub = Hub::new(&server, "any", "/hub").sign_in(&secret);
    let mut written = Written::default();
    let token = hub.token.clone();
    let misplaced = [
        hub.get(&format!("/org?token={token}")),
        hub.get(&format!("/org?after={}", secret.secret)),
        hub.post("/org", &json!({ "parentId": secret.secret, "name": 1 })),
        hub.ask_token(&json!({ "userId": secret.secret, "nonce": "n", "hash": "h" })),
        hub.ask_token(&json!({ "userId": secret.user_id, "nonce": secret.secret, "hash": token })),
        hub.call("POST", "/token", JSON, &format!("{{\"{token}\":{}", secret.secret)),
        hub.call("POST", "/token", FORM, &format!("{0}={0}&{0}={0}", secret.secret)),
        hub.with(&format!("{token}x")).get("/org"),
        hub.with(&secret.secret).get("/org"),
        hub.with(&format!("Bearer {}", secret.secret)).get("/org"),
        hub.put("/org/1", &json!({ "name": "N" })),
        hub.get("/org"),
    ];
    for told in misplaced {
        written.add("an answer", told.answer.0);
    }
    for words in [
        &["user", "list"][..],
        &["--json", "user", "show", "boss"],
        &["--json", "mount", "list"],
        &["--json", "mount", "show", "red"],
        &["role", "withdraw", "Owner", "boss"],
        &["user", "secret", "boss"],
        &["role", "grant", "Owner", "boss"],
    ] {
        written.add_output(&words.join(" "), server.home.run(words));
    }
    let renewed = Secret::make(&server.home, "boss", "1");
    written.add_files("while it runs", &server.home.data());
    let ended = server.stop();
    assert!(ended.stderr.contains("\"level\":\"INFO\""), "{}", ended.stderr);
    written.add("the server, stdout", ended.stdout);
    written.add("the server, stderr", ended.stderr);
    written.add_files("after it ended", &ended.home.data());
    written.add_audit(&ended.home);
    let token = token.rsplit('_').next().unwrap();
    written.must_not_hold(&[&secret.secret, &renewed.secret, token]);
}

#[test]
fn a_quickstart_shows_the_secret_on_standard_output_and_in_its_file_alone() {
    let server = Quickstart::start(Home::new());
    let secret = Secret::read(&server.made["journey_hub"]);
    let token = Hub::new(&server, "any", "").sign_in(&secret).token;
    let mut written = Written::default();
    written.add_files("while it runs", &server.home.data());
    let ended = server.stop();
    written.add("stderr", ended.stderr);
    written.add_files("after it ended", &ended.home.data());
    written.add_audit(&ended.home);
    written.must_not_hold(&[&secret.secret, token.rsplit('_').next().unwrap()]);
}

#[test]
fn a_hash_that_was_heard_earns_nothing_more() {
    let house = House::new();
    let (hub, nonce) = (house.boss(), nonce());
    let heard = house.owner.credentials(&nonce);
    hub.ask_token(&heard).ok();
    let hash = hash(&house.owner.secret, &nonce);
    for (what, body) in [
        ("again", heard.clone()),
        ("by the other name", json!({ "id": house.owner.user_id, "nonce": nonce, "hash": hash })),
        (
            "in capitals",
            json!({ "id": house.owner.user_id, "nonce": nonce, "hash": hash.to_uppercase() }),
        ),
        ("as another", json!({ "id": "1", "nonce": nonce, "hash": hash })),
    ] {
        let told = hub.ask_token(&body);
        let status = told.answer.status();
        assert!([400, 401].contains(&status), "{status}");
        told.refused(status, what);
    }
}
