//! What a new user meets: every credential, every guard, every switch.

use serde_json::Value;

use crate::common::{BASE64, Home, Quickstart, basic, text, unknown_key};
use base64::Engine as _;

#[test]
fn every_credential_passes_and_every_bad_request_is_refused_with_a_problem() {
    let server = Quickstart::start(Home::new());
    let key = server.text("/api_key/key");
    for credential in [
        server.basic(),
        server.basic().replace("Basic ", "bAsIc "),
        basic("OWNER", server.text("/basic/password")),
        basic("owner", server.text("/basic/api_key")),
        server.api_key(),
        format!("Authorization: Bearer {key}"),
    ] {
        assert_eq!(server.get(&credential).status(), 200, "{credential}");
    }
    for (status, credential) in [
        (401, String::new()),
        (401, "Authorization: Basic not!base64".into()),
        (401, format!("Authorization: Basic {}", BASE64.encode("no colon"))),
        (401, basic("", "password")),
        (401, basic("ow\tner", "password")),
        (401, basic("owner", "wrong password")),
        (401, basic("nobody", "wrong password")),
        (401, basic("anonymous", "wrong password")),
        (401, basic("admin", "")),
        (401, basic("admin", key)),
        (401, "Authorization: Digest username=owner".into()),
        (401, "Authorization: Bearer something".into()),
        (401, format!("X-Api-Key: {}-", &key[..key.len() - 1])),
        (401, unknown_key()),
        (400, format!("{}\r\n{}", server.basic(), server.basic())),
        (400, format!("{}\r\n{}", server.basic(), server.api_key())),
        (400, format!("{}\r\nX_Api_Key: {key}", server.api_key())),
        (431, format!("Authorization: Basic {}", "a".repeat(9_000))),
    ] {
        let answer = server.get(&credential);
        assert_eq!(answer.status(), status, "{credential}");
        let lower = answer.0.to_lowercase();
        assert!(lower.contains("content-type: application/problem+json"), "{credential}");
        assert!(lower.contains("cache-control: no-store"), "{credential}");
        assert_eq!(status == 401, lower.contains("www-authenticate: basic"), "{credential}");
        assert!(!answer.0.contains(key), "{credential}");
    }
}

#[test]
fn a_path_with_two_meanings_is_refused_and_one_without_a_guard_is_not_found() {
    let server = Quickstart::start(Home::new());
    for (status, target) in [
        (400, "/demo/../secret"),
        (400, "/demo/%2e%2e/secret"),
        (400, "/demo/a%2fb"),
        (400, "/demo/a%5cb"),
        (400, "/demo/a;b"),
        (400, "/demo/%00"),
        (400, "/demo/%zz"),
        (400, "/demo/%c0%af"),
        (404, "/demonstration"),
        (404, "/"),
        (200, "/demo//hello"),
        (200, "/demo/%68ello?x=%2e%2e"),
        (200, "/demo/%252e%252e"),
    ] {
        let request = format!("GET {target} HTTP/1.1\r\n{}", server.api_key());
        assert_eq!(server.send(&request).status(), status, "{target}");
    }
    let answer = server.send(&format!("GET /demo//%68ello HTTP/1.1\r\n{}", server.api_key()));
    assert!(answer.0.contains("\"/demo/hello\""), "{}", answer.0);
    assert_eq!(server.send("GET /healthz HTTP/1.1").status(), 200);
    assert_eq!(server.send("GET /readyz HTTP/1.1").status(), 200);
    assert_eq!(server.send("POST /readyz HTTP/1.1").status(), 405);
}

#[test]
fn an_upstream_never_sees_the_proof_or_an_identity_that_the_caller_made_up() {
    let server = Quickstart::start(Home::new());
    let answer = server.get(&format!(
        "{}\r\nPortcullis-User: admin\r\nPortcullis_User_Id: 1\r\nX_Forwarded_For: 1.2.3.4\r\n\
         X-Trace: yes",
        server.api_key()
    ));
    assert_eq!(answer.status(), 200);
    let body: Value = serde_json::from_str(answer.body()).unwrap();
    let headers = body["headers"].as_object().unwrap();
    assert_eq!(headers["portcullis-user"], "owner");
    assert_eq!(headers["portcullis-scheme"], "api_key");
    assert_eq!(headers["x-forwarded-for"], "127.0.0.1");
    assert_eq!(headers["x-trace"], "yes");
    for gone in ["x-api-key", "portcullis_user_id", "x_forwarded_for", "authorization"] {
        assert!(!headers.contains_key(gone), "{gone}");
    }
}

