//! What holds behind every proxy.

use crate::place::{HOST, Stand};
use crate::recorder::{target, values};

/// Every scheme proves its caller, of whom the upstream is told without the credential.
pub(crate) fn every_caller_is_told_of(stand: &Stand) {
    for (scheme, credential) in &stand.callers.all {
        let (answer, reached) = stand.send("GET /orders/7 HTTP/1.1", credential);
        assert_eq!(answer.status(), 200, "{scheme}: {}", answer.0);
        let [head] = &reached[..] else { panic!("{scheme}: {reached:?}") };
        assert_eq!(values(head, "portcullis-scheme"), [*scheme]);
        assert_eq!(values(head, "portcullis-user"), ["alice"], "{scheme}");
        assert_eq!(values(head, "portcullis-request-id").len(), 1, "{scheme}");
        assert_eq!(values(head, "x-forwarded-for"), ["127.0.0.1"], "{scheme}");
        assert_no_secret(stand, head);
    }
    let (answer, reached) = stand.send("GET /public/7 HTTP/1.1", "");
    assert_eq!(answer.status(), 200, "{}", answer.0);
    assert_eq!(values(&reached[0], "portcullis-network"), ["0.0.0.0/0"]);
    assert!(values(&reached[0], "portcullis-user").concat().is_empty(), "{}", reached[0]);
}

/// Nobody who is refused reaches the upstream, and a good client is told what to do.
pub(crate) fn whoever_is_refused_learns_how_to_ask(stand: &Stand, as_it_is: bool) {
    let unknown = crate::common::unknown_key() + "\r\n";
    for (line, headers, status, native) in [
        ("GET /orders HTTP/1.1", "", 401, 401),
        ("POST /orders HTTP/1.1", "Content-Length: 0\r\n", 401, 401),
        ("GET /orders HTTP/1.1", &unknown, 401, 401),
        ("GET /orders HTTP/1.1", "Authorization: Basic YWxpY2U6d3Jvbmc=\r\n", 401, 401),
        ("GET /orders HTTP/1.1", "Cookie: wtsession=pcl_ses_x\r\n", 401, 401),
        ("GET /admin HTTP/1.1", &stand.callers.key, 403, 403),
        ("DELETE /orders HTTP/1.1", &stand.callers.reading, 403, 403),
        ("GET /nowhere HTTP/1.1", &stand.callers.key, 403, 404),
        ("GET /orders;x HTTP/1.1", &stand.callers.key, 403, 400),
    ] {
        let (answer, reached) = stand.send(line, headers);
        let expected = if as_it_is { native } else { status };
        assert_eq!(answer.status(), expected, "{line} {headers}: {}", answer.0);
        assert_eq!(reached, [""; 0], "{line} {headers}");
        let told: Vec<_> =
            answer.headers().filter(|(name, _)| name == "www-authenticate").collect();
        let challenges: Vec<_> = told.iter().flat_map(|(_, it)| it.split(", ")).collect();
        let asks = challenges.iter().any(|it| it.starts_with("Bearer realm="));
        assert_eq!(asks, expected == 401, "{line} {headers}: {told:?}");
        assert_eq!(answer.0.contains("urn:portcullis:problem:"), as_it_is, "{}", answer.0);
        assert!(answer.header("portcullis-request-id").is_some(), "{}", answer.0);
    }
}

