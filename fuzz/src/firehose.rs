//! Bodies of the firehose: batches of entries, each with a token of its own.

use portcullis_core::tracking::{BadBatch, Batch, MAX_ENTRIES};
use serde_json::Value;

/// No message is longer, in bytes, however much was sent.
const LONGEST_MESSAGE: usize = 400;

/// A body, or one entry of one.
///
/// # Panics
/// More is taken than may be, an entry is lost, or a token shows.
pub fn firehose(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    batch(text);
    batch(&format!("{{\"batch\":[{text}],\"sentAt\":\"2026-11-22T06:11:19.061Z\"}}"));
}

fn batch(text: &str) {
    let batch = match Batch::parse(text) {
        Ok(batch) => batch,
        Err(bad) => return check_message(&bad, text),
    };
    // What is passed over may be deeper, or a number greater, than a value can be.
    let Ok(told) = serde_json::from_str::<Value>(text) else { return };
    let entries = told["batch"].as_array().unwrap();
    assert!(entries.len() == batch.entries.len() && entries.len() <= MAX_ENTRIES);
    assert_eq!(batch.dated, told["sentAt"].is_string() || told["sentAt"].is_number());
    let shown = format!("{batch:?}");
    for (told, entry) in entries.iter().zip(&batch.entries) {
        assert!(told.is_object());
        let parsed = entry.entry();
        assert!(parsed.is_err() || told["body"].is_object(), "{told}");
        if let Err(bad) = parsed {
            assert!(bad.to_string().len() <= LONGEST_MESSAGE);
        }
        let Some(token) = &entry.token else { continue };
        let token = token.expose_text();
        let headers = told["headers"].as_object().unwrap();
        let sent = headers.iter().filter(|it| it.0.eq_ignore_ascii_case("hull-access-token"));
        assert_eq!(sent.map(|it| it.1.as_str()).collect::<Vec<_>>(), [Some(token)]);
        assert!(token.len() < 8 || !shown.contains(token), "a token shows");
    }
}

fn check_message(bad: &BadBatch, text: &str) {
    let message = bad.to_string();
    assert!(message.len() <= LONGEST_MESSAGE && !message.contains(char::is_control), "{text}");
}