#[test]
fn what_was_switched_off_is_refused_at_the_next_request_and_looks_like_all_the_others() {
    let server = Quickstart::start(Home::new());
    let id = server.text("/api_key/key").split('_').nth(2).unwrap().to_owned();
    let unknown = server.get(&unknown_key()).anonymous();
    assert_eq!(server.get(&server.basic()).status(), 200);
    for (commands, status) in [
        (&["user", "disable", "owner"][..], 401),
        (&["user", "enable", "owner"], 200),
        (&["key", "disable", &id], 401),
        (&["key", "enable", &id], 200),
        (&["key", "revoke", &id], 401),
    ] {
        server.home.done(commands);
        let answer = server.get(&server.api_key());
        assert_eq!(answer.status(), status, "{commands:?}");
        assert!(status == 200 || answer.anonymous() == unknown, "{commands:?}: {}", answer.0);
    }
    server.home.done(&["user", "delete", "owner"]);
    let deleted = server.get(&server.basic()).anonymous();
    assert_eq!(deleted, server.get(&basic("nobody", "wrong password")).anonymous());
}

#[test]
fn a_guard_judges_by_network_method_ability_and_read_only() {
    let server = Quickstart::start(Home::new());
    let create = |name: &str, path: &str, demand: [&str; 2]| {
        let upstream = ["--upstream", "http://127.0.0.1:9"];
        let place = ["guard", "create", name, "--path", path];
        server.home.done(&[&place[..], &upstream, &demand].concat());
    };
    create("far", "/far", ["--network", "192.0.2.0/24"]);
    create("posts", "/posts", ["--method", "POST"]);
    create("able", "/able", ["--ability", "Moon - Reach"]);
    let made = server.home.json(&["key", "create", "owner", "--read-only"]);
    let reader = format!("X-Api-Key: {}", made["key"].as_str().unwrap());
    let owner = server.api_key();
    let mut forbidden = Vec::new();
    for (request, credential, status) in [
        ("GET /far", &owner, 403),
        ("GET /posts", &owner, 403),
        ("GET /able", &owner, 403),
        ("POST /demo/x", &reader, 403),
        ("GET /demo/x", &reader, 200),
        // Allowed, but nobody listens there.
        ("POST /posts", &owner, 502),
    ] {
        let answer = server.send(&format!("{request} HTTP/1.1\r\n{credential}"));
        assert_eq!(answer.status(), status, "{request}");
        forbidden.extend((status == 403).then(|| answer.anonymous()));
    }
    forbidden.dedup();
    assert_eq!(forbidden.len(), 1, "{forbidden:#?}");
    server.home.done(&["guard", "delete", "far"]);
    assert_eq!(server.send(&format!("GET /far HTTP/1.1\r\n{owner}")).status(), 404);
}

#[test]
fn a_second_run_keeps_the_secrets() {
    let first = Quickstart::start(Home::new());
    let key = first.api_key();
    let again = Quickstart::start(first.kill());
    assert_eq!(again.api_key(), key);
    assert_eq!(again.get(&key).status(), 200);
    assert_eq!(again.get(&again.basic()).status(), 200);
}

#[test]
fn a_second_run_replaces_what_no_longer_passes_and_keeps_the_rest() {
    let first = Quickstart::start(Home::new());
    let id = |text: &str| text.split('_').nth(2).unwrap().to_owned();
    let (key, basic_key) = (first.text("/api_key/key"), first.text("/basic/api_key"));
    first.home.done(&["key", "disable", &id(key)]);
    let (key, basic_key, password) = (key.to_owned(), basic_key.to_owned(), first.basic());
    let again = Quickstart::start(first.kill());
    assert_ne!(again.text("/api_key/key"), key);
    assert_eq!((again.text("/basic/api_key"), again.basic()), (&*basic_key, password.clone()));
    // What was replaced is revoked, for good.
    assert!(!again.home.run(&["key", "enable", &id(&key)]).status.success());
    again.home.done(&["key", "revoke", &id(&basic_key)]);
    assert!(again.home.set_password("owner", "another password").status.success());
    let third = Quickstart::start(again.kill());
    assert_ne!(third.text("/basic/api_key"), basic_key);
    assert_ne!(third.basic(), password);
    assert_eq!(third.get(&basic("owner", "another password")).status(), 401);
    third.home.done(&["user", "delete", "owner"]);
    let fourth = Quickstart::start(third.kill());
    for credential in
        [fourth.basic(), fourth.api_key(), basic("owner", fourth.text("/basic/api_key"))]
    {
        assert_eq!(fourth.get(&credential).status(), 200);
    }
}

