//! Percent-encoding as forms do it, strictly: every escape whole, every text UTF-8.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// All but the unreserved characters (RFC 3986, section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What `text` stands for, if it is well-formed.
pub(super) fn decode(text: &str) -> Option<String> {
    let digits = |after: &str| after.bytes().take(2).filter(u8::is_ascii_hexdigit).count();
    let whole = text.split('%').skip(1).all(|after| digits(after) == 2);
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().ok();
    decoded.filter(|_| whole).map(Into::into)
}

/// `text` as it may stand in a query.
pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}
