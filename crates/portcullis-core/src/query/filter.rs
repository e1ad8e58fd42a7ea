//! The condition on rows: its form, how it is read, and how it is printed.

mod literal;

use std::fmt;

use super::error::BadQuery;
use super::field::{Field, Kind};
use super::lexer::{Lexer, Token};
use super::{MAX_FILTER, Query};

pub use literal::Literal;

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

pub(super) fn parse(
    parameter: &'static str,
    text: &str,
    fields: &'static [Field],
) -> Result<Filter, BadQuery> {
    let lexer = Lexer::new(parameter, text)?;
    let mut parser = Parser { lexer, fields, depth: 0, terms: 0 };
    let filter = parser.or()?;
    if parser.lexer.next != Token::End {
        return Err(parser.lexer.wants("`and`, `or` or its end"));
    }
    // What is printed can be read again, were it only for its blanks.
    if filter.to_string().len() > MAX_FILTER {
        return Err(BadQuery::Long { parameter, most: MAX_FILTER });
    }
    Ok(filter)
}

struct Parser<'t> {
    lexer: Lexer<'t>,
    fields: &'static [Field],
    depth: usize,
    terms: usize,
}

impl Parser<'_> {
    fn or(&mut self) -> Result<Filter, BadQuery> {
        let first = self.and()?;
        self.joined(&Token::Word("or"), first, Self::and, Filter::Or)
    }

    fn and(&mut self) -> Result<Filter, BadQuery> {
        let first = self.one()?;
        self.joined(&Token::Word("and"), first, Self::one, Filter::And)
    }

    fn joined(
        &mut self,
        word: &Token<'_>,
        first: Filter,
        each: fn(&mut Self) -> Result<Filter, BadQuery>,
        join: fn(Vec<Filter>) -> Filter,
    ) -> Result<Filter, BadQuery> {
        if !self.lexer.takes(word)? {
            return Ok(first);
        }
        let mut all = vec![first, each(self)?];
        while self.lexer.takes(word)? {
            all.push(each(self)?);
        }
        Ok(join(all))
    }

    fn one(&mut self) -> Result<Filter, BadQuery> {
        if self.lexer.next == Token::Open {
            return self.nested(Self::enclosed);
        }
        if self.lexer.next == Token::Word("not") {
            return self.nested(Self::negated);
        }
        self.comparison().map(Filter::Compare)
    }

    fn enclosed(&mut self) -> Result<Filter, BadQuery> {
        self.lexer.advance()?;
        let inner = self.or()?;
        match self.lexer.takes(&Token::Close)? {
            true => Ok(inner),
            false => Err(self.lexer.wants("`)`, `and` or `or`")),
        }
    }

    fn negated(&mut self) -> Result<Filter, BadQuery> {
        self.lexer.advance()?;
        self.one().map(|inner| Filter::Not(Box::new(inner)))
    }

    fn nested(
        &mut self,
        read: fn(&mut Self) -> Result<Filter, BadQuery>,
    ) -> Result<Filter, BadQuery> {
        if self.depth == MAX_DEPTH {
            return Err(BadQuery::Deep { parameter: self.lexer.parameter, at: self.lexer.at });
        }
        self.depth += 1;
        let inner = read(self);
        self.depth -= 1;
        inner
    }

    fn comparison(&mut self) -> Result<Comparison, BadQuery> {
        let parameter = self.lexer.parameter;
        let (name, at) = self.lexer.word("a field, `not` or `(`")?;
        let found = Field::find(self.fields, name, parameter, at)?;
        let field = found.name;
        if !found.filterable {
            return Err(BadQuery::Unfilterable { parameter, field, at });
        }
        let operator = self.operator(found)?;
        let literal = self.literal(found)?;
        self.terms += 1;
        if self.terms > MAX_TERMS {
            return Err(BadQuery::Terms { parameter });
        }
        Ok(Comparison { field: found, operator, literal })
    }

    fn operator(&mut self, field: &'static Field) -> Result<Operator, BadQuery> {
        let (parameter, at) = (self.lexer.parameter, self.lexer.at);
        let named = |it: &Operator| self.lexer.next == Token::Word(it.as_str());
        let Some(operator) = Operator::ALL.into_iter().find(named) else {
            return Err(self.lexer.wants("`eq`, `ne`, `gt`, `ge`, `lt`, `le` or `contains`"));
        };
        self.lexer.advance()?;
        if operator.applies(field.kind) {
            return Ok(operator);
        }
        let (field, operator) = (field.name, operator.as_str());
        Err(BadQuery::Operator { parameter, field, operator, at })
    }

    fn literal(&mut self, field: &'static Field) -> Result<Literal, BadQuery> {
        let (parameter, at) = (self.lexer.parameter, self.lexer.at);
        if let Some(literal) = Literal::read(field.kind, &self.lexer.next) {
            return self.lexer.advance().map(|_| literal);
        }
        let (field, wanted) = (field.name, literal::wanted(field.kind));
        Err(BadQuery::Literal { parameter, field, wanted, at })
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
