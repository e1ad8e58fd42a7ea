//! `/dc`: what an upstream writes down becomes the answer.

use super::{House, LISTENERS, zoe};
use crate::common::{Answer, Home, Server};
use crate::upstream::answering;

/// What is answered where the upstream writes `written`.
fn written(house: &House, written: &str) -> Answer {
    house.zoe(&format!("POST {LISTENERS}/echo/dc"), written)
}

#[test]
fn what_the_upstream_writes_down_becomes_the_answer() {
    let house = House::new();
    for (json, expected) in [
        ("{}", "200\ncontent-type: text/html; charset=utf-8\n\n"),
        (
            r#"{"body":"Unauthorised","statusCode":401,"headers":{"Access-Control-Allow-Origin":"*"}}"#,
            "401\naccess-control-allow-origin: *\ncontent-type: text/html; charset=utf-8\n\nUnauthorised",
        ),
        (r#"{"body":{"a":[1,2]}}"#, "200\ncontent-type: application/json\n\n{\"a\":[1,2]}"),
        (
            r#"{"body":"a,b","headers":{"Content-Type":"text/csv","X-N":1}}"#,
            "200\ncontent-type: text/csv\nx-n: 1\n\na,b",
        ),
        (
            r#"{"redirectURL":"https://a.example/b?c#d"}"#,
            "302\nlocation: https://a.example/b?c#d\ncontent-type: text/html; charset=utf-8\n\n",
        ),
        (
            r#"{"redirectURL":"/b","statusCode":307,"body":"there"}"#,
            "307\nlocation: /b\ncontent-type: text/html; charset=utf-8\n\nthere",
        ),
    ] {
        assert_eq!(written(&house, json).anonymous(), expected, "{json}");
    }
    let empty = written(&house, r#"{"statusCode":204,"body":"x"}"#);
    assert_eq!((empty.status(), empty.body(), empty.header("content-length")), (204, "", None));
    let same = written(&house, r#"{"statusCode":304,"body":"x","headers":{"ETag":"\"1\""}}"#);
    assert_eq!((same.status(), same.body(), same.header("etag")), (304, "", Some("\"1\"")));
}

#[test]
fn an_upstream_cannot_set_what_is_not_its_own() {
    let house = House::new();
    for (name, value) in [
        ("Location", "https://evil.example"),
        ("Refresh", "0; url=https://evil.example"),
        ("Content-Length", "2"),
        ("Transfer-Encoding", "chunked"),
        ("Content-Encoding", "gzip"),
        ("Connection", "keep-alive"),
        ("Keep-Alive", "timeout=5"),
        ("Upgrade", "websocket"),
        ("Trailer", "X-A"),
        ("TE", "trailers"),
        ("Proxy-Authenticate", "Basic"),
        ("Portcullis-Request-Id", "forged"),
        ("Portcullis-User", "forged"),
        ("Set-Cookie", "wtsession=x; Path=/"),
        ("Set-Cookie", "a=pcl_ses_x"),
        ("Set-Cookie", "a=1; Domain=example"),
        ("Alt-Svc", "h3=evil.example"),
        ("Clear-Site-Data", "*"),
        ("Service-Worker-Allowed", "/"),
    ] {
        let json = serde_json::json!({ "headers": { name: value }, "body": "text" });
        let answer = written(&house, &json.to_string());
        assert_eq!(
            answer.anonymous(),
            "200\ncontent-type: text/html; charset=utf-8\n\ntext",
            "{name}: {value}"
        );
        assert_eq!(answer.header("connection"), Some("close"));
    }
    for (name, value) in
        [("Set-Cookie", "a=1; Path=/"), ("WWW-Authenticate", "Basic"), ("Vary", "*")]
    {
        let json = serde_json::json!({ "headers": { name: value } });
        let answer = written(&house, &json.to_string());
        assert_eq!(answer.header(&name.to_lowercase()), Some(value), "{name}");
    }
    let own = written(&house, r#"{"headers":{"Connection":"X-Hop","X-Hop":"1","X-End":"2"}}"#);
    assert_eq!((own.header("x-hop"), own.header("x-end")), (None, Some("2")));
}

#[test]
fn what_is_no_answer_is_a_bad_gateway_that_tells_nothing_of_it() {
    let house = House::new();
    let long = format!(r#"{{"body":"{}"}}"#, "a".repeat(1 << 20));
    for json in [
        "canary",
        "[]",
        "\"canary\"",
        r#"{"statusCode":199}"#,
        r#"{"statusCode":"200"}"#,
        r#"{"statusCode":600}"#,
        r#"{"statusCode":200,"statusCode":200}"#,
        r#"{"body":{"a":1,"a":2}}"#,
        r#"{"headers":{"a b":"c"}}"#,
        r#"{"headers":{"a":"b\r\nSet-Cookie: c=1"}}"#,
        r#"{"headers":{"A":"1","a":"2"}}"#,
        r#"{"headers":{"a":["b"]}}"#,
        r#"{"redirectURL":"//evil.example"}"#,
        r#"{"redirectURL":"/\\evil.example"}"#,
        r#"{"redirectURL":"javascript:alert(1)"}"#,
        r#"{"redirectURL":"https://a@evil.example/"}"#,
        r#"{"redirectURL":"/a\r\nSet-Cookie: c=1"}"#,
        r#"{"redirectURL":""}"#,
        &long,
    ] {
        let answer = written(&house, json);
        let shown: String = json.chars().take(60).collect();
        assert_eq!((answer.status(), answer.body()), (502, "Bad Gateway"), "{shown}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{shown}");
        assert!(!answer.0.contains("canary") && answer.header("set-cookie").is_none(), "{shown}");
    }
    let longest = format!(r#"{{"body":"{}"}}"#, "a".repeat((1 << 20) - 11));
    assert_eq!(longest.len(), 1 << 20);
    assert_eq!(written(&house, &longest).status(), 200);
}

#[test]
fn the_head_of_the_upstreams_own_answer_is_not_the_callers() {
    for (head, body, status) in [
        ("200 OK\r\nX-Own: 1\r\nSet-Cookie: a=1", "{}", 200),
        ("201 Created\r\nContent-Type: text/plain", "{}", 200),
        ("200 OK\r\nContent-Type: application/json; charset=latin1", "{}", 200),
        ("200 OK\r\nContent-Encoding: identity", "{}", 502),
        ("200 OK\r\nContent-Encoding: gzip", "\u{1f}\u{8b}", 502),
        ("204 No Content", "", 502),
        ("302 Found\r\nLocation: /elsewhere", "{}", 502),
        ("401 Unauthorized\r\nWWW-Authenticate: Basic", "{}", 502),
        ("404 Not Found", r#"{"statusCode":200}"#, 502),
        ("429 Too Many Requests\r\nRetry-After: 9", "{}", 502),
        ("500 Internal Server Error", "{}", 502),
    ] {
        let answer = one_answer(head, body, "POST");
        assert_eq!(answer.status(), status, "{head}");
        for own in ["x-own", "set-cookie", "location", "retry-after", "www-authenticate"] {
            assert!(answer.header(own).is_none(), "{head}: {own}");
        }
    }
}

/// What is answered where the upstream answers `head` and `body` to whatever comes.
fn one_answer(head: &str, body: &str, method: &str) -> Answer {
    let answer = if head.starts_with("204") {
        format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n")
    } else {
        let length = body.len();
        format!("HTTP/1.1 {head}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}")
    };
    let address = answering(Box::leak(answer.into_boxed_str()));
    let server = Server::serve(
        Home::new(),
        &format!(
            "[[mount]]\ndialect = \"graph\"\n[[listener]]\nid = \"a\"\n\
             upstream = \"http://{address}\"\nschemes = []\nnetworks = [\"127.0.0.0/8\"]\n"
        ),
    );
    server.send(&format!("{method} {LISTENERS}/a/dc HTTP/1.1"))
}

#[test]
fn an_answer_that_breaks_off_or_never_ends_is_a_bad_gateway() {
    let address = answering("HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\n{}");
    let hanging = crate::upstream::upstream(|mut stream| {
        use std::io::Write as _;
        crate::upstream::read_head(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}").unwrap();
        std::mem::forget(stream);
    });
    let listener = |id: &str, address| {
        format!(
            "[[listener]]\nid = \"{id}\"\nupstream = \"http://{address}\"\nschemes = []\n\
             networks = [\"127.0.0.0/8\"]\n"
        )
    };
    let config = format!(
        "upstream_answer_timeout = \"100ms\"\n[[mount]]\ndialect = \"graph\"\n{}{}",
        listener("broken", address),
        listener("hanging", hanging)
    );
    let server = Server::serve(Home::new(), &config);
    for (id, status, word) in [("broken", 502, "Bad Gateway"), ("hanging", 504, "Gateway Timeout")]
    {
        let answer = server.send(&format!("GET {LISTENERS}/{id}/dc HTTP/1.1"));
        assert_eq!((answer.status(), answer.body()), (status, word), "{id}");
    }
}

#[test]
fn head_is_asked_for_as_get_and_the_whole_is_asked_for_in_clear() {
    let json = r#"{"body":"text","headers":{"X-A":"b"}}"#;
    let [get, head] = ["GET", "HEAD"].map(|method| one_answer("200 OK", json, method));
    assert_eq!((get.status(), get.body(), head.status(), head.body()), (200, "text", 200, ""));
    assert_eq!(head.header("content-length"), get.header("content-length"));
    assert_eq!(head.header("x-a"), Some("b"));
    let house = House::new();
    let told = |form: &str| {
        let more = "Accept-Encoding: gzip, br\r\nRange: bytes=0-1\r\nIf-None-Match: \"1\"\r\n\
                    If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT\r\nX-Own: 1\r\n";
        house.call(&format!("GET {LISTENERS}/telling{form}"), &format!("{}{more}", zoe()), "")
    };
    let plain = told("").body().to_lowercase();
    for sent in ["gzip, br", "range: ", "if-none-match", "if-modified-since", "x-own"] {
        assert!(plain.contains(sent), "{sent}: {plain}");
    }
    let dynamic = told("/dc").body().to_lowercase();
    assert!(dynamic.contains("\naccept-encoding: identity\r\n"), "{dynamic}");
    assert!(dynamic.contains("x-own: 1"), "{dynamic}");
    for gone in ["gzip", "range", "if-none-match", "if-modified-since"] {
        assert!(!dynamic.contains(gone), "{gone}: {dynamic}");
    }
}
