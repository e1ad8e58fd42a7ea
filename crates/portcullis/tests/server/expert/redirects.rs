//! Where no browser is ever sent, and what is never made for who asks.

use super::{House, MOUNT, SITE, refused, token};

/// Each as it stands in a query.
const TARGETS: &[&str] = &[
    "https://evil.example/",
    "https%3A%2F%2Fevil.example%2F",
    "https://help.example.com.evil.example/",
    "https://help.example.comevil.example/",
    "https://help.example.com@evil.example/",
    "https://help.example.com:443@evil.example/",
    "https://help.example.com%40evil.example/",
    "https://help.example.com%2540evil.example/",
    "https://u:p@help.example.com/",
    "https://help.example.com%5C@evil.example/",
    "https:%5C%5Chelp.example.com%5C",
    "https://help.example.com/%5Cevil.example",
    "https:/help.example.com/",
    "https:///help.example.com/",
    "https:help.example.com",
    "//evil.example",
    "//help.example.com/",
    "%2F%2Fevil.example",
    "/%5Cevil.example",
    "/",
    "/Docs",
    "Docs",
    "http://help.example.com/",
    "HTTPS://help.example.com/",
    "https://HELP.example.com/",
    "https://help.example.com./",
    "https://help.example.com:443/",
    "https://help.example.com:8443/",
    "https://help.example.com%3A8443/",
    "https://help.example.com%00.evil.example/",
    "https://help.example.com%0d%0aSet-Cookie:%20a=b",
    "https://help.example.com/%0d%0aSet-Cookie:%20a=b",
    "https://help.example.com/%09",
    "%20https://help.example.com/",
    "https://help.example.com/%20",
    "https://help.example.com/%7F",
    "https://help.example.com/%C3%A9",
    "https://help.example.com%E3%80%82evil.example/",
    "https://help%EF%BC%8Eexample.com/",
    "https://help.example.com/%ff",
    "javascript:alert(1)",
    "javascript://help.example.com/%0aalert(1)",
    "data:text/html,x",
    "ftp://help.example.com/",
    "https://any/",
    "http://127.0.0.1/",
    "https://[::1]/",
    "https://0x7f000001/",
    // Twice, in either order.
    "https://help.example.com/&redirect=https://evil.example/",
    "https://evil.example/&redirect=https://help.example.com/",
    "https://help.example.com/&redirect=https://help.example.com/",
    "&redirect=https://help.example.com/",
];

#[test]
fn a_link_leads_nowhere_else_and_makes_nobody() {
    let house = House::new();
    let (before, signed) = (house.count(), house.key.sign("=never"));
    for target in TARGETS {
        for method in ["GET", "POST"] {
            let path = format!("users/authenticate?x-deki-token={signed}&redirect={target}");
            refused(&house.call(method, &path, &[]), 400);
        }
    }
    let long = format!("users/authenticate?redirect={SITE}/{}", "a".repeat(2_100));
    refused(&house.call("GET", &long, &[&token(&signed)]), 400);
    assert_eq!(house.count(), before, "somebody was made");
}

#[test]
fn what_a_request_says_of_itself_makes_no_origin() {
    let house = House::new();
    let signed = house.key.sign("=never");
    for lines in [
        "Host: evil.example",
        "Host: evil.example\r\nX-Forwarded-Host: evil.example",
        "Host: help.example.com\r\nX-Forwarded-Host: evil.example",
        "Host: help.example.com\r\nForwarded: host=evil.example",
        "Host: help.example.com\r\nOrigin: https://evil.example",
        "Host: help.example.com\r\nReferer: https://evil.example/",
    ] {
        let answer = house.server.ask(&format!(
            "GET /@api/deki/users/authenticate?x-deki-token={signed}\
             &redirect=https://evil.example/ HTTP/1.1\r\n{lines}\r\nConnection: close\r\n\r\n"
        ));
        refused(&answer, 400);
    }
}

#[test]
fn a_site_without_an_origin_sends_nobody_anywhere() {
    let bare = "[[mount]]\nname = \"help\"\ndialect = \"expert\"\n";
    let house = House::with(bare);
    let signed = house.key.sign("=never");
    for target in ["https://help.example.com/", "http://help.example.com/", "/"] {
        let path = format!("users/authenticate?x-deki-token={signed}&redirect={target}");
        refused(&house.call("GET", &path, &[]), 400);
    }
    assert_eq!(house.signed("GET", "users/authenticate", "=admin").status(), 200);
}

#[test]
fn an_empty_target_is_none_and_each_configured_origin_is_one() {
    let more = "origin = \"https://help.example.com https://docs.example.com:8443\"";
    let one = "origin = \"https://help.example.com\"";
    let house = House::with(&MOUNT.replace(one, more));
    let signed = house.key.sign("=admin");
    let path = |target: &str| format!("users/authenticate?x-deki-token={signed}&redirect={target}");
    assert_eq!(house.call("GET", &path(""), &[]).status(), 200);
    for target in ["https://help.example.com/a", "https://docs.example.com:8443/a"] {
        assert_eq!(house.call("GET", &path(target), &[]).header("location"), Some(target));
    }
    refused(&house.call("GET", &path("https://docs.example.com/a"), &[]), 400);
}
