//! What upstreams are spoken to in: HTTP/2 in the clear, and TLS with either version.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use h2::Reason;
use http::{HeaderMap, Request, Response, Version};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;

use super::origin::Origin;
use super::{open, serve};
use crate::common::{Answer, Home, Server};
use crate::tls::authority::Authority;
use crate::tls::client::{Client, block_on};
use crate::upstream::upstream;

#[test]
fn an_upstream_of_http2_is_told_of_all_requests_on_one_connection() {
    let origin = Origin::clear();
    let server = serve(&open("two", &[format!("h2c://{}/base", origin.address)], ""));
    for number in 0..10 {
        let answer = server.ask(&format!(
            "POST /two/{number}?q HTTP/1.1\r\nHost: any:81\r\nTransfer-Encoding: chunked\r\n\
             Connection: close\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
        ));
        assert_eq!(answer.status(), 200);
        assert!(answer.body().contains("hello"));
        let asked = origin.asked.recv().unwrap();
        assert_eq!(asked.version, Version::HTTP_2);
        assert_eq!(asked.uri.to_string(), format!("http://any:81/base/two/{number}?q"));
        for gone in ["host", "transfer-encoding", "connection", "te"] {
            assert!(!asked.headers.contains_key(gone), "{gone}");
        }
        assert_eq!(asked.headers["x-forwarded-for"], "127.0.0.1");
    }
    assert_eq!(origin.connections(), 1);
}

#[test]
fn many_at_once_share_the_connections() {
    let origin = Origin::clear();
    let server = serve(&open("two", &[format!("h2c://{}", origin.address)], ""));
    let request = b"GET /two HTTP/1.1\r\nHost: any\r\nConnection: close\r\n\r\n";
    let mut streams: Vec<_> = (0..50).map(|_| server.connect()).collect();
    streams.iter_mut().for_each(|stream| stream.write_all(request).unwrap());
    for stream in &mut streams {
        assert_eq!(Answer::read(stream).status(), 200);
    }
    assert!(origin.connections() <= 2, "{}", origin.connections());
}

#[test]
fn tls_is_spoken_to_whoever_proves_the_name_and_to_nobody_else() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let home = Home::new();
    let roots = home.write("upstreams.pem", &authority.root);
    let (h2, h1): (&[&str], &[&str]) = (&["h2", "http/1.1"], &["http/1.1"]);
    let origins = [
        ("both", Origin::tls(&authority.vouch("localhost"), h2), Ok(Version::HTTP_2)),
        ("one", Origin::tls(&authority.vouch("localhost"), h1), Ok(Version::HTTP_11)),
        ("silent", Origin::tls(&authority.vouch("localhost"), &[]), Ok(Version::HTTP_11)),
        ("name", Origin::tls(&authority.vouch("other.example"), h2), Err("not valid for name")),
        ("old", Origin::tls(&authority.vouch_until("localhost", 2020), h2), Err("xpired")),
        ("root", Origin::tls(&stranger.vouch("localhost"), h2), Err("BadSignature")),
    ];
    let guards: String = origins
        .iter()
        .map(|(name, origin, _)| {
            open(name, &[format!("https://localhost:{}", origin.address.port())], "")
        })
        .collect();
    let config = format!("threads = 1\nupstream_roots = \"{roots}\"\n{guards}");
    let mut server = Server::serve(home, &config);
    for (name, origin, spoken) in &origins {
        for _ in 0..2 {
            let answer = server.send(&format!("GET /{name}/a HTTP/1.1"));
            match spoken {
                Ok(version) => {
                    assert_eq!(answer.status(), 200, "{name}");
                    let asked = origin.asked.recv().unwrap();
                    assert_eq!(asked.version, *version, "{name}");
                    assert_eq!(asked.headers.contains_key("host"), *version != Version::HTTP_2);
                }
                Err(why) => {
                    assert_eq!(answer.status(), 502, "{name}");
                    server.wait_for_line(why);
                    assert!(origin.asked.try_recv().is_err(), "{name}");
                }
            }
        }
        if spoken.is_ok() {
            assert_eq!(origin.connections(), 1, "{name}");
        }
    }
}

#[test]
fn roots_that_cannot_be_read_are_told_before_anything_is_served() {
    let home = Home::new();
    let roots = home.write("roots.pem", "no certificate");
    let file = home.write(
        "portcullis.toml",
        &format!("[server]\nlisten = \"127.0.0.1:0\"\nupstream_roots = \"{roots}\"\n"),
    );
    for command in ["serve", "check-config"] {
        let arguments: &[&str] =
            if command == "serve" { &["serve", "--config", &file] } else { &[command, &file] };
        let output = home.run(arguments);
        let said = crate::common::text(&output.stderr);
        assert!(!output.status.success(), "{command}");
        assert!(said.contains("roots.pem` holds no certificate"), "{command}: {said}");
    }
}

