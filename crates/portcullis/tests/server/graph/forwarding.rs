//! What an upstream gets of a call, and what a caller gets of its answer.

use super::{House, LISTENERS, PASSWORD, zoe};
use crate::common::basic;

#[test]
fn a_call_goes_to_the_very_address_of_the_upstream_with_the_callers_query_and_body() {
    let house = House::new();
    for (start, asked) in [
        ("GET LISTENERS/echo", "GET /flow/in;v=1 HTTP/1.1"),
        (
            "GET LISTENERS/echo?op=testKitewheel&a=%2F",
            "GET /flow/in;v=1?op=testKitewheel&a=%2F HTTP/1.1",
        ),
        ("GET LISTENERS/echo?", "GET /flow/in;v=1? HTTP/1.1"),
        ("HEAD LISTENERS/echo", "HEAD /flow/in;v=1 HTTP/1.1"),
        ("GET LISTENERS/bare", "GET / HTTP/1.1"),
        ("GET LISTENERS/bare?x", "GET /?x HTTP/1.1"),
        ("PUT LISTENERS/put-too", "PUT / HTTP/1.1"),
        ("GET /second/api/v1/listener/echo", "GET /flow/in;v=1 HTTP/1.1"),
        ("GET /second//api/v1/%6cistener/echo", "GET /flow/in;v=1 HTTP/1.1"),
    ] {
        let start = start.replace("LISTENERS", LISTENERS);
        let answer = house.zoe(&start, "");
        assert_eq!((answer.status(), answer.header("x-asked")), (200, Some(asked)), "{start}");
    }
    let body = r#"{"message":"hi"}"#;
    let answer = house.zoe(&format!("POST {LISTENERS}/echo?a=b"), body);
    assert_eq!((answer.status(), answer.body()), (200, body));
    assert_eq!(answer.header("x-asked"), Some("POST /flow/in;v=1?a=b HTTP/1.1"));
}

#[test]
fn an_upstream_is_told_who_calls_and_gets_no_proof_of_it() {
    let house = House::new();
    let forged = format!("{}Portcullis-User: admin\r\nPortcullis-Network: 10.0.0.0/8\r\n", zoe());
    let seen = house.call(&format!("GET {LISTENERS}/echo"), &forged, "");
    let seen = seen.body().to_lowercase();
    assert!(seen.contains("\r\nportcullis-user: zoe\r\n"), "{seen}");
    assert!(seen.contains("\r\nportcullis-scheme: basic\r\n"), "{seen}");
    assert!(!seen.contains("authorization") && !seen.contains("portcullis-network"), "{seen}");
    assert!(!seen.contains("admin"), "{seen}");
    let seen = house.zoe(&format!("GET {LISTENERS}/passing"), "");
    assert!(seen.body().contains(&basic("zoe", PASSWORD)[15..]), "{}", seen.body());
}

#[test]
fn an_upstreams_answer_streams_as_it_is_but_for_what_no_upstream_may_say() {
    let house = House::new();
    let answer = house.zoe(&format!("GET {LISTENERS}/teapot"), "");
    assert_eq!((answer.status(), answer.body()), (418, "short"));
    assert_eq!(answer.header("x-tea"), Some("yes"));
    let cookies = answer.headers().filter(|(name, _)| name == "set-cookie");
    assert_eq!(cookies.map(|(_, value)| value).collect::<Vec<_>>(), ["a=1"]);
    assert!(answer.header("alt-svc").is_none() && answer.header("portcullis-user").is_none());
}

#[test]
fn a_realm_has_its_own_listeners_and_its_own_callers() {
    let house = House::new();
    let red = format!("{}\r\n", basic("red", PASSWORD));
    for (host, id, caller, status) in [
        ("site.example", "echo", zoe(), 200),
        ("site.example", "echo", red.clone(), 401),
        ("site.example", "of-red", zoe(), 404),
        ("site.example", "of-red", red.clone(), 404),
        ("red.example", "of-red", red.clone(), 200),
        ("red.example", "of-red", zoe(), 401),
        ("red.example", "echo", zoe(), 404),
        ("red.example", "echo", red, 404),
    ] {
        for form in ["", "/dc"] {
            let answer =
                house.call_at(host, &format!("POST {LISTENERS}/{id}{form}"), &caller, "{}");
            assert_eq!(answer.status(), status, "{host}: {id}{form}, {caller}");
        }
    }
}

#[test]
fn the_log_names_mount_listener_and_caller() {
    let house = House::with("[log]\nformat = \"json\"\n");
    house.zoe(&format!("GET {LISTENERS}/echo?secret=canary"), "");
    house.zoe(&format!("GET {LISTENERS}/unknown"), "");
    house.call(&format!("GET {LISTENERS}/network-only"), "", "");
    house.zoe(&format!("POST {LISTENERS}/echo/dc"), "no JSON");
    let told = house.server.stop().stderr;
    assert!(!told.contains("canary"), "{told}");
    let line = |part: &str| {
        let mut lines = told.lines().filter(|line| line.contains(part));
        let line: serde_json::Value = serde_json::from_str(lines.next().unwrap()).unwrap();
        line["fields"].clone()
    };
    let forwarded = line("\"allowed\"");
    assert_eq!((&forwarded["mount"], &forwarded["guard"]), (&"graph".into(), &"echo".into()));
    assert_eq!(forwarded["scheme"], "basic");
    let unknown = line("no_guard");
    assert_eq!((&unknown["mount"], &unknown["status"]), (&"graph".into(), &404.into()));
    let by_network = line("\"network-only\"");
    assert_eq!(by_network["scheme"], "network");
    assert_eq!(by_network["network"], "127.0.0.0/8");
    let unreadable = line("upstream_unreadable");
    assert_eq!((&unreadable["decision"], &unreadable["status"]), (&"allowed".into(), &502.into()));
}
