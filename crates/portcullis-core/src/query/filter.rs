//! The condition on rows: its form, and how it is printed.

mod literal;
mod parser;

use std::fmt;

use super::Query;
use super::field::{Field, Kind};

pub use literal::Literal;
pub(super) use parser::parse;

/// Parentheses and `not`s stand in one another at most so often.
pub const MAX_DEPTH: usize = 16;
/// A filter makes at most so many comparisons.
pub const MAX_TERMS: usize = 64;

/// A condition. What is absent from a row equals nothing, and is neither less nor greater; so a
/// filter and its `not` part all rows between them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Filter {
    /// All of these hold.
    And(Vec<Self>),
    /// This holds.
    Compare(Comparison),
    /// This does not hold.
    Not(Box<Self>),
    /// One of these holds.
    Or(Vec<Self>),
}

/// A field compared with a literal of its kind, in a way that its kind can be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Comparison {
    field: &'static Field,
    operator: Operator,
    literal: Literal,
}

/// How a field is compared with a literal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operator {
    /// The literal stands somewhere in it, byte by byte: capitals count.
    Contains,
    /// It is the same.
    Eq,
    /// It is the same or greater.
    Ge,
    /// It is greater.
    Gt,
    /// It is the same or less.
    Le,
    /// It is less.
    Lt,
    /// It is another, or absent.
    Ne,
}

impl Operator {
    /// All there are.
    pub const ALL: [Self; 7] =
        [Self::Contains, Self::Eq, Self::Ge, Self::Gt, Self::Le, Self::Lt, Self::Ne];

    /// As a filter spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Contains => "contains",
            Self::Eq => "eq",
            Self::Ge => "ge",
            Self::Gt => "gt",
            Self::Le => "le",
            Self::Lt => "lt",
            Self::Ne => "ne",
        }
    }

    /// Whether what `kind` says can be compared so.
    pub const fn applies(self, kind: Kind) -> bool {
        match self {
            Self::Contains => matches!(kind, Kind::Text),
            Self::Eq | Self::Ne => true,
            Self::Ge | Self::Gt | Self::Le | Self::Lt => !matches!(kind, Kind::Flag),
        }
    }
}

impl Comparison {
    /// `field`, compared with `literal` in the way of `operator`; none if they do not fit together.
    pub fn new(field: &'static Field, operator: Operator, literal: Literal) -> Option<Self> {
        let fits = operator.applies(field.kind) && literal.kind() == field.kind;
        fits.then_some(Self { field, operator, literal })
    }

    /// What is compared.
    pub const fn field(&self) -> &'static Field {
        self.field
    }

    /// How.
    pub const fn operator(&self) -> Operator {
        self.operator
    }

    /// With what.
    pub const fn literal(&self) -> &Literal {
        &self.literal
    }
}

impl Query {
    /// The same query of what `comparison` is true for.
    #[must_use]
    pub fn only(mut self, comparison: Comparison) -> Self {
        let comparison = Filter::Compare(comparison);
        self.filter = Some(match self.filter.take() {
            Some(filter) => Filter::And(vec![filter, comparison]),
            None => comparison,
        });
        self
    }
}

/// As it was read, with one blank between words and no parentheses but those that matter.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(all) => {
                join(f, all, " and ", |inner| matches!(inner, Self::And(_) | Self::Or(_)))
            }
            Self::Compare(it) => {
                write!(f, "{} {} {}", it.field.name, it.operator.as_str(), it.literal)
            }
            Self::Not(inner) => {
                f.write_str("not ")?;
                enclose(f, inner, matches!(**inner, Self::And(_) | Self::Or(_)))
            }
            Self::Or(all) => join(f, all, " or ", |inner| matches!(inner, Self::Or(_))),
        }
    }
}

fn join(
    f: &mut fmt::Formatter<'_>,
    all: &[Filter],
    word: &str,
    enclosed: fn(&Filter) -> bool,
) -> fmt::Result {
    for (at, inner) in all.iter().enumerate() {
        f.write_str(if at == 0 { "" } else { word })?;
        enclose(f, inner, enclosed(inner))?;
    }
    Ok(())
}

fn enclose(f: &mut fmt::Formatter<'_>, inner: &Filter, enclosed: bool) -> fmt::Result {
    if enclosed { write!(f, "({inner})") } else { write!(f, "{inner}") }
}
