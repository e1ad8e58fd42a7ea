//! Documents: what an answer says, whatever the format it is written in.

use std::fmt::Display;

use portcullis_core::time::Timestamp;

/// An element with its attributes, and a text or other elements in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Element {
    pub(super) name: &'static str,
    pub(super) attributes: Vec<(&'static str, String)>,
    pub(super) content: Content,
}

/// What stands in an element.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Content {
    Elements(Vec<Element>),
    /// Each format writes it in its own way.
    Moment(Timestamp),
    Text(String),
}

impl Element {
    /// An empty element.
    pub(super) const fn new(name: &'static str) -> Self {
        Self { name, attributes: Vec::new(), content: Content::Elements(Vec::new()) }
    }

    /// An element with a text in it.
    pub(super) fn text(name: &'static str, text: impl Into<String>) -> Self {
        Self { content: Content::Text(text.into()), ..Self::new(name) }
    }

    /// An element with a moment in it.
    pub(super) fn moment(name: &'static str, moment: Timestamp) -> Self {
        Self { content: Content::Moment(moment), ..Self::new(name) }
    }

    /// The same with one attribute more.
    pub(super) fn with(mut self, name: &'static str, value: impl Display) -> Self {
        self.attributes.push((name, value.to_string()));
        self
    }

    /// The same with other elements in it, after those that it has.
    pub(super) fn of(mut self, elements: impl IntoIterator<Item = Self>) -> Self {
        match &mut self.content {
            Content::Elements(own) => own.extend(elements),
            Content::Moment(_) | Content::Text(_) => {
                self.content = Content::Elements(elements.into_iter().collect());
            }
        }
        self
    }
}
