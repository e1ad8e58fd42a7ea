//! Batches: many entries in one body, each with a token of its own.
//!
//! Whoever sends a batch may prove nothing. What an entry tells stays text until its token was
//! judged, for JSON taken apart has many times the size of its text.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{BadEntry, Entry, moment};
use crate::json::{self, NotJson};
use crate::secret::SecretBuf;

/// A batch has at most so many entries.
pub const MAX_ENTRIES: usize = 500;
/// The entries of a batch name at most so many identifiers, all together: while it is recorded, others
/// wait.
pub const MAX_NAMED: usize = 4_096;
/// In which header of an entry its token stands.
const TOKEN: &str = "hull-access-token";

/// A batch, as it was sent.
#[derive(Debug)]
pub struct Batch<'b> {
    /// What it tells, in its order.
    pub entries: Vec<Told<'b>>,
    /// Whether it says when it was sent: then the very same text is the same batch, sent again.
    pub dated: bool,
}

/// One entry of a batch.
pub struct Told<'b> {
    /// Its token, if it has one and no other.
    pub token: Option<SecretBuf>,
    sent: Sent<'b>,
}

/// A body that is no batch: the caller's fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadBatch {
    /// An entry is not an object, or says twice what counts.
    #[error("entry {0} is not an object, or names a field twice")]
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

/// What counts of a body. What does not is passed over.
#[derive(Deserialize)]
struct Body<'b> {
    #[serde(borrow)]
    batch: Option<&'b RawValue>,
    #[serde(borrow, rename = "sentAt")]
    sent_at: Option<&'b RawValue>,
}

/// What counts of an entry.
#[derive(Deserialize)]
struct Sent<'b> {
    #[serde(borrow, rename = "type")]
    kind: Option<&'b RawValue>,
    #[serde(borrow)]
    body: Option<&'b RawValue>,
    #[serde(borrow)]
    headers: Option<&'b RawValue>,
    #[serde(borrow)]
    timestamp: Option<&'b RawValue>,
}

impl<'b> Batch<'b> {
    /// The batch that `text` is.
    ///
    /// # Errors
    /// It is none. What is wrong with a single entry is told of that entry.
    pub fn parse(text: &'b str) -> Result<Self, BadBatch> {
        if !is_object(text.trim_ascii_start()) {
            // A struct would be read of an array too.
            serde_json::from_str::<IgnoredAny>(text).map_err(NotJson::from)?;
            return Err(BadBatch::Missing);
        }
        let body: Body<'_> = serde_json::from_str(text).map_err(NotJson::from)?;
        let batch = body.batch.filter(|it| it.get().starts_with('[')).ok_or(BadBatch::Missing)?;
        let Entries(entries) = serde_json::from_str(batch.get()).map_err(NotJson::from)?;
        if entries.len() > MAX_ENTRIES {
            return Err(BadBatch::TooMany);
        }
        let told = entries
            .into_iter()
            .enumerate()
            .map(|(index, entry)| Told::read(entry).ok_or(BadBatch::Entry(index)));
        let is_moment = |it: &RawValue| {
            it.get().starts_with(|first: char| matches!(first, '"' | '-' | '0'..='9'))
        };
        let dated = body.sent_at.is_some_and(is_moment);
        Ok(Self { entries: told.collect::<Result<_, _>>()?, dated })
    }
}

impl<'b> Told<'b> {
    fn read(entry: &'b RawValue) -> Option<Self> {
        let sent: Sent<'_> =
            serde_json::from_str(entry.get()).ok().filter(|_| is_object(entry.get()))?;
        Some(Self { token: sent.headers.and_then(token), sent })
    }

    /// What it tells.
    ///
    /// # Errors
    /// It cannot be applied, or an object in it names a field twice.
    pub fn entry(&self) -> Result<Entry, BadEntry> {
        let kind = self.sent.kind.and_then(|it| serde_json::from_str::<String>(it.get()).ok());
        let body = self.sent.body.map_or(Ok(Value::Null), |it| json::parse(it.get()));
        let body = body.map_err(|_| BadEntry::NotJson)?;
        let mut entry = Entry::parse(kind.as_deref().ok_or(BadEntry::Kind)?, body)?;
        if let Entry::Track(event) = &mut entry
            && event.created.is_none()
            && let Some(told) = self.sent.timestamp
        {
            event.created = json::parse(told.get()).ok().and_then(|told| moment::parse(&told));
        }
        Ok(entry)
    }
}

fn is_object(json: &str) -> bool {
    json.starts_with('{')
}