/// An upstream of HTTP/2 that does nothing with the first request, says so, and tells the test.
fn reluctant(go_away: bool) -> (String, Receiver<&'static str>) {
    let (tell, told) = channel();
    let mut first = true;
    let address = upstream(move |stream| {
        let (tell, first) = (tell.clone(), std::mem::take(&mut first));
        if first && go_away {
            leave(stream);
            tell.send("gone").unwrap();
            return;
        }
        thread::spawn(move || {
            stream.set_nonblocking(true).unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let stream = tokio::net::TcpStream::from_std(stream).unwrap();
                answer_all(stream, first, tell).await;
            });
        });
    });
    (format!("h2c://{address}"), told)
}

/// Waits for a request, and goes away before it (RFC 9113, section 6.8).
fn leave(mut stream: TcpStream) {
    stream.read_exact(&mut [0; 24]).unwrap();
    stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).unwrap();
    let mut start = [0; 9];
    while start[3] != 1 {
        stream.read_exact(&mut start).unwrap();
        let length = u32::from_be_bytes([0, start[0], start[1], start[2]]);
        stream.read_exact(&mut vec![0; length as usize]).unwrap();
    }
    stream.write_all(&[&[0, 0, 8, 7, 0, 0, 0, 0, 0][..], &[0; 8]].concat()).unwrap();
    drop(stream.read_to_end(&mut Vec::new()));
}

/// Answers the requests of one connection, but refuses the first if it `refuses` that.
async fn answer_all(stream: tokio::net::TcpStream, mut refuses: bool, tell: Sender<&'static str>) {
    let mut connection = h2::server::handshake(stream).await.unwrap();
    while let Some(Ok((_, mut respond))) = connection.accept().await {
        if std::mem::take(&mut refuses) {
            respond.send_reset(Reason::REFUSED_STREAM);
            tell.send("refused").unwrap();
        } else {
            respond.send_response(Response::new(()), true).unwrap();
            tell.send("answered").unwrap();
        }
    }
}

#[test]
fn what_an_upstream_says_it_did_not_do_is_sent_again_whatever_it_is() {
    for (go_away, first) in [(false, "refused"), (true, "gone")] {
        let (url, told) = reluctant(go_away);
        let server = serve(&open("shy", &[url], ""));
        let answer = server.send("POST /shy HTTP/1.1");
        assert_eq!(answer.status(), 200, "{first}: {}", answer.0);
        let mut told = [told.recv().unwrap(), told.recv().unwrap()];
        told.sort_unstable_by_key(|it| *it != first);
        assert_eq!(told, [first, "answered"]);
    }
}

#[test]
fn a_call_of_grpc_passes_from_http2_to_http2_with_its_trailers() {
    let origin = Origin::clear();
    let (home, authority) = (Home::new(), Authority::new());
    let pair = authority.vouch("localhost");
    let (chain, key) =
        (home.write("chain.pem", &pair.certificate), home.write("key.pem", &pair.key));
    let guard = open("rpc", &[format!("h2c://{}", origin.address)], "");
    let config = format!("[tls]\ncertificate = \"{chain}\"\nkey = \"{key}\"\n{guard}");
    let server = Server::serve(home, &config);
    let client = Client::new(&server.address, &authority, None);
    for (te, status) in [(Some("trailers"), Some("0")), (None, None)] {
        let mut call = Request::post("https://localhost/rpc/Service/Call")
            .header("content-type", "application/grpc");
        if let Some(te) = te {
            call = call.header("te", te);
        }
        let call = call.body(Full::new(Bytes::from_static(b"\0\0\0\0\0"))).unwrap();
        let (body, trailers) = block_on(async {
            let mut sender = client.http2().await;
            let answer = sender.send_request(call).await.unwrap();
            assert_eq!(answer.status(), 200);
            let body = answer.into_body().collect().await.unwrap();
            let trailers = body.trailers().cloned().unwrap_or_else(HeaderMap::new);
            (body.to_bytes(), trailers)
        });
        assert_eq!(&*body, b"\0\0\0\0\0");
        assert_eq!(trailers.get("grpc-status").map(|it| it.to_str().unwrap()), status);
        for never in ["set-cookie", "portcullis-user"] {
            assert!(!trailers.contains_key(never), "{never}");
        }
        let asked = origin.asked.recv().unwrap();
        assert_eq!(asked.headers.get("te").map(|it| it.to_str().unwrap()), te);
    }
}
