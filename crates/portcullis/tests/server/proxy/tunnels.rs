//! Tunnels: begun where the guard lets them, copied both ways, and ended with what they were permitted
//! by.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use http::Request;
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::ext::Protocol;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{ServerConnection, StreamOwned};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::origin::{Origin, tls_config};
use super::{guard, key, open, serve};
use crate::common::{Answer, BASE64, Home, Server};
use crate::tls::authority::Authority;
use crate::tls::client::{Client, block_on};
use crate::upstream::{answering, read_head, upstream};

/// An upstream that becomes what it is asked to, says back what it hears, and tells the head of each
/// request and when its tunnel has ended.
fn echo() -> (SocketAddr, Receiver<String>) {
    let (tell, told) = channel();
    let address = upstream(move |mut stream| {
        let tell = tell.clone();
        thread::spawn(move || {
            let head = read_head(&mut stream);
            let name = "sec-websocket-key: ";
            let lower = head.to_lowercase();
            let key = lower.find(name).map(|at| &head[at + name.len()..]);
            let key = key.map(|rest| rest.lines().next().unwrap());
            let accept = key.map(accept).map(|it| format!("Sec-WebSocket-Accept: {it}\r\n"));
            let answer = format!(
                "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade, x-hop\r\nX-Hop: 1\r\n\
                 Upgrade: WebSocket\r\n{}\r\n",
                accept.unwrap_or_default()
            );
            tell.send(head).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            let (mut from, mut to) = (stream.try_clone().unwrap(), stream);
            drop(std::io::copy(&mut from, &mut to));
            drop(to.shutdown(Shutdown::Write));
            tell.send("ended".into()).unwrap();
        });
    });
    (address, told)
}

/// RFC 6455, section 4.2.2.
fn accept(key: &str) -> String {
    let both = format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    let digest =
        aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, both.as_bytes());
    BASE64.encode(digest)
}

const UPGRADE: &str = "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
                       Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
const LISTED: &str = "upgrades = [\"websocket\"]";

/// Asks for a WebSocket; what the head of the answer says.
fn begin(server: &Server, path: &str, presented: &str) -> (TcpStream, String) {
    let mut stream = server.connect();
    let head = format!("GET {path} HTTP/1.1\r\nHost: any\r\n{UPGRADE}\r\n{presented}\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let head = read_head(&mut stream).to_lowercase();
    (stream, head)
}

fn say(stream: &mut TcpStream, words: &str) {
    stream.write_all(words.as_bytes()).unwrap();
    let mut echoed = vec![0; words.len()];
    stream.read_exact(&mut echoed).unwrap();
    assert_eq!(echoed, words.as_bytes());
}

#[test]
fn a_websocket_passes_where_its_guard_lists_it() {
    let (address, told) = echo();
    let url = [format!("http://{address}")];
    let server = serve(&(open("socket", &url, LISTED) + &open("none", &url, "")));
    let (mut stream, head) = begin(&server, "/socket/a?b", "");
    assert!(head.starts_with("http/1.1 101 "), "{head}");
    for line in [
        "upgrade: websocket",
        "connection: upgrade",
        "sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=",
    ] {
        assert!(head.contains(&format!("\r\n{line}\r\n")), "{line}: {head}");
    }
    assert!(!head.contains("x-hop"), "{head}");
    let asked = told.recv().unwrap().to_lowercase();
    assert!(asked.starts_with("get /socket/a?b http/1.1\r\n"), "{asked}");
    for line in [
        "upgrade: websocket",
        "connection: upgrade",
        "sec-websocket-version: 13",
        "x-forwarded-for: 127.0.0.1",
    ] {
        assert!(asked.contains(&format!("\r\n{line}\r\n")), "{line}: {asked}");
    }
    say(&mut stream, "hello");
    say(&mut stream, &"x".repeat(100_000));
    // One side has said all; the other may go on, and then ends too.
    stream.write_all(b"last").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(Answer::read(&mut stream).0, "last");
    assert_eq!(told.recv().unwrap(), "ended");
    assert!(begin(&server, "/none", "").1.starts_with("http/1.1 403 "));
    assert!(told.try_recv().is_err());
}

#[test]
fn a_tunnel_reaches_an_upstream_over_tls_that_would_rather_speak_http2() {
    let (home, authority) = (Home::new(), Authority::new());
    let roots = home.write("upstreams.pem", &authority.root);
    let config = tls_config(&authority.vouch("localhost"), &["h2", "http/1.1"]);
    let config = Arc::new(config);
    let address = upstream(move |stream| {
        let session = ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut stream = StreamOwned::new(session, stream);
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).unwrap();
            head.extend(byte);
        }
        assert_eq!(stream.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
        let answer = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n\
                      Upgrade: websocket\r\n\r\n";
        stream.write_all(answer.as_bytes()).unwrap();
        let mut heard = [0; 5];
        stream.read_exact(&mut heard).unwrap();
        stream.write_all(&heard).unwrap();
        // Until the other side has read it.
        drop(stream.read(&mut heard));
    });
    let guard = open("socket", &[format!("https://localhost:{}", address.port())], LISTED);
    let server = Server::serve(home, &format!("upstream_roots = \"{roots}\"\n{guard}"));
    let (mut stream, head) = begin(&server, "/socket", "");
    assert!(head.starts_with("http/1.1 101 "), "{head}");
    say(&mut stream, "hello");
}