#[test]
fn a_second_run_does_not_undo_that_its_owner_was_disabled() {
    let first = Quickstart::start(Home::new());
    first.home.done(&["user", "disable", "owner"]);
    let home = first.kill();
    let output = home.run(&["quickstart", "--listen", "127.0.0.1:0"]);
    let told = text(&output.stderr);
    assert!(!output.status.success() && told.contains("user enable owner"), "{told}");
    home.done(&["user", "enable", "owner"]);
    assert_eq!(Quickstart::start(home).stop().code, Some(0));
}

#[test]
fn the_connector_of_the_file_may_do_everything_in_headers_and_in_the_query() {
    let server = Quickstart::start(Home::new());
    let hull = server.made["hull"].as_object().unwrap();
    let names: Vec<&String> = hull.keys().collect();
    assert_eq!(names, ["app_id", "firehose_url", "organization", "secret"]);
    let (id, secret) = (server.text("/hull/app_id"), server.text("/hull/secret"));
    let url = format!("http://{}/api/v1/firehose", server.address);
    assert_eq!(server.text("/hull/firehose_url"), url);
    let organization = server.text("/hull/organization");
    let headers = format!(
        "Hull-App-Id: {id}\r\nHull-Access-Token: {secret}\r\nHull-Organization: {organization}"
    );
    let query = format!("id={id}&secret={secret}");
    let post = |body: &str| format!("Content-Length: {}\r\n\r\n{body}", body.len());
    for (start, headers, status) in [
        ("GET /api/v1/app", &*headers, 200),
        (&format!("GET /api/v1/{id}"), &headers, 200),
        ("GET /api/v1/search/user_reports/bootstrap", &headers, 200),
        (&format!("GET /api/v1/app?{query}"), "X-A: b", 200),
        (&format!("GET /demo/hello?{query}"), "X-A: b", 200),
        ("GET /demo/hello", &headers, 200),
        ("GET /api/v1/app", "X-A: b", 401),
    ] {
        let answer = server.send(&format!("{start} HTTP/1.1\r\n{headers}"));
        assert_eq!(answer.status(), status, "{start}: {}", answer.0);
    }
    for (start, body, status) in [
        ("POST /api/v1/firehose", "{\"batch\":[]}", 204),
        ("PUT /api/v1/app", "{\"private_settings\":{\"x\":1}}", 200),
        ("POST /api/v1/search/user_reports", "{}", 200),
    ] {
        let head = format!("{start} HTTP/1.1\r\nHost: any\r\nConnection: close\r\n{headers}\r\n");
        let answer = server.ask(&format!("{head}{}", post(body)));
        assert_eq!(answer.status(), status, "{start}: {}", answer.0);
    }
}

#[test]
fn a_second_run_keeps_the_connector_and_replaces_one_that_is_gone() {
    let first = Quickstart::start(Home::new());
    let made = first.made["hull"]["app_id"].as_str().unwrap().to_owned();
    let secret = first.text("/hull/secret").to_owned();
    let again = Quickstart::start(first.kill());
    assert_eq!((again.text("/hull/app_id"), again.text("/hull/secret")), (&*made, &*secret));
    again.home.done(&["connector", "revoke", &made]);
    let third = Quickstart::start(again.kill());
    assert_ne!(third.text("/hull/app_id"), made);
    let (id, secret) = (third.text("/hull/app_id"), third.text("/hull/secret"));
    let proof = format!("Hull-App-Id: {id}\r\nHull-Access-Token: {secret}");
    assert_eq!(third.send(&format!("GET /api/v1/app HTTP/1.1\r\n{proof}")).status(), 200);
}
