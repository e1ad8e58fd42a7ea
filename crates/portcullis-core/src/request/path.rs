//! The one path normaliser: one canonical form that is both judged and forwarded, or a refusal.
//!
//! What two servers could read differently is refused: dot segments, encoded or not; encoded
//! slashes; backslashes; path parameters (`;`), which some servers drop before they route;
//! controls; bytes that are not UTF-8. What only looks different is made one: escapes of
//! characters that may stand unescaped are decoded, once and never again (`%252e` stays), the
//! others get upper case, and empty segments are merged (RFC 3986, section 6.2.2).

use std::borrow::Cow;

use http::Uri;

use super::Malformed;

/// The longest path, in bytes.
pub const MAX_PATH: usize = 8 * 1_024;
/// The longest query, in bytes.
pub const MAX_QUERY: usize = 16 * 1_024;

/// The canonical form of `path`; borrowed if it has it already.
///
/// # Errors
/// It is no path, or could be read in two ways.
pub fn canonical_path(path: &str) -> Result<Cow<'_, str>, Malformed> {
    if path.len() > MAX_PATH {
        return Err(Malformed::PathTooLong);
    }
    if !path.starts_with('/') {
        return Err(Malformed::Path("does not begin with a slash"));
    }
    let canonical = if path.bytes().all(plain) && !path.contains("//") {
        Cow::Borrowed(path)
    } else {
        Cow::Owned(rewrite(path.as_bytes())?)
    };
    if canonical.split('/').any(|segment| matches!(segment, "." | "..")) {
        return Err(Malformed::Path("has a dot segment"));
    }
    Ok(canonical)
}

/// Unreserved characters and the delimiters that mean nothing in a path, besides the slash
/// (RFC 3986, section 3.3), without `;`.
const fn plain(byte: u8) -> bool {
    unreserved(byte)
        || matches!(
            byte,
            b'/' | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b'='
                | b':'
                | b'@'
        )
}

const fn unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn rewrite(path: &[u8]) -> Result<String, Malformed> {
    let mut out = String::with_capacity(path.len());
    // What the escapes decode to, to see whether it is UTF-8.
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte == b'%' {
            let (escaped, after) = escape(tail)?;
            rest = after;
            decoded.push(escaped);
            push_escaped(&mut out, escaped)?;
        } else if !plain(byte) {
            return Err(Malformed::Path("has a character that must be escaped"));
        } else if byte != b'/' || !out.ends_with('/') {
            decoded.push(byte);
            out.push(char::from(byte));
        }
    }
    if std::str::from_utf8(&decoded).is_err() {
        return Err(Malformed::Path("is not UTF-8"));
    }
    Ok(out)
}

/// The byte that the two digits after a percent sign stand for, and what follows them.
fn escape(digits: &[u8]) -> Result<(u8, &[u8]), Malformed> {
    let bad = Malformed::Path("has a percent sign without two hex digits");
    let ([high, low], rest) = digits.split_first_chunk().ok_or(bad)?;
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|it| u8::try_from(it).ok());
    let (high, low) = (digit(*high).ok_or(bad)?, digit(*low).ok_or(bad)?);
    Ok((high << 4 | low, rest))
}

fn push_escaped(out: &mut String, byte: u8) -> Result<(), Malformed> {
    match byte {
        b'/' => return Err(Malformed::Path("has an encoded slash")),
        b'\\' => return Err(Malformed::Path("has an encoded backslash")),
        // Escaped, it is no delimiter by RFC 3986; a server that decodes before it cuts path
        // parameters off would make it one.
        b';' => return Err(Malformed::Path("has an encoded semicolon")),
        0..=0x1f | 0x7f => return Err(Malformed::Path("has an encoded control character")),
        // By RFC 3986 `%40api` and `@api` differ; to most upstreams they are one, so here too.
        _ if plain(byte) && byte != b'+' => out.push(char::from(byte)),
        _ => {
            let digit =
                |half: u8| char::from_digit(half.into(), 16).map(|it| it.to_ascii_uppercase());
            out.push('%');
            out.extend(digit(byte >> 4));
            out.extend(digit(byte & 0xf));
        }
    }
    Ok(())
}

/// The query of `uri`, verbatim.
pub(super) fn query(uri: &Uri) -> Result<Option<&str>, Malformed> {
    let Some(query) = uri.query() else { return Ok(None) };
    if query.len() > MAX_QUERY {
        return Err(Malformed::PathTooLong);
    }
    // Visible ASCII; what else the HTTP parser lets through, two servers may read differently.
    let fine = query.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    if fine { Ok(Some(query)) } else { Err(Malformed::Query) }
}