#[test]
fn what_does_not_become_what_was_asked_for_is_no_tunnel() {
    let becomes = |what: &str| -> &'static str {
        format!("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n{what}\r\n").leak()
    };
    let upstreams = [
        ("other", becomes("Upgrade: mqtt\r\n"), 502),
        ("both", becomes("Upgrade: websocket\r\nUpgrade: mqtt\r\n"), 502),
        ("nothing", becomes(""), 502),
        ("no", "HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno", 426),
        ("plain", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200),
    ];
    let guards = upstreams
        .map(|(name, answer, _)| open(name, &[format!("http://{}", answering(answer))], LISTED));
    let server = serve(&guards.concat());
    for (name, _, status) in upstreams {
        let (_, head) = begin(&server, &format!("/{name}"), "");
        assert!(head.starts_with(&format!("http/1.1 {status} ")), "{name}: {head}");
    }
}

/// RUSTSEC-2026-0033: bytes behind a request to upgrade are a tunnel's only once there is one.
#[test]
fn what_follows_an_upgrade_that_did_not_come_about_is_a_request_of_its_own() {
    let (tell, told) = channel();
    let plain = upstream(move |mut stream| {
        tell.send(read_head(&mut stream)).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
        tell.send(read_head(&mut stream)).unwrap();
    });
    let url = [format!("http://{plain}")];
    let guards = open("plain", &url, LISTED) + &guard("keyed", &url, "schemes = [\"api_key\"]");
    let server = serve(&guards);
    let both = server.ask(&format!(
        "GET /plain HTTP/1.1\r\nHost: any\r\n{UPGRADE}\r\n\r\n\
         GET /keyed HTTP/1.1\r\nHost: any\r\nConnection: close\r\n\r\n"
    ));
    let statuses: Vec<_> = both.0.split("HTTP/1.1 ").skip(1).map(|it| &it[..3]).collect();
    assert_eq!(statuses, ["200", "401"], "{}", both.0);
    assert!(told.recv().unwrap().starts_with("GET /plain"));
    server.stop();
    assert_eq!(told.recv().unwrap(), "", "the upstream heard of nothing else");
}

#[test]
fn an_upgrade_that_its_connection_does_not_name_is_none() {
    let server = serve(&open(
        "any",
        &[format!("http://{}", answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))],
        LISTED,
    ));
    let answer = server.send("GET /any HTTP/1.1\r\nUpgrade: websocket");
    assert_eq!((answer.status(), answer.body()), (200, "ok"));
}

