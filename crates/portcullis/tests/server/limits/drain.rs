//! A server that is told to stop under load: whoever has asked is answered.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use http::Request;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::guard;
use crate::common::{Home, Server};
use crate::upstream::{read_head, upstream};

/// How many speak HTTP/1.1, and how many HTTP/2.
const CALLERS: usize = 12;
/// How many answers there are before it is told to stop.
const WARM: usize = 500;

/// An upstream that keeps its connections, and takes a moment for each answer.
fn thinking() -> SocketAddr {
    upstream(|stream| drop(thread::spawn(move || think(stream))))
}

fn think(mut stream: TcpStream) {
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone";
    while !read_head(&mut stream).is_empty() {
        thread::sleep(Duration::from_millis(2));
        drop(stream.write_all(answer));
    }
}

/// Asks over one connection after another until nobody listens; a connection may end between
/// requests only. How many were answered is counted.
fn call(address: &str, answered: &AtomicUsize) -> Result<(), String> {
    while let Ok(mut stream) = TcpStream::connect(address) {
        let mut goes_on = true;
        while goes_on {
            let asked = stream.write_all(b"GET /open HTTP/1.1\r\nHost: any\r\n\r\n");
            asked.map_err(|error| format!("while asking: {error}"))?;
            let head = read_head(&mut stream);
            let mut body = [0; 4];
            let whole = stream.read_exact(&mut body).is_ok() && &body == b"done";
            if !(head.starts_with("HTTP/1.1 200") && whole) {
                return Err(format!("instead of an answer: {head:?}"));
            }
            answered.fetch_add(1, Ordering::Relaxed);
            goes_on = !head.contains("connection: close");
        }
    }
    Ok(())
}

/// The same in HTTP/2, over one connection until it is told to go away.
async fn call_http2(address: String, answered: Arc<AtomicUsize>) -> Result<(), String> {
    let Ok(stream) = tokio::net::TcpStream::connect(address).await else { return Ok(()) };
    let opening = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
    let (mut sender, connection) = opening.map_err(|error| format!("{error:?}"))?;
    let ending = tokio::spawn(connection);
    while sender.ready().await.is_ok() {
        let request = Request::get("http://any/open").body(Empty::<Bytes>::new()).unwrap();
        let mut asked = sender.try_send_request(request).await;
        // RFC 9113, section 6.8: what was never begun with may be sent again.
        if asked.as_mut().is_err_and(|error| error.take_message().is_some()) {
            break;
        }
        let answer = asked.map_err(|error| format!("{:?}", error.into_error()))?;
        let body = answer.into_body().collect().await.map_err(|error| format!("{error:?}"))?;
        if body.to_bytes() != "done" {
            return Err("half an answer".to_owned());
        }
        answered.fetch_add(1, Ordering::Relaxed);
    }
    drop(sender);
    ending.await.unwrap().map_err(|error| format!("{error:?}"))
}

#[test]
fn nobody_who_has_asked_goes_without_an_answer() {
    let server = Server::serve(Home::new(), &guard(thinking()));
    let (address, answered) = (server.address.clone(), Arc::<AtomicUsize>::default());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (address, answered) = (address.clone(), Arc::clone(&answered));
            thread::spawn(move || call(&address, &answered))
        })
        .collect();
    let together: Vec<_> = (0..CALLERS)
        .map(|_| runtime.spawn(call_http2(address.clone(), Arc::clone(&answered))))
        .collect();
    while answered.load(Ordering::Relaxed) < WARM {
        thread::yield_now();
    }
    let ended = server.stop();
    for caller in callers {
        assert_eq!(caller.join().unwrap(), Ok(()));
    }
    for caller in together {
        assert_eq!(runtime.block_on(caller).unwrap(), Ok(()));
    }
    assert_eq!(ended.code, Some(0));
    assert!(!ended.stderr.contains("did not finish in time"), "{}", ended.stderr);
}
