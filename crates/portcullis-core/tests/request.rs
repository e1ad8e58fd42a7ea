//! The request head: one meaning or a refusal.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::net::IpAddr;

use http::Request;
use portcullis_core::request::{
    Connection, MAX_PATH, Malformed, Origin, RequestHead, TrustedPeers, canonical_host,
    canonical_path,
};
use portcullis_core::time::Timestamp;
use proptest::prelude::*;

#[test]
fn paths_that_only_look_different_have_one_form() {
    for (path, form) in [
        ("/", "/"),
        ("/a/b", "/a/b"),
        ("/a//b///c/", "/a/b/c/"),
        ("/%61%7e%2D", "/a~-"),
        ("/%40api/=a", "/@api/=a"),
        ("/a%20b%c3%a9", "/a%20b%C3%A9"),
        ("/%252e%252e/%252f", "/%252e%252e/%252f"),
        ("/a+b%2bc", "/a+b%2Bc"),
        ("/.well-known/...", "/.well-known/..."),
    ] {
        assert_eq!(canonical_path(path).unwrap(), form, "{path}");
    }
}

#[test]
fn paths_with_two_meanings_are_refused() {
    for path in [
        "",
        "a",
        "*",
        "/.",
        "/..",
        "/a/../b",
        "/a/./b",
        "/a/%2e%2e/b",
        "/a/.%2E",
        "/%2e",
        "/a%2fb",
        "/a%2Fb",
        "/a\\b",
        "/a%5cb",
        "/a;b",
        "/a%3bb",
        "/..;/b",
        "/%00",
        "/%0a",
        "/%7f",
        "/a b",
        "/a\tb",
        "/%",
        "/%4",
        "/%zz",
        "/%c0%af",
        "/%ff",
        "/é",
        "/a\"b",
        "/a<b",
        "/a>b",
        "/a{b",
        "/a}b",
        "/a|b",
        "/a^b",
        "/a`b",
        "/a#b",
        "/a?b",
        "/a[b",
    ] {
        assert!(canonical_path(path).is_err(), "{path}");
    }
    let long = "/a".repeat(MAX_PATH);
    assert_eq!(canonical_path(&long), Err(Malformed::PathTooLong));
}

#[test]
fn a_host_has_one_form_or_is_refused() {
    for (host, form) in [
        ("Example.COM", Some("example.com")),
        ("example.com.", Some("example.com")),
        ("example.com:8080", Some("example.com")),
        ("127.0.0.1:80", Some("127.0.0.1")),
        ("[::1]:80", Some("[::1]")),
        ("[0:0::1]", Some("[::1]")),
        ("", None),
        ("a b", None),
        ("a@b", None),
        ("a..b", None),
        ("a:", None),
        ("a:x", None),
        ("a:+80", None),
        ("a:99999", None),
        ("[::1", None),
        ("[::1]x", None),
        ("a/b", None),
        ("é", None),
    ] {
        assert_eq!(canonical_host(host).ok().as_deref(), form, "{host}");
    }
}

fn client(peer: &str, trusted: &str, forwarded: &[&str]) -> Result<IpAddr, Malformed> {
    let trusted: Vec<_> = trusted.split_whitespace().map(|it| it.parse().unwrap()).collect();
    let mut request = Request::get("/").header("Host", "any");
    for line in forwarded {
        request = request.header("X-Forwarded-For", *line);
    }
    let parts = request.body(()).unwrap().into_parts().0;
    let now = Timestamp::from_millis(0);
    let peer: IpAddr = peer.parse().unwrap();
    RequestHead::from_connection(&parts, peer, &TrustedPeers::new(&trusted), now)
        .map(|head| head.client())
}

