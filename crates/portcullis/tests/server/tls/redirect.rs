//! The plain address, which only says where to go.

use std::io::{Read as _, Write as _};

use super::Site;
use crate::common::{Answer, Home, connect, text};

#[test]
fn a_plain_request_is_told_where_it_is_by_https_and_nothing_else() {
    let site = Site::with("redirect = \"127.0.0.1:0\"\nheader_timeout = \"200ms\"", "");
    let plain = site.server.said("redirecting from http://");
    let port = site.server.address.rsplit_once(':').unwrap().1;
    let ask = |request: &str| {
        let mut stream = connect(plain);
        stream.write_all(request.as_bytes()).unwrap();
        Answer::read(&mut stream)
    };
    for (line, host, location) in [
        ("GET /", "api.example", "https://api.example:PORT/"),
        ("GET /open", "API.example.:80", "https://api.example:PORT/open"),
        ("GET /a%20b?c=d&e=%2F", "api.example", "https://api.example:PORT/a%20b?c=d&e=%2F"),
        ("GET /?", "api.example", "https://api.example:PORT/?"),
        ("HEAD /open", "api.example", "https://api.example:PORT/open"),
        ("DELETE /open", "[0:0::1]:8080", "https://[::1]:PORT/open"),
        ("POST //evil.example/", "127.0.0.1", "https://127.0.0.1:PORT/evil.example/"),
        ("GET http://api.example/a", "api.example", "https://api.example:PORT/a"),
    ] {
        let answer = ask(&format!("{line} HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        assert_eq!(answer.status(), 308, "{line}");
        assert_eq!(answer.header("location").unwrap(), location.replace("PORT", port), "{line}");
        assert_eq!((answer.header("connection"), answer.body()), (Some("close"), ""));
    }
    for (head, status) in [
        ("GET / HTTP/1.1", 400),
        ("GET / HTTP/1.0", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: a", 400),
        ("GET / HTTP/1.1\r\nHost: a, b", 400),
        ("GET / HTTP/1.1\r\nHost: a@b", 400),
        ("GET / HTTP/1.1\r\nHost: a/b", 400),
        ("GET / HTTP/1.1\r\nHost: a b", 400),
        ("GET / HTTP/1.1\r\nHost: a\\b", 400),
        ("GET / HTTP/1.1\r\nHost:", 400),
        ("GET http://a/ HTTP/1.1\r\nHost: b", 400),
        ("GET /a/../b HTTP/1.1\r\nHost: a", 400),
        ("OPTIONS * HTTP/1.1\r\nHost: a", 400),
        ("CONNECT a:443 HTTP/1.1\r\nHost: a:443", 400),
    ] {
        let answer = ask(&format!("{head}\r\n\r\n"));
        assert_eq!((answer.status(), answer.header("location")), (status, None), "{head}");
    }
    let long = ask(&format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(70_000)));
    assert_eq!(long.status(), 431);
    // Who is slow with a head is not waited for.
    let slow = ask("GET / HTTP/1.1\r\nHost:");
    assert!(slow.0.is_empty() || slow.status() == 408, "{}", slow.0);
    assert!(site.heads.try_recv().is_err(), "nothing is forwarded");
}

#[test]
fn a_body_is_not_waited_for() {
    let site = Site::with("redirect = \"127.0.0.1:0\"", "");
    let mut stream = connect(site.server.said("redirecting from http://"));
    stream.write_all(b"POST /open HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nx").unwrap();
    let answer = Answer::read(&mut stream);
    assert_eq!(answer.status(), 308);
    assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0);
}

#[test]
fn there_is_nothing_to_redirect_to_without_tls() {
    let home = Home::new();
    let file = home.write("checked.toml", "[server]\nredirect = \"127.0.0.1:0\"\n");
    let checked = home.run(&["check-config", &file]);
    assert!(!checked.status.success());
    assert!(text(&checked.stderr).contains("server.redirect: there is nothing to redirect to"));
}
