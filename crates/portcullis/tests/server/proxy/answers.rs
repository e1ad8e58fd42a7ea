//! What comes before, instead of and after an answer: interim ones, early ones, trailers, methods that
//! go no further.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::mpsc::channel;
use std::thread;

use super::{guard, open, serve};
use crate::common::{Answer, unknown_key};
use crate::upstream::{answering, read_head, upstream};

fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[test]
fn interim_answers_of_an_upstream_end_here_however_many_they_are() {
    for interim in ["100 Continue", "103 Early Hints", "102 Processing"] {
        let address = upstream(move |mut stream| {
            read_head(&mut stream);
            let one = format!("HTTP/1.1 {interim}\r\nLink: </a>; rel=preload\r\n\r\n");
            stream.write_all(one.repeat(100).as_bytes()).unwrap();
            stream.write_all(OK.as_bytes()).unwrap();
        });
        let server = serve(&open("hints", &[url(address)], ""));
        let answer = server.send("GET /hints HTTP/1.1");
        assert_eq!((answer.status(), answer.body()), (200, "ok"), "{interim}");
        assert_eq!(answer.header("link"), None);
    }
}

#[test]
fn an_answer_that_is_framed_twice_is_read_by_its_chunks_and_told_on_so() {
    let address = answering(
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n\
         5\r\nhello\r\n0\r\n\r\n",
    );
    let server = serve(&open("both", &[url(address)], ""));
    let answer = server.send("GET /both HTTP/1.1");
    assert_eq!((answer.status(), answer.header("content-length")), (200, None), "{}", answer.0);
    assert!(answer.body().contains("hello"), "{}", answer.0);
}

#[test]
fn who_waits_to_be_told_to_go_on_is_told_so_only_when_it_is_forwarded() {
    let (tell, heard) = channel();
    let address = upstream(move |mut stream| {
        let head = read_head(&mut stream);
        let mut body = [0; 5];
        stream.read_exact(&mut body).unwrap();
        tell.send((head, body)).unwrap();
        stream.write_all(OK.as_bytes()).unwrap();
    });
    let guards = open("open", &[url(address)], "")
        + &guard("shut", &[url(address)], "schemes = [\"api_key\"]");
    let server = serve(&guards);
    let expect = |path: &str, more: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: any\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\
             Connection: close\r\n{more}\r\n"
        )
    };
    for more in [String::new(), format!("{}\r\n", unknown_key())] {
        let answer = server.ask(&expect("/shut", &more));
        assert_eq!(answer.status(), 401, "{}", answer.0);
    }
    let mut stream = server.connect();
    stream.write_all(expect("/open", "").as_bytes()).unwrap();
    assert!(read_head(&mut stream).starts_with("HTTP/1.1 100"));
    stream.write_all(b"hello").unwrap();
    assert_eq!(Answer::read(&mut stream).status(), 200);
    let (head, body) = heard.recv().unwrap();
    assert_eq!(&body, b"hello");
    assert!(!head.to_lowercase().contains("\r\nexpect:"), "{head}");
}

#[test]
fn an_early_answer_is_delivered_and_the_connection_ends_after_it() {
    let address = upstream(|mut stream| {
        read_head(&mut stream);
        let answer = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno";
        stream.write_all(answer.as_bytes()).unwrap();
        // Until whoever sends has read it.
        drop(stream.read(&mut [0]));
    });
    let server = serve(&open("early", &[url(address)], ""));
    for _ in 0..3 {
        let mut stream = server.connect();
        let head = "POST /early HTTP/1.1\r\nHost: any\r\nContent-Length: 1000000\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&[b'x'; 1_000]).unwrap();
        let answer = Answer::read(&mut stream);
        assert_eq!((answer.status(), answer.body()), (413, "no"));
        assert_eq!(answer.header("connection"), Some("close"));
    }
}

