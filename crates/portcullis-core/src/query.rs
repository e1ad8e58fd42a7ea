//! A query of a collection: what to look for, in which order, how much of it, and what to show.
//!
//! ```text
//! $filter=(name contains "ann" or number ge 7) and active eq true
//! $orderBy=name desc,number      $select=id,name      $skip=200&$top=100      $count=false
//! ```
//!
//! A text stands between double quotes, and a double quote in it is written twice; a backslash is a
//! character like any other. Numbers, moments (seconds since the Unix epoch) and `true` and `false`
//! may do without quotes. `not` binds tighter than `and`, and `and` tighter than `or`. Names and
//! words are compared letter by letter.

mod error;
mod field;
mod filter;
mod lexer;
mod order;
mod percent;

use std::fmt;
use std::ops::RangeInclusive;

pub use error::{BadQuery, Excerpt};
pub use field::{Field, Kind};
pub use filter::{Comparison, Filter, Literal, MAX_DEPTH, MAX_TERMS, Operator};
pub use order::{Direction, Key};

/// The longest `$filter`, in bytes: as it was sent, once decoded, and as it is printed.
pub const MAX_FILTER: usize = 4 * 1_024;
/// The longest value of any other parameter, in bytes, once decoded.
pub const MAX_VALUE: usize = 1_024;
/// A page has so many rows, if nothing is said.
pub const DEFAULT_TOP: u32 = 100;
/// A page has at most so many rows.
pub const MAX_TOP: u32 = 1_000;
/// At most so many rows can be skipped.
pub const MAX_SKIP: u32 = 10_000_000;

/// What a caller wants of a collection.
#[derive(Clone, PartialEq, Debug)]
pub struct Query {
    /// What to look for; everything, if nothing is said.
    pub filter: Option<Filter>,
    /// In which order; what is equal in all of it keeps the collection's own.
    pub order: Vec<Key>,
    /// Which fields to show; all, if nothing is said.
    pub select: Option<Vec<&'static Field>>,
    /// How many rows to pass over.
    pub skip: u32,
    /// How many rows to show at most.
    pub top: u32,
    /// Whether to count all that is found.
    pub count: bool,
}

impl Default for Query {
    fn default() -> Self {
        let (filter, order, select) = (None, Vec::new(), None);
        Self { filter, order, select, skip: 0, top: DEFAULT_TOP, count: true }
    }
}

/// The parameters by the names they are sent under.
const COUNT: &str = "$count";
const FILTER: &str = "$filter";
const ORDER: &str = "$orderBy";
const SELECT: &str = "$select";
const SKIP: &str = "$skip";
const TOP: &str = "$top";
const ALL: [&str; 6] = [COUNT, FILTER, ORDER, SELECT, SKIP, TOP];

impl Query {
    /// Reads the `pairs` of a query as they were sent, percent-encoded and with `+` for a space,
    /// against the `fields` of a collection. What does not begin with `$` is somebody else's.
    ///
    /// # Errors
    /// It is no query of that collection.
    pub fn parse<'q>(
        pairs: impl IntoIterator<Item = (&'q str, &'q str)>,
        fields: &'static [Field],
    ) -> Result<Self, BadQuery> {
        let mut query = Self::default();
        let mut given = Vec::new();
        for (name, value) in pairs {
            let name = percent::decode(name).ok_or_else(|| BadQuery::encoding(name))?;
            if !name.starts_with('$') {
                continue;
            }
            let known = ALL.into_iter().find(|known| *known == name);
            let parameter = known.ok_or_else(|| BadQuery::Parameter(Excerpt::of(&name)))?;
            if given.contains(&parameter) {
                return Err(BadQuery::Repeated { parameter });
            }
            given.push(parameter);
            query.set(parameter, &value_of(parameter, value)?, fields)?;
        }
        Ok(query)
    }

    fn set(
        &mut self,
        parameter: &'static str,
        text: &str,
        fields: &'static [Field],
    ) -> Result<(), BadQuery> {
        match parameter {
            COUNT => self.count = text.parse().map_err(|_| BadQuery::Flag { parameter })?,
            FILTER => self.filter = Some(filter::parse(parameter, text, fields)?),
            ORDER => self.order = order::parse(parameter, text, fields)?,
            SELECT => self.select = Some(order::parse_names(parameter, text, fields)?),
            SKIP => self.skip = number(parameter, text, 0..=MAX_SKIP)?,
            _ => self.top = number(parameter, text, 1..=MAX_TOP)?,
        }
        Ok(())
    }

    /// Whether the field `name` is to be shown.
    pub fn shows(&self, name: &str) -> bool {
        self.select.as_ref().is_none_or(|select| select.iter().any(|field| field.name == name))
    }

    /// The query of the page after this one; none where no page can begin.
    #[must_use]
    pub fn next(&self) -> Option<Self> {
        let skip = self.skip.checked_add(self.top).filter(|skip| *skip <= MAX_SKIP)?;
        Some(Self { skip, ..self.clone() })
    }
}

/// The pairs of a query as it was sent, to be given to [`Query::parse`].
pub fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    parts.map(|part| part.split_once('=').unwrap_or((part, "")))
}

fn value_of(parameter: &'static str, raw: &str) -> Result<String, BadQuery> {
    let most = if parameter == FILTER { MAX_FILTER } else { MAX_VALUE };
    // An escape is three bytes long.
    if raw.len() > 3 * most {
        return Err(BadQuery::Long { parameter, most });
    }
    let value = percent::decode(raw).ok_or_else(|| BadQuery::encoding(parameter))?;
    if value.len() > most { Err(BadQuery::Long { parameter, most }) } else { Ok(value) }
}

fn number(
    parameter: &'static str,
    text: &str,
    bounds: RangeInclusive<u32>,
) -> Result<u32, BadQuery> {
    let (least, most) = (*bounds.start(), *bounds.end());
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|number| plain && bounds.contains(number));
    number.ok_or(BadQuery::Range { parameter, least, most })
}

/// As it may stand in a URL; reading it again gives the same query.
impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(filter) = &self.filter {
            write!(f, "{FILTER}={}&", percent::encode(&filter.to_string()))?;
        }
        if !self.order.is_empty() {
            let keys: Vec<String> = self.order.iter().map(Key::to_string).collect();
            write!(f, "{ORDER}={}&", percent::encode(&keys.join(",")))?;
        }
        if let Some(select) = &self.select {
            let names: Vec<&str> = select.iter().map(|field| field.name).collect();
            write!(f, "{SELECT}={}&", percent::encode(&names.join(",")))?;
        }
        if !self.count {
            write!(f, "{COUNT}=false&")?;
        }
        write!(f, "{TOP}={}&{SKIP}={}", self.top, self.skip)
    }
}