#[test]
fn a_tunnel_ends_at_both_ends_with_its_credential() {
    for command in ["revoke", "disable"] {
        let (address, told) = echo();
        let more = format!("schemes = [\"api_key\"]\n{LISTED}");
        let server = serve(&guard("socket", &[format!("http://{address}")], &more));
        let (id, presented) = key(&server, &[]);
        let (_, other) = key(&server, &[]);
        let (mut stream, head) = begin(&server, "/socket", &format!("{presented}\r\n"));
        assert!(head.starts_with("http/1.1 101 "), "{head}");
        let (mut beside, _) = begin(&server, "/socket", &format!("{other}\r\n"));
        say(&mut stream, "hello");
        assert!(told.recv().unwrap().starts_with("GET"));
        assert!(told.recv().unwrap().starts_with("GET"));
        server.home.done(&["key", command, &id]);
        assert_eq!(Answer::read(&mut stream).0, "");
        assert_eq!(told.recv().unwrap(), "ended");
        say(&mut beside, "still here");
    }
}

#[test]
fn a_tunnel_ends_when_its_key_expires_or_nobody_says_anything() {
    let (address, told) = echo();
    let more = format!("schemes = [\"api_key\"]\n{LISTED}");
    let guard = guard("socket", &[format!("http://{address}")], &more);
    let server = serve(&format!("tunnel_idle_timeout = \"1s\"\n{guard}"));
    let (_, presented) = key(&server, &[]);
    let (mut stream, head) = begin(&server, "/socket", &format!("{presented}\r\n"));
    assert!(head.starts_with("http/1.1 101 "), "{head}");
    assert_eq!(Answer::read(&mut stream).0, "", "idle");
    assert!(told.recv().unwrap().starts_with("GET"));
    assert_eq!(told.recv().unwrap(), "ended");

    let (_, presented) = key(&server, &["--expires", "2s"]);
    let (mut stream, head) = begin(&server, "/socket", &format!("{presented}\r\n"));
    assert!(head.starts_with("http/1.1 101 "), "{head}");
    stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    // It is never idle, and ends nevertheless.
    let mut byte = [0];
    while stream.write_all(b"x").is_ok() && stream.read(&mut byte).is_ok_and(|count| count == 1) {}
    assert!(told.recv().unwrap().starts_with("GET"));
    assert_eq!(told.recv().unwrap(), "ended");
    assert!(begin(&server, "/socket", &format!("{presented}\r\n")).1.starts_with("http/1.1 401 "));
}

#[test]
fn an_upstream_that_cannot_be_a_tunnel_is_not_put_aside_for_that() {
    let (address, _told) = echo();
    let origin = Origin::clear();
    let urls = [format!("h2c://{}", origin.address), format!("http://{address}")];
    let server = serve(&open("mixed", &urls, LISTED));
    for _ in 0..4 {
        let (_, head) = begin(&server, "/mixed", "");
        assert!(head.starts_with("http/1.1 101 "), "{head}");
    }
    let ask = || server.send("GET /mixed HTTP/1.1").status();
    let answered = [ask(), ask(), ask(), ask()];
    assert_eq!(answered.iter().filter(|status| **status == 200).count(), 2, "{answered:?}");
}

