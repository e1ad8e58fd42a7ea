//! Server tokens: made, restricted, listed and revoked, by command and over the API.

use super::{House, Key, cookie, json, refused, token};
use portcullis_core::scheme::signature::Form;

#[test]
fn a_key_and_its_secret_are_64_hex_digits_and_the_secret_is_shown_once() {
    let house = House::new();
    for text in [&house.key.key, &house.key.secret] {
        assert!(portcullis_core::scheme::signature::is_key(text.as_bytes()), "{text}");
    }
    let home = house.home();
    let listed = home.json(&["server-token", "list"]);
    assert_eq!(listed["key"], house.key.key);
    let everything = format!("{listed}{}", home.done(&["server-token", "list"]));
    assert!(!everything.contains(&house.key.secret));
    let told: String =
        home.audit().iter().map(|it| format!("{} {}", it.subject, it.detail)).collect();
    assert!(told.contains(&house.key.key) && !told.contains(&house.key.secret));
    for file in std::fs::read_dir(home.data()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap_or_default();
        let secret = house.key.secret.as_bytes();
        assert!(!bytes.windows(secret.len()).any(|it| it == secret), "it lies in the database");
    }
}

#[test]
fn a_restricted_token_is_one_users_alone_and_makes_nobody() {
    let house = House::new();
    house.home().done(&["user", "create", "jane"]);
    let (key, before) = (house.key(&["--for", "jane"]), house.count());
    assert_eq!(house.who(&[&token(&key.sign("=jane"))]), "jane");
    let number = house.home().json(&["user", "show", "jane"])["number"].to_string();
    assert_eq!(house.who(&[&token(&key.sign(&number))]), "jane");
    for user in ["=admin", "=boss", "1", "2", "=new", "4711"] {
        for path in ["users/current", "users/authenticate"] {
            refused(&house.call("GET", path, &[&token(&key.sign(user))]), 403);
        }
    }
    assert_eq!(house.count(), before);
}

#[test]
fn a_secret_is_replaced_and_the_old_one_counts_for_a_while() {
    let house = House::new();
    let home = house.home();
    let (old, key) = (house.key.clone(), house.key.key.clone());
    let new = Key::read(&home.json(&["server-token", "rotate", &key]));
    assert!(new.key == old.key && new.secret != old.secret);
    assert_eq!(house.who(&[&token(&old.sign("=boss"))]), "boss");
    assert_eq!(house.who(&[&token(&new.sign("=boss"))]), "boss");
    let last = Key::read(&home.json(&["server-token", "rotate", &key, "--overlap", "0s"]));
    for gone in [&old, &new] {
        refused(&house.call("GET", "users/current", &[&token(&gone.sign("=boss"))]), 403);
    }
    assert_eq!(house.who(&[&token(&last.sign("=boss"))]), "boss");
}

#[test]
fn only_who_may_sign_for_others_answers_for_a_token() {
    let house = House::new();
    let home = house.home();
    home.done(&["user", "create", "jane"]);
    for more in [&[][..], &["--for", "boss"], &["--older"]] {
        let out = home.run(&[&["server-token", "create", "jane"][..], more].concat());
        assert!(!out.status.success(), "{more:?}");
    }
    let own = Key::read(&home.json(&["server-token", "create", "jane", "--for", "jane"]));
    assert_eq!(house.who(&[&token(&own.sign("=jane"))]), "jane");
    refused(&house.call("GET", "users/current", &[&token(&own.sign("=boss"))]), 403);
    assert!(!home.run(&["server-token", "create", "anonymous"]).status.success());
    assert!(!home.run(&["server-token", "create", "boss", "--for", "2"]).status.success());
}

#[test]
fn a_token_that_has_expired_or_comes_from_elsewhere_does_not_count() {
    let house = House::new();
    let far = house.key(&["--network", "192.0.2.0/24"]);
    refused(&house.call("GET", "users/current", &[&token(&far.sign("=boss"))]), 403);
    let near = house.key(&["--network", "127.0.0.0/8"]);
    assert_eq!(house.who(&[&token(&near.sign("=boss"))]), "boss");
}

#[test]
fn keys_are_managed_over_the_api_by_who_looks_after_them() {
    let house = House::new();
    let path = "site/developer-tokens?dream.out.format=json";
    let session = house.session("=admin");
    let bearer = format!("Authorization: Bearer {session}");
    let body = "<developer-token type=\"server\"><name>nightly &amp; sync</name></developer-token>";
    let made = json(&house.send("POST", path, &[&bearer], body));
    assert_eq!((&made["@type"], &made["name"]), (&"server".into(), &"nightly & sync".into()));
    let key = Key {
        key: made["key"].as_str().unwrap().into(),
        secret: made["secret"].as_str().unwrap().into(),
        form: Form::Documented,
    };
    assert_eq!(house.who(&[&token(&key.sign("=jane"))]), "Anonymous");
    assert_eq!(house.who(&[&token(&key.sign("=boss"))]), "boss");

    let body = "<developer-token><name>shop</name><host>*.shop.example</host></developer-token>";
    let browser = json(&house.send("POST", path, &[&bearer], body));
    assert_eq!(
        (&browser["@type"], &browser["host"]),
        (&"browser".into(), &"*.shop.example".into())
    );
    assert!(browser.get("secret").is_none());
    let body = "<developer-token><name>one</name><restricted-by-user-id>1</restricted-by-user-id>\
                </developer-token>";
    let only = json(&house.send("POST", path, &[&bearer], body));
    assert_eq!(only["restricted-by-user-id"], "1");

    let listed = house.call("GET", path, &[&bearer]);
    let told = json(&listed);
    assert_eq!(told["@count"], "4");
    assert!(!listed.0.contains("secret"), "{}", listed.0);
    let one = format!("site/developer-tokens/{}", made["@id"].as_str().unwrap());
    let body = "<developer-token><name>renamed</name></developer-token>";
    let renamed = house.send("PUT", &one, &[&bearer], body);
    assert!(renamed.body().contains("<name>renamed</name>"), "{}", renamed.0);
    assert_eq!(house.call("DELETE", &one, &[&bearer]).status(), 200);
    refused(&house.call("GET", "users/current", &[&token(&key.sign("=boss"))]), 403);
    assert_eq!(house.call("DELETE", &one, &[&bearer]).status(), 404);
}

#[test]
fn nobody_else_manages_keys() {
    let house = House::new();
    let before = house.home().done(&["server-token", "list"]);
    let session = house.session("=jane");
    let admin = cookie(&house.session("=admin"));
    let body = "<developer-token><name>a</name></developer-token>";
    for (headers, status) in [
        (vec![], 403),
        (vec![cookie(&session)], 403),
        (vec![token(&house.key.sign("=jane"))], 403),
        (vec![token(&house.key.sign("=not yet"))], 403),
        // A page of another site has a browser send the cookie.
        (vec![admin.clone()], 403),
        (vec![admin.clone(), "Origin: https://evil.example".into()], 403),
    ] {
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        let answer = house.send("POST", "site/developer-tokens", &headers, body);
        refused(&answer, status);
        for method in ["PUT", "DELETE"] {
            refused(&house.send(method, "site/developer-tokens/1", &headers, body), status);
        }
    }
    assert_eq!(house.home().done(&["server-token", "list"]), before);
    for body in ["", "x", "<a/>", "<developer-token><name>a</name>", "{}"] {
        let answer =
            house.send("POST", "site/developer-tokens", &[&token(&house.key.sign("1"))], body);
        assert!(matches!(answer.status(), 200 | 400), "{body}: {}", answer.0);
    }
}
