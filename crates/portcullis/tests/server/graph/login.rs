//! `POST /login`: every way to ask for a token, every mistake in asking, and where a token counts
//! until it ends.

use serde_json::json;

use super::calls::{FORM, JSON, bearer, in_form, names, text_of, value};
use super::{House, LISTENERS, PASSWORD, user, zoe};
use crate::common::{Answer, basic};
use crate::leaks::Written;

/// The challenge of the login.
const BASIC: &str = r#"Basic realm="portcullis", charset="UTF-8""#;

/// A login in JSON.
fn in_json(house: &House, login: &str, password: &str) -> Answer {
    let body = json!({ "username": login, "password": password }).to_string();
    house.call("POST /login", JSON, &body)
}

#[track_caller]
fn check_refused(answer: &Answer, status: u16, why: &str) {
    assert_eq!(answer.status(), status, "{why}: {}", answer.0);
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{why}");
    let challenge = (status == 401).then_some(BASIC);
    assert_eq!(answer.header("www-authenticate"), challenge, "{why}");
    assert!(!answer.0.contains("pcl_tok_"), "{why}");
    let body: serde_json::Value = serde_json::from_str(answer.body()).unwrap();
    assert_eq!(body["meta"]["code"], json!(status), "{why}: {body}");
}

#[test]
fn every_encoding_of_a_login_gives_a_token_that_passes() {
    let house = House::new();
    let form = format!("username=zoe&password={}", in_form());
    let in_json = json!({ "username": "zoe", "password": PASSWORD }).to_string();
    let more = json!({ "username": "zoe", "password": PASSWORD, "scope": null, "remember": [1] });
    let (more, zoe) = (more.to_string(), zoe());
    for (path, headers, body) in [
        ("/login", JSON, &*in_json),
        ("/login", "Content-Type: Application/JSON; charset=utf-8\r\n", &in_json),
        ("/login", JSON, &more),
        ("/login", FORM, &form),
        ("/login", FORM, &format!("{form}&scope=&other=%20")),
        ("/login", FORM, "user%6Eame=%7Aoe&password=correct%20horse%20battery"),
        ("/login", &zoe, ""),
        ("/login", &format!("{FORM}{zoe}"), ""),
        ("/login", &format!("{JSON}{zoe}"), "{}"),
        ("/second/login", JSON, &in_json),
    ] {
        let told = value(&house.call(&format!("POST {path}"), headers, body));
        assert_eq!(names(&told), ["access_token", "expires_in", "token", "token_type"]);
        assert_eq!(told["token"], told["access_token"]);
        assert_eq!((&told["token_type"], &told["expires_in"]), (&json!("Bearer"), &json!(86_400)));
        assert_eq!(house.at("echo", &bearer(&text_of(&told, "token"))), 200, "{headers}{body}");
    }
}

