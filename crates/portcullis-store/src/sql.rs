//! Every statement once, for both engines.

use crate::engine::Value;

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

/// A statement put together while it is asked: its text of pieces that stand in this program, and
/// all that comes from outside as values beside it.
#[derive(Debug, Default)]
pub(crate) struct Assembled {
    postgres: String,
    sqlite: String,
    values: Vec<Value>,
}

impl Assembled {
    /// A piece that both engines understand.
    pub(crate) fn text(&mut self, piece: &'static str) -> &mut Self {
        self.each(piece, piece)
    }

    /// A piece in the spelling of each engine.
    pub(crate) fn each(&mut self, postgres: &'static str, sqlite: &'static str) -> &mut Self {
        self.postgres.push_str(postgres);
        self.sqlite.push_str(sqlite);
        self
    }

    /// The place of a value that is bound to it.
    pub(crate) fn value(&mut self, value: impl Into<Value>) -> &mut Self {
        self.values.push(value.into());
        let number = self.values.len().to_string();
        for (text, mark) in [(&mut self.postgres, '$'), (&mut self.sqlite, '?')] {
            text.push(mark);
            text.push_str(&number);
        }
        self
    }

    /// With `$1`.
    pub(crate) fn postgres(&self) -> &str {
        &self.postgres
    }

    /// With `?1`.
    pub(crate) fn sqlite(&self) -> &str {
        &self.sqlite
    }

    /// What is bound.
    pub(crate) fn values(&self) -> &[Value] {
        &self.values
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
