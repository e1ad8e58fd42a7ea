//! Signing in and out: the answer and its headers to the letter, and what is refused.

use serde_json::{Value, json};

use super::{House, PASSWORD, is_id};
use crate::common::basic;

#[test]
fn a_sign_in_tells_what_the_documentation_says_and_nothing_else() {
    let house = House::new();
    house.user("zoe", &["API Key Generate", "API Key Sign In"]);
    let told = house.nobody().log_in("zoe", PASSWORD);
    let token = told.token();
    let header = |name: &str| told.answer.header(name).unwrap().to_owned();
    let cookie = format!("wtsession={token}; Path=/; HttpOnly; SameSite=Strict");
    assert_eq!(header("set-cookie"), cookie);
    let expires = header("x-session-expires");
    assert!(!told.answer.body().contains(&token), "{}", told.answer.0);
    assert!(!told.answer.body().contains("pcl_"), "{}", told.answer.0);
    let body = told.login();
    let auth = &body["auth"];
    assert_eq!(body, json!({ "success": true, "auth": auth }));
    let names: Vec<_> = auth.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["abilities", "expires", "expiresSeconds", "userId", "username"]);
    assert_eq!(auth["abilities"], json!(["api_key_generate", "api_key_sign_in"]));
    assert_eq!(auth["username"], json!("zoe"));
    assert_eq!(auth["expiresSeconds"], json!(102_000));
    assert!(is_id(&auth["userId"]) && auth["expires"].is_f64(), "{auth}");
    check_expiry(&expires, auth["expires"].as_f64().unwrap(), "102000.00");
}

/// The epoch, the same moment as people write it, and how long it is until then.
#[track_caller]
fn check_expiry(header: &str, expires: f64, left: &str) {
    let parts: Vec<&str> = header.split(", ").collect();
    let [epoch, date, seconds] = parts[..] else { panic!("{header}") };
    assert_eq!(epoch, format!("{expires:.2}"));
    assert_eq!(seconds, left);
    let shape: String = date.chars().map(|it| if it.is_ascii_digit() { '0' } else { it }).collect();
    assert_eq!(shape, "0000-00-00T00:00:00.000000");
    assert!((moment(date) - expires).abs() < 0.001, "{header} is not {expires}");
}

