//! TLS to upstreams: the name of the upstream is proven by its certificate, always.

use std::fmt;
use std::io;
use std::sync::Arc;

use portcullis_core::time::Clock;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::roots;

/// What ALPN calls HTTP/2 (RFC 9113, section 3.1).
const H2: &[u8] = b"h2";
/// What ALPN calls HTTP/1.1 (RFC 7301, section 6).
const HTTP_11: &[u8] = b"http/1.1";

/// How TLS is spoken to upstreams.
pub(super) struct Tls {
    /// Without them, the system's are read when they are first needed.
    roots: Option<RootCertStore>,
    clock: Arc<dyn Clock>,
    terms: OnceCell<Terms>,
}

/// What is offered.
#[derive(Clone)]
struct Terms {
    /// HTTP/2 and HTTP/1.1.
    any: Arc<ClientConfig>,
    /// HTTP/1.1 alone, whose connections can become something else.
    http1: Arc<ClientConfig>,
}

impl Tls {
    /// Believes `roots`, or without them those of the system.
    pub(super) fn new(roots: Option<RootCertStore>, clock: Arc<dyn Clock>) -> Self {
        Self { roots, clock, terms: OnceCell::new() }
    }

    /// Shakes hands with `host`, and tells whether HTTP/2 is spoken; `plain` has it speak HTTP/1.1.
    ///
    /// # Errors
    /// It does not prove that it is `host`, or breaks off.
    pub(super) async fn shake(
        &self,
        stream: TcpStream,
        host: &str,
        plain: bool,
    ) -> io::Result<(TlsStream<TcpStream>, bool)> {
        let bad = |error: rustls::Error| io::Error::new(io::ErrorKind::InvalidData, error);
        let terms = self.terms.get_or_try_init(|| self.settle()).await.map_err(bad)?;
        let name = ServerName::try_from(host.to_owned());
        let name = name.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let config = if plain { &terms.http1 } else { &terms.any };
        let stream = TlsConnector::from(Arc::clone(config)).connect(name, stream).await?;
        let http2 = stream.get_ref().1.alpn_protocol() == Some(H2);
        Ok((stream, http2))
    }

    async fn settle(&self) -> Result<Terms, rustls::Error> {
        let roots = match &self.roots {
            Some(roots) => roots.clone(),
            None => {
                let read = tokio::task::spawn_blocking(roots::of_the_system).await;
                read.unwrap_or_else(|_| RootCertStore::empty())
            }
        };
        let time = Arc::new(ByClock(Arc::clone(&self.clock)));
        let mut any = ClientConfig::builder_with_details(Arc::new(default_provider()), time)
            .with_protocol_versions(&[&TLS13, &TLS12])?
            .with_root_certificates(roots)
            .with_no_client_auth();
        any.alpn_protocols = vec![H2.to_vec(), HTTP_11.to_vec()];
        let mut http1 = any.clone();
        http1.alpn_protocols = vec![HTTP_11.to_vec()];
        Ok(Terms { any: Arc::new(any), http1: Arc::new(http1) })
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

/// Only our clock reads the clock.
#[derive(Debug)]
struct ByClock(Arc<dyn Clock>);

impl TimeProvider for ByClock {
    fn current_time(&self) -> Option<UnixTime> {
        let millis = self.0.now().wall.millis().try_into().unwrap_or(0);
        Some(UnixTime::since_unix_epoch(std::time::Duration::from_millis(millis)))
    }
}
