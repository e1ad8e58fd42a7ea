//! Certificate, key and roots: read from their files, and checked against each other.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fmt, fs};

use portcullis_core::time::{Clock, Timestamp};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::aws_lc_rs::{Ticketer, default_provider};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, ParsedCertificate, WebPkiClientVerifier};
use rustls::time_provider::TimeProvider;
use rustls::version::{TLS12, TLS13};
use rustls::{CertificateError, RootCertStore, ServerConfig};
use zeroize::Zeroizing;

use super::{H2, HTTP_11, Terms, unix};
use crate::config::{self, Mistake, Mistakes};

/// The longest file, in bytes: 1 MiB.
const MAX_FILE: u64 = 1 << 20;
/// What strangers on the machine may do with a key's file, as bits of its mode.
const OTHERS: u32 = 0o007;

/// What the files hold.
pub(super) struct Files {
    settings: config::Tls,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    roots: Option<RootCertStore>,
}

/// What is wrong with the files: always the operator's fault.
#[derive(Debug)]
pub(crate) struct BadFiles(Vec<BadFile>);

/// What is wrong with one of them. Nothing of what it holds is told: it may be the key.
#[derive(Debug, thiserror::Error)]
#[error("`{}` {why}", path.display())]
struct BadFile {
    /// Which of the keys of `[tls]` names it.
    key: &'static str,
    path: PathBuf,
    #[source]
    why: Why,
}

#[derive(Debug, thiserror::Error)]
enum Why {
    #[error("holds a certificate that cannot be read")]
    BadCertificate,
    #[error("holds a private key that cannot be used")]
    BadKey,
    #[error("holds a certificate that has expired")]
    Expired,
    #[error("is not the private key of the certificate")]
    Mismatch,
    #[error("holds no certificate")]
    NoCertificate,
    #[error("holds no private key that is not encrypted")]
    NoKey,
    #[error("is not PEM")]
    NotPem,
    #[error("holds a certificate that is not valid yet")]
    NotYetValid,
    #[error("holds several private keys")]
    SeveralKeys,
    #[error("has more than {MAX_FILE} bytes")]
    TooLong,
    #[error("cannot be read: {0}")]
    Unreadable(io::Error),
    #[error("cannot be used: {0}")]
    Unusable(String),
}

impl fmt::Display for BadFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&told.join("; "))
    }
}

impl std::error::Error for BadFiles {}

impl BadFiles {
    /// Whether time alone makes them good.
    pub(super) fn is_early(&self) -> bool {
        self.0.iter().all(|bad| matches!(bad.why, Why::NotYetValid))
    }
}

/// Reads the files of `settings` without using them; what had better be otherwise.
///
/// # Errors
/// The mistakes of the operator.
pub(crate) fn check(
    settings: &config::Tls,
    clock: &Arc<dyn Clock>,
) -> Result<Vec<String>, Mistakes> {
    let checked = Files::read(settings).and_then(|files| {
        let warnings = files.warnings(clock.now().wall);
        files.settle(clock).map(|_| warnings)
    });
    checked.map_err(|bad| {
        let mut mistakes = Mistakes::default();
        for file in bad.0 {
            let key = format!("tls.{}", file.key);
            mistakes.push(Mistake::at(&settings.place, key, file.to_string()));
        }
        mistakes
    })
}

impl Files {
    /// Reads them all; every mistake is told at once.
    pub(super) fn read(settings: &config::Tls) -> Result<Self, BadFiles> {
        let chain = certificates("certificate", &settings.certificate);
        let key = key(&settings.key);
        let roots = settings.client_ca.as_deref().map(roots).transpose();
        match (chain, key, roots) {
            (Ok(chain), Ok(key), Ok(roots)) => {
                Ok(Self { settings: settings.clone(), chain, key, roots })
            }
            (chain, key, roots) => {
                Err(BadFiles([chain.err(), key.err(), roots.err()].into_iter().flatten().collect()))
            }
        }
    }

    /// How TLS is spoken with them.
    pub(super) fn settle(self, clock: &Arc<dyn Clock>) -> Result<Terms, BadFiles> {
        let Self { settings, chain, key, roots } = self;
        let config::Tls { certificate, key: key_file, client_ca, .. } = &settings;
        let bad = |key, path: &Path, why| BadFiles(vec![BadFile { key, path: path.into(), why }]);
        let clients = roots.map(verifier).transpose();
        let ca_file = client_ca.as_deref().unwrap_or(certificate);
        let clients = clients.map_err(|why| bad("client_ca", ca_file, why))?;
        let config = server_config(chain, key, clients.clone(), clock).map_err(|why| {
            if matches!(why, rustls::Error::InvalidCertificate(_)) {
                return bad("certificate", certificate, Why::BadCertificate);
            }
            let mismatch = matches!(why, rustls::Error::InconsistentKeys(_));
            bad("key", key_file, if mismatch { Why::Mismatch } else { Why::BadKey })
        })?;
        Ok(Terms { config: Arc::new(config), clients })
    }

