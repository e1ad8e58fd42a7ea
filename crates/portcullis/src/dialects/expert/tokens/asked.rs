//! What is asked of a key, in the vendor's XML.

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::super::failure::Failure;

/// What a body says of a key.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Asked {
    /// `server` or `browser`; empty if it does not say.
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) host: Option<String>,
    /// The number of the one user on whose behalf it may be used.
    pub(super) only: Option<i64>,
}

/// What it may say, with how much of it.
const MAX_TEXT: usize = 4_096;

impl Asked {
    /// Reads one `developer-token` with texts in it. There are no entities but XML's own, so that
    /// nothing grows.
    pub(super) fn read(body: &str) -> Result<Self, Failure> {
        let mut reader = Reader::from_str(body);
        let mut reading = Reading::default();
        loop {
            let event = reader.read_event().map_err(|_| bad())?;
            if matches!(event, Event::Eof) {
                break;
            }
            reading.take(event)?;
        }
        if reading.depth == 0 { Ok(reading.asked) } else { Err(bad()) }
    }

    fn set(&mut self, name: &str, text: &str) -> Result<(), Failure> {
        if text.len() > MAX_TEXT {
            return Err(bad());
        }
        match name {
            "name" => self.name = text.into(),
            "host" => self.host = Some(text.into()),
            "restricted-by-user-id" => self.only = Some(text.parse().map_err(|_| bad())?),
            // What is not known may be the vendor's own, and asks for nothing here.
            _ => {}
        }
        Ok(())
    }
}

/// How far a body was read.
#[derive(Default)]
struct Reading {
    asked: Asked,
    /// How many elements are open: the outer one, and one in it.
    depth: usize,
    /// The text of the inner one.
    text: String,
}

impl Reading {
    fn take(&mut self, event: Event<'_>) -> Result<(), Failure> {
        let inner = self.depth == 2;
        match event {
            Event::Start(start) => self.open(&start)?,
            Event::Empty(start) => match self.depth {
                0 => self.asked.kind = kind(&start)?,
                // The same as one that is opened and closed.
                1 => self.asked.set(start.name().as_ref(), "")?,
                _ => return Err(bad()),
            },
            Event::Text(part) if inner => self.text.push_str(&part),
            Event::GeneralRef(named) if inner => self.text.push_str(&entity(&named)?),
            Event::End(end) => {
                self.depth -= 1;
                if inner {
                    self.asked.set(end.name().as_ref(), self.text.trim())?;
                }
            }
            Event::CData(_) | Event::DocType(_) | Event::PI(_) => return Err(bad()),
            Event::Comment(_)
            | Event::Decl(_)
            | Event::Eof
            | Event::GeneralRef(_)
            | Event::Text(_) => {}
        }
        Ok(())
    }

    fn open(&mut self, start: &BytesStart<'_>) -> Result<(), Failure> {
        self.depth += 1;
        self.text.clear();
        match self.depth {
            1 => self.asked.kind = kind(start)?,
            2 => {}
            _ => return Err(bad()),
        }
        Ok(())
    }
}

fn kind(start: &BytesStart<'_>) -> Result<String, Failure> {
    if start.name().as_ref() != "developer-token" {
        return Err(bad());
    }
    let kind = start.try_get_attribute("type").map_err(|_| bad())?;
    Ok(kind.map(|kind| kind.value.into_owned()).unwrap_or_default())
}

fn entity(named: &BytesRef<'_>) -> Result<String, Failure> {
    if let Some(letter) = named.resolve_char_ref().map_err(|_| bad())? {
        return Ok(letter.into());
    }
    resolve_predefined_entity(named).map(str::to_owned).ok_or_else(bad)
}

fn bad() -> Failure {
    Failure::bad("the body is no `developer-token`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_asked_for_in_the_vendors_words() {
        let server = Asked {
            kind: "server".into(),
            name: "a & b <c> \u{e9}".into(),
            host: None,
            only: Some(12),
        };
        for (body, expected) in [
            (
                "<?xml version=\"1.0\"?>\n<developer-token type=\"server\">\n  \
                 <name>a &amp; b &lt;c&gt; &#xe9;</name><restricted-by-user-id>12\
                 </restricted-by-user-id><else/>\n</developer-token>\n",
                Some(server),
            ),
            (
                "<developer-token><name/><host>a.example, *.b.example</host></developer-token>",
                Some(Asked { host: Some("a.example, *.b.example".into()), ..Asked::default() }),
            ),
            ("<developer-token/>", Some(Asked::default())),
            ("<developer-token><name>a</name>", None),
            ("<developer-token><name>a</developer-token>", None),
            ("<developer-token><name><b>a</b></name></developer-token>", None),
            ("<developer-token><name>&a;</name></developer-token>", None),
            ("<token><name>a</name></token>", None),
            (
                "<!DOCTYPE a [<!ENTITY a \"b\">]><developer-token><name>a</name></developer-token>",
                None,
            ),
            (
                "<developer-token><restricted-by-user-id>x</restricted-by-user-id></developer-token>",
                None,
            ),
        ] {
            assert_eq!(Asked::read(body).ok(), expected, "{body}");
        }
        assert_eq!(Asked::read("").ok(), Some(Asked::default()));
    }
}
