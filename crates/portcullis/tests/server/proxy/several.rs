//! Several upstreams of one guard: they take turns, and one that fails is left out.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use super::{open, serve};
use crate::upstream::{Refusing, read_head, upstream};

/// An upstream that answers each request on a connection with its own `name`.
fn named(name: &'static str) -> SocketAddr {
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{name}", name.len());
    upstream(move |mut stream| {
        let answer = answer.clone();
        thread::spawn(move || answer_all(&mut stream, &answer));
    })
}

fn answer_all(stream: &mut TcpStream, answer: &str) {
    while !read_head(stream).is_empty() && stream.write_all(answer.as_bytes()).is_ok() {}
}

/// CVE-2026-88007: what proves a connection proves nobody who is sent on it later.
#[test]
fn a_connection_that_somebody_has_proven_is_nobody_elses() {
    for (scheme, connections) in [("NTLM", 3), ("negotiate", 3), ("Bearer", 1)] {
        let (tell, told) = channel();
        let address = upstream(move |mut stream| {
            tell.send(()).unwrap();
            let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
            thread::spawn(move || answer_all(&mut stream, answer));
        });
        let server = serve(&open("bound", &[url(address)], ""));
        for _ in 0..3 {
            let answer = server.send(&format!("GET /bound HTTP/1.1\r\nAuthorization: {scheme} x"));
            assert_eq!(answer.status(), 200);
        }
        assert_eq!(told.try_iter().count(), connections, "{scheme}");
    }
}

/// An upstream that hears a request, and hangs up.
fn hanging_up(tell: Sender<String>) -> SocketAddr {
    upstream(move |mut stream| tell.send(read_head(&mut stream)).unwrap())
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}

#[test]
fn upstreams_take_turns() {
    let all = ["a", "b", "c"].map(|name| url(named(name)));
    let server = serve(&open("turns", &all, ""));
    let mut answered = BTreeMap::new();
    for _ in 0..9 {
        let answer = server.send("GET /turns HTTP/1.1");
        *answered.entry(answer.body().to_owned()).or_insert(0) += 1;
    }
    let each = ["a", "b", "c"].map(|name| (name.to_owned(), 3));
    assert_eq!(answered, BTreeMap::from(each));
}

#[test]
fn one_that_cannot_be_reached_costs_nobody_an_answer() {
    let refusing = Refusing::new();
    let all = [url(refusing.address), url(named("a")), url(named("b"))];
    let server = serve(&open("turns", &all, ""));
    for method in ["GET", "POST", "DELETE"].iter().cycle().take(30) {
        let answer = server.send(&format!("{method} /turns HTTP/1.1\r\nContent-Length: 0"));
        assert_eq!(answer.status(), 200, "{method}");
    }
}

/// An upstream that breaks off each connection until it is well.
fn ill(well: &Arc<AtomicBool>) -> SocketAddr {
    let well = Arc::clone(well);
    upstream(move |mut stream| {
        if well.load(Ordering::Relaxed) {
            read_head(&mut stream);
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
        }
    })
}

#[test]
fn where_all_are_put_aside_the_least_bad_is_tried_at_once() {
    let well = Arc::new(AtomicBool::new(false));
    let server = serve(&open("turns", &[url(ill(&well)), url(ill(&well))], ""));
    for _ in 0..5 {
        assert_eq!(server.send("GET /turns HTTP/1.1").status(), 502);
    }
    well.store(true, Ordering::Relaxed);
    assert_eq!(server.send("GET /turns HTTP/1.1").status(), 200);
}

#[test]
fn one_that_hangs_up_is_sent_once_what_may_not_be_done_twice() {
    let (tell, heard) = channel();
    let all = [url(hanging_up(tell)), url(named("good"))];
    let server = serve(&open("turns", &all, ""));
    let ask = |method: &str| {
        server.send(&format!("{method} /turns HTTP/1.1\r\nContent-Length: 0")).status()
    };
    for _ in 0..4 {
        assert_eq!(ask("GET"), 200);
    }
    assert!(heard.try_iter().count() >= 1, "it never had its turn");
    let statuses: Vec<_> = (0..4).map(|_| ask("POST")).collect();
    let failed = statuses.iter().filter(|status| **status == 502).count();
    assert_eq!(heard.try_iter().count(), failed, "{statuses:?}");
    assert!(statuses.contains(&200));
}
