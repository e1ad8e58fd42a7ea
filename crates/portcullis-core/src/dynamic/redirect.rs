//! Where an answer may lead: to a page of the web, or to a path of the same origin.

use http::{HeaderValue, Uri};
use serde_json::Value;

use super::BadAnswer;

/// The longest redirect, in bytes.
pub const MAX_REDIRECT: usize = 2_048;

/// The `Location` that `written` names.
pub(super) fn read(written: Value) -> Result<HeaderValue, BadAnswer> {
    let Value::String(text) = written else { return Err(BadAnswer::Redirect) };
    // Browsers read a backslash as a slash, and drop blanks and control characters.
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
    let good = text.len() <= MAX_REDIRECT
        && text.bytes().all(plain)
        && (is_path(&text) || is_absolute(&text));
    let value = HeaderValue::try_from(text).ok().filter(|_| good);
    value.ok_or(BadAnswer::Redirect)
}

/// Two slashes begin a host (RFC 3986, section 4.2).
fn is_path(text: &str) -> bool {
    text.starts_with('/') && !text.starts_with("//")
}

fn is_absolute(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else { return false };
    let web = uri
        .scheme_str()
        .is_some_and(|it| it.eq_ignore_ascii_case("http") || it.eq_ignore_ascii_case("https"));
    // Whoever reads `https://good.example@evil.example` takes the wrong one for the host.
    let host = uri.authority().filter(|it| !it.as_str().contains('@') && !it.host().is_empty());
    web && host.is_some()
}
