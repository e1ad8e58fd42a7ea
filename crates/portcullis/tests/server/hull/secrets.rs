//! Secrets, tokens and queries show nowhere: no file, log, error, trail or answer.

use serde_json::json;

use super::House;
use super::client::{Connector, batch, entry};
use crate::leaks::Written;

const WRONG: &str = "wrongSecretCanary4K-012345678";
const ENTRY: &str = "entryTokenCanary5L";

/// Whatever can go well or wrong: how each call starts, its headers and its body.
fn calls(connector: &Connector) -> Vec<(String, String, String)> {
    let bob = json!({ "email": "bob@bob.com" });
    let (user, admin) = (connector.user(&bob), connector.admin(&bob));
    let forged = forged(connector).user(&bob);
    let query = |proof: &str| format!("id={}&secret={proof}", connector.id);
    let bad = entry("traits", &json!({ "a": 1 }), ENTRY);
    let secret_as_token = entry("traits", &json!({ "a": 1 }), &connector.secret);
    let good = entry("traits", &json!({ "a": 1 }), &user);
    vec![
        ("GET /api/v1/app".to_owned(), connector.headers(), String::new()),
        ("GET /api/v1/me".into(), connector.bearing(&admin), String::new()),
        ("POST /api/v1/me/traits".into(), connector.bearing(&user), "{\"a\":1}".into()),
        ("GET /api/v1/app".into(), connector.bearing(&user), String::new()),
        ("GET /api/v1/app".into(), connector.bearing(WRONG), String::new()),
        ("GET /api/v1/app".into(), connector.bearing(&forged), String::new()),
        (format!("GET /api/v1/app?{}", query(&connector.secret)), String::new(), String::new()),
        (format!("GET /api/v1/me?{}", query(&admin)), String::new(), String::new()),
        (format!("GET /api/v1/app?{}", query(WRONG)), String::new(), String::new()),
        (format!("GET /api/v1/nowhere?{}", query(&connector.secret)), String::new(), String::new()),
        (format!("DELETE /api/v1/me?{}", query(&connector.secret)), String::new(), String::new()),
        (format!("GET /open/x?{}", query(&connector.secret)), String::new(), String::new()),
        (format!("GET /closed/x?{}", query(&connector.secret)), String::new(), String::new()),
        (format!("GET /elsewhere?{}", query(&connector.secret)), String::new(), String::new()),
        (format!("GET /api/v1/app?{}é", query(&connector.secret)), String::new(), String::new()),
        (
            "POST /api/v1/firehose".into(),
            connector.headers(),
            batch(&[good, bad, secret_as_token], 1).to_string(),
        ),
        ("POST /api/v1/firehose".into(), connector.headers(), format!("{{\"{ENTRY}\":{user}")),
        ("POST /api/v1/me/traits".into(), connector.bearing(&user), format!("[\"{WRONG}\"]")),
        (
            "POST /api/v1/search/user_reports".into(),
            connector.headers(),
            json!({ "query": { WRONG: 1 } }).to_string(),
        ),
    ]
}

/// The connector, with a secret that is not its own.
fn forged(connector: &Connector) -> Connector {
    Connector { id: connector.id.clone(), secret: WRONG.into() }
}

#[test]
fn no_flow_of_the_dialect_shows_a_secret() {
    let house = House::with("[log]\nlevel = \"debug\"\nformat = \"json\"\n");
    let connector = house.connector(&["--query", "true"]);
    let bob = json!({ "email": "bob@bob.com" });
    let (user, admin) = (connector.user(&bob), connector.admin(&bob));
    let forged = forged(&connector).user(&bob);
    let signature = |token: &str| token.rsplit('.').next().unwrap().to_owned();
    let mut written = Written::default();
    for (start, headers, body) in calls(&connector) {
        written.add("an answer", house.call(&start, &headers, &body).0);
    }
    for words in [
        &["connector", "list"][..],
        &["--json", "connector", "show", &connector.id],
        &["--json", "connector", "list"],
        &["--json", "mount", "list"],
        &["hull", "subject", "bob@bob.com"],
        &["hull", "export"],
        &["connector", "disable", &connector.id],
    ] {
        written.add_output(&words.join(" "), house.home().run(words));
    }
    let rotated = house.home().json(&["connector", "rotate", &house.root.id]);
    written.add_files("while it runs", &house.home().data());
    let ended = house.server.stop();
    for said in ["\"level\":\"INFO\"", "wrong_proof", "bad_entries"] {
        assert!(ended.stderr.contains(said), "{said}: {}", ended.stderr);
    }
    written.add("the server, stdout", ended.stdout);
    written.add("the server, stderr", ended.stderr);
    written.add_files("after it ended", &ended.home.data());
    written.add_audit(&ended.home);
    written.must_not_hold(&[&connector.secret, &house.root.secret, WRONG, ENTRY]);
    written.must_not_hold(&[rotated["secret"].as_str().unwrap()]);
    written.must_not_hold(&[&signature(&user), &signature(&admin), &signature(&forged)]);
}