    /// Whether the certificate is of this time.
    pub(super) fn check_time(&self, now: Timestamp) -> Result<(), BadFiles> {
        let why = self.chain.first().and_then(|own| untimely(own, unix(now)));
        why.map_or(Ok(()), |why| {
            let path = self.settings.certificate.clone();
            Err(BadFiles(vec![BadFile { key: "certificate", path, why }]))
        })
    }

    fn warnings(&self, now: Timestamp) -> Vec<String> {
        let untimely = self.check_time(now).err().map(|bad| bad.to_string());
        let key = &self.settings.key;
        let mode = fs::metadata(key).map(|it| it.permissions().mode());
        let open = mode.is_ok_and(|mode| mode & OTHERS != 0).then(|| {
            format!(
                "`{}` is a private key, and everybody on this machine may read it",
                key.display()
            )
        });
        untimely.into_iter().chain(open).collect()
    }
}

fn key(path: &Path) -> Result<PrivateKeyDer<'static>, BadFile> {
    let bad = |why| BadFile { key: "key", path: path.into(), why };
    let text = read(path).map_err(bad)?;
    let mut keys = PrivateKeyDer::pem_slice_iter(&text);
    match (keys.next(), keys.next()) {
        (Some(Ok(key)), None) => Ok(key),
        (Some(Ok(_)), Some(Ok(_))) => Err(bad(Why::SeveralKeys)),
        (None, _) | (Some(Err(pem::Error::NoItemsFound)), _) => Err(bad(Why::NoKey)),
        (Some(_), _) => Err(bad(Why::NotPem)),
    }
}

fn certificates(key: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, BadFile> {
    let bad = |why| BadFile { key, path: path.into(), why };
    let text = read(path).map_err(bad)?;
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let all = all.map_err(|_| bad(Why::NotPem))?;
    if all.is_empty() { Err(bad(Why::NoCertificate)) } else { Ok(all) }
}

fn roots(path: &Path) -> Result<RootCertStore, BadFile> {
    let mut roots = RootCertStore::empty();
    for one in certificates("client_ca", path)? {
        // One that was left out in silence would be missed at the worst of times.
        roots.add(one).map_err(|_| BadFile {
            key: "client_ca",
            path: path.into(),
            why: Why::BadCertificate,
        })?;
    }
    Ok(roots)
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Why> {
    let mut file = File::open(path).map_err(Why::Unreadable)?;
    let length = file.metadata().map_err(Why::Unreadable)?.len();
    // Room for all of it at once, for a piece that grows leaves copies behind.
    let room = usize::try_from(length.min(MAX_FILE) + 2).map_err(|_| Why::TooLong)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    // One byte beyond the limit shows that there is more, without reading all of it.
    let count = (&mut file).take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(Why::Unreadable)?;
    if count as u64 > MAX_FILE { Err(Why::TooLong) } else { Ok(bytes) }
}

/// A client need not show a certificate, for guards demand it; one that is shown must be good.
fn verifier(roots: RootCertStore) -> Result<Arc<dyn ClientCertVerifier>, Why> {
    let provider = Arc::new(default_provider());
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    builder.allow_unauthenticated().build().map_err(|error| Why::Unusable(error.to_string()))
}

fn server_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    clients: Option<Arc<dyn ClientCertVerifier>>,
    clock: &Arc<dyn Clock>,
) -> Result<ServerConfig, rustls::Error> {
    let time = Arc::new(ByClock(Arc::clone(clock)));
    let builder = ServerConfig::builder_with_details(Arc::new(default_provider()), time);
    let builder = builder.with_protocol_versions(&[&TLS13, &TLS12])?;
    let asks = clients.is_some();
    let builder = match clients {
        Some(clients) => builder.with_client_cert_verifier(clients),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain, key)?;
    config.alpn_protocols = vec![H2.to_vec(), HTTP_11.to_vec()];
    if asks {
        // A session that is resumed shows nothing: what was verified once would never be again.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    } else {
        config.ticketer = Ticketer::new()?;
    }
    Ok(config)
}

/// Only our clock reads the clock.
#[derive(Debug)]
struct ByClock(Arc<dyn Clock>);

impl TimeProvider for ByClock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(unix(self.0.now().wall))
    }
}

/// Why a certificate is not good at `now`, if that is so. To ask who vouches for it is the
/// client's affair; that its time is looked at before that gives us the answer.
fn untimely(certificate: &CertificateDer<'_>, now: UnixTime) -> Option<Why> {
    let parsed = ParsedCertificate::try_from(certificate).ok()?;
    let (roots, algorithms) = (RootCertStore::empty(), default_provider());
    let algorithms = algorithms.signature_verification_algorithms.all;
    let judged = verify_server_cert_signed_by_trust_anchor(&parsed, &roots, &[], now, algorithms);
    let Err(rustls::Error::InvalidCertificate(why)) = judged else { return None };
    if matches!(why, CertificateError::Expired | CertificateError::ExpiredContext { .. }) {
        return Some(Why::Expired);
    }
    let early =
        matches!(why, CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. });
    early.then_some(Why::NotYetValid)
}
