//! The parameters of a query.

use percent_encoding::percent_decode_str;

use super::failure::Failure;
use super::format::{Format, PARAMETER};

/// The value of the parameter `name` as it was sent, if it is there with one.
///
/// # Errors
/// It is there twice.
fn raw<'q>(query: Option<&'q str>, name: &'static str) -> Result<Option<&'q str>, Failure> {
    let pairs = query.unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    let mut values = pairs.filter(|(sent, _)| *sent == name).map(|(_, value)| value);
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(Failure::bad(format!("`{name}` stands there twice"))),
        (value, None) => Ok(value.filter(|value| !value.is_empty())),
    }
}

/// The value of a parameter, its escapes taken away once.
pub(super) fn value(query: Option<&str>, name: &'static str) -> Result<Option<String>, Failure> {
    let Some(raw) = raw(query, name)? else { return Ok(None) };
    let decoded = percent_decode_str(raw).decode_utf8();
    let decoded = decoded.map_err(|_| Failure::bad(format!("`{name}` is not UTF-8")))?;
    Ok(Some(decoded.into_owned()))
}

/// The same of a form, in which a plus sign is a space.
pub(super) fn form(query: Option<&str>, name: &'static str) -> Result<Option<String>, Failure> {
    let Some(raw) = raw(query, name)? else { return Ok(None) };
    value(Some(&format!("{name}={}", raw.replace('+', " "))), name)
}

/// Whether the parameter `name` is `true`.
pub(super) fn flag(query: Option<&str>, name: &'static str) -> Result<bool, Failure> {
    Ok(value(query, name)?.is_some_and(|value| value.eq_ignore_ascii_case("true")))
}

/// The format that is asked for.
pub(super) fn format(query: Option<&str>) -> Result<Format, Failure> {
    let Some(name) = value(query, PARAMETER)? else { return Ok(Format::default()) };
    Format::named(&name).ok_or_else(|| {
        let told: String = name.chars().filter(char::is_ascii_alphanumeric).take(20).collect();
        Failure::bad(format!("{told} output format not supported"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_begins_after_the_first_equals_sign_and_stands_there_once() {
        for (query, expected) in [
            (None, Ok(None)),
            (Some("a"), Ok(None)),
            (Some("a="), Ok(None)),
            (Some("b=1&a=x=y%3Dz"), Ok(Some("x=y=z"))),
            (Some("a=1+2%2B3"), Ok(Some("1+2+3"))),
            (Some("A=1"), Ok(None)),
            (Some("a=1&a=1"), Err(())),
            (Some("a=&a=1"), Err(())),
            (Some("a=%ff"), Err(())),
        ] {
            let found = value(query, "a").map_err(drop);
            assert_eq!(found, expected.map(|it| it.map(str::to_owned)), "{query:?}");
        }
        assert_eq!(form(Some("a=1+2%2B3"), "a").unwrap().as_deref(), Some("1 2+3"));
    }
}
