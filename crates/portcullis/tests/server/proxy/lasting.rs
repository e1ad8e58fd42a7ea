//! What lasts is looked at again: it ends with its credential.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use super::{guard, key, serve};
use crate::common::{Answer, Server};
use crate::upstream::{read_head, upstream};

/// An upstream that begins an answer without an end, or if `silent` none, and tells when it is left.
fn endless(silent: bool) -> (SocketAddr, Receiver<&'static str>) {
    let (tell, told) = channel();
    let address = upstream(move |mut stream| {
        read_head(&mut stream);
        if !silent {
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n";
            stream.write_all(head.as_bytes()).unwrap();
        }
        tell.send("asked").unwrap();
        drop(stream.read(&mut [0]));
        tell.send("left").unwrap();
    });
    (address, told)
}

fn ask(server: &Server, presented: &str) -> TcpStream {
    let mut stream = server.connect();
    let head = format!("GET /events HTTP/1.1\r\nHost: any\r\n{presented}\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

fn start(silent: bool) -> (Server, Receiver<&'static str>) {
    let (address, told) = endless(silent);
    let guard = guard("events", &[format!("http://{address}")], "schemes = [\"api_key\"]");
    (serve(&guard), told)
}

/// Reads what came until the stream stands still.
fn read_begin(stream: &mut TcpStream) {
    let mut begun = Vec::new();
    while !String::from_utf8_lossy(&begun).contains("data: 1\n\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        begun.push(byte[0]);
    }
}

#[test]
fn an_open_answer_ends_with_what_it_was_permitted_by() {
    for command in
        [&["key", "revoke", "KEY"][..], &["key", "disable", "KEY"], &["user", "disable", "zoe"]]
    {
        let (server, told) = start(false);
        let (id, presented) = key(&server, &[]);
        let mut stream = ask(&server, &presented);
        read_begin(&mut stream);
        assert_eq!(told.recv().unwrap(), "asked");
        // What is written of somebody else ends nothing.
        server.home.done(&["user", "create", "somebody"]);
        let command: Vec<_> =
            command.iter().map(|word| if *word == "KEY" { &*id } else { word }).collect();
        server.home.done(&command);
        let rest = Answer::read(&mut stream);
        assert!(!rest.0.ends_with("0\r\n\r\n"), "{command:?}: it looks whole: {}", rest.0);
        assert_eq!(told.recv().unwrap(), "left");
        let said = server.stop().stderr;
        let line = said
            .lines()
            .find(|line| line.contains("path=\"/events\"") || line.contains("/events"))
            .unwrap();
        assert!(line.contains("reason"), "{command:?}: {line}");
    }
}

#[test]
fn an_open_answer_ends_when_its_key_expires() {
    let (server, told) = start(false);
    let (_, presented) = key(&server, &["--expires", "2s"]);
    let mut stream = ask(&server, &presented);
    read_begin(&mut stream);
    assert!(!Answer::read(&mut stream).0.ends_with("0\r\n\r\n"));
    assert_eq!(told.recv().unwrap(), "asked");
    assert_eq!(told.recv().unwrap(), "left");
}

#[test]
fn who_waits_for_an_answer_is_told_no_when_it_is_no_longer_permitted() {
    let (server, told) = start(true);
    let (id, presented) = key(&server, &[]);
    let mut stream = ask(&server, &format!("{presented}\r\nConnection: close"));
    assert_eq!(told.recv().unwrap(), "asked");
    server.home.done(&["key", "revoke", &id]);
    assert_eq!(Answer::read(&mut stream).status(), 401);
    assert_eq!(told.recv().unwrap(), "left");
}

#[test]
fn an_open_answer_ends_with_its_guard() {
    let (address, told) = endless(false);
    let server = serve("");
    let url = format!("http://{address}");
    let guard = ["guard", "create", "events", "--path", "/events", "--upstream", &url];
    server.home.done(&guard);
    let (_, presented) = key(&server, &[]);
    let mut stream = ask(&server, &presented);
    read_begin(&mut stream);
    assert_eq!(told.recv().unwrap(), "asked");
    server.home.done(&["guard", "delete", "events"]);
    assert!(!Answer::read(&mut stream).0.ends_with("0\r\n\r\n"));
    assert_eq!(told.recv().unwrap(), "left");
}
