//! Words, numbers, texts and marks: what a filter and an order are made of.

use super::error::{BadQuery, Excerpt, Found};

/// The next thing that stands in a value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Token<'t> {
    Close,
    Comma,
    End,
    /// Digits, perhaps with a sign before and a fraction after.
    Number(&'t str),
    Open,
    /// What begins nothing.
    Stray(char),
    /// What stood between quotes.
    Text(String),
    /// A letter or `_`, and what may follow it in a name.
    Word(&'t str),
}

/// A value, read from left to right; knows what comes next.
#[derive(Debug)]
pub(super) struct Lexer<'t> {
    pub(super) parameter: &'static str,
    pub(super) next: Token<'t>,
    /// The character at which it stands.
    pub(super) at: usize,
    text: &'t str,
    rest: &'t str,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(parameter: &'static str, text: &'t str) -> Result<Self, BadQuery> {
        let mut lexer = Self { parameter, next: Token::End, at: 1, text, rest: text };
        lexer.advance()?;
        Ok(lexer)
    }

    /// What stood next; the one after it does now.
    pub(super) fn advance(&mut self) -> Result<Token<'t>, BadQuery> {
        let rest = self.rest.trim_ascii_start();
        self.at = self.text.strip_suffix(rest).unwrap_or_default().chars().count() + 1;
        let (token, rest) = self.read(rest)?;
        self.rest = rest;
        Ok(std::mem::replace(&mut self.next, token))
    }

    fn read(&self, rest: &'t str) -> Result<(Token<'t>, &'t str), BadQuery> {
        let mut chars = rest.chars();
        let Some(first) = chars.next() else { return Ok((Token::End, rest)) };
        let after = chars.as_str();
        let begins_number = first == '-' && after.starts_with(|c: char| c.is_ascii_digit());
        Ok(match first {
            '(' => (Token::Open, after),
            ')' => (Token::Close, after),
            ',' => (Token::Comma, after),
            '"' => self.quoted(after)?,
            c if c.is_ascii_digit() || begins_number => {
                let (number, rest) = number(rest, after);
                (Token::Number(number), rest)
            }
            c if c.is_ascii_alphabetic() || c == '_' => {
                let (word, rest) = taken(rest, rest.trim_start_matches(named));
                (Token::Word(word), rest)
            }
            c => (Token::Stray(c), after),
        })
    }

    /// What follows an opening quote.
    fn quoted(&self, mut rest: &'t str) -> Result<(Token<'t>, &'t str), BadQuery> {
        let unclosed = BadQuery::Unclosed { parameter: self.parameter, at: self.at };
        let mut text = String::new();
        loop {
            let Some((piece, after)) = rest.split_once('"') else { return Err(unclosed) };
            text.push_str(piece);
            let Some(doubled) = after.strip_prefix('"') else {
                return Ok((Token::Text(text), after));
            };
            text.push('"');
            rest = doubled;
        }
    }

    /// Goes past `token` if it stands next; whether it did.
    pub(super) fn takes(&mut self, token: &Token<'_>) -> Result<bool, BadQuery> {
        let here = self.next == *token;
        if here {
            self.advance()?;
        }
        Ok(here)
    }

    /// Goes past a name; what it is, and where it stood.
    pub(super) fn word(&mut self, wanted: &'static str) -> Result<(&'t str, usize), BadQuery> {
        let at = self.at;
        if let Token::Word(word) = self.next {
            self.advance()?;
            return Ok((word, at));
        }
        Err(self.wants(wanted))
    }

    /// That something else should stand next.
    pub(super) fn wants(&self, wanted: &'static str) -> BadQuery {
        let found = match &self.next {
            Token::Close => Found::Word(Excerpt::of(")")),
            Token::Comma => Found::Word(Excerpt::of(",")),
            Token::End => Found::End,
            Token::Number(text) | Token::Word(text) => Found::Word(Excerpt::of(text)),
            Token::Open => Found::Word(Excerpt::of("(")),
            Token::Stray(c) => Found::Word(Excerpt::of(c.encode_utf8(&mut [0; 4]))),
            Token::Text(_) => Found::Text,
        };
        BadQuery::Expected { parameter: self.parameter, wanted, found, at: self.at }
    }
}

/// What may stand in a name after its first letter.
const fn named(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':')
}

/// The number at the beginning of `text`, which goes on as `after` past its first character.
fn number<'t>(text: &'t str, after: &'t str) -> (&'t str, &'t str) {
    let digit = |c: char| c.is_ascii_digit();
    let whole = after.trim_start_matches(digit);
    let fraction = whole.strip_prefix('.').filter(|fraction| fraction.starts_with(digit));
    taken(text, fraction.map_or(whole, |fraction| fraction.trim_start_matches(digit)))
}

/// What stands in `text` before `rest`, which ends it, and `rest`.
fn taken<'t>(text: &'t str, rest: &'t str) -> (&'t str, &'t str) {
    (text.strip_suffix(rest).unwrap_or(text), rest)
}
