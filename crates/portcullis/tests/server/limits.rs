//! How much one caller may ask of the server, and how slowly: each bound is met, and nobody else
//! notices.

mod drain;

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use crate::common::{Answer, Home, Server};
use crate::recorder::Recorder;
use crate::upstream::{answering, read_head, upstream};

/// The configuration of one open guard.
fn guard(upstream: SocketAddr) -> String {
    format!(
        "[[guard]]\nname = \"open\"\npath = \"/open\"\nupstream = \"http://{upstream}\"\n\
         networks = [\"127.0.0.0/8\"]\n"
    )
}

const HELLO: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const GET: &[u8] = b"GET /open HTTP/1.1\r\nHost: any\r\n\r\n";

/// Whether `stream` is answered, and not turned away.
fn is_answered(stream: &mut TcpStream) -> bool {
    drop(stream.write_all(GET));
    !read_head(stream).is_empty()
}

#[test]
fn a_head_has_so_many_bytes_and_fields_and_no_more() {
    let server = Server::serve(Home::new(), &guard(answering(HELLO)));
    let many = |count: usize| (0..count).map(|at| format!("\r\nx-{at}: 1")).collect::<String>();
    for (name, head, status) in [
        ("a path", format!("GET /open/{} HTTP/1.1", "a".repeat(8_000)), 200),
        ("a longer path", format!("GET /open/{} HTTP/1.1", "a".repeat(8_192)), 414),
        ("a query", format!("GET /open?{} HTTP/1.1", "a".repeat(16_384)), 200),
        ("a longer query", format!("GET /open?{} HTTP/1.1", "a".repeat(16_385)), 414),
        ("a target beyond what is read", format!("GET /{} HTTP/1.1", "a".repeat(70_000)), 431),
        ("a field", format!("GET /open HTTP/1.1\r\nx: {}", "a".repeat(32_000)), 200),
        ("a longer field", format!("GET /open HTTP/1.1\r\nx: {}", "a".repeat(33_000)), 431),
        ("a head beyond what is read", format!("GET / HTTP/1.1\r\nx: {}", "a".repeat(70_000)), 431),
        ("fields", format!("GET /open HTTP/1.1{}", many(94)), 200),
        ("a field too many", format!("GET /open HTTP/1.1{}", many(95)), 431),
        ("fields beyond what is read", format!("GET /open HTTP/1.1{}", many(200)), 431),
        (
            "names in `Connection`",
            format!("GET /open HTTP/1.1\r\nConnection: {}a", "a,".repeat(509)),
            200,
        ),
        (
            "more names in two `Connection`s",
            format!(
                "GET /open HTTP/1.1{}",
                format!("\r\nConnection: {}", "a,".repeat(257)).repeat(2)
            ),
            431,
        ),
        (
            "a credential",
            format!("GET /open HTTP/1.1\r\nAuthorization: {}", "a".repeat(8_193)),
            431,
        ),
    ] {
        assert_eq!(server.send(&head).status(), status, "{name}");
    }
}

#[test]
fn an_upstream_has_so_many_connections_and_no_more() {
    let (tell, told) = channel();
    let address = upstream(move |mut stream| {
        let tell = tell.clone();
        // Each request is answered when the test says so.
        let wait = move || {
            while !read_head(&mut stream).is_empty() {
                tell.send(stream.try_clone().unwrap()).unwrap();
            }
        };
        drop(thread::spawn(wait));
    });
    let config = format!("threads = 1\nmax_upstream_connections = 2\n{}", guard(address));
    let server = Server::serve(Home::new(), &config);
    let ask = || {
        let mut stream = TcpStream::connect(&server.address).unwrap();
        stream.write_all(b"GET /open HTTP/1.1\r\nHost: any\r\nConnection: close\r\n\r\n").unwrap();
        (stream, told.recv().unwrap())
    };
    let waiting = [ask(), ask()];
    let full = server.send("GET /open HTTP/1.1");
    assert_eq!((full.status(), full.header("retry-after")), (503, Some("1")));
    for (mut caller, mut upstream) in waiting {
        upstream.write_all(HELLO.as_bytes()).unwrap();
        assert_eq!(Answer::read(&mut caller).status(), 200);
    }
    let (mut caller, mut upstream) = ask();
    upstream.write_all(HELLO.as_bytes()).unwrap();
    assert_eq!(Answer::read(&mut caller).status(), 200, "on a connection that was kept");
}

