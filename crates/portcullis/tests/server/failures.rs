//! What breaks behind or under the server: never a yes, never a wrong no, never half an answer
//! that looks whole.

use std::fs::{self, Permissions};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::mpsc::{channel, sync_channel};
use std::thread;

use portcullis_store::{StoreError, Write};

use crate::common::{Answer, Home, Quickstart, Server, basic, text, wait};
use crate::upstream::{Refusing, answering, read_head, upstream};

/// The configuration of guards that let everybody of this machine through to their upstreams.
fn guards(upstreams: &[(&str, SocketAddr)]) -> String {
    let guard = |(name, address): &(&str, SocketAddr)| {
        format!(
            "[[guard]]\nname = \"{name}\"\npath = \"/{name}\"\nupstream = \"http://{address}\"\n\
             networks = [\"127.0.0.0/8\"]\n"
        )
    };
    upstreams.iter().map(guard).collect()
}

#[test]
fn an_upstream_that_gives_no_answer_is_a_problem_and_says_whose() {
    let refusing = Refusing::new();
    let (keep, kept) = channel();
    let server = Server::serve(
        Home::new(),
        &format!(
            "upstream_answer_timeout = \"50ms\"\n{}",
            guards(&[
                ("refuses", refusing.address),
                ("closes", upstream(drop)),
                ("hangs-up", answering("")),
                ("breaks-in-the-head", answering("HTTP/1.1 200 OK\r\nContent-Le")),
                ("garbage", answering("220 mail.example ESMTP\r\n")),
                (
                    "two-lengths",
                    answering(
                        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"
                    )
                ),
                (
                    "switches",
                    answering(
                        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"
                    )
                ),
                ("never", upstream(move |stream| keep.send(stream).unwrap())),
            ])
        ),
    );
    for (name, status, detail) in [
        ("refuses", 502, "the upstream did not answer"),
        ("closes", 502, "the upstream did not answer"),
        ("hangs-up", 502, "the upstream did not answer"),
        ("breaks-in-the-head", 502, "the upstream did not answer"),
        ("garbage", 502, "the upstream did not answer"),
        ("two-lengths", 502, "the upstream did not answer"),
        ("switches", 502, "the upstream did not answer"),
        ("never", 504, "the upstream took too long"),
    ] {
        let answer = server.send(&format!("GET /{name} HTTP/1.1"));
        assert_eq!(answer.status(), status, "{name}");
        let anonymous = answer.anonymous();
        assert!(anonymous.contains("urn:portcullis:problem:upstream"), "{name}: {anonymous}");
        assert!(anonymous.contains(detail), "{name}: {anonymous}");
        assert!(anonymous.contains("cache-control: no-store\n"), "{name}: {anonymous}");
    }
    drop(kept);
}

#[test]
fn an_answer_that_breaks_off_is_never_shown_as_whole() {
    let length = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello";
    let chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
    let bad_chunk = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n";
    let upstreams = [
        ("length", answering(length)),
        ("chunks", answering(chunks)),
        ("bad-chunk", answering(bad_chunk)),
    ];
    let server = Server::serve(Home::new(), &guards(&upstreams));
    for (name, _) in upstreams {
        let answer = server.send(&format!("GET /{name} HTTP/1.1"));
        // Either the head had not left yet and it is a problem, or what left has no end.
        if answer.status() == 502 {
            continue;
        }
        match answer.header("content-length") {
            Some(length) => {
                assert!(answer.body().len() < length.parse().unwrap(), "{name}: {}", answer.0);
            }
            None => {
                assert_eq!(answer.header("transfer-encoding"), Some("chunked"), "{name}");
                assert!(!answer.body().ends_with("0\r\n\r\n"), "{name}: {}", answer.0);
            }
        }
    }
}

