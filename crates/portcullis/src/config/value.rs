//! How single values are read, written and shown.

use std::time::Duration;

use toml::de::{DeInteger, DeValue};

/// How many characters of a wrong value a message shows.
const MAX_SHOWN: usize = 60;

/// Units of time, from the longest, in milliseconds.
const UNITS: &[(&str, u64)] = &[("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Reads a time such as `10s`: a whole number and one of `ms`, `s`, `m` and `h`.
pub(super) fn span(text: &str) -> Option<Duration> {
    let digits = text.find(|it: char| !it.is_ascii_digit())?;
    let (count, unit) = text.split_at_checked(digits)?;
    let (_, length) = UNITS.iter().find(|(name, _)| *name == unit)?;
    count.parse::<u64>().ok()?.checked_mul(*length).map(Duration::from_millis)
}

/// Writes a time in the longest unit that fits.
pub(super) fn spell(span: Duration) -> String {
    let count = span.as_millis();
    let fits = |length: u64| count != 0 && count.is_multiple_of(u128::from(length));
    let found = UNITS.iter().find(|(_, length)| fits(*length));
    let (unit, length) = found.copied().unwrap_or(("s", 1_000));
    format!("{}{unit}", count / u128::from(length))
}

/// Reads a whole number that is not negative.
pub(super) fn count(integer: &DeInteger<'_>) -> Option<u32> {
    u32::from_str_radix(integer.as_str(), integer.radix()).ok()
}

/// `text` in backticks on one line, cut where it gets long.
pub(super) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(MAX_SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().nth(MAX_SHOWN).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// What a message says was found.
pub(super) fn found(value: &DeValue<'_>) -> String {
    match value {
        // A URL with user information: what stands before the `@` is nobody's to repeat.
        DeValue::String(text) if text.contains("://") && text.contains('@') => {
            "a text that may hold a password".to_owned()
        }
        DeValue::String(text) => format!("the text {}", shown(text)),
        DeValue::Integer(number) => format!("the number {}", shown(&number.to_string())),
        DeValue::Array(items) if items.is_empty() => "an empty list".to_owned(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Boolean(flag) => format!("`{flag}`"),
        DeValue::Datetime(_) => "a date or time".to_owned(),
        DeValue::Float(_) => "a number with a fraction".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

/// The one of `names` that was probably meant by `name`.
pub(super) fn nearest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let near = |other: &&str| {
        let farthest = other.len().div_ceil(3);
        name.len().abs_diff(other.len()) <= farthest && distance(name, other) <= farthest
    };
    names.filter(near).min_by_key(|other| distance(name, other))
}

/// How many letters must be put in, left out or changed to make `a` of `b` (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (line, left) in a.chars().enumerate() {
        let mut diagonal = line;
        let mut before = line + 1;
        for (cell, right) in row.iter_mut().skip(1).zip(b.chars()) {
            let changed = diagonal + usize::from(left != right);
            diagonal = *cell;
            before = changed.min(before + 1).min(diagonal + 1);
            *cell = before;
        }
        if let Some(first) = row.first_mut() {
            *first = line + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_it_is_written() {
        for (text, millis) in [
            ("0s", Some(0)),
            ("500ms", Some(500)),
            ("10s", Some(10_000)),
            ("5m", Some(300_000)),
            ("2h", Some(7_200_000)),
            ("10", None),
            ("s", None),
            ("-1s", None),
            ("1.5s", None),
            ("1 s", None),
            ("1d", None),
            ("", None),
            ("99999999999999999999s", None),
            ("9999999999999999999h", None),
        ] {
            assert_eq!(span(text), millis.map(Duration::from_millis), "{text}");
            if let Some(read) = span(text) {
                assert_eq!(spell(read), text);
            }
        }
    }

    #[test]
    fn the_distance_counts_letters() {
        for (a, b, expected) in
            [("", "", 0), ("listen", "listne", 2), ("kitten", "sitting", 3), ("", "abc", 3)]
        {
            assert_eq!((distance(a, b), distance(b, a)), (expected, expected), "{a} {b}");
        }
    }

    #[test]
    fn what_is_shown_stays_on_one_short_line() {
        assert_eq!(shown("a\n\u{1b}[31m"), "`a\\n\\u{1b}[31m`");
        assert_eq!(shown(&"a".repeat(61)), format!("`{}…`", "a".repeat(60)));
    }
}