#[test]
fn a_body_is_so_long_and_no_longer() {
    let recorder = Recorder::new();
    let server =
        Server::serve(Home::new(), &format!("max_body_mib = 1\n{}", guard(recorder.address)));
    let head = "POST /open HTTP/1.1\r\nHost: any\r\nConnection: close\r\n";
    let most = 1 << 20;
    let whole = format!("{head}Content-Length: {most}\r\n\r\n{}", "a".repeat(most));
    assert_eq!(server.ask(&whole).status(), 200);
    assert_eq!(recorder.take().len(), 1);
    // Said beforehand it costs the upstream nothing, whoever asks.
    let said = server.ask(&format!("{head}Content-Length: {}\r\n\r\n", most + 1));
    assert_eq!((said.status(), said.header("connection")), (413, Some("close")));
    assert!(said.body().contains("urn:portcullis:problem:body-too-long"), "{}", said.0);
    assert_eq!(recorder.connections(), 1);
    let piece = format!("10000\r\n{}\r\n", "a".repeat(0x10000));
    let unsaid = format!("{head}Transfer-Encoding: chunked\r\n\r\n{}1\r\na\r\n", piece.repeat(16));
    assert_eq!(server.ask(&unsaid).status(), 413);
    assert!(recorder.take().is_empty(), "it never arrives as whole");
}

#[test]
fn a_body_that_stands_still_ends_both_sides() {
    let recorder = Recorder::new();
    let config = format!("body_timeout = \"100ms\"\n{}", guard(recorder.address));
    let server = Server::serve(Home::new(), &config);
    for framing in ["Content-Length: 5", "Transfer-Encoding: chunked"] {
        let head = format!("POST /open HTTP/1.1\r\nHost: any\r\n{framing}\r\n\r\n2\r\n");
        let answer = server.ask(&head);
        assert_eq!((answer.status(), answer.header("connection")), (408, Some("close")));
    }
    assert!(recorder.take().is_empty());
}