#[test]
fn what_slow_hashes_took_is_given_back() {
    let server = Server::serve(Home::new(), "");
    let guard = ["guard", "create", "all", "--upstream", "http://127.0.0.1:9"];
    server.home.done(&guard);
    // As many as one address may guess: each hashes anew, since none is like another.
    for guess in 0..20 {
        let claim = basic(&format!("nobody{guess}"), "a password");
        assert_eq!(server.send(&format!("GET / HTTP/1.1\r\n{claim}")).status(), 401);
    }
    // Kept, they would be 380 MiB.
    assert!(server.memory() < 100 << 20, "{} bytes", server.memory());
}

/// How often a race is run.
const RACES: usize = 100;

#[test]
fn a_connection_that_its_upstream_closed_is_not_held_against_the_next_request() {
    // Each answer promises a connection that stays, and then does not keep it.
    let fickle = answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let server = Server::serve(Home::new(), &guards(&[("fickle", fickle)]));
    for race in 0..RACES {
        for method in ["GET", "POST"] {
            let answer = server.send(&format!("{method} /fickle HTTP/1.1"));
            // A POST that has left may have been done, so only the caller can send it again.
            let fine = answer.status() == 200 || (method, answer.status()) == ("POST", 502);
            assert!(fine, "race {race}: {method}: {}", answer.0);
        }
    }
}

#[test]
fn a_connection_closed_under_a_request_is_tried_anew_only_where_that_is_harmless() {
    let (tell, heard) = channel();
    let address = upstream(move |mut stream| {
        let tell = tell.clone();
        thread::spawn(move || {
            let hear = |stream: &mut TcpStream| {
                let head = read_head(stream);
                drop(head.split(' ').next().map(|method| tell.send(method.to_owned())));
            };
            hear(&mut stream);
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
            hear(&mut stream);
        });
    });
    let server = Server::serve(Home::new(), &guards(&[("once", address)]));
    let ask = |request: &str| server.send(&format!("{request}: x")).status();
    for _ in 0..RACES {
        assert_eq!(ask("GET /once HTTP/1.1\r\nX-A"), 200);
    }
    let asked = heard.try_iter().filter(|method| method == "GET").count();
    assert!(asked > RACES, "no connection was ever closed under a request");
    for _ in 0..RACES {
        let statuses = [ask("GET /once HTTP/1.1\r\nX-A"), ask("POST /once HTTP/1.1\r\nX-A")];
        assert!(matches!(statuses, [200, 200 | 502]), "{statuses:?}");
    }
    let asked = heard.try_iter().filter(|method| method == "POST").count();
    assert_eq!(asked, RACES, "a POST is sent once");
}

#[test]
fn a_database_that_is_held_or_gone_is_not_asked() {
    let server = Quickstart::start(Home::new());
    let data = server.home.data();
    let (held, hold) = sync_channel(0);
    let (release, released) = channel::<()>();
    let store = server.home.store();
    thread::scope(|scope| {
        scope.spawn(move || {
            let written = wait(store.write(Write::new("test", "hold").unwrap(), move |_| {
                held.send(()).unwrap();
                let _released = released.recv();
                Err::<(), _>(StoreError::Busy)
            }));
            assert!(matches!(written, Err(StoreError::Busy)));
        });
        hold.recv().unwrap();
        fs::set_permissions(&data, Permissions::from_mode(0o500)).unwrap();
        let answers_as_before = || {
            assert_eq!(server.get(&server.api_key()).status(), 200);
            assert_eq!(server.get(&server.basic()).status(), 200);
            assert_eq!(server.get("").status(), 401);
            assert_eq!(server.send("GET /readyz HTTP/1.1").status(), 200);
        };
        answers_as_before();
        let refused = server.home.run(&["user", "disable", "owner"]);
        assert!(!refused.status.success());
        assert_eq!(text(&refused.stderr), "error: opening the store: the database is busy\n");
        answers_as_before();
        let away = data.with_extension("away");
        fs::rename(&data, &away).unwrap();
        answers_as_before();
        fs::rename(&away, &data).unwrap();
        fs::set_permissions(&data, Permissions::from_mode(0o700)).unwrap();
        drop(release);
    });
    // What could not be written was not done, and can be done now.
    server.home.done(&["user", "disable", "owner"]);
    assert_eq!(server.get(&server.api_key()).status(), 401);
}

