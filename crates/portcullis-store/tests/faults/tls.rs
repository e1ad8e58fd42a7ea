//! TLS to PostgreSQL: who cannot prove to be the server gets no password, and nothing goes in clear.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use portcullis_core::secret::SecretBuf;
use portcullis_store::{Store, StoreError, Target};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::bench::{Hand, Place, SHORT, block_on, postgres, write};

/// Who vouches for a server.
type Authority = Issuer<'static, KeyPair>;

/// An authority whose own certificate stands in `file`.
fn authority(file: &Path) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    fs::write(file, params.self_signed(&key).unwrap().pem()).unwrap();
    Issuer::new(params, key)
}

/// A server that speaks TLS as `name`, vouched for by `authority`, and passes all on to `server`.
fn terminate(authority: &Authority, name: &str, server: String) -> u16 {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    listener.set_nonblocking(true).unwrap();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::from_std(listener).unwrap();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let server = TcpStream::connect(&server).await.unwrap();
                tokio::spawn(pass(client, server, acceptor.clone()));
            }
        });
    });
    port
}

/// Answers the request for TLS with yes, and passes what comes through it.
async fn pass(mut client: TcpStream, mut server: TcpStream, acceptor: TlsAcceptor) {
    let mut request = [0; 8];
    client.read_exact(&mut request).await.unwrap();
    assert_eq!(request, [0, 0, 0, 8, 4, 210, 22, 47], "not a request for TLS");
    client.write_all(b"S").await.unwrap();
    // A client that does not trust us goes away.
    if let Ok(mut safe) = acceptor.accept(client).await {
        drop(copy_bidirectional(&mut safe, &mut server).await);
    }
}

fn open(url: String) -> Result<Store, StoreError> {
    Store::open_within(SHORT, Target::Postgres(SecretBuf::new(url)), Arc::new(Hand::default()))
}

#[test]
fn only_the_server_that_was_named_and_is_vouched_for_is_spoken_to() {
    let Some(Place::Postgres(url)) = postgres("tls") else { return };
    let (_, rest) = url.rsplit_once('@').unwrap();
    let (server, database) = rest.split_once('/').unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (ours, theirs) = (folder.path().join("ours.pem"), folder.path().join("theirs.pem"));
    let (trusted, stranger) = (authority(&ours), authority(&theirs));
    for (issuer, name, host, expected) in [
        (&trusted, "127.0.0.1", "127.0.0.1", true),
        (&trusted, "localhost", "localhost", true),
        (&trusted, "elsewhere.example", "127.0.0.1", false),
        (&stranger, "127.0.0.1", "127.0.0.1", false),
    ] {
        let port = terminate(issuer, name, server.to_owned());
        for mode in ["verify-full", "require"] {
            let opened = open(format!(
                "postgres://postgres@{host}:{port}/{database}?sslmode={mode}&sslrootcert={}",
                ours.display()
            ));
            match opened {
                Ok(store) => {
                    assert!(expected, "{name} as {host}, {mode}");
                    assert!(block_on(store.write(write("a"), |_| Ok(()))).is_ok());
                }
                Err(told) => {
                    assert!(!expected, "{name} as {host}, {mode}: {told}");
                    assert!(matches!(told, StoreError::Unreachable(_)), "{told:?}");
                }
            }
        }
    }
}

#[test]
fn a_server_without_tls_is_not_spoken_to_in_clear() {
    let Some(Place::Postgres(url)) = postgres("no_tls") else { return };
    let folder = tempfile::tempdir().unwrap();
    let roots = folder.path().join("roots.pem");
    drop(authority(&roots));
    assert!(open(url.clone()).is_ok());
    let told = open(format!("{url}?sslmode=verify-full&sslrootcert={}", roots.display()));
    assert!(matches!(told, Err(StoreError::Unreachable(_))), "{told:?}");
}
