//! OAuth 2.0 beside the login: client credentials (RFC 6749), revocation (RFC 7009), introspection
//! (RFC 7662) and metadata (RFC 8414).

use serde_json::{Value, json};

use super::calls::{FORM, JSON, bearer, in_form, names, text_of, value};
use super::{House, PASSWORD, user, zoe};
use crate::common::{Answer, BASE64, basic};
use base64::Engine as _;

/// The challenge of a client.
const BASIC: &str = r#"Basic realm="portcullis", charset="UTF-8""#;

/// What asks for a token.
const GRANT: &str = "grant_type=client_credentials";

/// How `zoe` proves herself in a form.
fn in_fields() -> String {
    format!("client_id=zoe&client_secret={}", in_form())
}

/// RFC 6749, section 5.2: the status and the error, as JSON that nobody keeps.
#[track_caller]
fn check_refused(answer: &Answer, (status, error): (u16, &str), why: &str) {
    assert_eq!(answer.status(), status, "{why}: {}", answer.0);
    assert_eq!(answer.header("content-type"), Some("application/json"), "{why}");
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{why}");
    let challenge = (status == 401).then_some(BASIC);
    assert_eq!(answer.header("www-authenticate"), challenge, "{why}");
    let told: Value = serde_json::from_str(answer.body()).unwrap();
    assert_eq!(told["error"], json!(error), "{why}: {told}");
    assert_eq!(names(&told), ["error", "error_description"], "{why}");
    let allowed = |it: char| it.is_ascii_graphic() && it != '"' && it != '\\' || it == ' ';
    assert!(text_of(&told, "error_description").chars().all(allowed), "{why}: {told}");
}

#[test]
fn a_client_is_given_a_token_for_its_credentials_however_it_sends_them() {
    let house = House::new();
    let (key, _) = house.key("zoe", &[]);
    let by_key = format!("{}\r\n", basic("zoe", &key));
    let encoded = format!("zoe:{}", PASSWORD.replace(' ', "%20"));
    let encoded = format!("Authorization: basic {}\r\n", BASE64.encode(encoded));
    let zoe = zoe();
    for (path, headers, fields) in [
        ("/oauth/token", "", format!("{GRANT}&{}", in_fields())),
        ("/oauth/token", "", format!("{GRANT}&client_id=zoe&client_secret={key}")),
        ("/oauth/token", &*zoe, GRANT.to_owned()),
        ("/oauth/token", &encoded, GRANT.to_owned()),
        ("/oauth/token", &by_key, GRANT.to_owned()),
        // Section 2.3: naming itself once more proves nothing twice.
        ("/oauth/token", &zoe, format!("{GRANT}&client_id=zoe")),
        // Section 3.2: what has no value is not there, and what is not known is left alone.
        ("/oauth/token", &zoe, format!("{GRANT}&client_secret=&scope=&audience=x")),
        ("/second/oauth/token", &zoe, GRANT.to_owned()),
    ] {
        let answer = house.form(path, headers, &fields);
        let told = value(&answer);
        // Section 5.1.
        assert_eq!(answer.header("pragma"), Some("no-cache"), "{fields}");
        assert_eq!(names(&told), ["access_token", "expires_in", "token_type"], "{fields}");
        assert_eq!((&told["token_type"], &told["expires_in"]), (&json!("Bearer"), &json!(86_400)));
        assert_eq!(house.at("echo", &bearer(&text_of(&told, "access_token"))), 200, "{fields}");
    }
    let scoped = value(&house.form("/oauth/token", &zoe, &format!("{GRANT}&scope=bare+echo")));
    assert_eq!(scoped["scope"], json!("bare echo"));
    let scoped = bearer(&text_of(&scoped, "access_token"));
    assert_eq!((house.at("echo", &scoped), house.at("passing", &scoped)), (200, 401));
}

