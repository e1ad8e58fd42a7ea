//! What a field is compared with.

use std::fmt;

use crate::id::Id;
use crate::query::field::Kind;
use crate::query::lexer::Token;
use crate::time::Timestamp;

/// A value of one of the kinds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Literal {
    /// True or false.
    Flag(bool),
    /// The bytes of a UUID.
    Id([u8; 16]),
    /// A moment.
    Moment(Timestamp),
    /// A whole number.
    Number(i64),
    /// Characters, whichever they are.
    Text(String),
}

impl Literal {
    /// Which kind it is of.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Flag(_) => Kind::Flag,
            Self::Id(_) => Kind::Id,
            Self::Moment(_) => Kind::Moment,
            Self::Number(_) => Kind::Number,
            Self::Text(_) => Kind::Text,
        }
    }

    /// The literal of `kind` that `token` writes, in quotes or not.
    pub(super) fn read(kind: Kind, token: &Token<'_>) -> Option<Self> {
        let text = match token {
            Token::Number(_) if matches!(kind, Kind::Flag | Kind::Id | Kind::Text) => return None,
            Token::Word(_) if kind != Kind::Flag => return None,
            Token::Number(text) | Token::Word(text) => text,
            Token::Text(text) => text.as_str(),
            Token::Close | Token::Comma | Token::End | Token::Open | Token::Stray(_) => {
                return None;
            }
        };
        match kind {
            Kind::Flag => text.parse().ok().map(Self::Flag),
            Kind::Id => Id::<()>::parse(text).map(|id| Self::Id(*id.as_bytes())),
            Kind::Moment => moment(text).map(Self::Moment),
            Kind::Number => text.parse().ok().map(Self::Number),
            Kind::Text => Some(Self::Text(text.to_owned())),
        }
    }
}

/// What a field of `kind` can be compared with, in words.
pub(super) const fn wanted(kind: Kind) -> &'static str {
    match kind {
        Kind::Flag => "`true` or `false`",
        Kind::Id => "an id of 32 hex digits in double quotes",
        Kind::Moment => "seconds since the Unix epoch",
        Kind::Number => "a whole number",
        Kind::Text => "a text in double quotes",
    }
}

/// The moment so many seconds after the epoch.
fn moment(text: &str) -> Option<Timestamp> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(whole) || !plain(fraction) {
        return None;
    }
    let places = fraction.bytes().chain(*b"00").take(3);
    let millis = places.fold(0, |millis, digit| millis * 10 + i64::from(digit - b'0'));
    let whole = whole.parse::<i64>().ok()?.checked_mul(1_000 * sign)?;
    whole.checked_add(millis * sign).map(Timestamp::from_millis)
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(yes) => write!(f, "{yes}"),
            Self::Id(bytes) => write!(f, "\"{:032X}\"", u128::from_be_bytes(*bytes)),
            Self::Moment(moment) => write_moment(f, moment.millis()),
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => write!(f, "\"{}\"", text.replace('"', "\"\"")),
        }
    }
}

fn write_moment(f: &mut fmt::Formatter<'_>, millis: i64) -> fmt::Result {
    let sign = if millis < 0 { "-" } else { "" };
    let (whole, fraction) = (millis.unsigned_abs() / 1_000, millis.unsigned_abs() % 1_000);
    match fraction {
        0 => write!(f, "{sign}{whole}"),
        _ => write!(f, "{sign}{whole}.{}", format!("{fraction:03}").trim_end_matches('0')),
    }
}
