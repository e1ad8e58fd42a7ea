//! Who may do what: every address, for the secret, for tokens of a user and an account, and for
//! those of an admin.

use serde_json::json;

use super::{House, done};

/// What is asked, with what body, and what comes of it: with the secret, on behalf of a user, of an
/// account, of a user as admin, and of an account as admin. `ID` is the connector's own, `SUBJECT`
/// the user's.
const ASKED: &[(&str, &str, [u16; 5])] = &[
    ("GET /api/v1/app", "", [200, 403, 403, 200, 200]),
    ("PUT /api/v1/app", SETTINGS, [200, 403, 403, 200, 200]),
    ("GET /api/v1/app/settings", "", [200, 403, 403, 200, 200]),
    ("GET /api/v1/app/status", "", [200, 403, 403, 200, 200]),
    ("PUT /api/v1/app/status", "{\"status\":\"ok\"}", [200, 403, 403, 200, 200]),
    ("GET /api/v1/ID", "", [200, 403, 403, 200, 200]),
    ("PUT /api/v1/ID", SETTINGS, [200, 403, 403, 200, 200]),
    ("GET /api/v1/ID/status", "", [200, 403, 403, 200, 200]),
    ("PUT /api/v1/ID/status", "{\"status\":\"ok\"}", [200, 403, 403, 200, 200]),
    ("DELETE /api/v1/ID", "{}", [403, 403, 403, 403, 403]),
    ("POST /api/v1/t", "{\"event\":\"e\"}", [401, 200, 403, 200, 403]),
    ("POST /api/v1/me/traits", "{\"a\":1}", [401, 200, 200, 200, 200]),
    ("PUT /api/v1/me/traits", "{\"a\":1}", [401, 200, 200, 200, 200]),
    ("POST /api/v1/me/alias", "{\"anonymous_id\":\"s:1\"}", [401, 200, 200, 200, 200]),
    ("POST /api/v1/me/unalias", "{\"anonymous_id\":\"s:1\"}", [401, 200, 200, 200, 200]),
    ("GET /api/v1/me", "", [401, 403, 403, 200, 200]),
    ("GET /api/v1/me/user_report", "", [401, 403, 403, 200, 200]),
    ("GET /api/v1/users_segments?limit=2&page=1&q=a%20b%26c", "", [200, 403, 403, 200, 200]),
    ("GET /api/v1/accounts_segments?shipId=1", "", [200, 403, 403, 200, 200]),
    ("GET /api/v1/users/schema", "", [200, 403, 403, 200, 200]),
    ("GET /api/v1/search/user_reports/bootstrap", "", [200, 403, 403, 200, 200]),
    ("GET /api/v1/search/account_reports/bootstrap", "", [200, 403, 403, 200, 200]),
    ("POST /api/v1/search/user_reports", "{}", [200, 403, 403, 200, 200]),
    ("POST /api/v1/search/account_reports", "{}", [200, 403, 403, 200, 200]),
    ("POST /api/v1/search/events", EVENTS, [200, 403, 403, 200, 200]),
    ("POST /api/v1/extract/user_reports", "{}", [400, 403, 403, 400, 400]),
    ("GET /api/v1/SUBJECT", "", [200, 403, 403, 200, 200]),
    ("PUT /api/v1/SUBJECT", "{\"a\":2}", [200, 403, 403, 200, 200]),
    ("GET /api/v1/SUBJECT/status", "", [404, 403, 403, 404, 404]),
    ("GET /api/v1/0123456789abcdef01234567", "", [404, 403, 403, 404, 404]),
    ("DELETE /api/v1/0123456789abcdef01234567", "{}", [404, 403, 403, 404, 404]),
    ("GET /api/v1/nowhere", "", [404, 404, 404, 404, 404]),
    ("GET /api/v1/me/nowhere", "", [404, 404, 404, 404, 404]),
    ("DELETE /api/v1/me", "{}", [405, 405, 405, 405, 405]),
    ("GET /api/v1/t", "", [405, 405, 405, 405, 405]),
    ("GET /api/v1/firehose", "", [405, 405, 405, 405, 405]),
    ("PATCH /api/v1/app", "{}", [405, 405, 405, 405, 405]),
];

const SETTINGS: &str = "{\"private_settings\":{\"x\":1}}";
const EVENTS: &str = "{\"query\":{\"term\":{\"user_id\":\"SUBJECT\"}}}";

#[test]
fn each_address_is_open_to_those_alone_who_may() {
    let house = House::new();
    let connector = &house.root;
    let (user, account) = (json!({ "email": "bob@bob.com" }), json!({ "domain": "bob.com" }));
    let proofs = [
        connector.secret.clone(),
        connector.user(&user),
        connector.account(&account),
        connector.admin(&user),
        connector.token(&json!({ "io.hull.asAccount": account, "scopes": ["admin"] })),
    ];
    connector.traits(&house, &proofs[1], &json!({ "name": "Bob" }));
    connector.traits(&house, &proofs[2], &json!({ "name": "Bob Inc" }));
    let subject = connector.me(&house, &user)["id"].as_str().unwrap().to_owned();
    for (start, body, expected) in ASKED {
        let filled = |text: &str| text.replace("ID", &connector.id).replace("SUBJECT", &subject);
        let told = proofs.each_ref().map(|proof| {
            let answer = house.call(&filled(start), &connector.bearing(proof), &filled(body));
            if answer.status() == 405 {
                assert!(answer.header("allow").is_some(), "{start}: {}", answer.0);
            }
            assert!(!answer.body().is_empty(), "{start}");
            answer.status()
        });
        assert_eq!(told, *expected, "{start}");
        if *expected != [404; 5] && *expected != [405; 5] {
            assert_eq!(house.call(&filled(start), "", &filled(body)).status(), 401, "{start}");
        }
    }
}

#[test]
fn what_is_refused_changes_nothing() {
    let house = House::new();
    let connector = &house.root;
    let user = json!({ "email": "bob@bob.com" });
    let token = connector.user(&user);
    connector.traits(&house, &token, &json!({ "name": "Bob" }));
    let id = connector.me(&house, &user)["id"].as_str().unwrap().to_owned();
    done(&house.call("PUT /api/v1/app", &connector.headers(), SETTINGS));
    let other = "{\"private_settings\":{\"x\":2},\"name\":\"Mallory\"}";
    for start in ["PUT /api/v1/app", &format!("PUT /api/v1/{id}"), &format!("DELETE /api/v1/{id}")]
    {
        let answer = house.call(start, &connector.bearing(&token), other);
        assert_eq!(answer.status(), 403, "{start}");
    }
    assert_eq!(connector.me(&house, &user)["traits"], json!({ "name": "Bob" }));
    let app = done(&house.call("GET /api/v1/app", &connector.headers(), ""));
    assert_eq!(app["private_settings"], json!({ "x": 1 }));
}

#[test]
fn an_admin_without_its_secret_is_still_bound_to_its_connector() {
    let house = House::new();
    let other = house.connector(&[]);
    let forged =
        super::client::Connector { id: house.root.id.clone(), secret: other.secret.clone() };
    let token = forged.admin(&json!({ "email": "bob@bob.com" }));
    let answer = house.call("GET /api/v1/app", &house.root.bearing(&token), "");
    assert_eq!(answer.status(), 401);
}
