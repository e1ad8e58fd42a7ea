//! Who vouches for upstreams that speak TLS: the roots of a file, or those of the system.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// The longest file, in bytes: 1 MiB.
const MAX_FILE: u64 = 1 << 20;

/// Why nobody vouches for upstreams: the operator's fault.
#[derive(Debug, thiserror::Error)]
#[error("`{}` {why}", path.display())]
pub(crate) struct BadRoots {
    path: PathBuf,
    #[source]
    why: Why,
}

#[derive(Debug, thiserror::Error)]
enum Why {
    #[error("holds a certificate that cannot be read")]
    BadCertificate,
    #[error("holds no certificate")]
    NoCertificate,
    #[error("is not PEM")]
    NotPem,
    #[error("has more than {MAX_FILE} bytes")]
    TooLong,
    #[error("cannot be read: {0}")]
    Unreadable(#[from] io::Error),
}

/// Reads the roots of a PEM file, each of which must be good: one that was left out in silence would
/// be missed at the worst of times.
///
/// # Errors
/// It cannot be read, or holds none.
pub(crate) fn read(path: &Path) -> Result<RootCertStore, BadRoots> {
    collect(path).map_err(|why| BadRoots { path: path.into(), why })
}

fn collect(path: &Path) -> Result<RootCertStore, Why> {
    let mut text = Vec::new();
    // One byte beyond the limit shows that there is more, without reading all of it.
    File::open(path)?.take(MAX_FILE + 1).read_to_end(&mut text)?;
    if text.len() as u64 > MAX_FILE {
        return Err(Why::TooLong);
    }
    let mut roots = RootCertStore::empty();
    for one in CertificateDer::pem_slice_iter(&text) {
        roots.add(one.map_err(|_| Why::NotPem)?).map_err(|_| Why::BadCertificate)?;
    }
    if roots.is_empty() { Err(Why::NoCertificate) } else { Ok(roots) }
}

/// The roots of the system, as far as they can be read.
pub(crate) fn of_the_system() -> RootCertStore {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "a root of the system cannot be read");
    }
    let mut roots = RootCertStore::empty();
    let (added, ignored) = roots.add_parsable_certificates(found.certs);
    tracing::debug!(added, ignored, "the roots of the system");
    roots
}