#[test]
fn an_answer_that_nobody_takes_breaks_off_at_both_sides() {
    let (tell, told) = channel();
    let address = upstream(move |mut stream| {
        read_head(&mut stream);
        drop(stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"));
        let piece = [b'a'; 65_536];
        while stream.write_all(&piece).is_ok() {}
        tell.send(()).unwrap();
    });
    let server =
        Server::serve(Home::new(), &format!("body_timeout = \"200ms\"\n{}", guard(address)));
    let mut caller = server.connect();
    caller.write_all(GET).unwrap();
    // The upstream writes until its connection ends: nobody reads.
    told.recv().unwrap();
    let mut rest = Vec::new();
    drop(caller.read_to_end(&mut rest));
    assert!(rest.starts_with(b"HTTP/1.1 200"));
    assert!(!rest.ends_with(b"0\r\n\r\n"), "it is not shown as whole");
}

#[test]
fn a_pause_is_not_a_late_head() {
    let config = "header_timeout = \"100ms\"\nidle_timeout = \"10m\"\n";
    let server = Server::serve(Home::new(), &format!("{config}{}", guard(answering(HELLO))));
    let mut idle = server.connect();
    assert!(is_answered(&mut idle));
    // Others who say nothing, or half of it, end meanwhile; by and by the first is put by too.
    for half in ["", "GET", "GET / HTTP/1.1\r\nHost: any\r\nX-"].iter().cycle().take(30) {
        assert_eq!(server.ask(half).0, "", "{half:?}");
    }
    idle.read_exact(&mut [0; 2]).unwrap();
    assert!(is_answered(&mut idle));
    idle.read_exact(&mut [0; 2]).unwrap();
    // The next head is late as the first would be.
    idle.write_all(b"GET /op").unwrap();
    assert_eq!(idle.read(&mut [0; 1]).unwrap(), 0);
}

#[test]
fn what_is_left_of_a_body_is_no_request_however_late_it_comes() {
    // It answers before it has read anything of a body.
    let address = upstream(|stream| drop(thread::spawn(move || answer_early(stream))));
    let server = Server::serve(Home::new(), &guard(address));
    let mut caller = server.connect();
    let head = format!("POST /open HTTP/1.1\r\nHost: any\r\nContent-Length: {}\r\n\r\n", GET.len());
    caller.write_all(head.as_bytes()).unwrap();
    assert!(read_head(&mut caller).starts_with("HTTP/1.1 200"));
    caller.read_exact(&mut [0; 2]).unwrap();
    // Longer than it takes until a quiet connection is put by.
    caller.set_read_timeout(Some(Duration::from_millis(700))).unwrap();
    let meanwhile = caller.read(&mut [0; 1]).map_err(|error| error.kind());
    assert!(matches!(meanwhile, Ok(0) | Err(ErrorKind::WouldBlock)), "{meanwhile:?}");
    drop(caller.write_all(GET));
    let after = read_head(&mut caller);
    assert_eq!(after, "", "a body was taken for a request");
}

fn answer_early(mut stream: TcpStream) {
    while !read_head(&mut stream).is_empty() {
        drop(stream.write_all(HELLO.as_bytes()));
    }
}

#[test]
fn there_are_so_many_connections_of_one_address_and_no_more() {
    let bounds = "max_connections = 9\nmax_connections_per_address = 2\n";
    let guard = guard(answering(HELLO));
    let mut server = Server::serve(Home::new(), &format!("{bounds}{guard}"));
    let mut two = [server.connect(), server.connect()];
    two.iter_mut().for_each(|stream| assert!(is_answered(stream)));
    assert!(!is_answered(&mut server.connect()));
    server.wait_for_line("too many connections are open");
    drop(two);
    until_answered(&server);
    // A proxy brings the connections of everybody.
    let trusted = format!("{bounds}[trust]\npeers = [\"127.0.0.1\"]\n{guard}");
    let server = Server::serve(Home::new(), &trusted);
    let mut nine = [(); 9].map(|()| server.connect());
    nine.iter_mut().for_each(|stream| assert!(is_answered(stream)));
    assert!(!is_answered(&mut server.connect()), "there is no more room at all");
}

/// Asks until there is room again.
fn until_answered(server: &Server) {
    let mut asked = 0;
    while !is_answered(&mut server.connect()) {
        asked += 1;
        assert!(asked < 10_000, "there is no room any more");
        thread::yield_now();
    }
}

/// How many files a server may open that shall run out of them.
const FILES: u32 = 96;

#[test]
fn a_server_out_of_descriptors_waits_and_recovers() {
    let (keep, kept) = channel();
    let address = upstream(move |stream| keep.send(stream).unwrap());
    let config = format!("header_timeout = \"10m\"\n{}", guard(address));
    let server = Server::serve_within(Home::new(), FILES, &config);
    let mut callers: Vec<_> = (0..FILES * 2).map(|_| server.connect()).collect();
    // The last of them wait in the queue, while the others are there.
    let last = callers.last_mut().unwrap();
    last.write_all(b"GET /healthz HTTP/1.1\r\nHost: any\r\n\r\n").unwrap();
    last.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    let before = server.processor_time();
    let waiting = last.read(&mut [0; 1]).unwrap_err();
    assert_eq!(waiting.kind(), ErrorKind::WouldBlock);
    let spent = server.processor_time() - before;
    assert!(spent < 10, "{spent} hundredths of the half second it waited");
    let last = callers.pop().unwrap();
    drop((callers, kept));
    last.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut last = last;
    let head = read_head(&mut last);
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert_eq!(server.send("GET /healthz HTTP/1.1").status(), 200);
}

#[test]
fn what_is_refused_early_costs_its_connection_and_no_other() {
    let server = Server::serve(Home::new(), &guard(answering(HELLO)));
    let mut stream = server.connect();
    stream.write_all(b"GET /a;b HTTP/1.1\r\nHost: any\r\n\r\n").unwrap();
    stream.write_all(b"GET /open HTTP/1.1\r\nHost: any\r\nConnection: close\r\n\r\n").unwrap();
    let both = Answer::read(&mut stream).0;
    assert!(both.starts_with("HTTP/1.1 400") && both.contains("HTTP/1.1 200"), "{both}");
}