#[test]
fn a_server_told_to_stop_finishes_what_is_under_way_and_takes_nothing_new() {
    let (reached, arrived) = channel();
    let (release, released) = channel::<()>();
    let address = upstream(move |mut stream| {
        read_head(&mut stream);
        reached.send(()).unwrap();
        released.recv().unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone").unwrap();
    });
    let server = Server::serve(Home::new(), &guards(&[("slow", address)]));
    let mut idle = server.connect();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: any\r\n\r\n").unwrap();
    assert!(read_head(&mut idle).starts_with("HTTP/1.1 200"));
    idle.read_exact(&mut [0; 3]).unwrap();
    let mut caller = server.connect();
    caller.write_all(b"GET /slow HTTP/1.1\r\nHost: any\r\n\r\n").unwrap();
    arrived.recv().unwrap();
    server.terminate();
    // An idle connection ends when the draining begins.
    assert_eq!(Answer::read(&mut idle).0, "");
    assert!(TcpStream::connect(&server.address).is_err(), "it still listens");
    release.send(()).unwrap();
    let answer = Answer::read(&mut caller);
    assert_eq!((answer.status(), answer.body()), (200, "done"));
    assert_eq!(server.ended().code, Some(0));
}

#[test]
fn draining_has_an_end() {
    let (keep, kept) = channel();
    let address = upstream(move |stream| keep.send(stream).unwrap());
    let config = format!("drain = \"0s\"\n{}", guards(&[("never", address)]));
    let server = Server::serve(Home::new(), &config);
    let mut caller = server.connect();
    caller.write_all(b"GET /never HTTP/1.1\r\nHost: any\r\n\r\n").unwrap();
    let _under_way = kept.recv().unwrap();
    let ended = server.stop();
    assert_eq!(ended.code, Some(0));
    assert!(ended.stderr.contains("some requests did not finish in time"), "{}", ended.stderr);
    // Whichever of its two connections ends first, the caller is not told that all is well.
    let cut = Answer::read(&mut caller);
    assert!(cut.0.is_empty() || cut.status() == 502, "{}", cut.0);
}

#[test]
fn a_client_that_is_slow_with_its_head_is_cut_off() {
    let server =
        Server::serve(Home::new(), "header_timeout = \"100ms\"\nidle_timeout = \"100ms\"\n");
    for half in ["", "GET", "GET / HTTP/1.1\r\nHost: any\r\nX-"] {
        let answer = server.ask(half);
        assert!(answer.0.is_empty() || answer.status() == 408, "{half:?}: {}", answer.0);
    }
    // So is one that has been answered and then says no more.
    let answer = server.ask("GET /healthz HTTP/1.1\r\nHost: any\r\n\r\n");
    assert_eq!((answer.status(), answer.body()), (200, "ok\n"));
}

#[test]
fn whoever_is_refused_before_the_body_was_read_is_told_that_the_connection_ends() {
    let server = Quickstart::start(Home::new());
    for (path, status) in [("/demo/hello", 401), ("/nowhere", 404), ("/api/v1/login", 403)] {
        let mut stream = server.connect();
        // The body is on its way still when the answer comes.
        let head = format!("POST {path} HTTP/1.1\r\nHost: any\r\nContent-Length: 70000\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let answer = Answer::read(&mut stream);
        assert_eq!(answer.status(), status, "{path}");
        assert_eq!(answer.header("connection"), Some("close"), "{path}");
    }
    let mut stream = server.connect();
    stream.write_all(b"GET /demo/hello HTTP/1.1\r\nHost: any\r\n\r\n").unwrap();
    stream
        .write_all(b"GET /demo/hello HTTP/1.1\r\nHost: any\r\nConnection: close\r\n\r\n")
        .unwrap();
    let both = Answer::read(&mut stream);
    assert_eq!(both.0.matches("HTTP/1.1 401").count(), 2, "a refusal alone ends nothing");
}