#[test]
fn every_error_of_the_token_endpoint_has_its_status_and_name() {
    let house = House::new();
    let (zoe, fields) = (zoe(), in_fields());
    let wrong = format!("{}\r\n", basic("zoe", "wrong"));
    let nobody = format!("{}\r\n", basic("nobody", PASSWORD));
    let red = format!("{}\r\n", basic("red", PASSWORD));
    let (bad, who) = ((400, "invalid_request"), (401, "invalid_client"));
    let grant = (400, "unsupported_grant_type");
    let scope = (400, "invalid_scope");
    let (plain, json) = (format!("Content-Type: text/plain\r\n{zoe}"), format!("{JSON}{zoe}"));
    for (headers, body, expected) in [
        (&*zoe, "", bad),
        (&zoe, "scope=echo", bad),
        (&zoe, "grant_type=", bad),
        (&zoe, "grant_type=client_credentials&grant_type=client_credentials", bad),
        (&zoe, "grant_type=client_credentials&grant%5Ftype=client_credentials", bad),
        (&zoe, "grant_type=client_credentials&scope=echo&scope=echo", bad),
        (&zoe, "grant_type=client_credentials&scope=%ff", bad),
        (&zoe, "grant_type=client_credentials&client_id=eve", bad),
        (&zoe, &format!("{GRANT}&{fields}"), bad),
        (&zoe, &format!("{GRANT}&client_secret=x"), bad),
        (&zoe, "grant_type=password&username=zoe&password=x", grant),
        (&zoe, "grant_type=refresh_token&refresh_token=x", grant),
        (&zoe, "grant_type=authorization_code&code=x", grant),
        (&zoe, "grant_type=CLIENT_CREDENTIALS", grant),
        ("", GRANT, who),
        ("", &format!("{GRANT}&client_id=zoe"), who),
        ("", &format!("{GRANT}&client_secret=x"), who),
        ("", &format!("{GRANT}&client_id=zoe&client_secret="), who),
        ("", &format!("{GRANT}&client_id=zoe&client_secret=wrong"), who),
        (&wrong, GRANT, who),
        (&nobody, GRANT, who),
        (&red, GRANT, who),
        ("Authorization: Basic x\r\n", GRANT, who),
        ("Authorization: Basic eA==\r\n", GRANT, who),
        ("Authorization: Bearer x\r\n", GRANT, who),
        (&zoe, "grant_type=client_credentials&scope=unknown", scope),
        (&zoe, "grant_type=client_credentials&scope=echo+of-red", scope),
        (&zoe, "grant_type=client_credentials&scope=network-only", scope),
    ] {
        let answer = house.form("/oauth/token", headers, body);
        check_refused(&answer, expected, &format!("{headers}{body}"));
    }
    for headers in [&plain, &json, &zoe] {
        let answer = house.call("POST /oauth/token", headers, GRANT);
        check_refused(&answer, (415, "invalid_request"), headers);
    }
    // Section 2.3.1: never in the address.
    let start = format!("POST /oauth/token?{GRANT}&{fields}");
    check_refused(&house.call(&start, FORM, GRANT), who, "in the query");
    for path in ["/oauth/token", "/oauth/revoke", "/oauth/introspect"] {
        for method in ["GET", "PUT", "DELETE", "OPTIONS"] {
            let answer = house.call(&format!("{method} {path}"), &zoe, "");
            check_refused(&answer, (405, "invalid_request"), method);
            assert_eq!(answer.header("allow"), Some("POST"), "{method} {path}");
        }
        let large = format!("{GRANT}&x={}", "x".repeat(1 << 20));
        check_refused(&house.form(path, &zoe, &large), (413, "invalid_request"), path);
    }
}

#[test]
fn a_client_that_fails_is_refused_the_same_whatever_it_asks_and_must_wait_in_the_end() {
    let house = House::new();
    let token = house.token();
    let wrong = format!("{}\r\n", basic("eve", "wrong"));
    let calls = ["/oauth/token", "/oauth/revoke", "/oauth/introspect"];
    let ask = |path: &str| house.form(path, &wrong, &format!("{GRANT}&token={token}"));
    let expected = ask(calls[0]);
    check_refused(&expected, (401, "invalid_client"), calls[0]);
    for path in calls {
        assert_eq!(ask(path).anonymous(), expected.anonymous(), "{path}");
    }
    let last = calls.iter().cycle().take(50).map(|path| ask(path)).find(|it| it.status() != 401);
    let last = last.unwrap();
    assert_eq!(last.status(), 429);
    assert!(last.header("retry-after").unwrap().parse::<u64>().unwrap() > 0);
    assert_eq!(house.at("echo", &bearer(&token)), 200);
}

