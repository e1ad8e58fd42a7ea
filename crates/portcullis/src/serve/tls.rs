//! TLS, where callers come in: what the server shows, what it asks of clients, and what became of it.

mod changes;
mod files;

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use portcullis_core::time::{Clock, Timestamp};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::config;
pub(super) use files::BadFiles;
use files::Files;
pub(crate) use files::check;

/// What ALPN calls HTTP/2 (RFC 9113, section 3.1).
const H2: &[u8] = b"h2";
/// What ALPN calls HTTP/1.1 (RFC 7301, section 6).
const HTTP_11: &[u8] = b"http/1.1";
/// How long a client's certificate counts on an open connection until it is verified again, in
/// milliseconds: so long may one outlive its end, or that of what vouches for it.
const REVERIFY_MILLIS: i64 = 60_000;

/// How TLS is spoken: by what the files hold at the moment.
#[derive(Clone, Debug)]
pub(super) struct Tls {
    terms: watch::Receiver<Terms>,
}

/// What one state of the files comes to.
#[derive(Clone)]
struct Terms {
    config: Arc<ServerConfig>,
    /// Judges the certificates of clients, if any are asked for.
    clients: Option<Arc<dyn ClientCertVerifier>>,
}

impl fmt::Debug for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terms").finish_non_exhaustive()
    }
}

/// What a handshake has settled.
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) stream: TlsStream<TcpStream>,
    /// Whether HTTP/2 is spoken, and not HTTP/1.1.
    pub(super) http2: bool,
    /// Who the client has proven to be, if it has.
    pub(super) client: Option<Client>,
}

impl Tls {
    /// Reads the files, and hands back besides what keeps up with them.
    ///
    /// # Errors
    /// They cannot be read, or do not fit together.
    pub(super) fn start(
        settings: config::Tls,
        clock: Arc<dyn Clock>,
    ) -> Result<(Self, impl Future<Output = ()> + Send), BadFiles> {
        let stamps = changes::stamps(&settings);
        let terms = Files::read(&settings)?.settle(&clock)?;
        let (tell, terms) = watch::channel(terms);
        Ok((Self { terms }, changes::follow(settings, clock, stamps, tell)))
    }

    /// Shakes hands.
    ///
    /// # Errors
    /// The client breaks off, cannot agree, or shows a certificate that is not accepted.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<Settled> {
        let terms = self.terms.borrow().clone();
        let stream = TlsAcceptor::from(terms.config).accept(stream).await?;
        let (_, session) = stream.get_ref();
        let http2 = session.alpn_protocol() == Some(H2);
        let chain = session.peer_certificates().zip(terms.clients);
        let client = chain.map(|(chain, by)| Client::proven(chain, by, self.terms.clone()));
        Ok(Settled { stream, http2, client })
    }
}

/// A client that has proven a certificate.
#[derive(Debug)]
pub(super) struct Client {
    chain: Vec<CertificateDer<'static>>,
    terms: watch::Receiver<Terms>,
    judged: Mutex<Judged>,
}

/// The last judgement on a certificate.
#[derive(Debug)]
struct Judged {
    by: Arc<dyn ClientCertVerifier>,
    /// `None` for the handshake's own.
    at: Option<Timestamp>,
    good: bool,
}

impl Client {
    fn proven(
        chain: &[CertificateDer<'_>],
        by: Arc<dyn ClientCertVerifier>,
        terms: watch::Receiver<Terms>,
    ) -> Self {
        let chain = chain.iter().map(|it| it.clone().into_owned()).collect();
        Self { chain, terms, judged: Mutex::new(Judged { by, at: None, good: true }) }
    }

    /// Whether the certificate is still good: by the roots of this moment, and not only by those
    /// of its handshake.
    pub(super) fn is_good(&self, now: Timestamp) -> bool {
        let Some(by) = self.terms.borrow().clients.clone() else { return false };
        let mut judged = self.judged.lock().unwrap_or_else(PoisonError::into_inner);
        let at = *judged.at.get_or_insert(now);
        let fresh = now.millis().saturating_sub(at.millis()) < REVERIFY_MILLIS;
        if !fresh || !Arc::ptr_eq(&judged.by, &by) {
            let good = verifies(by.as_ref(), &self.chain, now);
            *judged = Judged { by, at: Some(now), good };
        }
        judged.good
    }
}

fn verifies(by: &dyn ClientCertVerifier, chain: &[CertificateDer<'_>], now: Timestamp) -> bool {
    let Some((own, between)) = chain.split_first() else { return false };
    by.verify_client_cert(own, between, unix(now)).is_ok()
}

fn unix(now: Timestamp) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_millis(now.millis().try_into().unwrap_or(0)))
}

#[cfg(test)]
mod tests;
