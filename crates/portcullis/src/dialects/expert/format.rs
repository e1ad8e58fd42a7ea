//! The formats that a document is written in: XML, and what `dream.out.format` asks for.

mod json;
mod php;
mod shape;

use std::io;

use http::HeaderValue;
use portcullis_core::time::Timestamp;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use super::document::{Content, Element};
use shape::Shape;

/// The parameter that asks for a format.
pub(super) const PARAMETER: &str = "dream.out.format";

/// A format.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Format {
    Json,
    Php,
    #[default]
    Xml,
}

impl Format {
    /// The format called `name`, in any case.
    pub(super) fn named(name: &str) -> Option<Self> {
        let words = [("", Self::Xml), ("xml", Self::Xml), ("json", Self::Json), ("php", Self::Php)];
        words.into_iter().find(|(word, _)| name.eq_ignore_ascii_case(word)).map(|(_, it)| it)
    }

    /// What its documents say that they are.
    pub(super) const fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => "application/json; charset=utf-8",
            Self::Php => "application/php; charset=utf-8",
            Self::Xml => "application/xml; charset=utf-8",
        })
    }

    /// The document, written out.
    pub(super) fn write(self, document: &Element) -> io::Result<Vec<u8>> {
        match self {
            Self::Json => json::write(&Shape::of_root(document)),
            Self::Php => Ok(php::write(document.name, &Shape::of_root(document))),
            Self::Xml => write_xml(document),
        }
    }
}

fn write_xml(document: &Element) -> io::Result<Vec<u8>> {
    let mut writer = Writer::new(Vec::new());
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("utf-8"), None)))?;
    write_element(&mut writer, document)?;
    Ok(writer.into_inner())
}

fn write_element(writer: &mut Writer<Vec<u8>>, element: &Element) -> io::Result<()> {
    let attributes = element.attributes.iter().map(|(name, value)| (*name, value.as_str()));
    let start = BytesStart::new(element.name).with_attributes(attributes);
    let text = match &element.content {
        Content::Elements(elements) if elements.is_empty() => {
            return writer.write_event(Event::Empty(start));
        }
        Content::Elements(elements) => {
            writer.write_event(Event::Start(start))?;
            elements.iter().try_for_each(|it| write_element(writer, it))?;
            return writer.write_event(Event::End(BytesEnd::new(element.name)));
        }
        Content::Moment(moment) => written(*moment, "%Y-%m-%dT%H:%M:%SZ"),
        Content::Text(text) if text.is_empty() => {
            return writer.write_event(Event::Empty(start));
        }
        Content::Text(text) => text.clone(),
    };
    writer.write_event(Event::Start(start))?;
    writer.write_event(Event::Text(BytesText::new(&text)))?;
    writer.write_event(Event::End(BytesEnd::new(element.name)))
}

/// A moment as HTTP writes it (RFC 9110, section 5.6.7).
pub(super) fn rfc_1123(moment: Timestamp) -> String {
    written(moment, "%a, %d %b %Y %H:%M:%S GMT")
}

/// A moment in UTC.
fn written(moment: Timestamp, form: &str) -> String {
    let moment = jiff::Timestamp::from_millisecond(moment.millis());
    moment.map(|moment| moment.strftime(form).to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Element {
        Element::new("users").with("count", 2).with("a", "\"<&>\u{e9}").of([
            Element::new("user").with("id", 1).of([
                Element::text("nick", "a<b>&\"c'\u{e9}\u{1f600}"),
                Element::new("groups"),
                Element::moment("date.created", Timestamp::from_millis(1_444_070_667_000)),
            ]),
            Element::new("user").with("id", 2),
            Element::text("email", "").with("hidden", true),
            Element::text("role", "Admin").with("id", 5),
        ])
    }

    #[test]
    fn xml_is_escaped_and_parses_back() {
        let text = String::from_utf8(Format::Xml.write(&document()).unwrap()).unwrap();
        let expected = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
            <users count=\"2\" a=\"&quot;&lt;&amp;&gt;\u{e9}\"><user id=\"1\">\
            <nick>a&lt;b&gt;&amp;&quot;c&apos;\u{e9}\u{1f600}</nick><groups/>\
            <date.created>2015-10-05T18:44:27Z</date.created></user>\
            <user id=\"2\"/><email hidden=\"true\"/><role id=\"5\">Admin</role></users>";
        assert_eq!(text, expected);
    }

    #[test]
    fn json_has_attributes_first_then_elements_by_name_and_several_of_a_name_as_a_list() {
        let text = String::from_utf8(Format::Json.write(&document()).unwrap()).unwrap();
        let expected = "{\"@count\":\"2\",\"@a\":\"\\\"<&>\\u00e9\",\
            \"email\":{\"@hidden\":\"true\"},\"role\":{\"@id\":\"5\",\"#text\":\"Admin\"},\
            \"user\":[{\"@id\":\"1\",\"date.created\":\"Mon, 05 Oct 2015 18:44:27 GMT\",\
            \"groups\":\"\",\"nick\":\"a<b>&\\\"c'\\u00e9\\ud83d\\ude00\"},{\"@id\":\"2\"}]}";
        assert_eq!(text, expected);
        let bare = Format::Json.write(&Element::new("users")).unwrap();
        assert_eq!(bare, b"{}");
    }

    #[test]
    fn php_counts_bytes_and_names_the_root() {
        let document = Element::new("user").with("id", 1).of([
            Element::text("nick", "j\u{f6}rg\";s:1:\"x"),
            Element::new("g"),
            Element::new("g"),
        ]);
        let text = String::from_utf8(Format::Php.write(&document).unwrap()).unwrap();
        let expected = "a:1:{s:4:\"user\";a:3:{s:3:\"@id\";s:1:\"1\";\
            s:1:\"g\";a:2:{i:0;s:0:\"\";i:1;s:0:\"\";}\
            s:4:\"nick\";s:13:\"j\u{f6}rg\";s:1:\"x\";}}";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_format_is_named_in_any_case_and_no_other_is_known() {
        for (name, expected) in [
            ("", Some(Format::Xml)),
            ("XML", Some(Format::Xml)),
            ("Json", Some(Format::Json)),
            ("php", Some(Format::Php)),
            ("jsonp", None),
            ("xhtml", None),
            ("json ", None),
        ] {
            assert_eq!(Format::named(name), expected, "{name}");
        }
    }
}
