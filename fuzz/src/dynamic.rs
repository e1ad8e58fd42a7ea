//! Answers that an upstream writes down as JSON.

use http::StatusCode;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION, REFRESH, TRANSFER_ENCODING};
use portcullis_core::dynamic::{Answer, MAX_REDIRECT};
use portcullis_core::request::{MAX_HEADER_COUNT, MAX_HEADERS};

/// No message is longer, in bytes, however much was written.
const LONGEST_MESSAGE: usize = 100;

/// The JSON that an upstream answers with.
///
/// # Panics
/// It becomes an answer that no server may give, or leads where no answer may lead.
pub fn dynamic(data: &[u8]) {
    let answer = match Answer::parse(data) {
        Ok(answer) => answer,
        Err(bad) => return assert!(bad.to_string().len() <= LONGEST_MESSAGE, "{bad}"),
    };
    let (status, headers) = (answer.status, &answer.headers);
    assert!((200..=599).contains(&status.as_u16()), "{status}");
    // What is set here may come on top: the type and the location.
    assert!(headers.len() <= MAX_HEADER_COUNT + 2);
    let size: usize = headers.values().map(http::HeaderValue::len).sum();
    assert!(size <= MAX_HEADERS + MAX_REDIRECT + 64);
    for name in [CONTENT_LENGTH, TRANSFER_ENCODING, REFRESH] {
        assert!(!headers.contains_key(&name), "{name}");
    }
    assert!(headers.keys().all(|name| headers.get_all(name).iter().count() == 1));
    assert!(headers.values().all(|value| value.to_str().is_ok()), "not ASCII");
    if let Some(location) = headers.get(LOCATION) {
        let location = location.to_str().unwrap();
        assert!(matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308), "{status}");
        assert!(location.len() <= MAX_REDIRECT && !location.contains(['\\', ' ']), "{location}");
        let small = location.to_ascii_lowercase();
        let path = location.starts_with('/') && !location.starts_with("//");
        let web = small.starts_with("http://") || small.starts_with("https://");
        assert!(path || web, "{location}");
    }
    let bare = [StatusCode::NO_CONTENT, StatusCode::RESET_CONTENT, StatusCode::NOT_MODIFIED];
    if bare.contains(&status) {
        assert!(answer.body.is_empty());
    } else {
        assert!(headers.contains_key(CONTENT_TYPE));
    }
}
