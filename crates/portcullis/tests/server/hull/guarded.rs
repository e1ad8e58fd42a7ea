//! Connectors at guards: whom they let through, and what the upstream is told.

use serde_json::json;

use super::House;
use crate::common::Answer;

#[test]
fn a_guard_takes_the_secret_and_tokens_of_subjects_where_it_says_so() {
    let house = House::new();
    let connector = &house.root;
    let bob = json!({ "email": "bob@bob.com" });
    // The user is the connector's, and a subject is nobody's but its own.
    let (zoe, of_bob) = (Some("zoe"), Some("email=bob@bob.com"));
    for (proof, open, closed, user, subject) in [
        (connector.secret.clone(), 200, 200, zoe, None),
        (connector.user(&bob), 200, 401, None, of_bob),
        (connector.account(&json!({ "domain": "b ob.com=x" })), 200, 401, None, None),
        (connector.admin(&bob), 200, 200, zoe, of_bob),
        ("wrong".into(), 401, 401, None, None),
    ] {
        for (path, status) in [("open", open), ("closed", closed)] {
            let forged = format!("{}Portcullis-Subject-User: id=1\r\n", connector.bearing(&proof));
            let answer = house.call(&format!("GET /{path}/x"), &forged, "");
            assert_eq!(answer.status(), status, "{path}: {}", answer.0);
            assert!(!answer.0.contains(&proof), "{path}");
            if status == 200 {
                assert_eq!(heard(&answer, "portcullis-scheme"), Some("connector"));
                assert_eq!(heard(&answer, "portcullis-user"), user, "{path}");
                assert_eq!(heard(&answer, "portcullis-user-id").is_some(), user.is_some());
                assert_eq!(heard(&answer, "portcullis-subject-user"), subject, "{path}");
                assert_eq!(
                    heard(&answer, "hull-app-id").or(heard(&answer, "hull-access-token")),
                    None
                );
            }
        }
    }
    let account = connector.bearing(&connector.account(&json!({ "domain": "b ob.com=x" })));
    let answer = house.call("GET /open/x", &account, "");
    assert_eq!(heard(&answer, "portcullis-subject"), Some("account"));
    assert_eq!(heard(&answer, "portcullis-subject-account"), Some("domain=b%20ob.com=x"));
}

/// The header that the upstream was sent under this name.
fn heard<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    let mut pairs = answer.body().lines().filter_map(|line| line.split_once(": "));
    pairs.find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

#[test]
fn what_proved_a_connector_in_the_query_is_not_sent_on() {
    let house = House::new();
    let connector = house.connector(&["--query", "true"]);
    let proof = format!("id={}&secret={}", connector.id, connector.secret);
    for (query, sent) in
        [(proof.clone(), "/open/x"), (format!("a=1&{proof}&b=%20"), "/open/x?a=1&b=%20")]
    {
        let answer = house.call(&format!("GET /open/x?{query}"), "", "");
        assert_eq!(answer.status(), 200, "{}", answer.0);
        assert!(answer.body().starts_with(&format!("GET {sent} HTTP/1.1\r\n")), "{}", answer.0);
        assert!(!answer.0.contains(&connector.secret));
        assert_eq!(house.call(&format!("GET /closed/x?{query}"), "", "").status(), 401);
    }
    // Known by headers, the same names are the upstream's.
    let start = "GET /open/x?id=segment&secret=no";
    let answer = house.call(start, &connector.headers(), "");
    assert!(answer.body().starts_with("GET /open/x?id=segment&secret=no "), "{}", answer.0);
}
