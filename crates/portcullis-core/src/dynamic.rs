//! Answers that an upstream writes down as JSON: `statusCode`, `headers`, `body` and `redirectURL`.
//!
//! What such an upstream may not say in a guard's name besides is the door's to remove, as of any
//! other answer.

mod redirect;

use std::fmt;

use http::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, LOCATION, REFRESH,
    TRANSFER_ENCODING,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Map, Value};

use crate::json::{self, NotJson};
use crate::request::{MAX_HEADER_COUNT, MAX_HEADERS};

pub use redirect::MAX_REDIRECT;

/// The longest JSON that is read, in bytes.
pub const MAX_ANSWER: usize = 1 << 20;

/// What a body is if nobody says.
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
/// What a body is that was written down as a value.
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What an upstream cannot set: its body is framed here, and only `redirectURL` redirects.
const DROPPED: [HeaderName; 6] =
    [CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, LOCATION, REFRESH, TRANSFER_ENCODING];

/// An answer as it was written down.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status: 200 to 599.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; empty where the status has none.
    pub body: String,
}

/// Why what was written down is no answer: the upstream's fault. No message repeats what it wrote.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadAnswer {
    /// `headers` is no object of texts, numbers and flags that a header can carry.
    #[error("`headers` holds what is no header, or is no object")]
    Headers,
    /// It is not JSON, or names a field twice.
    #[error(transparent)]
    NotJson(#[from] NotJson),
    /// It is JSON, but no object.
    #[error("it is not an object")]
    NotObject,
    /// It is not UTF-8.
    #[error("it is not UTF-8")]
    NotUtf8,
    /// `redirectURL` leads nowhere.
    #[error("`redirectURL` is neither an http or https URL nor a path")]
    Redirect,
    /// `headers` names one header twice, in two cases.
    #[error("`headers` names a header twice")]
    RepeatedHeader,
    /// `statusCode` is no status.
    #[error("`statusCode` is not a whole number from 200 to 599")]
    Status,
    /// It has more headers, or longer ones, than an answer may.
    #[error("`headers` is too long")]
    TooManyHeaders,
    /// It is longer than [`MAX_ANSWER`].
    #[error("it is longer than {MAX_ANSWER} bytes")]
    TooLong,
}

impl Answer {
    /// The answer that `written` describes. What is `null` is not there, and what has another name
    /// is left alone.
    ///
    /// # Errors
    /// It does not describe one.
    pub fn parse(written: &[u8]) -> Result<Self, BadAnswer> {
        if written.len() > MAX_ANSWER {
            return Err(BadAnswer::TooLong);
        }
        let text = std::str::from_utf8(written).map_err(|_| BadAnswer::NotUtf8)?;
        let Value::Object(mut fields) = json::parse(text)? else {
            return Err(BadAnswer::NotObject);
        };
        let location = take(&mut fields, "redirectURL").map(redirect::read).transpose()?;
        let status = read_status(take(&mut fields, "statusCode"), location.is_some())?;
        let mut headers = read_headers(take(&mut fields, "headers"))?;
        let (body, kind) = match take(&mut fields, "body") {
            None => (String::new(), HTML),
            Some(Value::String(text)) => (text, HTML),
            Some(value) => (value.to_string(), JSON),
        };
        headers.extend(location.map(|location| (LOCATION, location)));
        if matches!(status.as_u16(), 204 | 205 | 304) {
            return Ok(Self { status, headers, body: String::new() });
        }
        headers.entry(CONTENT_TYPE).or_insert(kind);
        Ok(Self { status, headers, body })
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("status", &self.status).finish_non_exhaustive()
    }
}

fn take(fields: &mut Map<String, Value>, name: &str) -> Option<Value> {
    fields.remove(name).filter(|value| !value.is_null())
}

/// With a redirect it is one that redirects: 302 unless another is written.
fn read_status(written: Option<Value>, redirects: bool) -> Result<StatusCode, BadAnswer> {
    let status = match written {
        None => StatusCode::OK,
        Some(value) => value
            .as_u64()
            .and_then(|number| u16::try_from(number).ok())
            .filter(|number| (200..=599).contains(number))
            .and_then(|number| StatusCode::from_u16(number).ok())
            .ok_or(BadAnswer::Status)?,
    };
    // RFC 9110, section 15.4: those whose Location says where to go on.
    let leads = matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308);
    Ok(if redirects && !leads { StatusCode::FOUND } else { status })
}

fn read_headers(written: Option<Value>) -> Result<HeaderMap, BadAnswer> {
    let fields = match written {
        None => return Ok(HeaderMap::new()),
        Some(Value::Object(fields)) => fields,
        Some(_) => return Err(BadAnswer::Headers),
    };
    let mut headers = HeaderMap::new();
    for (name, value) in fields.into_iter().filter(|(_, value)| !value.is_null()) {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| BadAnswer::Headers)?;
        let text = match value {
            Value::String(text) => text,
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            Value::Array(_) | Value::Null | Value::Object(_) => return Err(BadAnswer::Headers),
        };
        // Beyond ASCII, nobody knows what a reader takes it for (RFC 9110, section 5.5).
        let value = HeaderValue::from_str(&text).ok().filter(|_| text.is_ascii());
        let value = value.ok_or(BadAnswer::Headers)?;
        if headers.insert(name, value).is_some() {
            return Err(BadAnswer::RepeatedHeader);
        }
    }
    let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if headers.len() > MAX_HEADER_COUNT || size > MAX_HEADERS {
        return Err(BadAnswer::TooManyHeaders);
    }
    for name in &DROPPED {
        headers.remove(name);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests;