#[test]
fn a_client_revokes_its_own_tokens_at_once_and_nobody_elses() {
    let house = House::new();
    user(&house.server.home, "eve", "1");
    let eve = format!("{}\r\n", basic("eve", PASSWORD));
    let of_eve = house.sign_in(&eve, "");
    let (key, _) = house.key("zoe", &[]);
    let revoke = |fields: &str| house.form("/oauth/revoke", &zoe(), fields);
    for hint in ["", "&token_type_hint=access_token", "&token_type_hint=refresh_token&x=y"] {
        let token = house.token();
        let fields = format!("token={token}{hint}");
        assert_eq!(house.at("echo", &bearer(&token)), 200, "{hint}");
        assert_eq!(revoke(&fields).status(), 200, "{hint}");
        assert_eq!(house.at("echo", &bearer(&token)), 401, "{hint}");
        assert_eq!(house.introspect(&token), json!({ "active": false }), "{hint}");
        // Section 2.2: a token that is not good needs no revoking.
        assert_eq!(revoke(&fields).status(), 200, "{hint}");
    }
    for token in ["x", "pcl_tok_x", "688EF4CB68-686DC-4483-dH68F2-680265DC45dH0E"] {
        assert_eq!(revoke(&format!("token={token}")).status(), 200, "{token}");
    }
    let foreign = revoke(&format!("token={of_eve}"));
    assert_eq!(foreign.status(), 400, "{}", foreign.0);
    assert_eq!(house.at("echo", &bearer(&of_eve)), 200);
    let of_key = revoke(&format!("token={key}"));
    check_refused(&of_key, (400, "unsupported_token_type"), "an API key");
    assert_eq!(house.at("echo", &format!("{}\r\n", basic("zoe", &key))), 200);
    for (fields, why) in [
        ("", "no token"),
        ("token=", "an empty one"),
        ("token=x&token=y", "two"),
        ("token=x&client_id=zoe&client_secret=x", "proven twice"),
    ] {
        check_refused(&revoke(fields), (400, "invalid_request"), why);
    }
    let stranger = house.form("/oauth/revoke", "", &format!("token={of_eve}"));
    check_refused(&stranger, (401, "invalid_client"), "a stranger");
    let itself = house.form("/oauth/revoke", &bearer(&of_eve), &format!("token={of_eve}"));
    check_refused(&itself, (401, "invalid_client"), "a token proves no client");
    let in_fields = format!("token={of_eve}&client_id=eve&client_secret={}", in_form());
    assert_eq!(house.form("/oauth/revoke", "", &in_fields).status(), 200);
    assert_eq!(house.at("echo", &bearer(&of_eve)), 401);
}

#[test]
fn a_client_is_told_of_its_own_tokens_and_keys() {
    let house = House::new();
    let (whole, scoped) = (house.token(), house.sign_in(&zoe(), "scope=echo+bare"));
    let (key, _) = house.key("zoe", &[]);
    let (limited, _) = house.key(
        "zoe",
        &["--guard", "echo", "--network", "192.0.2.0/24", "--read-only", "--expires", "2h"],
    );
    let told = house.introspect(&whole);
    assert_eq!(
        names(&told),
        ["active", "client_id", "exp", "iat", "read_only", "sub", "token_type", "username"]
    );
    for (name, expected) in [
        ("active", json!(true)),
        ("client_id", json!("zoe")),
        ("username", json!("zoe")),
        ("token_type", json!("Bearer")),
        ("read_only", json!(false)),
    ] {
        assert_eq!(told[name], expected, "{name}");
    }
    // It is written down a moment after its lifetime began.
    let lives = told["exp"].as_i64().unwrap() - told["iat"].as_i64().unwrap();
    assert!((86_300..=86_400).contains(&lives), "{lives}");
    let user = house.server.home.json(&["user", "show", "zoe"]);
    assert_eq!(told["sub"], user["id"], "{user}");
    let of_scoped = house.introspect(&scoped);
    assert_eq!(of_scoped["scope"], json!("echo bare"));
    assert_eq!(of_scoped["aud"], json!(["echo", "bare"]));
    let of_key = house.introspect(&key);
    assert_eq!((&of_key["active"], &of_key["sub"]), (&json!(true), &told["sub"]));
    assert_eq!(
        (&of_key["scope"], &of_key["aud"], &of_key["exp"]),
        (&json!(null), &json!(null), &json!(null))
    );
    assert_ne!(of_key["token_type"], json!("Bearer"));
    let of_limited = house.introspect(&limited);
    assert_eq!((&of_limited["scope"], &of_limited["aud"]), (&json!("echo"), &json!(["echo"])));
    assert_eq!((&of_limited["read_only"], &of_limited["active"]), (&json!(true), &json!(true)));
    let lives = of_limited["exp"].as_i64().unwrap() - told["iat"].as_i64().unwrap();
    assert!((7_100..7_400).contains(&lives), "{lives}");
    for told in [&told, &of_scoped, &of_key, &of_limited] {
        assert!(!told.to_string().contains("pcl_"), "{told}");
    }
}

