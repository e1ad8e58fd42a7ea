//! A token in a body (RFC 6750, section 2.2): by its shape alone, in one field of the outermost level.

use std::borrow::Cow;
use std::fmt;

use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use percent_encoding::percent_decode;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::scheme::bearer;

/// The longest body that is looked into for a token, in bytes.
pub const MAX_LOOKED_INTO: usize = 256 * 1_024;

/// What looks like a token of ours in a body that a door has read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum BodyToken<'r> {
    /// The one.
    One(&'r [u8]),
    /// More than one, or one in disguise: nobody can say which was meant.
    Several,
}

impl fmt::Debug for BodyToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::One(_) => "BodyToken::One(..)",
            Self::Several => "BodyToken::Several",
        })
    }
}

/// A form of bodies in which a token may stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BodyForm {
    /// `application/x-www-form-urlencoded`, in the field `access_token`.
    Form,
    /// `application/json`, in the field `access_token` or `token` of the one object.
    Json,
}

impl BodyForm {
    /// The form that a request says its body has, if it is one of these.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        if headers.contains_key(CONTENT_ENCODING) {
            return None;
        }
        let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?;
        let essence = kind.split(';').next().unwrap_or_default().trim();
        let is = |name: &str| essence.eq_ignore_ascii_case(name);
        if is("application/json") {
            return Some(Self::Json);
        }
        is("application/x-www-form-urlencoded").then_some(Self::Form)
    }

    /// The token in `body`, if it has one.
    pub fn token(self, body: &[u8]) -> Option<BodyToken<'_>> {
        let mut found = None;
        for token in self.fields(body)?.into_iter().filter_map(|field| field.token()) {
            found = Some(if found.is_none() { token } else { BodyToken::Several });
        }
        found
    }

    /// `body` without its token; all other values are as they were.
    pub fn without_token(self, body: &[u8]) -> Vec<u8> {
        let Some(fields) = self.fields(body) else { return body.to_vec() };
        let others = fields.iter().filter(|field| field.token().is_none());
        let others: Vec<Vec<u8>> = others.map(Field::written).collect();
        match self {
            Self::Form => others.join(&b'&'),
            Self::Json => [&b"{"[..], &others.join(&b','), b"}"].concat(),
        }
    }

    fn fields(self, body: &[u8]) -> Option<Vec<Field<'_>>> {
        match self {
            Self::Form => Some(body.split(|byte| *byte == b'&').map(Field::Pair).collect()),
            Self::Json => serde_json::from_slice(body).ok().map(|Entries(entries)| entries),
        }
    }
}

/// One field of a body.
enum Field<'b> {
    /// Of a form, as it was sent.
    Pair(&'b [u8]),
    /// Of an object: its name, and its value as it was sent.
    Entry(Cow<'b, str>, &'b RawValue),
}

impl<'b> Field<'b> {
    fn token(&self) -> Option<BodyToken<'b>> {
        match self {
            Self::Pair(pair) => {
                let (name, raw) = pair.split_at_checked(pair.iter().position(|it| *it == b'=')?)?;
                let raw = raw.strip_prefix(b"=")?;
                let named = Cow::from(percent_decode(name)) == &b"access_token"[..];
                read(raw, &Cow::from(percent_decode(raw))).filter(|_| named)
            }
            Self::Entry(name, value) => {
                let named = matches!(&**name, "access_token" | "token");
                let raw = value.get().strip_prefix('"')?.strip_suffix('"')?;
                let text: Cow<'_, str> = serde_json::from_str(value.get()).ok()?;
                read(raw.as_bytes(), text.as_bytes()).filter(|_| named)
            }
        }
    }

    fn written(&self) -> Vec<u8> {
        match self {
            Self::Pair(pair) => pair.to_vec(),
            Self::Entry(name, value) => {
                // A text can always be written as JSON.
                let name = serde_json::to_string(name).unwrap_or_default();
                format!("{name}:{}", value.get()).into_bytes()
            }
        }
    }
}

