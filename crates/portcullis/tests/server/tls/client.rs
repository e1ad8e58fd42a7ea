//! A client that speaks TLS, in HTTP/1.1 by hand and in HTTP/2 by hyper.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::authority::{Authority, Pair};
use crate::common::{Answer, connect};

/// A connection over TLS.
pub(crate) type Stream = StreamOwned<ClientConnection, TcpStream>;

/// What a client trusts and shows.
pub(crate) struct Client {
    address: String,
    config: ClientConfig,
}

impl Client {
    pub(crate) fn new(address: &str, trusts: &Authority, shows: Option<&Pair>) -> Self {
        Self::speaking(rustls::ALL_VERSIONS, address, trusts, shows)
    }

    /// One that speaks these versions alone.
    pub(crate) fn speaking(
        versions: &[&'static SupportedProtocolVersion],
        address: &str,
        trusts: &Authority,
        shows: Option<&Pair>,
    ) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(trusts.root.as_bytes()).unwrap()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots);
        let config = match shows {
            None => builder.with_no_client_auth(),
            Some(Pair { certificate, key }) => {
                let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
                builder.with_client_auth_cert(vec![certificate], key).unwrap()
            }
        };
        Self { address: address.to_owned(), config }
    }

    /// Shakes hands, and offers `protocols`.
    pub(crate) fn shake(&self, protocols: &[&str]) -> io::Result<Stream> {
        let mut config = self.config.clone();
        config.alpn_protocols = protocols.iter().map(|it| it.as_bytes().to_vec()).collect();
        let name = ServerName::try_from("localhost").unwrap();
        let session = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut stream = StreamOwned::new(session, connect(&self.address));
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        Ok(stream)
    }

    /// Asks in HTTP/1.1 with a head without its end, and reads until the server closes. No answer
    /// at all is an empty one.
    pub(crate) fn send(&self, head: &str) -> Answer {
        let Ok(mut stream) = self.shake(&["http/1.1"]) else { return Answer(String::new()) };
        let request = format!("{head}\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        // Where a certificate is refused, the connection may end under our hands.
        drop(stream.write_all(request.as_bytes()));
        Answer::read(&mut stream)
    }

    /// A connection in HTTP/2.
    pub(crate) async fn http2(&self) -> SendRequest<Full<Bytes>> {
        let io = TokioIo::new(self.http2_stream().await);
        let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
        tokio::spawn(connection);
        sender
    }

    /// What HTTP/2 is spoken on.
    pub(crate) async fn http2_stream(&self) -> TlsStream<tokio::net::TcpStream> {
        let mut config = self.config.clone();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let stream = tokio::net::TcpStream::connect(&self.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        stream
    }

    /// Asks once in HTTP/2.
    pub(crate) fn ask(&self, request: Request<Full<Bytes>>) -> Response<Bytes> {
        block_on(async { ask(&mut self.http2().await, request).await })
    }

    /// What the server shows.
    pub(crate) fn shown(&self) -> CertificateDer<'static> {
        let stream = self.shake(&[]).unwrap();
        stream.conn.peer_certificates().unwrap()[0].clone().into_owned()
    }
}

/// Asks over a connection that is there.
pub(crate) async fn ask(
    sender: &mut SendRequest<Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> Response<Bytes> {
    sender.ready().await.unwrap();
    let (parts, body) = sender.send_request(request).await.unwrap().into_parts();
    Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
}

/// Asks over a kept connection in HTTP/1.1, and reads one answer.
pub(crate) fn ask_again(stream: &mut Stream, path: &str) -> String {
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let (mut answer, mut byte) = (Vec::new(), [0]);
    while !answer.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        answer.push(byte[0]);
    }
    let head = String::from_utf8(answer).unwrap().to_lowercase();
    let length = head.split_once("content-length: ").unwrap().1.lines().next().unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).unwrap();
    head
}

/// A request without a body.
pub(crate) fn get(path: &str, headers: &[(&str, &str)]) -> Request<Full<Bytes>> {
    let mut request = Request::get(format!("https://localhost{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::default()).unwrap()
}

/// Runs `future` to its end, which is not far.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let bounded = async { tokio::time::timeout(Duration::from_secs(30), future).await };
    runtime.block_on(bounded).unwrap_or_else(|_| panic!("it hangs"))
}
