//! Where a request says it comes from (RFC 6454, section 7).

use http::HeaderMap;
use http::header::ORIGIN;

use super::host;

/// Where a request says it comes from: what a page cannot have a browser lie about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// From elsewhere, or from where nobody says: another host or port, `null`, several.
    Foreign,
    /// From the very host and port that it goes to.
    Own,
    /// It does not say.
    Unsaid,
}

/// Where the headers of a request to `host` and `port` say that it comes from; `secure` if it came
/// encrypted, to us or to a proxy that is believed.
pub(super) fn of(headers: &HeaderMap, host: &str, port: Option<u16>, secure: bool) -> Origin {
    let mut said = headers.get_all(ORIGIN).iter();
    match (said.next(), said.next()) {
        (None, _) => Origin::Unsaid,
        (Some(value), None) if is_own(value.as_bytes(), host, port, secure) => Origin::Own,
        (Some(_), _) => Origin::Foreign,
    }
}

/// Where TLS ends before us and nobody says so, either scheme may be ours; where it is known, a page
/// that came in the clear is anybody's. A port that is not written is that of the origin's
/// scheme.
fn is_own(origin: &[u8], host: &str, port: Option<u16>, secure: bool) -> bool {
    let Ok(text) = std::str::from_utf8(origin) else { return false };
    let http = text.strip_prefix("http://").filter(|_| !secure).map(|rest| (rest, 80));
    let https = text.strip_prefix("https://").map(|rest| (rest, 443));
    let Some((authority, usual)) = http.or(https) else { return false };
    let Ok((name, said)) = host::read(authority) else { return false };
    name == host && said.unwrap_or(usual) == port.unwrap_or(usual)
}