/// Seconds since the epoch at a date and time in UTC.
fn moment(date: &str) -> f64 {
    let number = |from: usize, to: usize| date[from..to].parse::<i64>().unwrap();
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    // The year begins in March, so that a leap day ends it.
    let (year, month) = if month < 3 { (year - 1, month + 9) } else { (year, month - 3) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    let seconds = number(11, 13) * 3_600 + number(14, 16) * 60;
    let whole = i32::try_from((days - 719_468) * 86_400 + seconds - 1_700_000_000).unwrap();
    f64::from(whole) + 1_700_000_000.0 + date[17..].parse::<f64>().unwrap()
}

#[test]
fn dates_are_counted_as_the_vendors_sample_does() {
    assert!((moment("2024-10-26T00:43:56.264769") - 1_729_903_436.264_769).abs() < 0.001);
    assert!((moment("2024-02-29T00:00:00.000000") - 1_709_164_800.0).abs() < 0.001);
}

#[test]
fn how_long_a_session_lives_is_a_setting_of_the_mount() {
    let house = House::new();
    house.user("zoe", &[]);
    let told = house.at("short.example").log_in("zoe", PASSWORD);
    let expires = told.answer.header("x-session-expires").unwrap().to_owned();
    let auth = told.login()["auth"].clone();
    assert_eq!(auth["expiresSeconds"], json!(60));
    check_expiry(&expires, auth["expires"].as_f64().unwrap(), "60.00");
}

#[test]
fn a_cookie_is_kept_to_tls_where_the_origin_is() {
    let house = House::new();
    house.user("zoe", &[]);
    let body = json!({ "username": "zoe", "password": PASSWORD }).to_string();
    for (origin, secure) in
        [("site.example", false), ("http://site.example", false), ("https://site.example", true)]
    {
        let guard =
            house.nobody().guard().replace("Origin: site.example", &format!("Origin: {origin}"));
        let told = house.nobody().send("POST", "/login", &guard, body.as_bytes());
        let cookie = told.answer.header("set-cookie").unwrap().to_owned();
        let mut expected = format!("wtsession={}; Path=/; HttpOnly; SameSite=Strict", told.token());
        if secure {
            expected.push_str("; Secure");
        }
        assert_eq!(cookie, expected, "{origin}");
    }
}

#[test]
fn each_sign_in_opens_a_session_of_its_own_and_none_that_was_brought_along() {
    let house = House::new();
    house.user("zoe", &[]);
    let first = house.sign_in("zoe");
    let second = house.sign_in("zoe");
    let third = first.log_in("zoe", PASSWORD).token();
    let planted = portcullis_core::token::TokenKind::new("ses").draw().unwrap();
    let planted = house.nobody().with_session(planted.expose_text());
    let fourth = planted.log_in("zoe", PASSWORD).token();
    let mut tokens = vec![first.token(), second.token(), &third, &fourth];
    tokens.sort_unstable();
    tokens.dedup();
    assert_eq!(tokens.len(), 4);
    planted.get("/users").forbidden("a session that a stranger planted");
    second.log_out().item();
    second.get("/users").forbidden("signed out");
    first.get("/users").page();
    house.nobody().with_session(&fourth).get("/users").page();
}

#[test]
fn abilities_are_told_by_their_codes_whoever_holds_them_how() {
    let house = House::new();
    house.home().done(&["role", "create", "Keepers", "--ability", "API Key - Manage"]);
    house.home().done(&["group", "create", "crew"]);
    house.home().done(&["role", "grant", "API Key Sign In", "--group", "crew"]);
    for (login, roles, abilities) in [
        ("none", &[][..], json!([])),
        ("gen", &["API Key Generate"], json!(["api_key_generate"])),
        ("sign", &["API Key Sign In"], json!(["api_key_sign_in"])),
        ("keep", &["Keepers"], json!(["api_key_manage"])),
        ("crew", &[], json!(["api_key_sign_in"])),
    ] {
        house.user(login, roles);
        if login == "crew" {
            house.home().done(&["group", "add", "crew", login]);
        }
        let told = house.nobody().log_in(login, PASSWORD).login();
        assert_eq!(told["auth"]["abilities"], abilities, "{login}");
    }
    house.user("boss", &["Owner"]);
    let told = house.nobody().log_in("boss", PASSWORD).login();
    let abilities = told["auth"]["abilities"].as_array().unwrap().clone();
    for code in ["api_key_generate", "api_key_manage", "api_key_sign_in"] {
        assert!(abilities.contains(&json!(code)), "{abilities:?}");
    }
}

#[test]
fn a_sign_in_that_fails_never_says_why() {
    let house = House::new();
    house.user("zoe", &["API Key Sign In"]);
    house.user("jan", &[]);
    house.user("eve", &[]);
    house.user("ann", &[]);
    house.user("off", &[]);
    house.home().done(&["user", "disable", "off"]);
    house.home().done(&["user", "create", "unset"]);
    let (zoes, anns) = (house.key("zoe", &[]), house.key("ann", &[]));
    let spoilt = format!("{}x", &zoes[..zoes.len() - 1]);
    for (what, login, secret) in [
        ("nobody of that name", "nobody", PASSWORD),
        ("a wrong password", "zoe", "wrong password"),
        ("no password", "jan", ""),
        ("no name", "", PASSWORD),
        ("another's key", "zoe", &anns),
        ("a key under another's name", "ann", &zoes),
        ("a key without the ability", "ann", &anns),
        ("a key that is spoilt", "zoe", &spoilt),
        ("a user who is off", "off", PASSWORD),
        ("a user without a password", "unset", PASSWORD),
        ("a password with a space", "jan", &format!("{PASSWORD} ")),
        ("a password in capitals", "eve", &PASSWORD.to_uppercase()),
    ] {
        house.nobody().log_in(login, secret).forbidden(what);
        house.basic(login, secret).get("/users").forbidden(what);
    }
    house.nobody().log_in("zoe", &zoes).login();
    house.basic("zoe", &zoes).get("/users").page();
}

#[test]
fn nobody_at_all_is_refused_everywhere() {
    let house = House::new();
    for path in ["/users", "/roles", "/projects", "/api_keys", "/users/x", "/api_keys/x"] {
        house.nobody().get(path).forbidden(path);
    }
    for proof in [
        "Authorization: Basic",
        "Authorization: Basic !",
        "Authorization: Basic eA==",
        "Authorization: Digest x",
        "Authorization: Bearer x",
    ] {
        house.nobody().with(proof).get("/users").forbidden(proof);
    }
    house.nobody().log_out().forbidden("not signed in");
}

#[test]
fn a_body_that_is_no_sign_in_is_refused() {
    let house = House::new();
    house.user("zoe", &[]);
    let good = json!({ "username": "zoe", "password": PASSWORD });
    let deep = "[".repeat(100_000);
    for body in [
        "",
        "{",
        "[]",
        "null",
        "1",
        "\"zoe\"",
        "username=zoe&password=x",
        "{}",
        r#"{"username":"zoe"}"#,
        r#"{"password":"x"}"#,
        r#"{"username":1,"password":"x"}"#,
        r#"{"username":"zoe","password":["x"]}"#,
        r#"{"username":"zoe","password":null}"#,
        r#"{"username":"zoe","password":true}"#,
        &format!("{good} x"),
        &deep,
    ] {
        house.nobody().call("POST", "/login", body).refused(400, &body[..body.len().min(40)]);
    }
    let large = format!("{{\"username\":\"{}\"}}", "x".repeat(2 << 20));
    house.nobody().call("POST", "/login", &large).refused(413, "too much");
    let pretty = serde_json::to_string_pretty(&good).unwrap();
    house.nobody().call("POST", "/login", &pretty).login();
    let more = json!({ "username": "zoe", "password": PASSWORD, "remember": [1], "x": null });
    house.nobody().post("/login", &more).login();
}

#[test]
fn a_body_is_json_whatever_it_calls_itself() {
    let house = House::new();
    house.user("zoe", &[]);
    let body = json!({ "username": "zoe", "password": PASSWORD }).to_string();
    let guard = house.nobody().guard();
    for content in
        ["", "Content-Type: text/plain\r\n", "Content-Type: application/x-www-form-urlencoded\r\n"]
    {
        let guard = guard.replace("Content-Type: application/json\r\n", content);
        house.nobody().send("POST", "/login", &guard, body.as_bytes()).login();
    }
}

#[test]
fn signing_out_ends_the_session_and_takes_the_cookie_back() {
    let house = House::new();
    house.user("zoe", &[]);
    let caller = house.sign_in("zoe");
    let told = caller.log_out();
    let cookie = told.answer.header("set-cookie").unwrap().to_owned();
    assert!(cookie.starts_with("wtsession=; ") && cookie.contains("Max-Age=0"), "{cookie}");
    assert!(cookie.contains("Path=/"), "{cookie}");
    assert_eq!(told.item(), json!({}));
    caller.get("/users").forbidden("signed out");
    caller.log_out().forbidden("twice");
    house.basic("zoe", PASSWORD).log_out().forbidden("Basic has no session");
}

#[test]
fn basic_is_read_as_its_rfc_says_and_issues_no_cookie() {
    let house = House::new();
    house.user("jo@site.example", &["API Key Sign In"]);
    house.set_password("jo@site.example", "with:colons: and ümläute", "1");
    let caller = house.basic("jo@site.example", "with:colons: and ümläute");
    let proof = caller.proof.clone();
    for proof in [
        proof.clone(),
        proof.replace("Basic ", "basic "),
        proof.replace("Basic ", "BASIC "),
        proof.replace("Basic ", "Basic  "),
        basic("jo@site.example", &house.key("jo@site.example", &[])),
    ] {
        let told = caller.with(&proof).get("/users");
        assert_eq!(told.answer.header("set-cookie"), None);
        assert_eq!(told.answer.header("x-session-id"), None);
        assert_eq!(told.page()[0]["username"], json!("jo@site.example"));
    }
    caller.with(&format!("{proof}\r\n{proof}")).get("/users").malformed("twice");
}

#[test]
fn what_does_not_exist_may_not_be_called_either_and_a_wrong_method_is_told() {
    let house = House::new();
    let boss = house.boss();
    for path in ["/endpoint", "/", "", "/users/x/y", "/api_keys/x/y", "/Users", "/logins"] {
        // What the dialect does not know may be a guard's.
        for told in [boss.get(path), boss.post(path, &json!({}))] {
            assert!([403, 404].contains(&told.status()), "{path}: {}", told.answer.0);
        }
    }
    for (method, path) in [
        ("GET", "/login"),
        ("GET", "/logout"),
        ("DELETE", "/login"),
        ("POST", "/users"),
        ("DELETE", "/roles"),
        ("PATCH", "/projects"),
        ("PUT", "/api_keys"),
        ("POST", "/api_keys"),
        ("PUT", "/api_keys/0123456789ABCDEF0123456789ABCDEF"),
        ("DELETE", "/users/0123456789ABCDEF0123456789ABCDEF"),
        ("OPTIONS", "/users"),
    ] {
        let body = if method == "GET" { "" } else { "{}" };
        boss.call(method, path, body).refused(405, method);
    }
}

#[test]
fn a_session_ends_after_its_user_began_and_names_them_by_id() {
    let house = House::new();
    house.user("zoe", &[]);
    let user = house.sign_in("zoe").get("/users").page().remove(0);
    assert!(user["create_timestamp"].is_f64() || user["create_timestamp"].is_i64(), "{user}");
    let auth = house.nobody().log_in("zoe", PASSWORD).login()["auth"].clone();
    assert!(auth["expires"].as_f64() > user["create_timestamp"].as_f64(), "{auth}");
    assert_eq!(auth["userId"], user["id"]);
    assert_ne!(user["id"], Value::Null);
}

#[test]
fn after_too_many_wrong_passwords_a_caller_is_told_how_long_to_wait_known_or_not() {
    let house = House::new();
    house.user("zoe", &[]);
    for login in ["zoe", "nobody"] {
        let guess = || house.nobody().log_in(login, "wrong password");
        let told = std::iter::repeat_with(guess).take(50).find(|it| it.status() != 403).unwrap();
        let seconds: u64 = told.answer.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=900).contains(&seconds), "{seconds}");
        told.refused(429, login);
    }
}