#[test]
fn a_forwarding_header_is_believed_of_trusted_peers_only_and_from_the_right() {
    let ten = "10.0.0.0/8";
    for (peer, trusted, forwarded, expected) in [
        ("192.0.2.1", "", &["1.1.1.1"][..], Some("192.0.2.1")),
        ("192.0.2.1", ten, &["1.1.1.1"], Some("192.0.2.1")),
        ("10.0.0.1", ten, &[], Some("10.0.0.1")),
        ("10.0.0.1", ten, &["1.1.1.1"], Some("1.1.1.1")),
        ("10.0.0.1", ten, &["6.6.6.6, 1.1.1.1"], Some("1.1.1.1")),
        ("10.0.0.1", ten, &["6.6.6.6, 1.1.1.1, 10.0.0.2"], Some("1.1.1.1")),
        ("10.0.0.1", ten, &["6.6.6.6", "1.1.1.1"], Some("1.1.1.1")),
        ("10.0.0.1", ten, &["nonsense, 1.1.1.1"], Some("1.1.1.1")),
        ("10.0.0.1", ten, &["1.1.1.1:4711"], Some("1.1.1.1")),
        ("10.0.0.1", ten, &["[2001:db8::1]:4711"], Some("2001:db8::1")),
        ("10.0.0.1", ten, &["2001:db8::1"], Some("2001:db8::1")),
        ("10.0.0.1", ten, &["::ffff:1.1.1.1"], Some("1.1.1.1")),
        ("::ffff:10.0.0.1", ten, &["1.1.1.1"], Some("1.1.1.1")),
        ("10.0.0.1", "::ffff:10.0.0.0/104", &["1.1.1.1"], Some("1.1.1.1")),
        ("10.0.0.1", ten, &["1.1.1.1, nonsense"], None),
        ("10.0.0.1", ten, &[""], None),
        ("10.0.0.1", ten, &["1.1.1.1,"], None),
        ("10.0.0.1", ten, &["1.1.1.1\u{a0}"], None),
        ("10.0.0.1", ten, &["[fe80::1%1]:4711"], None),
    ] {
        let expected = expected.map(|it| it.parse().unwrap());
        assert_eq!(client(peer, trusted, forwarded).ok(), expected, "{peer} {forwarded:?}");
    }
    let far = ["10.0.0.2"; 33].join(", ");
    assert_eq!(client("10.0.0.1", ten, &[&far]), Err(Malformed::Forwarded));
}

#[test]
fn a_request_is_secure_if_its_connection_is_or_a_trusted_peer_says_so() {
    let (inside, outside) = ([10, 0, 0, 1], [192, 0, 2, 1]);
    for (peer, secure, said, expected) in [
        (outside, false, &[][..], false),
        (outside, true, &[], true),
        (outside, true, &["http"], true),
        (outside, false, &["https"], false),
        (inside, false, &["https"], true),
        (inside, false, &[" HTTPS "], true),
        (inside, false, &[], false),
        (inside, false, &["http"], false),
        (inside, false, &["https, http"], false),
        (inside, false, &["https", "http"], false),
        (inside, false, &["https", "https"], false),
    ] {
        let mut request = Request::get("/").header("Host", "any");
        for line in said {
            request = request.header("X-Forwarded-Proto", *line);
        }
        let parts = request.body(()).unwrap().into_parts().0;
        let connection = Connection { peer: IpAddr::from(peer), secure, certified: false };
        let trusted = TrustedPeers::new(&["10.0.0.0/8".parse().unwrap()]);
        let now = Timestamp::from_millis(0);
        let head = RequestHead::from_connection(&parts, connection, &trusted, now).unwrap();
        let protocol = if expected { "https" } else { "http" };
        assert_eq!((head.is_secure(), head.protocol()), (expected, protocol), "{peer:?} {said:?}");
        assert!(!head.is_certified());
    }
}

#[test]
fn to_what_came_over_tls_a_page_that_came_in_the_clear_is_foreign() {
    let (inside, outside) = ([10, 0, 0, 1], [192, 0, 2, 1]);
    for (peer, origin, secure, said, expected) in [
        (outside, "https://api.example", true, None, Origin::Own),
        (outside, "http://api.example", true, None, Origin::Foreign),
        (outside, "http://api.example", false, None, Origin::Own),
        (outside, "http://api.example", false, Some("https"), Origin::Own),
        (inside, "https://api.example", false, Some("https"), Origin::Own),
        (inside, "http://api.example", false, Some("https"), Origin::Foreign),
        (inside, "http://api.example", false, Some("http"), Origin::Own),
    ] {
        let mut request = Request::post("/").header("Host", "api.example").header("Origin", origin);
        if let Some(said) = said {
            request = request.header("X-Forwarded-Proto", said);
        }
        let parts = request.body(()).unwrap().into_parts().0;
        let connection = Connection { secure, ..IpAddr::from(peer).into() };
        let trusted = TrustedPeers::new(&["10.0.0.0/8".parse().unwrap()]);
        let now = Timestamp::from_millis(0);
        let head = RequestHead::from_connection(&parts, connection, &trusted, now).unwrap();
        assert_eq!(head.origin(), expected, "{peer:?} {origin} {secure} {said:?}");
    }
}

