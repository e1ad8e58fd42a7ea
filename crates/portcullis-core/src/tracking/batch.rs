//! Batches: many entries in one body, each with a token of its own.

use std::fmt;

use serde_json::{Map, Value};

use super::{BadEntry, Entry, moment};
use crate::json::{self, NotJson};
use crate::secret::SecretBuf;

/// A batch has at most so many entries.
pub const MAX_ENTRIES: usize = 500;
/// In which header of an entry its token stands.
const TOKEN: &str = "hull-access-token";

/// A batch, as it was sent.
#[derive(Debug)]
pub struct Batch {
    /// What it tells, in its order.
    pub entries: Vec<Told>,
    /// Whether it says when it was sent: then the very same text is the same batch, sent again.
    pub dated: bool,
}

/// One entry of a batch.
pub struct Told {
    /// Its token, if it has one and no other.
    pub token: Option<SecretBuf>,
    /// What it tells.
    pub entry: Result<Entry, BadEntry>,
}

/// A body that is no batch: the caller's fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadBatch {
    /// An entry is not an object.
    #[error("entry {0} is not an object")]
    Entry(usize),
    /// There is no array of entries.
    #[error("there is no array `batch`")]
    Missing,
    /// It is not JSON.
    #[error(transparent)]
    NotJson(#[from] NotJson),
    /// It has more entries than a batch may.
    #[error("a batch has at most {MAX_ENTRIES} entries")]
    TooMany,
}

impl Batch {
    /// The batch that `text` is.
    ///
    /// # Errors
    /// It is none. What is wrong with a single entry is told of that entry.
    pub fn parse(text: &str) -> Result<Self, BadBatch> {
        let Value::Object(mut body) = json::parse(text)? else { return Err(BadBatch::Missing) };
        let Some(Value::Array(batch)) = body.remove("batch") else {
            return Err(BadBatch::Missing);
        };
        if batch.len() > MAX_ENTRIES {
            return Err(BadBatch::TooMany);
        }
        let told = batch.into_iter().enumerate().map(|(index, entry)| {
            let Value::Object(entry) = entry else { return Err(BadBatch::Entry(index)) };
            Ok(Told::read(entry))
        });
        let dated = body.get("sentAt").is_some_and(|it| it.is_string() || it.is_number());
        Ok(Self { entries: told.collect::<Result<_, _>>()?, dated })
    }
}

impl Told {
    fn read(mut told: Map<String, Value>) -> Self {
        let kind = told.remove("type").unwrap_or_default();
        let body = told.remove("body").unwrap_or_default();
        let mut entry = kind.as_str().map_or(Err(BadEntry::Kind), |kind| Entry::parse(kind, body));
        if let Ok(Entry::Track(event)) = &mut entry {
            event.created = event.created.or_else(|| moment::parse(told.get("timestamp")?));
        }
        let headers = told.remove("headers").unwrap_or_default();
        Self { token: token(headers), entry }
    }
}

/// The one token of an entry; names of headers have no case.
fn token(headers: Value) -> Option<SecretBuf> {
    let Value::Object(headers) = headers else { return None };
    let mut tokens = headers.into_iter().filter(|(name, _)| name.eq_ignore_ascii_case(TOKEN));
    match (tokens.next(), tokens.next()) {
        (Some((_, Value::String(token))), None) => Some(SecretBuf::new(token)),
        _ => None,
    }
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Told").field("token", &self.token).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_batch_is_read_entry_by_entry() {
        let text = json!({ "batch": [
            { "type": "traits", "body": { "a": 1 }, "headers": { "Hull-Access-Token": "a.b.c" } },
            { "type": "traits", "body": {}, "headers": {} },
            { "type": "incinerate", "body": {}, "headers": { "hull-access-token": "x" } },
            { "type": "traits", "headers": { "hull-access-token": "x", "Hull-Access-Token": "x" } },
            { "type": "traits", "body": {}, "headers": { "Hull-Access-Token": 7 }, "context": {} },
        ], "sentAt": "2026-11-22T06:11:19.061Z" });
        let batch = Batch::parse(&text.to_string()).unwrap();
        let token = |told: &Told| told.token.as_ref().map(|it| it.expose_text().to_owned());
        let tokens: Vec<_> = batch.entries.iter().map(token).collect();
        assert_eq!(tokens, [Some("a.b.c".into()), None, Some("x".into()), None, None]);
        let bad: Vec<_> = batch.entries.into_iter().map(|it| it.entry.err()).collect();
        assert_eq!(bad, [None, None, Some(BadEntry::Kind), Some(BadEntry::Body), None]);
        assert!(batch.dated);
    }

    #[test]
    fn what_is_no_batch_is_refused_whole() {
        let many = |count| json!({ "batch": vec![json!({}); count] }).to_string();
        for (text, expected) in [
            ("[]".to_owned(), Some(BadBatch::Missing)),
            ("{}".to_owned(), Some(BadBatch::Missing)),
            (r#"{"batch":{}}"#.to_owned(), Some(BadBatch::Missing)),
            (r#"{"batch":[{},7]}"#.to_owned(), Some(BadBatch::Entry(1))),
            (r#"{"batch":[]}"#.to_owned(), None),
            (many(MAX_ENTRIES), None),
            (many(MAX_ENTRIES + 1), Some(BadBatch::TooMany)),
        ] {
            let parsed = Batch::parse(&text);
            assert_eq!(parsed.err(), expected, "{text:.40}");
        }
        assert!(matches!(Batch::parse("{"), Err(BadBatch::NotJson(_))));
        assert!(matches!(Batch::parse(r#"{"batch":[],"batch":[]}"#), Err(BadBatch::NotJson(_))));
    }
}
