//! The section `[authz]`: the proxies that may ask whether to forward a request.

use ipnet::IpNet;

use super::reader::Section;
use super::server::peers;
use super::store::SecretText;

/// The least characters of a door's secret: 128 bits in hexadecimal.
const MIN_SECRET: usize = 32;
/// The most characters of a door's secret.
const MAX_SECRET: usize = 512;

/// The proxies that may ask whether to forward a request.
#[derive(Debug)]
pub(crate) struct Authz {
    /// Where they ask from; nobody may if this is empty.
    pub(crate) peers: Vec<IpNet>,
    /// What they must say besides.
    pub(crate) secret: Option<SecretText>,
    /// Whether they must have proven a certificate besides.
    pub(crate) client_certificate: bool,
}

/// Reads `[authz]`; `asks` if clients are asked for certificates.
pub(super) fn authz(mut section: Section<'_, '_>, asks: bool) -> Option<Authz> {
    let at_certificate = section.at_key("client_certificate");
    let peers = section.list("peers", peers);
    let secret = section.text("secret", secret);
    let client_certificate = section.flag("client_certificate");
    if client_certificate == Some(true) && !asks {
        let message = "no client has a certificate without a `tls.client_ca`";
        section.note(at_certificate, "client_certificate", message);
    }
    section.finish(&[]);
    Some(Authz { peers: peers?, secret, client_certificate: client_certificate? })
}

fn secret(text: &str) -> Option<SecretText> {
    let good = (MIN_SECRET..=MAX_SECRET).contains(&text.len())
        && text.bytes().all(|it| it.is_ascii_graphic());
    good.then(|| SecretText::new(text))
}
