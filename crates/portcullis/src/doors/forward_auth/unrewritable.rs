//! What the proxy door removes from a request, and a proxy that asks may forward all the same.

use http::header::UPGRADE;
use http::{HeaderMap, HeaderName};
use portcullis_core::request::folded_eq;

use crate::doors::identity;

/// Headers by which an upstream may take a request for another one than was judged.
const OVERRIDES: &[&str] = &[
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
];

/// The one difference between the doors: a request that would have to be rewritten is refused
/// where nobody here can, as is a path in [another form](portcullis_core::request::Unjudged) than
/// the canonical one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unrewritable {
    /// A header that only a proxy may set, under an alias, which a proxy that sets it leaves be.
    Alias,
    /// The offer to go on in HTTP/2, which everybody is to ignore, and behind which requests would
    /// travel that nobody is asked about.
    Http2,
    /// A header that names another method or path.
    Override,
}

impl Unrewritable {
    /// The name of the reason, for the log alone.
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::Alias => "header_under_alias",
            Self::Http2 => "upgrade_to_http2",
            Self::Override => "overriding_header",
        }
    }
}

/// Looks for what would have to be removed from a request with these `headers`.
pub(super) fn look(headers: &HeaderMap) -> Result<(), Unrewritable> {
    let offers = headers.get_all(UPGRADE).iter();
    let mut offers = offers.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    if offers.any(|offer| offer.trim_ascii().eq_ignore_ascii_case(b"h2c")) {
        return Err(Unrewritable::Http2);
    }
    for name in headers.keys() {
        if OVERRIDES.iter().any(|other| folded_eq(name.as_str(), other)) {
            return Err(Unrewritable::Override);
        }
        if identity::is_reserved(name) && !is_plain(name) {
            return Err(Unrewritable::Alias);
        }
    }
    Ok(())
}

/// Whether the name is written as proxies write those that they set.
fn is_plain(name: &HeaderName) -> bool {
    name.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_have_to_be_removed_is_found() {
        for (name, found) in [
            ("accept", Ok(())),
            ("upgrade", Err(Unrewritable::Http2)),
            ("x_custom", Ok(())),
            ("portcullis-user", Ok(())),
            ("x-forwarded-for", Ok(())),
            ("x-auth-request-redirect", Ok(())),
            ("portcullis_user", Err(Unrewritable::Alias)),
            ("portcullis.user", Err(Unrewritable::Alias)),
            ("remote_groups", Err(Unrewritable::Alias)),
            ("x_forwarded_prefix", Err(Unrewritable::Alias)),
            ("x-http-method-override", Err(Unrewritable::Override)),
            ("x_http_method_override", Err(Unrewritable::Override)),
            ("x-original-url", Err(Unrewritable::Override)),
            ("x-rewrite-url", Err(Unrewritable::Override)),
        ] {
            let name: HeaderName = name.parse().unwrap();
            let headers = HeaderMap::from_iter([(name.clone(), "websocket, H2C".parse().unwrap())]);
            assert_eq!(look(&headers), found, "{name}");
        }
    }
}