#[test]
fn a_stranger_is_told_nothing_of_a_token_unless_that_is_its_office() {
    let house = House::new();
    let home = &house.server.home;
    let eve = format!("{}\r\n", basic("eve", PASSWORD));
    let red = format!("{}\r\n", basic("red", PASSWORD));
    user(home, "eve", "1");
    let branch = home.json(&["org", "create", "Branch"])["number"].to_string();
    user(home, "jan", &branch);
    home.done(&["role", "grant", "Introspector", "jan", "--organization", &branch]);
    let jan = format!("{}\r\n", basic("jan", PASSWORD));
    let of_red = value(&house.call_at("red.example", "POST /login", &red, ""));
    let of_red = text_of(&of_red, "token");
    let (token, (key, _)) = (house.token(), house.key("zoe", &[]));
    let of_jan = house.sign_in(&jan, "");
    let ask = |headers: &str, token: &str| {
        value(&house.form("/oauth/introspect", headers, &format!("token={token}")))
    };
    let nothing = json!({ "active": false });
    // Of its own organization alone is jan an introspector.
    for (headers, who) in [(&eve, "eve"), (&jan, "jan")] {
        for token in [&*token, &key, &of_red, "x", "pcl_tok_x", "pcl_key_x", PASSWORD] {
            assert_eq!(ask(headers, &token.replace(' ', "+")), nothing, "{who}: {token}");
        }
    }
    assert_eq!(ask(&jan, &of_jan)["active"], json!(true));
    home.done(&["role", "grant", "Introspector", "eve"]);
    for (token, active) in [(&*token, true), (&key, true), (&of_jan, true), (&of_red, false)] {
        assert_eq!(ask(&eve, token)["active"], json!(active), "{token}");
    }
    assert_eq!(ask(&eve, &token)["username"], json!("zoe"));
    home.done(&["role", "withdraw", "Introspector", "eve"]);
    assert_eq!(ask(&eve, &token), nothing);
    for (headers, fields, expected) in [
        ("", format!("token={token}"), (401, "invalid_client")),
        (&*bearer(&token), format!("token={token}"), (401, "invalid_client")),
        (&eve, String::new(), (400, "invalid_request")),
        (&eve, "token=".into(), (400, "invalid_request")),
        (&eve, format!("token={token}&token={token}"), (400, "invalid_request")),
    ] {
        check_refused(&house.form("/oauth/introspect", headers, &fields), expected, &fields);
    }
}

#[test]
fn a_key_that_is_off_or_gone_is_not_active() {
    let house = House::new();
    let (key, id) = house.key("zoe", &[]);
    let (expired, _) = house.key("zoe", &["--expires", "2020-01-01T00:00:00Z"]);
    let nothing = json!({ "active": false });
    assert_eq!(house.introspect(&expired), nothing);
    for (command, active) in [("disable", false), ("enable", true), ("revoke", false)] {
        house.server.home.done(&["key", command, &id]);
        let told = house.introspect(&key);
        assert_eq!(told["active"], json!(active), "{command}");
        assert!(active || told == nothing, "{command}: {told}");
    }
}

/// Where the metadata of a site stand.
const METADATA: &str = "/.well-known/oauth-authorization-server";

#[test]
fn the_metadata_name_every_endpoint_by_the_address_that_was_called() {
    let house = House::new();
    let check = |told: &Value, issuer: &str| {
        assert_eq!(told["issuer"], json!(issuer));
        for (name, path) in
            [("token", "token"), ("revocation", "revoke"), ("introspection", "introspect")]
        {
            assert_eq!(told[format!("{name}_endpoint")], json!(format!("{issuer}/oauth/{path}")));
            assert_eq!(
                told[format!("{name}_endpoint_auth_methods_supported")],
                json!(["client_secret_basic", "client_secret_post"])
            );
        }
        assert_eq!(told["grant_types_supported"], json!(["client_credentials"]));
        assert_eq!(told["response_types_supported"], json!([]));
        assert_eq!(told.as_object().unwrap().len(), 9, "{told}");
    };
    let ask = |path: &str| {
        let answer = house.call(&format!("GET {path}"), "", "");
        assert_eq!(answer.status(), 200, "{path}: {}", answer.0);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        serde_json::from_str::<Value>(answer.body()).unwrap()
    };
    check(&ask(METADATA), "http://site.example");
    check(&ask(&format!("/second{METADATA}")), "http://site.example/second");
    let set = ["--set", "issuer=https://id.example/graph/"];
    let make = ["mount", "create", "third", "--dialect", "graph", "--path", "/third"];
    house.server.home.done(&[&make[..], &set[..]].concat());
    check(&ask(&format!("/third{METADATA}")), "https://id.example/graph");
    let [get, head] = ["GET", "HEAD"].map(|it| house.call(&format!("{it} {METADATA}"), "", ""));
    assert_eq!((head.status(), head.body()), (200, ""));
    assert_eq!(head.header("content-length"), get.header("content-length"));
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let answer = house.call(&format!("{method} {METADATA}"), &zoe(), "");
        assert_eq!((answer.status(), answer.header("allow")), (405, Some("GET, HEAD")), "{method}");
    }
    for issuer in ["https://id.example?x", "https://id.example#x", "id.example", "ftp://id.example"]
    {
        let (name, issuer) = ("fourth", format!("issuer={issuer}"));
        let words = ["mount", "create", name, "--dialect", "graph", "--path", "/fourth", "--set"];
        let refused = house.server.home.run(&[&words[..], &[&issuer]].concat());
        assert!(!refused.status.success(), "{issuer}");
    }
}
