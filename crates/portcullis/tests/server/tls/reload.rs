//! The files of `[tls]`, changed while the server runs.

use std::fs;
use std::io::{Read as _, Write as _};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use super::authority::Authority;
use super::client::ask_again;
use super::{Site, write};
use crate::upstream::{read_head, upstream};

/// The line that tells of a change.
const CHANGED: &str = "have changed, and count from now on";
const STANDS: &str = "have changed; what they held stands";

#[test]
fn a_certificate_is_replaced_under_load_and_no_request_fails() {
    let mut site = Site::new();
    let (client, before) = (site.client(), site.client().shown());
    let mut kept = client.shake(&["http/1.1"]).unwrap();
    assert!(ask_again(&mut kept, "/healthz").starts_with("http/1.1 200"));
    let (ended, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
    let load = || {
        let mut kept = client.shake(&["http/1.1"]).unwrap();
        while !ended.load(Ordering::Relaxed) {
            // On new connections and on one that was there before.
            assert_eq!(client.send("GET /open HTTP/1.1").status(), 200);
            assert!(ask_again(&mut kept, "/open").starts_with("http/1.1 200"));
            asked.fetch_add(2, Ordering::Relaxed);
        }
    };
    thread::scope(|scope| {
        (0..4).for_each(|_| drop(scope.spawn(load)));
        for _ in 0..2 {
            write(&site.server.home, &site.authority.vouch("localhost"));
            site.server.wait_for_line(CHANGED);
        }
        ended.store(true, Ordering::Relaxed);
    });
    assert!(asked.load(Ordering::Relaxed) > 0);
    assert_ne!(client.shown(), before);
    assert!(ask_again(&mut kept, "/healthz").starts_with("http/1.1 200"));
}

#[test]
fn a_bad_certificate_is_complained_of_once_and_the_old_one_stands() {
    let mut site = Site::new();
    let before = site.client().shown();
    let home = &site.server.home;
    write(
        home,
        &super::Pair {
            key: Authority::new().vouch("any").key,
            ..site.authority.vouch("localhost")
        },
    );
    site.server.wait_for_line(STANDS);
    assert_eq!(site.client().shown(), before);
    assert_eq!(site.client().send("GET /open HTTP/1.1").status(), 200);
    fs::remove_file(site.server.home.data().with_file_name("chain.pem")).unwrap();
    site.server.wait_for_line(STANDS);
    assert_eq!(site.client().shown(), before);
    write(&site.server.home, &site.authority.vouch("localhost"));
    site.server.wait_for_line(CHANGED);
    assert_ne!(site.client().shown(), before);
    let ended = site.server.stop();
    assert_eq!(ended.stderr.matches(STANDS).count(), 2, "{}", ended.stderr);
    assert!(ended.stderr.contains("is not the private key of the certificate"));
}

#[test]
fn roots_of_clients_that_are_taken_away_count_no_more_on_open_connections() {
    let mut site = Site::new();
    let client = site.client_with(&site.clients.vouch("alice"));
    let mut kept = client.shake(&["http/1.1"]).unwrap();
    let status = |head: String| head[9..12].to_owned();
    assert_eq!(status(ask_again(&mut kept, "/strict")), "200");
    let other = Authority::new();
    for (roots, expected) in
        [(other.root.clone(), "403"), (format!("{}{}", other.root, site.clients.root), "200")]
    {
        site.server.home.write("clients.pem", &roots);
        site.server.wait_for_line(CHANGED);
        assert_eq!(status(ask_again(&mut kept, "/strict")), expected);
        let new = client.send("GET /strict HTTP/1.1");
        assert_eq!(new.0.is_empty(), expected == "403", "{}", new.0);
    }
}

#[test]
fn what_lasts_ends_when_the_roots_are_taken_away_that_it_was_let_in_by() {
    let (tell, left) = channel();
    let endless = upstream(move |mut stream| {
        read_head(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nbegun").unwrap();
        drop(stream.read(&mut [0]));
        tell.send(()).unwrap();
    });
    let mut site = Site::before(endless, channel().1, "", "");
    let client = site.client_with(&site.clients.vouch("alice"));
    let mut stream = client.shake(&["http/1.1"]).unwrap();
    stream.write_all(b"GET /strict HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let (mut begun, mut byte) = (Vec::new(), [0]);
    while !begun.ends_with(b"begun") {
        stream.read_exact(&mut byte).unwrap();
        begun.extend(byte);
    }
    site.server.home.write("clients.pem", &Authority::new().root);
    site.server.wait_for_line(CHANGED);
    left.recv_timeout(Duration::from_secs(30)).expect("it goes on without a good certificate");
}