#[test]
fn a_tunnel_counts_as_a_connection_of_its_address_until_it_ends() {
    let (address, _told) = echo();
    let guard = open("socket", &[format!("http://{address}")], LISTED);
    let server = serve(&format!("max_connections_per_address = 1\n{guard}"));
    let is_answered = || {
        let mut stream = server.connect();
        drop(stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: any\r\n\r\n"));
        !read_head(&mut stream).is_empty()
    };
    let (mut stream, _) = begin(&server, "/socket", "");
    for _ in 0..20 {
        say(&mut stream, "hello");
        assert!(!is_answered(), "there is room beside a tunnel");
    }
    drop(stream);
    let mut asked = 0;
    while !is_answered() {
        asked += 1;
        assert!(asked < 10_000, "there is no room after a tunnel");
        thread::yield_now();
    }
}

#[test]
fn a_server_that_stops_ends_its_tunnels() {
    let (address, told) = echo();
    let server = serve(&open("socket", &[format!("http://{address}")], LISTED));
    let (mut stream, _) = begin(&server, "/socket", "");
    say(&mut stream, "hello");
    server.terminate();
    assert_eq!(Answer::read(&mut stream).0, "");
    assert!(told.recv().unwrap().starts_with("GET"));
    assert_eq!(told.recv().unwrap(), "ended");
    assert_eq!(server.ended().code, Some(0));
}

/// A server that speaks TLS, and a client of it.
fn over_tls(guards: &str) -> (Server, Client) {
    let (home, authority) = (Home::new(), Authority::new());
    let pair = authority.vouch("localhost");
    let (chain, key) =
        (home.write("chain.pem", &pair.certificate), home.write("key.pem", &pair.key));
    let config = format!(
        "header_timeout = \"300ms\"\n[tls]\ncertificate = \"{chain}\"\nkey = \"{key}\"\n{guards}"
    );
    let server = Server::serve(home, &config);
    let client = Client::new(&server.address, &authority, None);
    (server, client)
}

/// Begins a stream of HTTP/2 that shall become `protocol`.
async fn connect(
    client: &Client,
    protocol: &'static str,
    path: &str,
    presented: Option<&str>,
) -> hyper::Result<http::Response<hyper::body::Incoming>> {
    let stream = client.http2_stream().await;
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    // What the server allows comes with its first answer at the latest.
    let hello = Request::get("https://localhost/healthz").body(Empty::<Bytes>::new()).unwrap();
    sender.send_request(hello).await?;
    let mut request = Request::connect(format!("https://localhost{path}"))
        .extension(Protocol::from_static(protocol))
        .header("sec-websocket-version", "13");
    if let Some(key) = presented {
        request = request.header("x-api-key", key);
    }
    sender.send_request(request.body(Empty::<Bytes>::new()).unwrap()).await
}

#[test]
fn a_websocket_of_http2_is_judged_and_forwarded_as_one_of_http1() {
    let (address, told) = echo();
    let url = [format!("http://{address}")];
    let keyed = format!("schemes = [\"api_key\"]\n{LISTED}");
    let lies = answering(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
    );
    let plain = answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let guards = open("socket", &url, LISTED)
        + &open("none", &url, "")
        + &guard("keyed", &url, &keyed)
        + &open("lies", &[format!("http://{lies}")], LISTED)
        + &open("plain", &[format!("http://{plain}")], LISTED);
    let (server, client) = over_tls(&guards);
    block_on(async {
        for (protocol, path, status) in [
            ("websocket", "/none", 403),
            ("websocket", "/keyed", 401),
            ("websocket", "/lies", 502),
            ("websocket", "/plain", 502),
            ("connect-udp", "/socket", 400),
        ] {
            let answer = connect(&client, protocol, path, None).await.unwrap();
            assert_eq!(answer.status(), status, "{protocol} {path}");
        }
        assert!(told.try_recv().is_err());
        let (id, presented) = key(&server, &[]);
        let presented = presented.strip_prefix("X-Api-Key: ").unwrap();
        let answer = connect(&client, "websocket", "/keyed/a?b", Some(presented)).await.unwrap();
        assert_eq!(answer.status(), 200);
        for gone in ["sec-websocket-accept", "upgrade", "connection"] {
            assert!(!answer.headers().contains_key(gone), "{gone}");
        }
        let asked = told.recv().unwrap().to_lowercase();
        assert!(asked.starts_with("get /keyed/a?b http/1.1\r\n"), "{asked}");
        assert!(asked.contains("\r\nupgrade: websocket\r\n"), "{asked}");
        assert!(!asked.contains("x-api-key"), "{asked}");
        let tunnel = hyper::upgrade::on(answer).await.unwrap();
        let mut tunnel = TokioIo::new(tunnel);
        // Longer than a connection may be idle on which nothing is under way.
        for _ in 0..5 {
            tunnel.write_all(b"hello").await.unwrap();
            let mut echoed = [0; 5];
            tunnel.read_exact(&mut echoed).await.unwrap();
            assert_eq!(&echoed, b"hello");
            let silence = tunnel.read(&mut echoed);
            assert!(tokio::time::timeout(Duration::from_millis(300), silence).await.is_err());
        }
        server.home.done(&["key", "revoke", &id]);
        assert!(!matches!(tunnel.read(&mut [0]).await, Ok(1)));
        assert_eq!(told.recv().unwrap(), "ended");
    });
}