/// A key that may only read gets no tunnel, and nothing but a WebSocket becomes one.
pub(crate) fn tunnels_are_for_those_who_may_write(stand: &Stand) {
    let websocket = |protocol: &str| {
        format!(
            "Connection: Upgrade\r\nUpgrade: {protocol}\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        )
    };
    let send = |credential: &str, headers: &str| {
        stand.send("GET /orders/live HTTP/1.1", &format!("{headers}{credential}"))
    };
    let (answer, reached) = send(&stand.callers.key, &websocket("websocket"));
    assert_eq!(answer.status(), 101, "{}", answer.0);
    assert_eq!(values(&reached[0], "upgrade"), ["websocket"]);
    assert_eq!(values(&reached[0], "portcullis-user"), ["alice"]);
    for credential in [&stand.callers.reading, ""] {
        let (answer, reached) = send(credential, &websocket("websocket"));
        assert!([401, 403].contains(&answer.status()), "{}", answer.0);
        assert_eq!(reached, [""; 0]);
    }
    let others = ["h2c", "tls/1.0", "websocket, h2c", "other"];
    let no_handshake = others.map(|it| format!("Connection: Upgrade\r\nUpgrade: {it}\r\n"));
    let twice = "Connection: Upgrade\r\nUpgrade: other\r\nUpgrade: websocket\r\n".to_owned();
    for headers in others.map(websocket).into_iter().chain(no_handshake).chain([twice]) {
        for credential in [&stand.callers.key, &stand.callers.reading] {
            let (answer, reached) = send(credential, &headers);
            let tunnels = reached.iter().any(|head| !values(head, "upgrade").is_empty());
            assert!(!tunnels, "{headers}: {} {reached:?}", answer.0);
        }
    }
}

/// The method, target and host that were judged are what the upstream gets, to the letter.
pub(crate) fn a_request_changes_nothing_on_its_way(stand: &Stand) {
    for line in [
        "GET /orders HTTP/1.1",
        "GET /orders?a=%2e%2e/b&c=d%20e&f HTTP/1.1",
        "HEAD /orders/7 HTTP/1.1",
        "PUT /orders/caf%C3%A9/a+b:c@d,e=f HTTP/1.1",
        "DELETE /orders/7 HTTP/1.1",
        "OPTIONS /orders/7 HTTP/1.1",
        "PATCH /orders/%20/x HTTP/1.1",
    ] {
        let (answer, reached) =
            stand.send(line, &format!("Content-Length: 0\r\n{}", stand.callers.key));
        assert_eq!(answer.status(), 200, "{line}: {}", answer.0);
        let [head] = &reached[..] else { panic!("{line}: {reached:?}") };
        assert_eq!(head.lines().next(), Some(line));
        assert_eq!(values(head, "host"), [HOST], "{line}");
        assert_eq!(target(head), line.split(' ').nth(1).unwrap());
    }
    let body = format!("Content-Length: 5\r\n{}\r\nhello", stand.callers.key);
    let (answer, reached) = stand.send_whole("POST /orders HTTP/1.1", &body);
    assert_eq!(answer.status(), 200, "{}", answer.0);
    assert!(reached[0].ends_with("\r\n\r\nhello"), "{}", reached[0]);
}

/// A cookie changes something only from a page of the very host and port.
pub(crate) fn a_cookie_changes_something_only_from_its_own_pages(stand: &Stand) {
    let (_, session) = stand.callers.all.iter().find(|(scheme, _)| *scheme == "session").unwrap();
    let port = stand.proxy.address.rsplit_once(':').unwrap().1;
    let own = format!("Origin: http://{HOST}:{port}\r\n");
    for (origin, status) in [
        (&*own, 200),
        ("", 403),
        ("Origin: null\r\n", 403),
        ("Origin: http://api.example.com\r\n", 403),
        ("Origin: http://elsewhere.example\r\n", 403),
    ] {
        let headers = format!("Host: {HOST}:{port}\r\nContent-Length: 0\r\n{origin}{session}");
        let (answer, reached) = stand.send("POST /orders HTTP/1.1", &headers);
        assert_eq!(answer.status(), status, "{origin}: {}", answer.0);
        assert_eq!(reached.len(), usize::from(status == 200), "{origin}");
    }
}

/// What is revoked when a command says so is refused at the next request, and so is whoever was
/// disabled, with every credential (GO-2025-4137).
pub(crate) fn what_is_revoked_is_refused_at_once(stand: &Stand) {
    let home = &stand.server.home;
    let made = home.json(&["key", "create", "alice"]);
    let text = |name: &str| made[name].as_str().unwrap();
    let credential = format!("X-Api-Key: {}\r\n", text("key"));
    let send = |credential: &str| {
        let (answer, reached) = stand.send("GET /orders HTTP/1.1", credential);
        (answer.status(), reached.len())
    };
    assert_eq!(send(&credential), (200, 1));
    home.done(&["key", "revoke", text("id")]);
    assert_eq!(send(&credential), (401, 0));
    assert_eq!(send(&stand.callers.key), (200, 1));
    home.done(&["user", "disable", "alice"]);
    for (scheme, credential) in &stand.callers.all {
        assert_eq!(send(credential), (401, 0), "{scheme}");
    }
}

/// When there is nobody to ask, the answer is no.
pub(crate) fn without_us_nothing_passes(stand: Stand) {
    let Stand { server, proxy, upstream, callers } = stand;
    drop(server.kill());
    for (line, credential) in
        [("GET /orders HTTP/1.1", &*callers.key), ("GET /public HTTP/1.1", "")]
    {
        let answer = crate::place::ask(&proxy.address, line, credential);
        assert!((500..600).contains(&answer.status()), "{line}: {}", answer.0);
        assert_eq!(upstream.take(), [""; 0], "{line}");
    }
}

/// Nothing that proves a caller, or the proxy, is in what the upstream got.
pub(crate) fn assert_no_secret(stand: &Stand, head: &str) {
    for secret in &stand.callers.secrets {
        assert!(!head.contains(secret.as_str()), "{head}");
    }
}
