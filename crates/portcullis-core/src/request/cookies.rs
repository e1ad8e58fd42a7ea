//! The pairs of a `Cookie` header (RFC 6265, section 4.2.1).

use std::{fmt, iter};

/// One pair of a `Cookie` header, as it was sent.
#[derive(Clone, Copy)]
pub struct CookiePair<'r> {
    /// All of it, with the blanks around it.
    pub raw: &'r [u8],
    /// What stands before the first `=`; empty if there is none.
    pub name: &'r [u8],
    /// What follows the first `=`.
    pub value: &'r [u8],
}

impl fmt::Debug for CookiePair<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CookiePair(..)")
    }
}

/// The pairs of a `Cookie` header, in their order. Only a semicolon parts them, within quotes too:
/// RFC 6265 gives quotes no other meaning than to be sent back.
pub fn cookie_pairs(header: &[u8]) -> impl Iterator<Item = CookiePair<'_>> {
    let mut rest = Some(header);
    iter::from_fn(move || {
        let text = rest?;
        let (raw, others) = cut(text, b';').map_or((text, None), |(raw, it)| (raw, Some(it)));
        rest = others;
        let pair = raw.trim_ascii();
        let (name, value) = cut(pair, b'=').unwrap_or((b"", pair));
        Some(CookiePair { raw, name, value })
    })
}

/// What stands before the first `at` in `text`, and what after it.
fn cut(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let (before, rest) = text.split_at_checked(memchr::memchr(at, text)?)?;
    Some((before, rest.split_first()?.1))
}

/// The value without the quotes that may stand around it.
pub fn unquoted(value: &[u8]) -> &[u8] {
    let inner = value.strip_prefix(b"\"").and_then(|it| it.strip_suffix(b"\""));
    inner.unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_semicolon_parts_pairs_and_the_first_equals_sign_a_name_from_its_value() {
        let read = |header: &'static str| {
            let text = |bytes| std::str::from_utf8(bytes).unwrap();
            let pairs = cookie_pairs(header.as_bytes());
            pairs.map(|it| (text(it.name), text(it.value))).collect::<Vec<_>>()
        };
        for (header, pairs) in [
            ("", &[("", "")][..]),
            ("a=1", &[("a", "1")]),
            ("a=1; b=2=3;c=", &[("a", "1"), ("b", "2=3"), ("c", "")]),
            ("a = 1 ;\tb=\"2\"", &[("a ", " 1"), ("b", "\"2\"")]),
            ("a=\"1; b=2\"", &[("a", "\"1"), ("b", "2\"")]),
            ("a;=1;", &[("", "a"), ("", "1"), ("", "")]),
        ] {
            assert_eq!(read(header), pairs, "{header}");
        }
    }

    #[test]
    fn quotes_go_in_pairs_alone() {
        for (value, inner) in
            [("\"a\"", "a"), ("a", "a"), ("\"a", "\"a"), ("\"", "\""), ("\"\"", "")]
        {
            assert_eq!(unquoted(value.as_bytes()), inner.as_bytes(), "{value}");
        }
    }
}
