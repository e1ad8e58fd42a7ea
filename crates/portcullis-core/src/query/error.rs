//! Why a query is none, and where: the caller's fault.

use std::fmt;

use super::{MAX_DEPTH, MAX_TERMS};

/// A query that is none; characters are counted from 1, in the decoded value.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadQuery {
    /// Parentheses and `not`s stand in one another too often.
    #[error("`{parameter}` nests deeper than {MAX_DEPTH} at character {at}")]
    Deep {
        /// The parameter.
        parameter: &'static str,
        /// Where.
        at: usize,
    },
    /// An escape is broken, or what was escaped is not UTF-8.
    #[error("`{0}` is not percent-encoded UTF-8")]
    Encoding(Excerpt),
    /// Something else stands there than the grammar wants.
    #[error("`{parameter}` wants {wanted} at character {at}, not {found}")]
    Expected {
        /// The parameter.
        parameter: &'static str,
        /// What the grammar wants.
        wanted: &'static str,
        /// What stands there.
        found: Found,
        /// Where.
        at: usize,
    },
    /// There is no such field.
    #[error("there is no field `{name}`, which `{parameter}` names at character {at}")]
    Field {
        /// The parameter.
        parameter: &'static str,
        /// The name that is no field's.
        name: Excerpt,
        /// Where.
        at: usize,
    },
    /// Neither `true` nor `false`.
    #[error("`{parameter}` is either `true` or `false`")]
    Flag {
        /// The parameter.
        parameter: &'static str,
    },
    /// A field is compared with something of another kind.
    #[error("`{parameter}` must compare `{field}` with {wanted} at character {at}")]
    Literal {
        /// The parameter.
        parameter: &'static str,
        /// The field.
        field: &'static str,
        /// What it can be compared with.
        wanted: &'static str,
        /// Where.
        at: usize,
    },
    /// A value is too long.
    #[error("`{parameter}` has at most {most} bytes")]
    Long {
        /// The parameter.
        parameter: &'static str,
        /// How long it may be.
        most: usize,
    },
    /// What the field holds cannot be compared so.
    #[error("`{parameter}` cannot compare `{field}` by `{operator}` at character {at}")]
    Operator {
        /// The parameter.
        parameter: &'static str,
        /// The field.
        field: &'static str,
        /// How it is compared.
        operator: &'static str,
        /// Where.
        at: usize,
    },
    /// A name that begins like a parameter's and is none.
    #[error("there is no parameter `{0}`")]
    Parameter(Excerpt),
    /// No whole number, or one out of bounds.
    #[error("`{parameter}` is a whole number from {least} to {most}")]
    Range {
        /// The parameter.
        parameter: &'static str,
        /// The least it may be.
        least: u32,
        /// The most it may be.
        most: u32,
    },
    /// A parameter is given twice.
    #[error("`{parameter}` is given more than once")]
    Repeated {
        /// The parameter.
        parameter: &'static str,
    },
    /// A list names a field twice.
    #[error("`{parameter}` names `{field}` more than once")]
    RepeatedField {
        /// The parameter.
        parameter: &'static str,
        /// The field.
        field: &'static str,
    },
    /// Too many comparisons.
    #[error("`{parameter}` makes more than {MAX_TERMS} comparisons")]
    Terms {
        /// The parameter.
        parameter: &'static str,
    },
    /// A text does not end.
    #[error("the text that begins at character {at} of `{parameter}` has no closing quote")]
    Unclosed {
        /// The parameter.
        parameter: &'static str,
        /// Where it begins.
        at: usize,
    },
    /// The field is there, but cannot be filtered by.
    #[error("nothing can be filtered by `{field}`, which `{parameter}` names at character {at}")]
    Unfilterable {
        /// The parameter.
        parameter: &'static str,
        /// The field.
        field: &'static str,
        /// Where.
        at: usize,
    },
    /// The field is there, but cannot be sorted by.
    #[error("nothing can be sorted by `{field}`, which `{parameter}` names at character {at}")]
    Unsortable {
        /// The parameter.
        parameter: &'static str,
        /// The field.
        field: &'static str,
        /// Where.
        at: usize,
    },
}

impl BadQuery {
    pub(super) fn encoding(name: &str) -> Self {
        Self::Encoding(Excerpt::of(name))
    }
}

/// What stands where something else is wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found {
    /// Nothing any more.
    End,
    /// A text, of which nothing is told.
    Text,
    /// This.
    Word(Excerpt),
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::End => f.write_str("its end"),
            Self::Text => f.write_str("a text"),
            Self::Word(word) => write!(f, "`{word}`"),
        }
    }
}

/// The beginning of what was sent, fit to be shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Excerpt(Box<str>);

/// An excerpt has at most so many characters.
const MAX_EXCERPT: usize = 40;

impl Excerpt {
    pub(super) fn of(text: &str) -> Self {
        let shown = text.chars().take(MAX_EXCERPT);
        Self(shown.map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect())
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
