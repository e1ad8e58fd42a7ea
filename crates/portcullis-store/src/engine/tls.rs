//! TLS to PostgreSQL: the chain and the host's name are always verified, against roots that the URL
//! names. What is asked for and cannot be had is an error; nothing falls back to plain text.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use portcullis_core::secret::SecretBuf;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::Config;
use tokio_postgres::config::Host;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::StoreError;

/// What a URL says of TLS, and the URL that the client is given.
#[derive(Debug)]
pub(super) struct Wanted {
    /// Without what the client does not know.
    url: SecretBuf,
    /// Whether it says anything, be it that there shall be none.
    chosen: bool,
    tls: Option<PathBuf>,
}

impl Wanted {
    /// Takes `sslmode` and `sslrootcert` out of a URL.
    ///
    /// `sslmode=require` is as strict as `verify-full`, and so is a URL with `sslrootcert` alone.
    pub(super) fn of(url: &str) -> Result<Self, StoreError> {
        if !url.contains("://") {
            return Err(refused("the database URL is not one"));
        }
        // The client too takes all up to the first `@` for name and password.
        let (person, rest) = url.split_once('@').unwrap_or(("", url));
        let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (mut mode, mut roots, mut kept) = (None, None, Vec::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", value)) => mode = Some(value),
                Some(("sslrootcert", value)) => roots = Some(value),
                _ => kept.push(pair),
            }
        }
        let tls = match (mode, roots) {
            (None | Some("disable"), None) => None,
            (None | Some("require" | "verify-full"), Some(file)) if !file.contains('%') => {
                Some(PathBuf::from(file))
            }
            (Some("require" | "verify-full"), None) => {
                return Err(refused("`sslmode` needs `sslrootcert`, a file of root certificates"));
            }
            _ => {
                let known = "`sslmode` is `disable`, `require` or `verify-full`, the last two with \
                             `sslrootcert`, a path without `%`";
                return Err(refused(known));
            }
        };
        // Given to the client too: it must insist on what it is given a connector for.
        kept.push(if tls.is_some() { "sslmode=require" } else { "sslmode=disable" });
        let query = kept.join("&");
        let url = if person.is_empty() {
            format!("{address}?{query}")
        } else {
            format!("{person}@{address}?{query}")
        };
        let chosen = mode.is_some() || roots.is_some();
        Ok(Self { url: SecretBuf::new(url), chosen, tls })
    }

    /// What else it says.
    pub(super) fn config(&self) -> Result<Config, StoreError> {
        // The parser's own message may quote the password.
        self.url.expose_text().parse().map_err(|_| refused("the database URL is not one"))
    }

    /// Whether it leads to another machine, and leaves open how.
    pub(super) fn is_exposed(&self) -> Result<bool, StoreError> {
        let config = self.config()?;
        let remote = |address: &IpAddr| !address.to_canonical().is_loopback();
        let named = |host: &Host| match host {
            Host::Tcp(name) => name.parse().map_or(name != "localhost", |address| remote(&address)),
            Host::Unix(_) => false,
        };
        let addresses = config.get_hostaddrs();
        let away = if addresses.is_empty() {
            config.get_hosts().iter().any(named)
        } else {
            addresses.iter().any(remote)
        };
        Ok(away && !self.chosen)
    }

    /// What makes the connection safe, if it is to be.
    pub(super) fn connector(&self) -> Result<Option<MakeRustlsConnect>, StoreError> {
        let Some(file) = &self.tls else { return Ok(None) };
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| StoreError::Unreachable(error.to_string()))?;
        let config = builder.with_root_certificates(roots(file)?).with_no_client_auth();
        Ok(Some(MakeRustlsConnect::new(config)))
    }
}

