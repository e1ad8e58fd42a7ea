//! Streams: of any length in little memory, at the speed of the slower side, and broken off where one
//! side breaks off.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::sync::mpsc::channel;
use std::thread;

use super::{open, serve};
use crate::common::Answer;
use crate::upstream::{read_head, upstream};

/// How much goes through each way, in bytes. A full run says more: `PORTCULLIS_TEST_STREAM`.
fn length() -> u64 {
    std::env::var("PORTCULLIS_TEST_STREAM").map_or(64 << 20, |it| it.parse().unwrap())
}

/// How much memory that may take besides, in bytes.
const ROOM: u64 = 24 << 20;

#[test]
fn what_streams_either_way_takes_little_memory() {
    let length = length();
    let (tell, heard) = channel();
    let address = upstream(move |mut stream| {
        let head = read_head(&mut stream);
        let piece = vec![b'x'; 64 << 10];
        if head.starts_with("POST") {
            let mut body = std::io::Read::by_ref(&mut stream).take(length);
            tell.send(std::io::copy(&mut body, &mut std::io::sink()).unwrap()).unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
            return;
        }
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        for _ in 0..length / piece.len() as u64 {
            stream.write_all(&piece).unwrap();
        }
    });
    let server = serve(&open("much", &[format!("http://{address}")], ""));
    assert_eq!(server.send("GET /healthz HTTP/1.1").status(), 200);
    let before = server.memory();
    let mut down = server.connect();
    down.write_all(b"GET /much HTTP/1.1\r\nHost: any\r\nConnection: close\r\n\r\n").unwrap();
    read_head(&mut down);
    match std::io::copy(&mut down, &mut std::io::sink()) {
        Ok(copied) => assert_eq!(copied, length),
        Err(error) => panic!("{error}: {}", server.stop().stderr),
    }
    let mut up = server.connect();
    let head = format!(
        "POST /much HTTP/1.1\r\nHost: any\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
    );
    up.write_all(head.as_bytes()).unwrap();
    let piece = vec![b'x'; 64 << 10];
    for _ in 0..length / piece.len() as u64 {
        up.write_all(&piece).unwrap();
    }
    assert_eq!(Answer::read(&mut up).status(), 200);
    assert_eq!(heard.recv().unwrap(), length);
    let after = server.memory();
    assert!(after < before + ROOM, "{before} before, {after} after");
}

#[test]
fn an_upstream_that_nobody_reads_from_waits() {
    let (tell, heard) = channel();
    let address = upstream(move |mut stream| {
        read_head(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
        stream.set_write_timeout(Some(std::time::Duration::from_millis(500))).unwrap();
        let chunk = [b"10000\r\n".to_vec(), vec![b'x'; 0x1_0000], b"\r\n".to_vec()].concat();
        // Far more than all buffers on the way hold.
        let written = (0..2_000).take_while(|_| stream.write_all(&chunk).is_ok()).count();
        tell.send(written).unwrap();
    });
    let server = serve(&open("slow", &[format!("http://{address}")], ""));
    let before = server.memory();
    let mut stream = server.connect();
    stream.write_all(b"GET /slow HTTP/1.1\r\nHost: any\r\n\r\n").unwrap();
    assert!(heard.recv().unwrap() < 2_000, "nobody held it back");
    assert!(server.memory() < before + ROOM);
}

#[test]
fn a_caller_that_breaks_off_ends_the_upstreams_connection() {
    for half in [false, true] {
        let (tell, heard) = channel();
        let address = upstream(move |mut stream| {
            read_head(&mut stream);
            if half {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok").unwrap();
            }
            tell.send(()).unwrap();
            let mut rest = Vec::new();
            // It ends, or breaks; what it must not do is wait for another request.
            drop(stream.read_to_end(&mut rest));
            tell.send(()).unwrap();
        });
        let server = serve(&open("left", &[format!("http://{address}")], ""));
        let mut stream = server.connect();
        stream.write_all(b"GET /left HTTP/1.1\r\nHost: any\r\n\r\n").unwrap();
        if half {
            read_head(&mut stream);
        }
        heard.recv().unwrap();
        stream.shutdown(Shutdown::Both).unwrap();
        drop(stream);
        heard.recv_timeout(std::time::Duration::from_secs(20)).unwrap();
    }
}

#[test]
fn a_caller_that_breaks_off_its_body_breaks_off_the_upstreams() {
    let (tell, heard) = channel();
    let address = upstream(move |mut stream| {
        read_head(&mut stream);
        let mut body = Vec::new();
        drop(stream.read_to_end(&mut body));
        tell.send(body).unwrap();
    });
    let server = serve(&open("left", &[format!("http://{address}")], ""));
    for framing in ["Content-Length: 100", "Transfer-Encoding: chunked"] {
        let mut stream = server.connect();
        let head = format!("POST /left HTTP/1.1\r\nHost: any\r\n{framing}\r\n\r\n5\r\nhello\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        drop(stream);
        let body = heard.recv_timeout(std::time::Duration::from_secs(20)).unwrap();
        assert!(!body.ends_with(b"0\r\n\r\n"), "{framing}: it looks whole");
    }
}

#[test]
fn the_time_for_an_answer_begins_when_the_body_has_come() {
    let (tell, heard) = channel();
    let address = upstream(move |mut stream| {
        read_head(&mut stream);
        let mut byte = [0];
        for _ in 0..PIECES {
            stream.read_exact(&mut byte).unwrap();
            tell.send(()).unwrap();
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
        // The next one is never answered.
        read_head(&mut stream);
        stream.read_exact(&mut byte).unwrap();
        tell.send(()).unwrap();
        drop(stream.read(&mut byte));
    });
    let guard = open("slow", &[format!("http://{address}")], "");
    let server = serve(&format!("upstream_answer_timeout = \"400ms\"\n{guard}"));
    let ask = |pieces: usize| {
        let mut stream = server.connect();
        let head = format!(
            "POST /slow HTTP/1.1\r\nHost: any\r\nConnection: close\r\n\
             Content-Length: {pieces}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        for _ in 0..pieces {
            stream.write_all(b"x").unwrap();
            heard.recv().unwrap();
            // Nothing comes for a while.
            assert!(heard.recv_timeout(std::time::Duration::from_millis(200)).is_err());
        }
        Answer::read(&mut stream).status()
    };
    assert_eq!(ask(PIECES), 200);
    assert_eq!(ask(1), 504);
}

/// How many pieces a slow body has.
const PIECES: usize = 6;

#[test]
fn both_ways_can_stream_at_once() {
    let address = upstream(|mut stream| {
        read_head(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
        let (mut from, mut to) = (stream.try_clone().unwrap(), stream);
        thread::spawn(move || std::io::copy(&mut from, &mut to));
    });
    let server = serve(&open("echo", &[format!("http://{address}")], ""));
    let mut stream = server.connect();
    let head = "POST /echo HTTP/1.1\r\nHost: any\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    assert!(read_head(&mut stream).starts_with("HTTP/1.1 200"));
    for word in ["hello", "again"] {
        let chunk = format!("5\r\n{word}\r\n");
        stream.write_all(chunk.as_bytes()).unwrap();
        let mut echoed = vec![0; chunk.len()];
        stream.read_exact(&mut echoed).unwrap();
        assert_eq!(echoed, chunk.as_bytes());
    }
    stream.write_all(b"0\r\n\r\n").unwrap();
    assert_eq!(Answer::read(&mut stream).0, "0\r\n\r\n");
}