/// A value that means `text` and was sent as `raw`. No encoder touches the letters of a token.
fn read<'b>(raw: &'b [u8], text: &[u8]) -> Option<BodyToken<'b>> {
    let token = if raw == text { BodyToken::One(raw) } else { BodyToken::Several };
    bearer::is_ours(text).then_some(token)
}

/// The entries of an object, in their order.
struct Entries<'b>(Vec<Field<'b>>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut all = Vec::new();
        while let Some((name, value)) = entries.next_entry::<String, &'de RawValue>()? {
            all.push(Field::Entry(name.into(), value));
        }
        Ok(Entries(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(kind: &str) -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_TYPE, kind.parse().unwrap())])
    }

    #[test]
    fn a_body_says_its_form_in_its_type() {
        for (kind, form) in [
            ("application/json", Some(BodyForm::Json)),
            ("Application/JSON; charset=utf-8", Some(BodyForm::Json)),
            ("application/x-www-form-urlencoded", Some(BodyForm::Form)),
            ("application/json5", None),
            ("text/plain", None),
            ("", None),
        ] {
            assert_eq!(BodyForm::of(&headers(kind)), form, "{kind}");
        }
        let mut packed = headers("application/json");
        packed.insert(CONTENT_ENCODING, "gzip".parse().unwrap());
        assert_eq!(BodyForm::of(&packed), None);
        assert_eq!(BodyForm::of(&HeaderMap::new()), None);
    }

    #[test]
    fn a_token_is_found_by_its_shape_in_its_field_and_nowhere_else() {
        let one = Some(BodyToken::One(b"pcl_tok_x"));
        for (form, body, expected, rest) in [
            (BodyForm::Form, "access_token=pcl_tok_x&a=1", one, "a=1"),
            (BodyForm::Form, "a=%20&access_token=pcl_tok_x", one, "a=%20"),
            (BodyForm::Form, "access%5Ftoken=pcl_tok_x", one, ""),
            (BodyForm::Form, "access_token=pcl%5Ftok_x", Some(BodyToken::Several), ""),
            (
                BodyForm::Form,
                "access_token=pcl_tok_x&access_token=pcl_tok_y",
                Some(BodyToken::Several),
                "",
            ),
            (BodyForm::Form, "token=pcl_tok_x", None, "token=pcl_tok_x"),
            (BodyForm::Form, "access_token=other&a", None, "access_token=other&a"),
            (BodyForm::Form, "", None, ""),
            (BodyForm::Json, r#"{"access_token":"pcl_tok_x", "a": 1.50}"#, one, r#"{"a":1.50}"#),
            (BodyForm::Json, r#"{ "a":[ 1,2 ],"token" : "pcl_tok_x" }"#, one, r#"{"a":[ 1,2 ]}"#),
            (BodyForm::Json, r#"{"tok\u0065n":"pcl_tok_x"}"#, one, "{}"),
            (BodyForm::Json, r#"{"token":"\u0070cl_tok_x"}"#, Some(BodyToken::Several), "{}"),
            (
                BodyForm::Json,
                r#"{"token":"pcl_tok_x","access_token":"pcl_tok_x"}"#,
                Some(BodyToken::Several),
                "{}",
            ),
            (
                BodyForm::Json,
                r#"{"a":{"token":"pcl_tok_x"}}"#,
                None,
                r#"{"a":{"token":"pcl_tok_x"}}"#,
            ),
            (BodyForm::Json, r#"{"token":"other"}"#, None, r#"{"token":"other"}"#),
            (BodyForm::Json, r#"{"token":1}"#, None, r#"{"token":1}"#),
            (BodyForm::Json, r#"["pcl_tok_x"]"#, None, r#"["pcl_tok_x"]"#),
            (BodyForm::Json, r#"{"token":"pcl_tok_x""#, None, r#"{"token":"pcl_tok_x""#),
        ] {
            assert_eq!(form.token(body.as_bytes()), expected, "{body}");
            let left = form.without_token(body.as_bytes());
            assert_eq!(String::from_utf8(left).unwrap(), rest, "{body}");
        }
    }
}
