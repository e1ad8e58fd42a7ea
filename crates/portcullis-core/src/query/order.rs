//! Lists of fields: `name desc,number`, and the names alone.

use std::fmt;

use super::error::BadQuery;
use super::field::Field;
use super::lexer::{Lexer, Token};

/// Which end comes first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// The least; what is absent is less than anything.
    Ascending,
    /// The greatest.
    Descending,
}

/// What rows are ordered by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key {
    /// The field.
    pub field: &'static Field,
    /// Which end comes first.
    pub direction: Direction,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.field.name)?;
        f.write_str(if self.direction == Direction::Descending { " desc" } else { "" })
    }
}

pub(super) fn parse(
    parameter: &'static str,
    text: &str,
    fields: &'static [Field],
) -> Result<Vec<Key>, BadQuery> {
    list(parameter, text, |lexer| {
        let (name, at) = lexer.word("a field")?;
        let field = Field::find(fields, name, parameter, at)?;
        if !field.sortable {
            return Err(BadQuery::Unsortable { parameter, field: field.name, at });
        }
        let descending = !lexer.takes(&Token::Word("asc"))? && lexer.takes(&Token::Word("desc"))?;
        let direction = if descending { Direction::Descending } else { Direction::Ascending };
        Ok((field, Key { field, direction }))
    })
}

pub(super) fn parse_names(
    parameter: &'static str,
    text: &str,
    fields: &'static [Field],
) -> Result<Vec<&'static Field>, BadQuery> {
    list(parameter, text, |lexer| {
        let (name, at) = lexer.word("a field")?;
        let field = Field::find(fields, name, parameter, at)?;
        Ok((field, field))
    })
}

/// What `each` reads, with commas between, every field but once.
fn list<T>(
    parameter: &'static str,
    text: &str,
    each: impl Fn(&mut Lexer<'_>) -> Result<(&'static Field, T), BadQuery>,
) -> Result<Vec<T>, BadQuery> {
    let mut lexer = Lexer::new(parameter, text)?;
    let (mut fields, mut all) = (Vec::new(), Vec::new());
    loop {
        let (field, one) = each(&mut lexer)?;
        if fields.contains(&field.name) {
            return Err(BadQuery::RepeatedField { parameter, field: field.name });
        }
        fields.push(field.name);
        all.push(one);
        if lexer.next == Token::End {
            return Ok(all);
        }
        if !lexer.takes(&Token::Comma)? {
            return Err(lexer.wants("a comma"));
        }
    }
}