#[test]
fn every_mistake_in_a_login_has_its_status() {
    let house = House::new();
    let good = json!({ "username": "zoe", "password": PASSWORD }).to_string();
    let form = format!("username=zoe&password={}", in_form());
    let twice = good.replace("{", r#"{"username":"zoe","#);
    let both = |kind: &str| format!("{kind}{}", zoe());
    let large = format!(r#"{{"username":"{}"}}"#, "x".repeat(16 << 10));
    for (headers, body, status) in [
        ("", "", 401),
        (JSON, "{}", 401),
        (FORM, "", 401),
        ("Authorization: Basic x\r\n", "", 401),
        ("Authorization: Digest x\r\n", "", 401),
        (JSON, r#"{"username":"zoe"}"#, 400),
        (JSON, r#"{"password":"x"}"#, 400),
        (JSON, r#"{"username":"zoe","password":null}"#, 400),
        (JSON, r#"{"username":1,"password":"x"}"#, 400),
        (JSON, r#"{"username":"zoe","password":["x"]}"#, 400),
        (JSON, "[]", 400),
        (JSON, "null", 400),
        (JSON, "{", 400),
        (JSON, &format!("{good}x"), 400),
        (JSON, &form, 400),
        (JSON, &twice, 400),
        (JSON, &"[".repeat(10_000), 400),
        (FORM, "username=zoe", 400),
        (FORM, "password=x", 400),
        (FORM, "username=zoe&password=%ff", 400),
        (FORM, &format!("{form}&username=zoe"), 400),
        (FORM, &format!("{form}&user%6eame=zoe"), 400),
        (FORM, &format!("{form}&scope=echo&scope=bare"), 400),
        (FORM, &format!("{form}&scope=unknown"), 400),
        (&both(JSON), &good, 400),
        (&both(FORM), &form, 400),
        (&both(FORM), "username=zoe", 400),
        ("Content-Type: text/plain\r\n", &good, 415),
        ("Content-Type: multipart/form-data; boundary=x\r\n", &form, 415),
        ("", &good, 415),
        (JSON, &large, 413),
    ] {
        let answer = house.call("POST /login", headers, body);
        check_refused(&answer, status, &format!("{headers} {}", &body[..body.len().min(60)]));
    }
    let repeated = house.call("POST /login", &format!("{}{}", zoe(), zoe()), "");
    assert_eq!(repeated.status(), 400);
    // No password belongs in an address.
    let in_query = format!("POST /login?username=zoe&password={}", in_form());
    check_refused(&house.call(&in_query, "", ""), 401, "in the query");
    for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        for path in ["/login", "/logout"] {
            let answer = house.call(&format!("{method} {path}"), &zoe(), "");
            check_refused(&answer, 405, method);
            assert_eq!(answer.header("allow"), Some("POST"), "{method}");
        }
    }
}

#[test]
fn whoever_may_not_sign_in_is_told_the_same() {
    let house = House::new();
    let home = &house.server.home;
    home.done(&["user", "create", "unset"]);
    user(home, "off", "1");
    user(home, "eve", "1");
    home.done(&["user", "disable", "off"]);
    let (of_eve, _) = house.key("eve", &[]);
    let (revoked, id) = house.key("eve", &[]);
    home.done(&["key", "revoke", &id]);
    let (expired, _) = house.key("eve", &["--expires", "2020-01-01T00:00:00Z"]);
    let token = house.sign_in(&format!("{}\r\n", basic("eve", PASSWORD)), "");
    let expected = in_json(&house, "zoe", "wrong password");
    check_refused(&expected, 401, "a wrong password");
    let expected = expected.anonymous();
    for (login, password) in [
        ("nobody", PASSWORD),
        ("unset", PASSWORD),
        ("off", PASSWORD),
        ("red", PASSWORD),
        ("", PASSWORD),
        ("zoe", ""),
        ("zoe", &*of_eve),
        ("eve", &revoked),
        ("eve", &expired),
        ("eve", &token),
        ("zoe:x", PASSWORD),
    ] {
        assert_eq!(in_json(&house, login, password).anonymous(), expected, "{login}");
    }
    let by_basic = house.form("/login", &format!("{}\r\n", basic("nobody", PASSWORD)), "");
    assert_eq!(by_basic.anonymous(), expected);
    value(&in_json(&house, "eve", &of_eve));
}

#[test]
fn after_too_many_wrong_passwords_a_login_is_told_how_long_to_wait() {
    let house = House::new();
    let guess = |login: &str| {
        let guesses = std::iter::repeat_with(|| in_json(&house, login, "wrong password"));
        guesses.take(50).find(|answer| answer.status() != 401).unwrap()
    };
    for login in ["nobody", "zoe"] {
        let answer = guess(login);
        check_refused(&answer, 429, login);
        let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=900).contains(&seconds), "{seconds}");
    }
    // The wait may be over by now, so that it may take some more until one falls into it.
    let waits = |_| {
        guess("zoe");
        in_json(&house, "zoe", PASSWORD).status() == 429
    };
    assert!((0..20).any(waits), "the right one is looked at all the same");
}

#[test]
fn a_token_inherits_what_the_key_may_not_that_paid_for_it() {
    let house = House::new();
    let (key, _) = house.key("zoe", &["--read-only", "--expires", "30m"]);
    let told = value(&in_json(&house, "zoe", &key));
    let seconds = told["expires_in"].as_i64().unwrap();
    assert!((1..=1_800).contains(&seconds), "{seconds}");
    let token = bearer(&text_of(&told, "token"));
    for (method, status) in [("GET", 200), ("HEAD", 200), ("POST", 403)] {
        let answer = house.call(&format!("{method} {LISTENERS}/echo"), &token, "");
        assert_eq!(answer.status(), status, "{method}");
    }
}

#[test]
fn a_token_opens_no_other() {
    let house = House::new();
    let token = house.token();
    check_refused(&house.form("/login", &bearer(&token), ""), 401, "as Bearer");
    check_refused(&in_json(&house, "zoe", &token), 401, "as password");
    let fields = format!("grant_type=client_credentials&client_id=zoe&client_secret={token}");
    assert_eq!(house.form("/oauth/token", "", &fields).status(), 401);
    assert_eq!(house.at("echo", &bearer(&token)), 200);
}

/// Places that take tokens, and some that do not.
const PLACES: &str = r#"
[[guard]]
name = "with-token"
path = "/with-token"
upstream = "http://ECHO"
schemes = ["bearer"]

[[guard]]
name = "without-token"
path = "/without-token"
upstream = "http://ECHO"
schemes = ["basic", "api_key"]

[[listener]]
id = "no-token"
upstream = "http://ECHO"
schemes = ["basic", "shared_secret"]
"#;

#[test]
fn a_token_counts_where_its_scope_says_and_tokens_are_taken_in_its_realm_alone() {
    let house = House::with(PLACES);
    let red = format!("{}\r\n", basic("red", PASSWORD));
    let of_red = value(&house.call_at("red.example", "POST /login", &red, ""));
    let of_red = text_of(&of_red, "token");
    let whole = house.token();
    let scoped = value(&house.form("/login", &zoe(), "scope=+echo++with-token+"));
    assert_eq!(scoped["scope"], json!("echo with-token"));
    let scoped = text_of(&scoped, "token");
    let listener = |id: &str| format!("{LISTENERS}/{id}");
    for (host, path, expected) in [
        ("site.example", listener("echo"), [200, 200, 401]),
        ("site.example", listener("telling/dc"), [200, 401, 401]),
        ("site.example", listener("bare"), [200, 401, 401]),
        ("site.example", listener("no-token"), [401, 401, 401]),
        ("site.example", listener("able"), [403, 401, 401]),
        ("site.example", listener("far"), [403, 403, 403]),
        ("site.example", "/with-token/x".into(), [200, 200, 401]),
        ("site.example", "/without-token/x".into(), [401, 401, 401]),
        ("red.example", listener("of-red"), [401, 401, 200]),
    ] {
        for (token, status) in [&whole, &scoped, &of_red].into_iter().zip(expected) {
            let answer = house.call_at(host, &format!("GET {path}"), &bearer(token), "");
            assert_eq!(answer.status(), status, "{host}{path}");
        }
    }
    for scope in ["of-red", "no-token", "without-token", "echo+unknown", "Echo", "*"] {
        let answer = house.form("/login", &zoe(), &format!("scope={scope}"));
        check_refused(&answer, 400, scope);
    }
}

#[test]
fn a_logout_ends_the_one_token_in_the_head() {
    let house = House::new();
    let (token, other) = (house.token(), house.token());
    value(&house.form("/logout", &bearer(&token), ""));
    assert_eq!(house.at("echo", &bearer(&token)), 401);
    for (headers, why) in [
        (bearer(&token), "ended"),
        (bearer("pcl_tok_x"), "no token"),
        (zoe(), "a password"),
        (String::new(), "nobody"),
    ] {
        let answer = house.form("/logout", &headers, "");
        assert_eq!(answer.status(), 401, "{why}");
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.starts_with("Bearer "), "{why}: {challenge}");
    }
    assert_eq!(house.at("echo", &bearer(&other)), 200);
}

#[test]
fn a_token_ends_with_all_that_it_was_given_for() {
    let house = House::new();
    let home = &house.server.home;
    let branch = home.json(&["org", "create", "Branch"])["number"].to_string();
    let bystander = house.token();
    for (why, words) in [
        ("another-password", &[][..]),
        ("user-off", &["user", "disable", "user-off"]),
        ("user-gone", &["user", "delete", "user-gone"]),
        ("organization-off", &["org", "disable", &branch]),
    ] {
        user(home, why, &branch);
        let proof = format!("{}\r\n", basic(why, PASSWORD));
        let tokens = [house.sign_in(&proof, ""), house.sign_in(&proof, "scope=echo")];
        for token in &tokens {
            assert_eq!(house.at("echo", &bearer(token)), 200, "{why}");
        }
        if words.is_empty() {
            assert!(home.set_password(why, "another good password").status.success());
        } else {
            home.done(words);
        }
        for token in &tokens {
            assert_eq!(house.at("echo", &bearer(token)), 401, "{why}");
            assert_eq!(house.introspect(token), json!({ "active": false }), "{why}");
        }
        assert_eq!(house.at("echo", &bearer(&bystander)), 200, "{why}");
    }
}

#[test]
fn a_token_ends_with_the_key_that_paid_for_it() {
    let house = House::new();
    let (key, id) = house.key("zoe", &[]);
    let paid = bearer(&house.sign_in(&format!("{}\r\n", basic("zoe", &key)), ""));
    let other = bearer(&house.token());
    assert_eq!(house.at("echo", &paid), 200);
    for (command, status) in [("disable", 401), ("enable", 200), ("revoke", 401)] {
        house.server.home.done(&["key", command, &id]);
        assert_eq!(house.at("echo", &paid), status, "{command}");
        assert_eq!(house.at("echo", &other), 200, "{command}");
    }
}

/// A mount and a listener that let tokens live shorter.
const SHORT: &str = r#"
[[mount]]
name = "hour"
dialect = "graph"
hosts = ["hour.example"]
token_lifetime = "1h"

[[listener]]
id = "brief"
upstream = "http://ECHO"
token_lifetime = "10m"
"#;

#[test]
fn a_token_ends_with_its_lifetime_and_earlier_at_a_listener_that_says_so() {
    let house = House::with(SHORT);
    let hour = value(&house.call_at("hour.example", "POST /login", &zoe(), ""));
    assert_eq!(hour["expires_in"], json!(3_600));
    let brief = value(&house.form("/login", &zoe(), "scope=brief+echo"));
    assert_eq!(brief["expires_in"], json!(600));
    let tokens = [house.token(), text_of(&hour, "token"), text_of(&brief, "token")];
    let minted = house.introspect(&tokens[2])["iat"].as_i64().unwrap();
    let mut house = house;
    for (minutes, at_echo, at_brief) in [
        (0, [200, 200, 200], [200, 200, 200]),
        (9, [200, 200, 200], [200, 200, 200]),
        (11, [200, 200, 401], [401, 401, 401]),
        (59, [200, 200, 401], [401, 401, 401]),
        (61, [200, 401, 401], [401, 401, 401]),
        (24 * 60 - 1, [200, 401, 401], [401, 401, 401]),
        (24 * 60 + 1, [401, 401, 401], [401, 401, 401]),
    ] {
        house = house.at_moment(minted + minutes * 60);
        for (number, token) in tokens.iter().enumerate() {
            let header = bearer(token);
            assert_eq!(house.at("echo", &header), at_echo[number], "{minutes} {number}");
            assert_eq!(house.at("brief", &header), at_brief[number], "{minutes} {number}");
            let told = house.introspect(token);
            assert_eq!(told["active"], json!(at_echo[number] == 200), "{minutes} {number}");
            if at_echo[number] != 200 {
                assert_eq!(told, json!({ "active": false }), "{minutes} {number}");
            }
        }
    }
}

#[test]
fn the_log_has_no_password_and_no_token_however_they_were_sent() {
    let house = House::with("[log]\nlevel = \"debug\"\n");
    let wrong = "wrongPasswordCanary3K";
    let token = house.token();
    let (in_body, as_json) =
        (format!("access_token={token}"), json!({ "token": token }).to_string());
    for (start, headers, body) in [
        ("/login", JSON, json!({ "username": "zoe", "password": wrong }).to_string()),
        ("/login", FORM, format!("username=zoe&password={wrong}")),
        ("/login", FORM, format!("username={wrong}&password={wrong}")),
        (&format!("/login?password={wrong}"), FORM, String::new()),
        ("/login", JSON, format!(r#"{{"password":"{wrong}""#)),
        ("/oauth/token", FORM, format!("grant_type=x&client_id=zoe&client_secret={wrong}")),
        ("/api/v1/listener/echo", FORM, in_body.clone()),
        ("/api/v1/listener/echo", JSON, as_json),
        (&format!("/api/v1/listener/echo?{in_body}"), "", String::new()),
        ("/api/v1/listener/echo", &bearer(&token), String::new()),
        ("/oauth/introspect", &format!("{FORM}{}", zoe()), format!("token={token}")),
        ("/oauth/revoke", &format!("{FORM}{}", zoe()), format!("token={token}")),
        ("/api/v1/listener/echo", &bearer(&token), String::new()),
        ("/logout", &bearer(&token), String::new()),
    ] {
        house.call(&format!("POST {start}"), headers, &body);
    }
    let ended = house.server.stop();
    let secret = token.rsplit('_').next().unwrap();
    assert!(ended.stderr.contains("/oauth/introspect"), "{}", ended.stderr);
    let mut written = Written::default();
    written.add_audit(&ended.home);
    written.add("stdout", ended.stdout);
    written.add("stderr", ended.stderr);
    written.must_not_hold(&[PASSWORD, wrong, secret]);
}
