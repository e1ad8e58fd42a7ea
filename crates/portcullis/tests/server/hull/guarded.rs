//! Connectors at guards: whom they let through, and what the upstream is told.

use serde_json::json;

use super::House;

#[test]
fn a_guard_takes_the_secret_and_tokens_of_subjects_where_it_says_so() {
    let house = House::new();
    let connector = &house.root;
    let bob = json!({ "email": "bob@bob.com" });
    for (proof, open, closed) in [
        (connector.secret.clone(), 200, 200),
        (connector.user(&bob), 200, 401),
        (connector.account(&json!({ "domain": "bob.com" })), 200, 401),
        (connector.admin(&bob), 200, 200),
        ("wrong".into(), 401, 401),
    ] {
        for (path, status) in [("open", open), ("closed", closed)] {
            let answer = house.call(&format!("GET /{path}/x"), &connector.bearing(&proof), "");
            assert_eq!(answer.status(), status, "{path}: {}", answer.0);
            if status == 200 {
                let heard = answer.body().to_lowercase();
                assert!(heard.contains("portcullis-user: zoe"), "{heard}");
                assert!(heard.contains("portcullis-scheme: connector"), "{heard}");
                assert!(!heard.contains("hull-a") && !answer.0.contains(&proof), "{heard}");
            }
        }
    }
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
