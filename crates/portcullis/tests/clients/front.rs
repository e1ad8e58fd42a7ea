//! A front that terminates TLS, or does not, and keeps every byte that clients send.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy, split};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// What clients sent, a text for each request, in the order in which they began.
type Sent = Arc<Mutex<Vec<String>>>;

/// Stands between clients and a server on a port of its own.
pub(crate) struct Front {
    /// Host and port.
    pub(crate) address: String,
    sent: Sent,
    folder: TempDir,
}

impl Front {
    /// One in clear.
    pub(crate) fn plain(server: &str) -> Self {
        Self::new(server, None, tempfile::tempdir().unwrap())
    }

    /// One that speaks TLS, vouched for by whom [`Self::authority`] names.
    pub(crate) fn tls(server: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, authority) = certificate();
        fs::write(folder.path().join(AUTHORITY), authority).unwrap();
        Self::new(server, Some(certificate), folder)
    }

    fn new(server: &str, acceptor: Option<TlsAcceptor>, folder: TempDir) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        listener.set_nonblocking(true).unwrap();
        let (server, sent) = (server.to_owned(), Sent::default());
        let keep = Arc::clone(&sent);
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(stand(listener, server, acceptor, keep));
        });
        Self { address, sent, folder }
    }

    /// The certificate of whoever vouches for it.
    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.path().join(AUTHORITY)
    }

    /// What clients sent so far, a text for each request.
    pub(crate) fn sent(&self) -> Vec<String> {
        self.sent.lock().unwrap().clone()
    }
}

async fn stand(
    listener: std::net::TcpListener,
    server: String,
    acceptor: Option<TlsAcceptor>,
    sent: Sent,
) {
    let listener = TcpListener::from_std(listener).unwrap();
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let (server, acceptor) = (TcpStream::connect(&server).await.unwrap(), acceptor.clone());
        let sent = Arc::clone(&sent);
        tokio::spawn(async move {
            let Some(acceptor) = acceptor else { return pass(client, server, sent).await };
            // A client that does not trust us goes away.
            let Ok(client) = acceptor.accept(client).await else { return };
            pass(client, server, sent).await;
        });
    }
}

/// Passes everything in both directions until one side has nothing more to say.
async fn pass(client: impl AsyncRead + AsyncWrite, server: TcpStream, sent: Sent) {
    let (mut from_client, mut to_client) = split(client);
    let (mut from_server, mut to_server) = split(server);
    let forth = async {
        let (mut bytes, mut request) = (vec![0; 16_384], 0);
        while let Ok(length @ 1..) = from_client.read(&mut bytes).await {
            request = keep(&sent, request, &String::from_utf8_lossy(&bytes[..length]));
            if to_server.write_all(&bytes[..length]).await.is_err() {
                break;
            }
        }
    };
    tokio::select! {
        () = forth => {}
        // The client reads to the end, or not at all.
        _ = copy(&mut from_server, &mut to_client) => drop(to_client.shutdown().await),
    }
}

/// Keeps what came on a connection as its last request's, or as one that begins; which it was.
fn keep(sent: &Sent, request: usize, text: &str) -> usize {
    let mut sent = sent.lock().unwrap();
    // No client speaks before it was answered, so that a request begins what is read at once.
    if METHODS.iter().any(|method| text.starts_with(method)) {
        sent.push(text.to_owned());
        return sent.len() - 1;
    }
    sent[request].push_str(text);
    request
}

/// A certificate for 127.0.0.1, and the authority's own as PEM.
fn certificate() -> (TlsAcceptor, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    // Who has the same name as its issuer passes for its own.
    params.distinguished_name.push(DnType::CommonName, "an authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let key = KeyPair::generate().unwrap();
    let authority = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    params.use_authority_key_identifier_extension = true;
    let certificate = params.signed_by(&key, &issuer).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), authority)
}

const METHODS: &[&str] = &["GET /", "POST /", "PUT /", "DELETE /"];

const AUTHORITY: &str = "authority.pem";
