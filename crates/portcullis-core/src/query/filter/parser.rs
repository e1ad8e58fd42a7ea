//! How a filter is read: by descent, as deep as it may nest.

use super::{Comparison, Filter, Literal, MAX_DEPTH, MAX_TERMS, Operator, literal};
use crate::query::MAX_FILTER;
use crate::query::error::BadQuery;
use crate::query::field::Field;
use crate::query::lexer::{Lexer, Token};

pub(in crate::query) fn parse(
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
