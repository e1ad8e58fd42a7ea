//! An upstream that speaks HTTP well, in either version and over TLS, and tells what it was asked.

use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use http::request::Parts;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;

use crate::tls::authority::Pair;

/// An upstream that answers with what it was sent, and `grpc-status` after it.
pub(super) struct Origin {
    pub(super) address: SocketAddr,
    /// How many connections it took.
    pub(super) connections: Arc<AtomicUsize>,
    pub(super) asked: Receiver<Parts>,
}

impl Origin {
    /// In HTTP/2, known beforehand.
    pub(super) fn clear() -> Self {
        Self::start(None)
    }

    /// Over TLS, with a certificate, in what it is offered of `protocols`.
    pub(super) fn tls(pair: &Pair, protocols: &[&str]) -> Self {
        let config = tls_config(pair, protocols);
        Self::start(Some(TlsAcceptor::from(Arc::new(config))))
    }

    fn start(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::<AtomicUsize>::default();
        let (tell, asked) = channel();
        let counted = Arc::clone(&connections);
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(accept(listener, tls, counted, tell));
        });
        Self { address, connections, asked }
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

/// What an upstream shows that speaks TLS, and in what it is spoken to.
pub(super) fn tls_config(pair: &Pair, protocols: &[&str]) -> ServerConfig {
    let certificate = CertificateDer::from_pem_slice(pair.certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|it| it.as_bytes().to_vec()).collect();
    config
}

async fn accept(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    connections: Arc<AtomicUsize>,
    tell: Sender<Parts>,
) {
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        connections.fetch_add(1, Ordering::Relaxed);
        let (tls, tell) = (tls.clone(), tell.clone());
        tokio::spawn(async move {
            let Some(tls) = tls else { return speak(stream, true, tell).await };
            // Whoever does not believe it breaks off.
            let Ok(stream) = tls.accept(stream).await else { return };
            let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            speak(stream, http2, tell).await;
        });
    }
}

async fn speak(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    http2: bool,
    tell: Sender<Parts>,
) {
    let service = service_fn(move |request: Request<Incoming>| {
        let tell = tell.clone();
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            // A test that has seen enough is gone.
            drop(tell.send(parts));
            let names = ["grpc-status", "set-cookie", "portcullis-user"];
            let pair = |name: &'static str| (name.parse().unwrap(), "0".parse().unwrap());
            let trailers: HeaderMap = names.into_iter().map(pair).collect();
            let body = Full::<Bytes>::new(body);
            Ok::<_, Infallible>(Response::new(
                body.with_trailers(async move { Some(Ok::<_, Infallible>(trailers)) }),
            ))
        }
    });
    let io = TokioIo::new(stream);
    // How a connection ends is of no interest.
    if http2 {
        drop(http2::Builder::new(TokioExecutor::new()).serve_connection(io, service).await);
    } else {
        drop(http1::Builder::new().serve_connection(io, service).await);
    }
}
