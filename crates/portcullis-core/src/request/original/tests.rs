use super::*;

const ASKER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
const NOW: Timestamp = Timestamp::from_millis(1_000);

type Lines<'a> = &'a [(&'a str, &'a str)];

const FORWARDED: Lines<'_> = &[
    ("x-forwarded-for", "192.0.2.7"),
    ("x-forwarded-method", "POST"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-host", "api.example:8443"),
    ("x-forwarded-uri", "/orders/7?full=1"),
];
const ORIGINAL: Lines<'_> = &[
    ("x-forwarded-for", "192.0.2.7"),
    ("x-original-method", "POST"),
    ("x-original-url", "https://api.example:8443/orders/7?full=1"),
];
const BOTH: [(Wording, Lines<'_>); 2] =
    [(Wording::Forwarded, FORWARDED), (Wording::Original, ORIGINAL)];

fn headers(lines: Lines<'_>) -> HeaderMap {
    let pair = |(name, value): &(&str, &str)| {
        (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
    };
    let mut headers = HeaderMap::new();
    for (name, value) in lines.iter().map(pair) {
        headers.append(name, value);
    }
    headers
}

/// The lines of a call, with this one in the place of those of its name.
fn with(lines: Lines<'_>, name: &str, value: &str) -> HeaderMap {
    let mut changed = headers(lines);
    changed.insert(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
    changed
}

fn judged(headers: &HeaderMap, wording: Wording) -> Result<(String, String), Unjudged> {
    let original = Original::read(headers, wording)?;
    let trusted = TrustedPeers::new(&["127.0.0.1/32".parse().unwrap()]);
    let head = original.head(ASKER, &trusted, NOW)?;
    Ok((head.host().to_owned(), head.path().to_owned()))
}

#[test]
fn the_request_is_what_is_stated_and_nothing_of_the_call() {
    let call: Lines<'_> =
        &[("host", "auth.internal"), ("content-length", "3"), ("connection", "close")];
    for (wording, lines) in BOTH {
        let read = Original::read(&headers(&[lines, call, &[("cookie", "a=1")]].concat()), wording);
        let original = read.unwrap();
        let trusted = TrustedPeers::new(&["127.0.0.1/32".parse().unwrap()]);
        let head = original.head(ASKER, &trusted, NOW).unwrap();
        assert_eq!((head.method(), head.host()), (&Method::POST, "api.example"));
        assert_eq!((head.path(), head.query()), ("/orders/7", Some("full=1")));
        assert_eq!(head.client().to_string(), "192.0.2.7");
        assert!(head.is_secure() && !head.is_certified());
        let mut left: Vec<_> = head.headers().keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["cookie", "host", "x-forwarded-for"], "{wording:?}");
    }
}

#[test]
fn a_caller_cannot_say_that_the_request_came_encrypted() {
    let call = [&[("x-forwarded-proto", "https")][..], ORIGINAL].concat();
    let call = with(&call, "x-original-url", "http://api.example/");
    let original = Original::read(&call, Wording::Original).unwrap();
    let trusted = TrustedPeers::new(&["127.0.0.1/32".parse().unwrap()]);
    assert!(!original.head(ASKER, &trusted, NOW).unwrap().is_secure());
}

#[test]
fn what_states_a_request_in_other_words_stays_a_header_of_it() {
    for (wording, lines, other) in [
        (Wording::Forwarded, FORWARDED, "x-original-url"),
        (Wording::Original, ORIGINAL, "x-forwarded-uri"),
    ] {
        let original = Original::read(&with(lines, other, "/admin"), wording).unwrap();
        assert_eq!(original.headers()[other], "/admin", "{wording:?}");
    }
}

#[test]
fn what_is_not_stated_exactly_once_is_an_error() {
    for (wording, lines) in BOTH {
        for (at, (name, value)) in lines.iter().enumerate() {
            let unstated = |changed: &HeaderMap, how: &str| {
                let read = Original::read(changed, wording);
                assert!(matches!(read, Err(Unjudged::Unstated(_))), "{how} {name}: {read:?}");
            };
            let others = [&lines[..at], &lines[at + 1..]].concat();
            unstated(&headers(&others), "missing");
            unstated(&with(lines, name, ""), "empty");
            unstated(&headers(&[lines, &[(*name, *value)]].concat()), "repeated");
            for alias in [name.replace('-', "_"), name.replacen('-', ".", 1)] {
                unstated(&headers(&[lines, &[(&*alias, *value)]].concat()), "aliased");
                unstated(&headers(&[&others, &[(&*alias, *value)][..]].concat()), "only aliased");
            }
        }
    }
}

#[test]
fn what_cannot_be_what_it_states_is_an_error() {
    for (name, value, what) in [
        ("x-forwarded-method", "GET /", "method"),
        ("x-forwarded-proto", "wss", "scheme"),
        ("x-forwarded-proto", "https, http", "scheme"),
        ("x-forwarded-uri", "*", "uri"),
        ("x-forwarded-uri", "orders", "uri"),
        ("x-forwarded-uri", "http://other.example/", "uri"),
        ("x-forwarded-uri", "?a", "uri"),
    ] {
        let read = judged(&with(FORWARDED, name, value), Wording::Forwarded);
        assert_eq!(read, Err(Unjudged::Unstated(what)), "{name}: {value}");
    }
    for (url, what) in [
        ("/orders", "scheme"),
        ("//api.example/orders", "scheme"),
        ("ftp://api.example/", "scheme"),
        ("HTTP://api.example/", "scheme"),
        ("https://api.example", "uri"),
        ("https://api.example?/orders", "host"),
        ("https:///orders", "host"),
    ] {
        let read = judged(&with(ORIGINAL, "x-original-url", url), Wording::Original);
        match read {
            Err(Unjudged::Malformed(Malformed::Host(_))) => assert_eq!(what, "host", "{url}"),
            other => assert_eq!(other, Err(Unjudged::Unstated(what)), "{url}"),
        }
    }
}

#[test]
fn a_host_that_would_move_the_path_is_refused() {
    for host in ["public.example?x", "public.example#x", "a@public.example", "a b", "[::1"] {
        let url = format!("http://{host}/admin");
        for read in [
            judged(&with(ORIGINAL, "x-original-url", &url), Wording::Original),
            judged(&with(FORWARDED, "x-forwarded-host", host), Wording::Forwarded),
        ] {
            assert!(
                matches!(read, Err(Unjudged::Malformed(Malformed::Host(_)))),
                "{host} {read:?}"
            );
        }
    }
}

#[test]
fn a_target_that_would_have_to_be_rewritten_is_refused() {
    for (target, canonical) in [
        ("/", true),
        ("/orders", true),
        ("/orders?", true),
        ("/orders?a=%2e%2e/b", true),
        ("/caf%C3%A9", true),
        ("/%6frders", false),
        ("/caf%c3%a9", false),
        ("//orders", false),
        ("/orders#admin", false),
        ("/orders?a#b", false),
        ("/public/../admin", false),
        ("/public/%2e%2e/admin", false),
        ("/public/..%2fadmin", false),
        ("/public;/admin", false),
        ("/public\\admin", false),
    ] {
        for read in [
            judged(&with(FORWARDED, "x-forwarded-uri", target), Wording::Forwarded),
            judged(
                &with(ORIGINAL, "x-original-url", &format!("http://api.example{target}")),
                Wording::Original,
            ),
        ] {
            assert_eq!(read.is_ok(), canonical, "{target}: {read:?}");
        }
    }
}

#[test]
fn a_handshake_of_a_websocket_asks_for_one_though_nobody_says_so() {
    for (line, asks) in [
        (("sec-websocket-key", "x"), true),
        (("sec_websocket_version", "13"), true),
        (("sec-web", "x"), false),
        (("upgrade", "websocket"), true),
    ] {
        let original = Original::read(&headers(&[FORWARDED, &[line]].concat()), Wording::Forwarded);
        assert_eq!(original.unwrap().headers().contains_key(UPGRADE), asks, "{line:?}");
    }
}
