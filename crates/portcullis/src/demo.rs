//! The quickstart's upstream: says back, as JSON, what reached it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, PROXY_AUTHORIZATION};
use http::header::{HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use http::request::Parts;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Body, Bytes};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Serialize;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// Starts a demo upstream on a free port of the loopback interface.
pub(crate) async fn start() -> io::Result<Demo> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    Ok(Demo { address, task: tokio::spawn(accept(listener)) })
}

/// A running demo upstream, which stops when dropped.
#[derive(Debug)]
pub(crate) struct Demo {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Demo {
    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves until aborted, which ends the open connections too.
async fn accept(listener: TcpListener) {
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if open.len() < MAX_CONNECTIONS => match accepted {
                Ok((stream, _)) => { open.spawn(serve(stream)); }
                // Out of file descriptors, most likely: asking again at once would only spin.
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
            Some(_ended) = open.join_next() => {}
        }
    }
}

async fn serve(stream: TcpStream) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    // What breaks a connection is the client's affair; it has no log of its own to tell.
    drop(http.serve_connection(TokioIo::new(stream), service_fn(answer)).await);
}

async fn answer<B>(request: Request<B>) -> Result<Response<Full<Bytes>>, Infallible>
where
    B: Body<Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
{
    let (head, body) = request.into_parts();
    Ok(match Limited::new(body, MAX_BODY).collect().await {
        Ok(body) => echo(&head, &body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => complaint(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => complaint(StatusCode::BAD_REQUEST),
    })
}

/// What the caller sees of its own request.
#[derive(Serialize)]
struct Echo<'a> {
    method: &'a str,
    path: &'a str,
    query: Option<&'a str>,
    headers: BTreeMap<&'a str, Values>,
    body: &'a str,
}

/// One header line is a string, several of one name are a list.
#[derive(Serialize)]
#[serde(untagged)]
enum Values {
    Many(Vec<String>),
    One(String),
}

fn echo(head: &Parts, body: &[u8]) -> Response<Full<Bytes>> {
    let echo = Echo {
        method: head.method.as_str(),
        path: head.uri.path(),
        query: head.uri.query(),
        headers: head.headers.keys().map(|name| (name.as_str(), values(head, name))).collect(),
        body: &String::from_utf8_lossy(body),
    };
    match serde_json::to_vec(&echo) {
        Ok(json) => response(StatusCode::OK, json),
        Err(_) => complaint(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

fn values(head: &Parts, name: &HeaderName) -> Values {
    let mut shown: Vec<_> =
        head.headers.get_all(name).iter().map(|value| shown(name, value)).collect();
    match shown.pop() {
        Some(only) if shown.is_empty() => Values::One(only),
        last => {
            shown.extend(last);
            Values::Many(shown)
        }
    }
}

/// A proof is only said to be there: an answer gets pasted into tickets.
fn shown(name: &HeaderName, value: &HeaderValue) -> String {
    if [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION, X_API_KEY].contains(name) {
        return "(present)".to_owned();
    }
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

fn complaint(status: StatusCode) -> Response<Full<Bytes>> {
    let reason = status.canonical_reason().unwrap_or_default();
    response(status, serde_json::json!({ "error": reason }).to_string().into_bytes())
}

fn response(status: StatusCode, json: Vec<u8>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(json));
    *response.status_mut() = status;
    let headers: &mut HeaderMap = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// A larger body is refused: it is held in memory, and again as JSON.
const MAX_BODY: usize = 1 << 20;
/// Later connections wait in the system's backlog.
const MAX_CONNECTIONS: usize = 64;
/// How long a connection may take to say what it wants.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long to leave a system alone that cannot accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use http::response;
    use hyper::client::conn::http1::handshake;
    use serde_json::{Value, json};

    use super::*;

    /// Sends one request to an upstream of its own; gives the head and the JSON it answers.
    async fn ask(request: Request<Full<Bytes>>) -> (response::Parts, Value) {
        let demo = start().await.unwrap();
        let stream = TcpStream::connect(demo.address()).await.unwrap();
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let (head, body) = sender.send_request(request).await.unwrap().into_parts();
        let json = body.collect().await.unwrap().to_bytes();
        (head, serde_json::from_slice(&json).unwrap())
    }

    fn post(body: impl Into<Bytes>) -> Request<Full<Bytes>> {
        Request::post("/orders/7?page=2&q=a%20b").body(Full::new(body.into())).unwrap()
    }

    #[tokio::test]
    async fn a_request_is_said_back_as_json_that_no_browser_takes_for_a_page() {
        let mut request = post("<b>h\u{e9}llo</b>");
        request.headers_mut().insert("x-one", HeaderValue::from_static("1"));
        let (head, said) = ask(request).await;
        assert_eq!(head.status, StatusCode::OK);
        assert_eq!(head.headers[CONTENT_TYPE], "application/json");
        assert_eq!(head.headers[X_CONTENT_TYPE_OPTIONS], "nosniff");
        let expected = json!({
            "method": "POST",
            "path": "/orders/7",
            "query": "page=2&q=a%20b",
            "headers": { "content-length": "13", "x-one": "1" },
            "body": "<b>h\u{e9}llo</b>",
        });
        assert_eq!(said, expected);
    }

    #[tokio::test]
    async fn a_request_without_query_or_body_says_so() {
        let (_, said) = ask(Request::get("/").body(Full::default()).unwrap()).await;
        assert_eq!((&said["query"], &said["body"]), (&Value::Null, &json!("")));
    }

    #[tokio::test]
    async fn repeated_headers_are_a_list_in_their_order() {
        let mut request = post("");
        for value in ["b", "a", "b"] {
            request.headers_mut().append("x-many", HeaderValue::from_static(value));
        }
        assert_eq!(ask(request).await.1["headers"]["x-many"], json!(["b", "a", "b"]));
    }

    #[tokio::test]
    async fn proofs_are_said_to_be_there_and_not_said() {
        let mut request = post("");
        for name in ["authorization", "cookie", "proxy-authorization", "x-api-key", "x-api-key"] {
            request.headers_mut().append(name, HeaderValue::from_static("canary"));
        }
        let (_, said) = ask(request).await;
        for name in ["authorization", "cookie", "proxy-authorization"] {
            assert_eq!(said["headers"][name], "(present)", "{name}");
        }
        assert_eq!(said["headers"]["x-api-key"], json!(["(present)", "(present)"]));
        assert!(!said.to_string().contains("canary"));
    }

    #[tokio::test]
    async fn bytes_that_are_no_text_are_shown_as_well_as_they_can_be() {
        let mut request = post(&b"a\xffb"[..]);
        request.headers_mut().insert("x-odd", HeaderValue::from_bytes(b"\xff").unwrap());
        let (_, said) = ask(request).await;
        assert_eq!(said["body"], "a\u{fffd}b");
        assert_eq!(said["headers"]["x-odd"], "\u{fffd}");
    }

    #[tokio::test]
    async fn a_body_of_one_mebibyte_is_taken_and_a_larger_one_refused() {
        let (head, said) = ask(post(vec![b'a'; MAX_BODY])).await;
        assert_eq!(head.status, StatusCode::OK);
        assert_eq!(said["body"].as_str().unwrap().len(), MAX_BODY);
        let (head, said) = ask(post(vec![b'a'; MAX_BODY + 1])).await;
        assert_eq!(head.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(said, json!({ "error": "Payload Too Large" }));
    }

    #[tokio::test]
    async fn it_listens_on_loopback_and_stops_when_dropped() {
        let demo = start().await.unwrap();
        let address = demo.address();
        assert!(address.ip().is_loopback());
        let stream = TcpStream::connect(address).await.unwrap();
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let first = sender.send_request(post("")).await.unwrap();
        first.into_body().collect().await.unwrap();
        drop(demo);
        // One turn of this single-threaded runtime ends the listener, the next its connections.
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        assert!(sender.send_request(post("")).await.is_err());
        assert!(TcpStream::connect(address).await.is_err());
    }
}
