//! Keys that pages carry: whose pages may use one, and what a browser is told of it.

use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, StatusCode};
use hyper::body::Bytes;
use portcullis_core::host_patterns::{HostPatterns, origin_host};
use portcullis_core::lookup::CredentialLookup as _;
use portcullis_core::scheme::SIGNATURE;
use portcullis_core::scheme::signature::{self, option};

use super::caller::TOKEN;
use super::failure::{self, Failure};
use super::{Body, Success};
use crate::dialects::Call;

const METHODS: &str = "GET, POST, PUT, DELETE";
const HEADERS: &str =
    "X-Deki-Token, X-Deki-Client, X-Deki-Requested-With, X-Requested-With, Content-Type";
const EXPOSED: &str = "X-Deki-Session, X-Deki-Site";

/// Whether the page that calls may use `key`. It proves nobody.
pub(super) fn judge(call: &Call<'_>, key: &[u8]) -> Result<(), Failure> {
    let key = std::str::from_utf8(key).map_err(|_| Failure::token("malformed"))?;
    let named = call.services.gate.name((SIGNATURE, key), &call.site());
    let named = named.map_err(|unknown| failure::unknown(unknown, Failure::token))?;
    let keyring = call.services.gate.memory().keyring(named.principal.credential.id);
    let hosts = keyring.and_then(|keyring| keyring.options.get(option::HOSTS).cloned());
    let (host, _) = origin_host(call.head.headers()).ok_or_else(|| Failure::token("no_origin"))?;
    let fits = hosts.and_then(|hosts| HostPatterns::parse(&hosts).ok());
    if fits.is_some_and(|patterns| patterns.have(&host)) {
        Ok(())
    } else {
        Err(Failure::token("other_origin"))
    }
}

/// What a browser asks before it lets a page call. It does not say the key, so that the pages of all
/// keys are told yes.
pub(super) fn preflight(call: &Call<'_>) -> Result<Success, Failure> {
    if !is_any(call) {
        return Err(Failure::token("other_origin"));
    }
    let mut headers = HeaderMap::new();
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let body = Body::Text("text/plain; charset=utf-8", Bytes::new());
    Ok(Success { status: StatusCode::NO_CONTENT, headers, body })
}

/// Lets the page that may call read the answer.
pub(super) fn share(call: &Call<'_>, headers: &mut HeaderMap) {
    let Some((_, origin)) = origin_host(call.head.headers()) else { return };
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    let asks = call.head.method() == http::Method::OPTIONS && is_any(call);
    let carries = || match call.head.single(&TOKEN) {
        Ok(Some(key)) => signature::is_key(key) && judge(call, key).is_ok(),
        Ok(None) | Err(_) => false,
    };
    let Ok(origin) = HeaderValue::from_str(origin) else { return };
    if !asks && !carries() {
        return;
    }
    let pairs: [(HeaderName, HeaderValue); 3] = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, origin),
        (header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true")),
        (header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED)),
    ];
    headers.extend(pairs);
}

/// Whether some key of a browser may be used by the page that asks.
fn is_any(call: &Call<'_>) -> bool {
    let Some((host, _)) = origin_host(call.head.headers()) else { return false };
    call.services.gate.memory().any_keyring(call.mount.realm, |keyring| {
        let hosts = keyring.options.get(option::HOSTS);
        let patterns = hosts.and_then(|hosts| HostPatterns::parse(hosts).ok());
        patterns.is_some_and(|patterns| patterns.have(&host))
    })
}
