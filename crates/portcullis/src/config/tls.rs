//! The section `[tls]`: what the server shows to clients, and what it asks of them.

use std::path::PathBuf;

use super::mistake::Place;
use super::reader::Section;
use super::source::Source;
use super::store::path;

/// What the server shows to clients, and what it asks of them; files in PEM.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Tls {
    /// The certificate of the server, with those that lead from it to a root.
    pub(crate) certificate: PathBuf,
    /// Its private key.
    pub(crate) key: PathBuf,
    /// The roots of the certificates that clients may show.
    pub(crate) client_ca: Option<PathBuf>,
    /// Where the section starts.
    pub(crate) place: Place,
}

/// Reads `[tls]`; there is none without a certificate.
pub(super) fn tls(mut section: Section<'_, '_>, source: &Source<'_>) -> Option<Tls> {
    let place = source.place(section.at());
    let written = ["certificate", "key", "client_ca"].iter().any(|name| section.has(name));
    for name in ["certificate", "key"].iter().filter(|name| written && !section.has(name)) {
        if !section.incomplete() {
            section.note(None, name, "missing: a certificate and its key need each other");
        }
    }
    let certificate = section.text("certificate", path);
    let key = section.text("key", path);
    let client_ca = section.text("client_ca", path);
    section.finish(&[]);
    Some(Tls { certificate: certificate?, key: key?, client_ca, place })
}
