//! What a document is where there are no elements: texts, lists, and pairs of names and values.

use serde::ser::{Serialize, SerializeMap as _, Serializer};

use super::super::document::{Content, Element};
use super::rfc_1123;

/// A value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    List(Vec<Self>),
    Pairs(Vec<(String, Self)>),
    Text(String),
}

impl Shape {
    /// What stands in the outermost element: pairs in any case.
    pub(super) fn of_root(element: &Element) -> Self {
        match Self::of(element) {
            Self::Text(text) if text.is_empty() => Self::Pairs(Vec::new()),
            Self::Text(text) => Self::Pairs(vec![("#text".into(), Self::Text(text))]),
            other @ (Self::List(_) | Self::Pairs(_)) => other,
        }
    }

    /// Attributes first, with an `@`; then the elements by name. An element with neither is a text.
    fn of(element: &Element) -> Self {
        let (text, elements) = match &element.content {
            Content::Elements(elements) => (String::new(), elements.as_slice()),
            Content::Moment(moment) => (rfc_1123(*moment), Default::default()),
            Content::Text(text) => (text.clone(), Default::default()),
        };
        if element.attributes.is_empty() && elements.is_empty() {
            return Self::Text(text);
        }
        let attributes = element.attributes.iter();
        let mut pairs: Vec<_> = attributes
            .map(|(name, value)| (format!("@{name}"), Self::Text(value.clone())))
            .collect();
        if !text.is_empty() {
            pairs.push(("#text".into(), Self::Text(text)));
        }
        pairs.extend(by_name(elements));
        Self::Pairs(pairs)
    }
}

/// One of a name is itself, several are a list.
fn by_name(elements: &[Element]) -> Vec<(String, Shape)> {
    let mut names: Vec<_> = elements.iter().map(|it| it.name).collect();
    names.sort_unstable();
    names.dedup();
    let all = |name: &str| {
        let mut shapes: Vec<_> =
            elements.iter().filter(|it| it.name == name).map(Shape::of).collect();
        if shapes.len() > 1 { Shape::List(shapes) } else { shapes.remove(0) }
    };
    names.into_iter().map(|name| (name.to_owned(), all(name))).collect()
}

impl Serialize for Shape {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::List(shapes) => serializer.collect_seq(shapes),
            Self::Pairs(pairs) => {
                let mut map = serializer.serialize_map(Some(pairs.len()))?;
                for (name, shape) in pairs {
                    map.serialize_entry(name, shape)?;
                }
                map.end()
            }
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}
