//! Every statement once, for both engines.

/// A statement, in the spelling of each engine. Made by [`sql!`](crate::sql) alone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sql {
    /// With `$1`.
    pub(crate) postgres: &'static str,
    /// With `?1`.
    pub(crate) sqlite: &'static str,
}

impl Sql {
    /// Both spellings of one statement.
    pub(crate) const fn both(postgres: &'static str, sqlite: &'static str) -> Self {
        Self { postgres, sqlite }
    }
}

/// `$n` as `?n`: SQLite reads `$n` as a name and numbers it by first appearance, so that
/// `SET x = $2 WHERE id = $1` would bind the two the wrong way round.
pub(crate) const fn numbered<const N: usize>(text: &str) -> [u8; N] {
    let mut bytes = [0; N];
    let mut rest = text.as_bytes();
    let mut out: &mut [u8] = &mut bytes;
    while let ([byte, tail @ ..], [place, places @ ..]) = (rest, out) {
        *place = if *byte == b'$' { b'?' } else { *byte };
        rest = tail;
        out = places;
    }
    bytes
}

/// The text of bytes that were text before their `$` were changed.
pub(crate) const fn text(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => "",
    }
}

/// One statement for both engines; a test prepares every one of them on both.
macro_rules! sql {
    ($text:literal) => {{
        const TEXT: &str = $text;
        const BYTES: [u8; TEXT.len()] = $crate::sql::numbered(TEXT);
        const NUMBERED: &str = $crate::sql::text(&BYTES);
        $crate::sql::Sql::both(TEXT, NUMBERED)
    }};
}

pub(crate) use sql;