/// The one token of an entry.
fn token(headers: &RawValue) -> Option<SecretBuf> {
    let Tokens { first: Some(first), more: false } = serde_json::from_str(headers.get()).ok()?
    else {
        return None;
    };
    let token: String = serde_json::from_str(first.get()).ok()?;
    Some(SecretBuf::new(token))
}

/// The entries of a batch: one more than there may be, and no others.
struct Entries<'b>(Vec<&'b RawValue>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_seq(EntriesReader)
    }
}

struct EntriesReader;

impl<'de> Visitor<'de> for EntriesReader {
    type Value = Entries<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Entries<'de>, A::Error> {
        let mut entries = Vec::new();
        while entries.len() <= MAX_ENTRIES
            && let Some(entry) = items.next_element()?
        {
            entries.push(entry);
        }
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Entries(entries))
    }
}

/// The headers that are tokens; names of headers have no case.
#[derive(Default)]
struct Tokens<'b> {
    first: Option<&'b RawValue>,
    more: bool,
}

impl<'de> Deserialize<'de> for Tokens<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(TokensReader)
    }
}

struct TokensReader;

impl<'de> Visitor<'de> for TokensReader {
    type Value = Tokens<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("headers")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut headers: A) -> Result<Tokens<'de>, A::Error> {
        let mut tokens = Tokens::default();
        while let Some(name) = headers.next_key::<String>()? {
            if name.eq_ignore_ascii_case(TOKEN) {
                tokens.more |= tokens.first.replace(headers.next_value()?).is_some();
            } else {
                headers.next_value::<IgnoredAny>()?;
            }
        }
        Ok(tokens)
    }
}

impl fmt::Debug for Told<'_> {
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
        let text = text.to_string();
        let batch = Batch::parse(&text).unwrap();
        let token = |told: &Told<'_>| told.token.as_ref().map(|it| it.expose_text().to_owned());
        let tokens: Vec<_> = batch.entries.iter().map(token).collect();
        assert_eq!(tokens, [Some("a.b.c".into()), None, Some("x".into()), None, None]);
        let bad: Vec<_> = batch.entries.iter().map(|it| it.entry().err()).collect();
        assert_eq!(bad, [None, None, Some(BadEntry::Kind), Some(BadEntry::Body), None]);
        assert!(batch.dated);
    }

    #[test]
    fn what_is_no_batch_is_refused_whole() {
        let many = |count| json!({ "batch": vec![json!({}); count] }).to_string();
        for (text, expected) in [
            ("[]".to_owned(), Some(BadBatch::Missing)),
            ("{}".to_owned(), Some(BadBatch::Missing)),
            (r#"[[],"2026-11-22"]"#.to_owned(), Some(BadBatch::Missing)),
            (r#"{"batch":[["traits",{}]]}"#.to_owned(), Some(BadBatch::Entry(0))),
            (
                r#"{"batch":[{"type":"alias","type":"traits"}]}"#.to_owned(),
                Some(BadBatch::Entry(0)),
            ),
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

    #[test]
    fn what_an_entry_tells_names_no_field_twice() {
        for (entry, expected) in [
            (r#"{"type":"traits","body":{"a":1,"b":{"c":1}}}"#, None),
            (r#"{"type":"traits","body":{"a":1,"a":1}}"#, Some(BadEntry::NotJson)),
            (r#"{"type":"traits","body":{"b":{"c":1,"\u0063":1}}}"#, Some(BadEntry::NotJson)),
            (r#"{"type":"traits","body":{"a":1e999}}"#, Some(BadEntry::NotJson)),
        ] {
            let text = format!(r#"{{"batch":[{entry}]}}"#);
            let batch = Batch::parse(&text).unwrap();
            assert_eq!(batch.entries[0].entry().err(), expected, "{entry}");
        }
    }

    #[test]
    fn an_event_happened_when_its_entry_says_unless_it_says_so_itself() {
        for (entry, expected) in [
            (r#"{"type":"track","body":{"event":"a"},"timestamp":7}"#, Some(7_000)),
            (r#"{"type":"track","body":{"event":"a","created_at":8},"timestamp":7}"#, Some(8_000)),
            (r#"{"type":"track","body":{"event":"a"},"timestamp":{}}"#, None),
        ] {
            let text = format!(r#"{{"batch":[{entry}]}}"#);
            let batch = Batch::parse(&text).unwrap();
            let Ok(Entry::Track(event)) = batch.entries[0].entry() else { panic!("{entry}") };
            assert_eq!(event.created.map(|it| it.millis()), expected, "{entry}");
        }
    }
}
