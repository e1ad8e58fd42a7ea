//! Patterns of hosts.

use http::header::ORIGIN;
use http::{HeaderMap, HeaderValue};
use portcullis_core::host_patterns::{HostPatterns, origin_host};
use portcullis_core::request::canonical_host;

/// A list of patterns, or where a request says it comes from.
///
/// # Panics
/// A pattern has a host that does not end as it does, or a host is read that is not canonical.
pub fn host_patterns(data: &[u8]) {
    if let Ok(value) = HeaderValue::from_bytes(data) {
        let mut headers = HeaderMap::new();
        headers.insert(ORIGIN, value);
        if let Some((host, origin)) = origin_host(&headers) {
            assert_eq!(canonical_host(&host).unwrap(), *host, "{origin}");
        }
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(patterns) = HostPatterns::parse(text) else { return };
    for part in text.split([',', ' ', '\t', '\n', '\r', '\x0c']).filter(|part| !part.is_empty()) {
        let host = canonical_host(part.trim_start_matches("*.")).unwrap();
        let below = format!("a.{host}");
        assert!(patterns.have(if part.starts_with("*.") { &below } else { &host }), "{part}");
        assert!(!patterns.have(&format!("{host}.not-there.invalid")), "{part}");
    }
}