#[test]
fn trailers_of_an_answer_are_for_who_asks_and_those_of_a_request_for_nobody() {
    let (tell, heard) = channel();
    let address = upstream(move |mut stream| {
        let mut head = read_head(&mut stream);
        if head.starts_with("POST") {
            head += &read_head(&mut stream);
        }
        tell.send(head.to_lowercase()).unwrap();
        let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\
                      Trailer: X-Sum, Set-Cookie, Portcullis-User\r\n\r\n2\r\nok\r\n0\r\n\
                      X-Sum: 7\r\nSet-Cookie: a=1\r\nPortcullis-User: eve\r\n\r\n";
        stream.write_all(answer.as_bytes()).unwrap();
    });
    let server = serve(&open("sum", &[url(address)], ""));
    let with = server.send("GET /sum HTTP/1.1\r\nTE: trailers");
    assert_eq!(with.header("trailer"), Some("x-sum"));
    assert!(with.body().to_lowercase().ends_with("0\r\nx-sum: 7\r\n\r\n"), "{}", with.0);
    let head = heard.recv().unwrap();
    assert!(head.contains("\r\nte: trailers\r\n") && head.contains("\r\nconnection: te\r\n"));
    let without = server.send("GET /sum HTTP/1.1");
    assert!(without.body().ends_with("ok\r\n0\r\n\r\n"), "{}", without.0);
    assert!(!heard.recv().unwrap().contains("\r\nte:"));
    let sent = server.ask(
        "POST /sum HTTP/1.1\r\nHost: any\r\nTransfer-Encoding: chunked\r\nTrailer: X-User\r\n\
         Connection: close\r\n\r\n2\r\nhi\r\n0\r\nX-User: eve\r\n\r\n",
    );
    assert_eq!(sent.status(), 200);
    assert!(!heard.recv().unwrap().contains("x-user"));
}

#[test]
fn a_method_that_asks_for_an_echo_or_a_tunnel_goes_no_further() {
    let server = serve(&open("open", &[url(answering(OK))], ""));
    let answer = server.send("TRACE /open HTTP/1.1");
    assert_eq!(answer.status(), 405);
    assert!(answer.header("allow").is_some_and(|allow| !allow.contains("TRACE")));
    let answer = server.ask("CONNECT any:443 HTTP/1.1\r\nHost: any:443\r\n\r\n");
    assert!((400..500).contains(&answer.status()), "{}", answer.0);
}

/// What an upstream does that is asked for a path of this name.
fn misbehave(path: &str) -> (&'static str, End) {
    match path {
        // More than it says: the start of an answer that nobody asked for.
        "more" => (
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\
             Content-Length: 5\r\n\r\nwrong",
            End::Stays,
        ),
        "less" => ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", End::Closes),
        "chunk" => ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n", End::Stays),
        "half-closed" => (OK, End::SaysNoMore),
        "silent" => ("", End::SaysNoMore),
        "reset" => ("HTTP/1.1 200 OK\r\nContent-Le", End::Closes),
        _ => ("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine", End::Stays),
    }
}

/// Answers one request so, and says whether there may be another.
fn answer_one(stream: &mut TcpStream) -> bool {
    let head = read_head(stream);
    let path = head.split(' ').nth(1).and_then(|path| path.strip_prefix("/mixed/"));
    let Some((answer, end)) = path.map(misbehave) else { return false };
    let written = stream.write_all(answer.as_bytes()).is_ok();
    if end == End::SaysNoMore {
        drop(stream.shutdown(Shutdown::Write));
    }
    written && end != End::Closes
}

/// How a connection goes on.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Closes,
    SaysNoMore,
    Stays,
}

#[test]
fn the_next_request_is_untouched_by_what_went_wrong_before() {
    let address = upstream(move |mut stream| {
        thread::spawn(move || while answer_one(&mut stream) {});
    });
    let server = serve(&open("mixed", &[url(address)], ""));
    let all = ["more", "less", "chunk", "half-closed", "silent", "reset"];
    for path in all.iter().cycle().take(60) {
        let answer = server.send(&format!("GET /mixed/{path} HTTP/1.1"));
        if matches!(*path, "silent" | "reset") {
            assert_eq!(answer.status(), 502, "{path}");
        }
        let next = server.send("GET /mixed/next HTTP/1.1");
        assert_eq!((next.status(), next.body()), (200, "fine"), "after {path}");
    }
}
