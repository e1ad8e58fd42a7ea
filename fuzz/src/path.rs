//! The path normaliser: one form, that every server reads as the path that was sent.

use http::uri::PathAndQuery;
use portcullis_core::request::{MAX_PATH, canonical_path};

/// A path.
///
/// # Panics
/// Its canonical form is not canonical, holds what two servers read differently, or means
/// something else than the path itself.
pub fn path(data: &[u8]) {
    let Ok(path) = std::str::from_utf8(data) else { return };
    let Ok(form) = canonical_path(path) else { return };
    assert_eq!(canonical_path(&form).unwrap(), form, "its form is its own form");
    assert!(form.starts_with('/') && form.len() <= MAX_PATH);
    assert!(!form.contains("//"), "an empty segment: {form}");
    assert!(!form.split('/').any(|segment| matches!(segment, "." | "..")), "{form}");
    assert!(!form.contains([';', '\\', '?', '#']) && form.bytes().all(|it| it.is_ascii_graphic()));
    let decoded = decoded(form.as_bytes());
    assert!(decoded.iter().all(|byte| !byte.is_ascii_control() && !b";\\".contains(byte)));
    let slashes = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'/').count();
    assert_eq!(slashes(&decoded), slashes(form.as_bytes()), "an escaped slash: {form}");
    assert_eq!(decoded, merged(&self::decoded(data)), "it means another path: {form}");
    assert_eq!(form.parse::<PathAndQuery>().unwrap(), &*form, "it cannot be forwarded");
}

/// The bytes that a path stands for, each escape decoded once.
fn decoded(path: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < path.len() {
        let digits = path.get(at + 1..at + 3).and_then(|it| std::str::from_utf8(it).ok());
        let escaped = digits.and_then(|it| u8::from_str_radix(it, 16).ok());
        match escaped.filter(|_| path[at] == b'%') {
            Some(byte) => out.push(byte),
            None => out.push(path[at]),
        }
        at += if path[at] == b'%' { 3 } else { 1 };
    }
    out
}

fn merged(path: &[u8]) -> Vec<u8> {
    let mut out = path.to_vec();
    out.dedup_by(|next, before| (*next, *before) == (b'/', b'/'));
    out
}
