//! HTTP/2: what it may say in its own way, what it may not say at all, and how much of it.

use std::net::TcpStream;
use std::sync::mpsc::channel;

use http::{Request, StatusCode, Version};
use http_body_util::Full;

use super::Site;
use super::client::{ask, block_on, get};
use super::frames::{Field, Frames, Outcome, PROTOCOL_ERROR, REFUSED_STREAM, head, reset};
use crate::upstream::{read_head, upstream};

fn open(site: &Site) -> Frames {
    Frames::open(site.client().shake(&["h2"]).unwrap())
}

/// The pseudo-header fields of a good request.
const GET: [Field<'_>; 4] =
    [(":method", "GET"), (":scheme", "https"), (":path", "/open"), (":authority", "localhost")];

#[test]
fn a_request_is_answered_as_in_any_version_and_forwarded_with_one_host() {
    let site = Site::new();
    let answer = site.client().ask(get("/open/a?b=c", &[("x-trace", "1")]));
    assert_eq!((answer.status(), answer.version()), (StatusCode::OK, Version::HTTP_2));
    assert_eq!(answer.body(), "ok");
    for gone in ["connection", "x-hop", "transfer-encoding", "keep-alive"] {
        assert!(!answer.headers().contains_key(gone), "{gone}");
    }
    assert!(answer.headers().contains_key("portcullis-request-id"));
    let head = site.heads.recv().unwrap().to_lowercase();
    assert!(head.starts_with("get /open/a?b=c http/1.1\r\n"), "{head}");
    assert_eq!(head.matches("\r\nhost: localhost\r\n").count(), 1, "{head}");
    assert!(head.contains("\r\nx-forwarded-host: localhost\r\n"));
    assert!(head.contains("\r\nx-forwarded-proto: https\r\n"));
    let refused = site.client().ask(get("/nothing", &[]));
    assert_eq!(refused.status(), StatusCode::NOT_FOUND);
    assert_eq!(refused.headers()["content-type"], "application/problem+json");
}

#[test]
fn a_split_cookie_is_one_to_whoever_judges_and_to_the_upstream() {
    let site = Site::new();
    let split = [("cookie", "a=1"), ("cookie", "wtsession=pcl_ses_x"), ("cookie", "b=2; c=3")];
    assert_eq!(site.client().ask(get("/open", &split)).status(), 200);
    let head = site.heads.recv().unwrap().to_lowercase();
    assert_eq!(head.matches("cookie:").count(), 1);
    assert!(head.contains("\r\ncookie: a=1; b=2; c=3\r\n"), "{head}");
    // In HTTP/1.1 it may not be split.
    let twice = site.client().send("GET /open HTTP/1.1\r\nCookie: a=1\r\nCookie: b=2");
    assert_eq!(twice.status(), 400);
}

#[test]
fn a_request_has_one_host_whichever_way_it_is_said() {
    let site = Site::new();
    let [method, scheme, path, authority] = GET;
    let mut frames = open(&site);
    let cases: [(&[Field<'_>], u16); 7] = [
        (&[method, scheme, path, authority], 200),
        (&[method, scheme, path, authority, ("host", "localhost")], 200),
        (&[method, scheme, path, ("host", "localhost")], 200),
        (&[method, scheme, path, authority, ("host", "other.example")], 400),
        (&[method, scheme, path, authority, ("host", "localhost"), ("host", "localhost")], 400),
        (&[method, scheme, path], 400),
        (&[method, scheme, path, (":authority", "a@localhost")], 400),
    ];
    for (number, (fields, status)) in (0_u32..).zip(cases) {
        let stream = number * 2 + 1;
        frames.send(stream, fields, true);
        assert_eq!(frames.outcome(stream), Outcome::Answered(Some(status)), "{fields:?}");
        if status == 200 {
            let head = site.heads.recv().unwrap().to_lowercase();
            assert_eq!(head.matches("\r\nhost: localhost\r\n").count(), 1, "{head}");
        }
    }
    assert!(site.heads.try_recv().is_err());
}

#[test]
fn what_means_something_to_one_hop_alone_is_no_request() {
    let site = Site::new();
    let [method, scheme, path, authority] = GET;
    let cases: [&[Field<'_>]; 15] = [
        &[method, scheme, path, authority, ("connection", "close")],
        &[method, scheme, path, authority, ("connection", "x-api-key")],
        &[method, scheme, path, authority, ("keep-alive", "timeout=5")],
        &[method, scheme, path, authority, ("proxy-connection", "keep-alive")],
        &[method, scheme, path, authority, ("transfer-encoding", "chunked")],
        &[method, scheme, path, authority, ("upgrade", "websocket")],
        &[method, scheme, path, authority, ("te", "gzip")],
        &[method, scheme, path, authority, ("X-Capitals", "1")],
        &[method, scheme, path, authority, ("x-break", "1\r\nx-api-key: 2")],
        &[method, scheme, path, authority, ("x-nul", "\0")],
        &[method, scheme, path, authority, ("content-length", "5")],
        &[method, scheme, path, authority, ("content-length", "0"), ("content-length", "1")],
        &[method, scheme, path, authority, ("content-length", "0, 0")],
        &[method, scheme, (":path", "/a b"), authority],
        &[method, scheme, authority],
    ];
    for fields in cases {
        let mut frames = open(&site);
        frames.send(1, fields, true);
        let outcome = frames.outcome(1);
        let refused =
            [Outcome::Ended, Outcome::Reset(PROTOCOL_ERROR), Outcome::Answered(Some(400))];
        assert!(refused.contains(&outcome), "{fields:?}: {outcome:?}");
    }
    assert!(site.heads.try_recv().is_err(), "nothing of it is forwarded");
}

#[test]
fn a_tunnel_is_refused() {
    let site = Site::new();
    let mut frames = open(&site);
    frames.send(1, &[(":method", "CONNECT"), (":authority", "localhost:443")], false);
    assert_eq!(frames.outcome(1), Outcome::Answered(Some(400)));
    let [_, scheme, path, authority] = GET;
    let upgrade = [(":method", "CONNECT"), (":protocol", "websocket"), scheme, path, authority];
    frames.send(3, &upgrade, false);
    // By the guard, with a 403, for which HPACK has no number.
    assert_eq!(frames.outcome(3), Outcome::Answered(None));
    assert!(site.heads.try_recv().is_err());
}

#[test]
fn a_body_of_another_length_than_was_said_never_arrives_as_whole() {
    let site = Site::new();
    let [_, scheme, path, authority] = GET;
    for (said, sent) in [("5", "abc"), ("2", "abc")] {
        let mut frames = open(&site);
        let post = [(":method", "POST"), scheme, path, authority, ("content-length", said)];
        frames.send(1, &post, false);
        frames.send_data(1, sent.as_bytes(), true);
        let outcome = frames.outcome(1);
        assert_ne!(outcome, Outcome::Answered(Some(200)), "{said} {sent}");
    }
}

#[test]
fn a_length_that_is_said_twice_is_said_once_to_the_upstream() {
    let site = Site::new();
    let [_, scheme, path, authority] = GET;
    let length = ("content-length", "2");
    let mut frames = open(&site);
    frames.send(1, &[(":method", "POST"), scheme, path, authority, length, length], false);
    frames.send_data(1, b"ab", true);
    assert_eq!(frames.outcome(1), Outcome::Answered(Some(200)));
    let head = site.heads.recv().unwrap().to_lowercase();
    assert_eq!(head.matches("content-length: 2\r\n").count(), 1, "{head}");
    assert!(!head.contains("transfer-encoding"));
}

#[test]
fn a_head_has_the_same_bounds_as_in_any_version() {
    let site = Site::new();
    block_on(async {
        let mut sender = site.client().http2().await;
        // Within what is read, beyond what is judged, and beyond what is read.
        for (length, status) in [(20_000, 200), (40_000, 431), (70_000, 431)] {
            let long = "x".repeat(length);
            let answer = ask(&mut sender, get("/open", &[("x-long", &long)])).await;
            assert_eq!(answer.status(), status, "{length}");
        }
        let many: Vec<_> = (0..200).map(|at| format!("x-{at}")).collect();
        let many: Vec<_> = many.iter().map(|name| (&**name, "1")).collect();
        assert_eq!(ask(&mut sender, get("/open", &many)).await.status(), 431);
        assert_eq!(ask(&mut sender, get("/open", &[])).await.status(), 200);
    });
}

#[test]
fn a_connection_has_so_many_requests_at_once_and_no_more() {
    let (keep, kept) = channel::<TcpStream>();
    let (_, heads) = channel();
    let site = Site::before(upstream(move |it| keep.send(it).unwrap()), heads, "", "");
    let mut frames = open(&site);
    let most = frames.settings.iter().find(|(name, _)| *name == 3).unwrap().1;
    assert_eq!(most, 100);
    for number in 0..=most {
        frames.send(number * 2 + 1, &GET, true);
    }
    assert_eq!(frames.outcome(most * 2 + 1), Outcome::Reset(REFUSED_STREAM));
    assert_eq!(kept.iter().take(100).count(), 100);
}

#[test]
fn requests_that_are_taken_back_by_the_thousand_end_their_connection_and_nothing_else() {
    let site = Site::new();
    let mut frames = open(&site);
    let flood: Vec<u8> = (0..5_000_u32)
        .flat_map(|number| [head(number * 2 + 1, &GET, true), reset(number * 2 + 1)].concat())
        .collect();
    frames.write(&flood);
    assert_eq!(frames.outcome(u32::MAX), Outcome::Ended);
    frames.end();
    assert_eq!(site.client().ask(get("/healthz", &[])).status(), 200);
    assert_eq!(site.client().send("GET /healthz HTTP/1.1").status(), 200);
}

#[test]
fn a_connection_ends_when_nothing_is_under_way_and_not_before() {
    let (reached, arrived) = channel();
    let (release, released) = channel::<()>();
    let (_, heads) = channel();
    let address = upstream(move |mut stream| {
        use std::io::Write as _;
        read_head(&mut stream);
        reached.send(()).unwrap();
        released.recv().unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
    });
    let site =
        Site::before(address, heads, "header_timeout = \"200ms\"\nidle_timeout = \"200ms\"", "");
    let mut waiting = open(&site);
    waiting.send(1, &GET, true);
    arrived.recv().unwrap();
    // Ones that say nothing, half a head, or nothing more, end meanwhile.
    open(&site).end();
    let mut half = open(&site);
    half.write(&head(1, &GET, true)[..20]);
    half.end();
    let mut done = open(&site);
    done.send(1, &[GET[0], GET[1], (":path", "/healthz"), GET[3]], true);
    assert_eq!(done.outcome(1), Outcome::Answered(Some(200)));
    done.end();
    release.send(()).unwrap();
    assert_eq!(waiting.outcome(1), Outcome::Answered(Some(200)));
    waiting.end();
}

#[test]
fn a_server_told_to_stop_finishes_what_is_under_way() {
    let (reached, arrived) = channel();
    let (release, released) = channel::<()>();
    let (_, heads) = channel();
    let address = upstream(move |mut stream| {
        use std::io::Write as _;
        read_head(&mut stream);
        reached.send(()).unwrap();
        released.recv().unwrap();
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\ndone")
            .unwrap();
    });
    let site = Site::before(address, heads, "", "");
    let _shaking = site.server.connect();
    let first = block_on(async {
        let mut sender = site.client().http2().await;
        let answering = tokio::spawn(async move { ask(&mut sender, get("/open", &[])).await });
        tokio::task::spawn_blocking(move || arrived.recv().unwrap()).await.unwrap();
        site.server.terminate();
        release.send(()).unwrap();
        answering.await.unwrap()
    });
    assert_eq!((first.status(), &first.body()[..]), (StatusCode::OK, &b"done"[..]));
    // One that is in the middle of its handshake does not hold it up.
    assert_eq!(site.server.ended().code, Some(0));
}

#[test]
fn a_body_streams_both_ways() {
    let (tell, heads) = channel();
    let address = upstream(move |mut stream| {
        use std::io::{Read as _, Write as _};
        let head = read_head(&mut stream);
        let mut body = vec![0; 300_000];
        stream.read_exact(&mut body).unwrap();
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all(&[answer.as_bytes(), &body].concat()).unwrap();
        tell.send(head).unwrap();
    });
    let site = Site::before(address, heads, "", "");
    let body: Vec<u8> = (0..300_000_u32).map(|at| at.to_le_bytes()[1]).collect();
    let request = Request::post("https://localhost/open").body(Full::from(body.clone())).unwrap();
    let answer = site.client().ask(request);
    assert_eq!(answer.status(), 200);
    assert!(answer.body() == &body, "a body of {} bytes", answer.body().len());
    assert!(site.heads.recv().unwrap().to_lowercase().contains("content-length: 300000\r\n"));
}
