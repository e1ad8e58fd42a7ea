//! The user of a server token.

use std::borrow::Cow;
use std::iter;

use percent_encoding::percent_decode_str;

/// The longest name, in characters.
pub const MAX_USER_NAME: usize = 255;

/// Whom a token was signed for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NamedUser<'t> {
    /// The user who is called so.
    Name(Cow<'t, str>),
    /// The user with this number.
    Number(u32),
}

impl<'t> NamedUser<'t> {
    /// Whom `signed`, the very text that was signed, stands for. A name is unescaped once: one text
    /// names one user, whoever exists.
    pub fn parse(signed: &'t str) -> Option<Self> {
        match signed.strip_prefix('=') {
            Some(name) => Some(Self::Name(read_name(name)?)),
            None => Some(Self::Number(read_number(signed)?)),
        }
    }

    /// The same, of a text that may be one's own.
    pub(super) fn read(signed: Cow<'t, str>) -> Option<Self> {
        match signed {
            Cow::Borrowed(signed) => Self::parse(signed),
            Cow::Owned(signed) => Some(match NamedUser::parse(&signed)? {
                NamedUser::Name(name) => Self::Name(Cow::Owned(name.into_owned())),
                NamedUser::Number(number) => Self::Number(number),
            }),
        }
    }
}

fn read_name(name: &str) -> Option<Cow<'_, str>> {
    let name = percent_decode_str(name).decode_utf8().ok()?;
    let fits = (1..=MAX_USER_NAME).contains(&name.chars().count());
    (fits && !name.chars().any(char::is_control)).then_some(name)
}

fn read_number(text: &str) -> Option<u32> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| plain)
}

/// The texts that may have been signed where `sent` came: itself, and what is left of it when the
/// escapes of a query, or of a query and a name, are taken away.
pub(super) fn readings(sent: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let once = unescaped(sent);
    let twice = once.as_deref().and_then(unescaped).map(Cow::into_owned).map(Cow::Owned);
    // RFC 1866, section 8.2.1: a form has a plus sign where a space was.
    let spaced = sent.contains('+').then(|| sent.replace('+', " "));
    let form = spaced.map(|text| match unescaped(&text) {
        Some(text) => Cow::Owned(text.into_owned()),
        None => Cow::Owned(text),
    });
    iter::once(Cow::Borrowed(sent)).chain([once, twice, form].into_iter().flatten())
}

/// `text` without its escapes, if it had some.
fn unescaped(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return None;
    }
    let plain = percent_decode_str(text).decode_utf8().ok()?;
    (plain != text).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_a_number_or_a_name_behind_an_equals_sign() {
        let name = |name: &'static str| Some(NamedUser::Name(name.into()));
        for (signed, expected) in [
            ("=admin", name("admin")),
            ("=1", name("1")),
            ("=01", name("01")),
            ("==x", name("=x")),
            ("=jane_doe", name("jane_doe")),
            ("=a b", name("a b")),
            ("=a+b", name("a+b")),
            ("=j%C3%B6rg%40example.com", name("j\u{f6}rg@example.com")),
            ("=j\u{f6}rg@example.com", name("j\u{f6}rg@example.com")),
            ("=100%", name("100%")),
            ("=a%2541", name("a%41")),
            ("1", Some(NamedUser::Number(1))),
            ("4294967295", Some(NamedUser::Number(u32::MAX))),
            ("4294967296", None),
            ("4294967297", None),
            ("18446744073709551617", None),
            ("0", None),
            ("01", None),
            ("+1", None),
            ("-1", None),
            (" 1", None),
            ("1.0", None),
            ("\u{661}", None),
            ("admin", None),
            ("", None),
            ("=", None),
            ("=%00", None),
            ("=a\nb", None),
            ("=a%0d%0aSet-Cookie", None),
            ("=%ff", None),
        ] {
            assert_eq!(NamedUser::parse(signed), expected, "{signed:?}");
        }
        let long = format!("={}", "\u{f6}".repeat(MAX_USER_NAME));
        assert!(NamedUser::parse(&long).is_some());
        assert_eq!(NamedUser::parse(&(long + "x")), None);
    }

    #[test]
    fn what_has_no_escapes_has_one_reading() {
        for (sent, expected) in [
            ("=admin", vec!["=admin"]),
            ("=100%", vec!["=100%"]),
            ("%3Da", vec!["%3Da", "=a"]),
            ("%253Da", vec!["%253Da", "%3Da", "=a"]),
            ("=a+b", vec!["=a+b", "=a b"]),
            ("%3Da+b", vec!["%3Da+b", "=a+b", "=a b"]),
            ("=%ff", vec!["=%ff"]),
        ] {
            assert_eq!(readings(sent).collect::<Vec<_>>(), expected, "{sent}");
        }
    }
}