#[test]
fn an_origin_is_ours_if_it_is_the_very_host_and_port_that_the_request_goes_to() {
    use Origin::{Foreign, Own, Unsaid};
    for (host, origins, expected) in [
        ("api.example", &[][..], Unsaid),
        ("api.example", &["https://api.example"], Own),
        ("api.example", &["http://api.example"], Own),
        ("API.example.", &["https://Api.Example"], Own),
        ("api.example", &["https://api.example:443"], Own),
        ("api.example:443", &["https://api.example"], Own),
        ("api.example:80", &["http://api.example"], Own),
        ("api.example:8443", &["https://api.example:8443"], Own),
        ("127.0.0.1:8080", &["http://127.0.0.1:8080"], Own),
        ("[0:0::1]:8080", &["http://[::1]:8080"], Own),
        ("api.example", &["null"], Foreign),
        ("api.example", &[""], Foreign),
        ("api.example", &["*"], Foreign),
        ("api.example", &["api.example"], Foreign),
        ("api.example", &["//api.example"], Foreign),
        ("api.example", &["HTTPS://api.example"], Foreign),
        ("api.example", &["ftp://api.example"], Foreign),
        ("api.example", &["chrome-extension://api.example"], Foreign),
        ("api.example", &["https://evil.example"], Foreign),
        ("api.example", &["https://api.example.evil.example"], Foreign),
        ("api.example", &["https://sub.api.example"], Foreign),
        ("api.example", &["https://evil.example@api.example"], Foreign),
        ("api.example", &["https://api.example@evil.example"], Foreign),
        ("api.example", &["https://api.example/"], Foreign),
        ("api.example", &["https://api.example https://evil.example"], Foreign),
        ("api.example", &["https://api.example, https://evil.example"], Foreign),
        ("api.example", &["https://api.example", "https://api.example"], Foreign),
        ("api.example", &["https://api.example", "null"], Foreign),
        ("api.example", &["https://api.example:8443"], Foreign),
        ("api.example", &["https://api.example:80"], Foreign),
        ("api.example", &["https://api.example:"], Foreign),
        ("api.example:443", &["http://api.example"], Foreign),
        ("api.example:8080", &["http://api.example:8081"], Foreign),
        ("api.example:8080", &["http://api.example"], Foreign),
    ] {
        let mut request = Request::post("/").header("Host", host);
        for origin in origins {
            request = request.header("Origin", *origin);
        }
        let parts = request.body(()).unwrap().into_parts().0;
        let (peer, now) = (IpAddr::from([192, 0, 2, 1]), Timestamp::from_millis(0));
        let head = RequestHead::from_connection(&parts, peer, &TrustedPeers::default(), now);
        assert_eq!(head.unwrap().origin(), expected, "{host} {origins:?}");
    }
}

proptest! {
    #[test]
    fn a_canonical_path_is_its_own_form_and_holds_nothing_ambiguous(path in "/(\\PC|[/.%;a-f0-9]){0,40}") {
        if let Ok(form) = canonical_path(&path) {
            prop_assert_eq!(canonical_path(&form).unwrap(), form.clone());
            prop_assert!(!form.contains("//") && !form.contains("/../") && !form.contains("/./"));
            prop_assert!(!form.to_lowercase().contains("%2f") && !form.contains(';'));
        }
    }

    #[test]
    fn no_text_breaks_the_host(host in "\\PC{0,40}") {
        if let Ok(form) = canonical_host(&host) {
            prop_assert_eq!(canonical_host(&form).unwrap(), form.clone());
        }
    }
}
