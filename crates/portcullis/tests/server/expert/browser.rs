//! Keys that pages carry, and what a browser is told of them.

use super::{House, cookie, json, refused, token};

#[test]
fn a_page_of_the_keys_hosts_calls_as_whoever_is_signed_in() {
    let house = House::new();
    let key = house.key(&["--browser", "shop.example, *.partner.example"]);
    let (page, session) = (token(&key.key), cookie(&house.session("=jane")));
    let path = "users/current?dream.out.format=json";
    for (origin, allowed) in [
        ("https://shop.example", true),
        ("http://shop.example:8080", true),
        ("https://a.partner.example", true),
        ("https://a.b.partner.example", true),
        ("https://partner.example", false),
        ("https://evil.example", false),
        ("https://shop.example.evil.example", false),
        ("https://evilpartner.example", false),
        ("https://help.example.com", false),
        ("null", false),
        ("", false),
    ] {
        let said = format!("Origin: {origin}");
        let answer = house.call("GET", path, &[&page, &session, &said]);
        assert_eq!(answer.status(), if allowed { 200 } else { 403 }, "{origin}: {}", answer.0);
        assert_eq!(answer.header("access-control-allow-origin"), allowed.then_some(origin));
        if allowed {
            assert_eq!(json(&answer)["username"], "jane");
            assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
            assert!(answer.header("vary").unwrap().contains("Origin"));
            assert!(
                answer.header("access-control-expose-headers").unwrap().contains("X-Deki-Session")
            );
            let nobody = house.call("GET", path, &[&page, &said]);
            assert_eq!(json(&nobody)["username"], "Anonymous");
        }
    }
    refused(&house.call("GET", path, &[&page, &session]), 403);
    house.home().done(&["server-token", "hosts", &key.key, "new.example"]);
    refused(&house.call("GET", path, &[&page, "Origin: https://shop.example"]), 403);
    assert_eq!(house.call("GET", path, &[&page, "Origin: https://new.example"]).status(), 200);
    house.home().done(&["server-token", "revoke", &key.key]);
    refused(&house.call("GET", path, &[&page, "Origin: https://new.example"]), 403);
}

#[test]
fn a_browser_is_told_beforehand_for_the_pages_of_all_keys() {
    let house = House::new();
    house.key(&["--browser", "shop.example"]);
    house.key(&["--browser", "*.partner.example"]);
    for (origin, status) in [
        ("Origin: https://shop.example", 204),
        ("Origin: https://a.partner.example", 204),
        ("Origin: https://evil.example", 403),
        ("Origin: null", 403),
        ("X: y", 403),
    ] {
        let asks = "Access-Control-Request-Method: GET";
        let answer = house.call("OPTIONS", "users/current", &[origin, asks]);
        assert_eq!(answer.status(), status, "{origin}");
        let allowed = answer.header("access-control-allow-origin");
        assert_eq!(allowed.is_some(), status == 204, "{origin}");
        if status == 204 {
            let headers = answer.header("access-control-allow-headers").unwrap();
            assert!(headers.contains("X-Deki-Token"), "{headers}");
        }
    }
}

#[test]
fn a_servers_key_is_no_pages_and_a_pages_key_signs_nothing() {
    let house = House::new();
    let page = house.key(&["--browser", "shop.example"]);
    assert_eq!(page.secret, "", "a browser's token has no secret");
    let origin = "Origin: https://shop.example";
    refused(&house.call("GET", "users/current", &[&token(&house.key.key), origin]), 403);
    refused(&house.call("GET", "users/current", &[&token(&page.sign("=admin")), origin]), 403);
    let out = house.home().run(&["server-token", "rotate", &page.key]);
    assert!(!out.status.success());
    let out = house.home().run(&["server-token", "hosts", &house.key.key, "a.example"]);
    assert!(!out.status.success());
    for hosts in ["*", "*.example", "a.example:8080", "https://a.example", ""] {
        let out = house.home().run(&["server-token", "create", "boss", "--browser", hosts]);
        assert!(!out.status.success(), "{hosts}");
    }
}