/// The certificates in `file`: at least one, and each of them sound.
fn roots(file: &Path) -> Result<RootCertStore, StoreError> {
    let what = || format!("the root certificates `{}`", file.display());
    let pem = fs::read(file).map_err(|source| StoreError::Folder { what: what(), source })?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let added = certificate
            .map_err(|error| error.to_string())
            .and_then(|certificate| roots.add(certificate).map_err(|error| error.to_string()));
        added.map_err(|reason| StoreError::Unreachable(format!("{}: {reason}", what())))?;
    }
    if roots.is_empty() {
        return Err(StoreError::Unreachable(format!("{} hold none", what())));
    }
    Ok(roots)
}

fn refused(reason: &str) -> StoreError {
    StoreError::Unreachable(reason.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_asks_for_tls_with_roots_or_for_none_and_anything_between_is_refused() {
        let plain = "postgres://a:b@h/d?sslmode=disable";
        let safe = "postgres://a:b@h/d?sslmode=require";
        for (query, expected) in [
            ("", Some((plain, None))),
            ("?", Some((plain, None))),
            ("?sslmode=disable", Some((plain, None))),
            ("?sslmode=verify-full&sslrootcert=/r.pem", Some((safe, Some("/r.pem")))),
            ("?sslrootcert=/r.pem&sslmode=require", Some((safe, Some("/r.pem")))),
            ("?sslrootcert=/r.pem", Some((safe, Some("/r.pem")))),
            ("?sslmode=require", None),
            ("?sslmode=verify-full", None),
            ("?sslmode=verify-ca&sslrootcert=/r.pem", None),
            ("?sslmode=prefer", None),
            ("?sslmode=prefer&sslrootcert=/r.pem", None),
            ("?sslmode=disable&sslrootcert=/r.pem", None),
            ("?sslmode=", None),
            ("?sslmode=require&sslrootcert=%2Fr.pem", None),
        ] {
            let wanted = Wanted::of(&format!("postgres://a:b@h/d{query}")).ok();
            let found = wanted.as_ref().map(|it| (it.url.expose_text(), it.tls.as_deref()));
            let expected = expected.map(|(url, roots)| (url, roots.map(Path::new)));
            assert_eq!(found, expected, "{query}");
        }
        let kept = Wanted::of("postgres://h/d?sslmode=disable&keepalives=0").unwrap();
        assert_eq!(kept.url.expose_text(), "postgres://h/d?keepalives=0&sslmode=disable");
        let odd = Wanted::of("postgres://a:b?sslmode=c@h/d").unwrap();
        assert_eq!(odd.url.expose_text(), "postgres://a:b?sslmode=c@h/d?sslmode=disable");
        assert!(Wanted::of("host=h sslmode=prefer").is_err());
    }

    #[test]
    fn a_url_to_another_machine_that_leaves_tls_open_is_exposed() {
        for (url, exposed) in [
            ("postgres://a:b@db.example/d", true),
            ("postgres://192.0.2.7/d", true),
            ("postgres://[2001:db8::7]/d", true),
            ("postgres://localhost,db.example/d", true),
            ("postgres:///d?host=db.example", true),
            ("postgres://localhost/d?hostaddr=192.0.2.7", true),
            ("postgres://db.example/d?sslmode=disable", false),
            ("postgres://db.example/d?sslrootcert=/r.pem", false),
            ("postgres://localhost/d", false),
            ("postgres://127.0.0.1:5433/d", false),
            ("postgres://[::1]/d", false),
            ("postgres://%2Frun%2Fpostgresql/d", false),
            ("postgres:///d?host=/run/postgresql", false),
            ("postgres://db.example/d?hostaddr=127.0.0.1", false),
        ] {
            assert_eq!(Wanted::of(url).unwrap().is_exposed().unwrap(), exposed, "{url}");
        }
        assert!(Wanted::of("postgres://h:port/d").unwrap().is_exposed().is_err());
    }

    #[test]
    fn roots_that_are_missing_none_or_damaged_are_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("roots.pem");
        assert!(matches!(roots(&file), Err(StoreError::Folder { .. })));
        let damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for content in ["", "no certificate", damaged] {
            fs::write(&file, content).unwrap();
            assert!(matches!(roots(&file), Err(StoreError::Unreachable(_))), "{content}");
        }
    }
}
