//! What is agreed in a handshake, and who never comes so far.

use std::io::{Read as _, Write as _};

use rustls::ProtocolVersion;
use rustls::version::{TLS12, TLS13};

use super::Site;
use super::client::{Client, get};
use crate::common::Answer;

#[test]
fn both_versions_and_both_protocols_are_spoken_by_what_the_client_offers() {
    let site = Site::new();
    for (version, expected) in
        [(&TLS12, ProtocolVersion::TLSv1_2), (&TLS13, ProtocolVersion::TLSv1_3)]
    {
        let client = Client::speaking(&[version], &site.server.address, &site.authority, None);
        for (offered, agreed) in [
            (&[][..], None),
            (&["http/1.1"], Some("http/1.1")),
            (&["h2"], Some("h2")),
            (&["http/1.1", "h2"], Some("h2")),
            (&["spdy/3", "http/1.1"], Some("http/1.1")),
        ] {
            let stream = client.shake(offered).unwrap();
            assert_eq!(stream.conn.protocol_version(), Some(expected));
            assert_eq!(stream.conn.alpn_protocol(), agreed.map(str::as_bytes), "{offered:?}");
        }
        assert!(client.shake(&["spdy/3"]).is_err(), "nothing is guessed");
        assert_eq!(client.send("GET /open HTTP/1.1").status(), 200);
    }
    assert_eq!(site.client().ask(get("/open", &[])).status(), 200);
}

/// The smallest hello of TLS 1.1 (RFC 4346, section 7.4.1.2).
fn hello_of_1_1() -> Vec<u8> {
    let mut hello = vec![3, 2];
    hello.extend([7; 32]);
    // No session, one suite (ECDHE with AES), no compression.
    hello.extend([0, 0, 2, 0xc0, 0x13, 1, 0]);
    let length = u8::try_from(hello.len()).unwrap();
    [&[22, 3, 1, 0, length + 4, 1, 0, 0, length][..], &hello].concat()
}

#[test]
fn an_older_version_and_what_is_no_tls_are_turned_away() {
    let site = Site::new();
    let mut stream = site.server.connect();
    stream.write_all(&hello_of_1_1()).unwrap();
    let mut alert = Vec::new();
    stream.read_to_end(&mut alert).unwrap();
    // RFC 8446, section 6.2: a fatal alert, of handshake_failure or protocol_version.
    let [21, .., 2, 40 | 70] = alert[..] else { panic!("{alert:?}") };
    for plain in ["GET /open HTTP/1.1\r\nHost: any\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let answer = site.server.ask(plain);
        assert!(!answer.0.contains("HTTP"), "{}", answer.0);
    }
    assert!(site.heads.try_recv().is_err());
}

#[test]
fn a_slow_handshake_is_cut_off_and_takes_the_place_of_a_connection_meanwhile() {
    let site = Site::with("header_timeout = \"200ms\"\nmax_connections = 1", "");
    for part in [0, 1, 20] {
        let mut slow = site.server.connect();
        slow.write_all(&hello_of_1_1()[..part]).unwrap();
        assert_eq!(Answer::read(&mut slow).0, "", "{part}");
    }
    let slow = site.server.connect();
    let mut next = site.server.connect();
    assert_eq!(Answer::read(&mut next).0, "", "closed at once");
    drop(slow);
    while site.client().send("GET /open HTTP/1.1").0.is_empty() {}
    assert!(site.heads.recv().unwrap().starts_with("GET /open"));
}

#[test]
fn the_upstream_is_told_that_it_was_https_and_nobody_else_may_say_so() {
    let site = Site::new();
    for claim in ["", "\r\nX-Forwarded-Proto: http", "\r\nX-Forwarded-Proto: https"] {
        assert_eq!(site.client().send(&format!("GET /open HTTP/1.1{claim}")).status(), 200);
        let head = site.heads.recv().unwrap().to_lowercase();
        assert_eq!(head.matches("x-forwarded-proto").count(), 1);
        assert!(head.contains("x-forwarded-proto: https\r\n"), "{head}");
    }
    let answer = site.client().send("GET /open HTTP/1.1");
    assert_eq!((answer.header("x-hop"), answer.body()), (None, "ok"));
}

#[test]
fn journyx_names_itself_by_https_and_keeps_its_cookie_there() {
    let site = Site::with("", "[[mount]]\ndialect = \"journyx\"\n");
    let home = &site.server.home;
    home.done(&["user", "create", "zoe"]);
    assert!(home.set_password("zoe", "correct horse battery").status.success());
    let body = r#"{"username":"zoe","password":"correct horse battery"}"#;
    let refused = site.client().send("GET /api/v1/users HTTP/1.1");
    assert!(refused.body().contains("https://localhost/api/v1/users"), "{}", refused.body());
    let mut stream = site.client().shake(&["http/1.1"]).unwrap();
    write!(
        stream,
        "POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nOrigin: localhost\r\nAccept: */*\r\n\
         X-Requested-With: XMLHttpRequest\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let answer = Answer::read(&mut stream);
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict; Secure"), "{cookie}");
}
