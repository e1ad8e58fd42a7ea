//! Moments as clients write them; none of them is refused for it.

use serde_json::Value;

use crate::time::Timestamp;

/// A number below this counts seconds, one from here on milliseconds: the year 5138, or 1973.
const MILLIS: f64 = 1e11;
const DAY: i64 = 86_400;

/// The moment that `told` means: seconds or milliseconds since the epoch, or a date with a time in
/// ISO 8601 or as Ruby prints it (`2026-11-22 06:11:19 UTC`).
pub(super) fn parse(told: &Value) -> Option<Timestamp> {
    match told {
        Value::Number(number) => number.as_f64().and_then(counted),
        Value::String(text) => match text.trim().parse() {
            Ok(number) => counted(number),
            Err(_) => written(text.trim()),
        },
        Value::Array(_) | Value::Bool(_) | Value::Null | Value::Object(_) => None,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a moment beyond all time is the last one")]
fn counted(number: f64) -> Option<Timestamp> {
    let millis = if number.abs() < MILLIS { number * 1_000.0 } else { number };
    millis.is_finite().then(|| Timestamp::from_millis(millis.round() as i64))
}

fn written(text: &str) -> Option<Timestamp> {
    let mut text = Text(text);
    let (year, month, day) = (text.digits(4)?, text.after("-")?, text.after("-")?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let days = days_from_civil(year, month, day);
    if text.0.is_empty() {
        return Some(Timestamp::from_millis(days * DAY * 1_000));
    }
    text.0 = text.0.strip_prefix(['T', 't', ' '])?;
    let (hour, minute) = (text.digits(2)?, text.after(":")?);
    let second = text.after(":").unwrap_or(0);
    let millis = text.fraction();
    let zone = text.zone()?;
    if hour > 23 || minute > 59 || second > 60 || !text.0.is_empty() {
        return None;
    }
    let seconds = days * DAY + hour * 3_600 + minute * 60 + second - zone;
    Some(Timestamp::from_millis(seconds * 1_000 + millis))
}

/// What of a text is not read yet.
struct Text<'t>(&'t str);

impl Text<'_> {
    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        self.0 = rest;
        digits.parse().ok()
    }

    /// Two digits that follow `mark`.
    fn after(&mut self, mark: &str) -> Option<i64> {
        self.0 = self.0.strip_prefix(mark)?;
        self.digits(2)
    }

    /// The milliseconds of a fraction, if one follows.
    fn fraction(&mut self) -> i64 {
        let Some(rest) = self.0.strip_prefix(['.', ',']) else { return 0 };
        let tail = rest.trim_start_matches(|it: char| it.is_ascii_digit());
        let digits = rest.strip_suffix(tail).unwrap_or_default();
        self.0 = tail;
        let places = digits.bytes().chain(*b"000").take(3);
        places.fold(0, |millis, digit| millis * 10 + i64::from(digit - b'0'))
    }

    /// How many seconds the zone is ahead of UTC; without one, it is UTC.
    fn zone(&mut self) -> Option<i64> {
        let zone = std::mem::take(&mut self.0).trim_start();
        if matches!(zone, "" | "Z" | "z" | "UTC" | "GMT") {
            return Some(0);
        }
        let (sign, zone) = match zone.strip_prefix('-') {
            Some(zone) => (-1, zone),
            None => (1, zone.strip_prefix('+')?),
        };
        let mut zone = Text(zone);
        let hours = zone.digits(2)?;
        let minutes = zone.after(":").or_else(|| zone.digits(2)).unwrap_or(0);
        zone.0.is_empty().then_some(sign * (hours * 3_600 + minutes * 60))
    }
}

/// The days from 1970-01-01 to a date of the Gregorian calendar, whose years begin in March here so
/// that the leap day is the last.
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    365 * year + leaps + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_moment_is_understood_in_the_forms_that_clients_write() {
        let moment = Some(1_795_327_879_000);
        for (told, expected) in [
            (json!("2026-11-22T06:11:19.007Z"), Some(1_795_327_879_007)),
            (json!("2026-11-22T06:11:19Z"), moment),
            (json!("2026-11-22T06:11:19"), moment),
            (json!("2026-11-22 06:11:19 UTC"), moment),
            (json!("2026-11-22 07:11:19 +0100"), moment),
            (json!("2026-11-22T00:41:19-05:30"), moment),
            (json!("2026-11-22T06:11:19,5Z"), Some(1_795_327_879_500)),
            (json!("2026-11-22"), Some(1_795_305_600_000)),
            (json!("1600-02-29"), Some(-11_670_998_400_000)),
            (json!("2000-03-01T00:00"), Some(951_868_800_000)),
            (json!(1_795_327_879), moment),
            (json!(1_795_327_879.007), Some(1_795_327_879_007)),
            (json!(1_795_327_879_000_i64), moment),
            (json!("1795327879"), moment),
            (json!(1e300), Some(i64::MAX)),
            (json!("yesterday"), None),
            (json!("2026-13-01"), None),
            (json!("2026-11-22T24:00:00Z"), None),
            (json!("2026-11-22T06:11:19 CET"), None),
            (json!("2026-11-2é"), None),
            (json!(null), None),
            (json!({ "at": 1 }), None),
        ] {
            assert_eq!(parse(&told).map(Timestamp::millis), expected, "{told}");
        }
    }
}
