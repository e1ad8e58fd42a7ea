//! The one canonical form of a user name or e-mail address.
//!
//! Lookup, memory, back-off and audit all use this form, so that no two of them can disagree
//! about who was meant.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;

/// The longest name, in bytes, as it is presented and in its canonical form.
pub const MAX_NAME: usize = 256;

/// Why a text is no name: the caller's fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadName {
    /// It holds a colon, which ends the name in HTTP Basic (RFC 7617, section 2).
    #[error("a name holds no colon")]
    Colon,
    /// It is empty.
    #[error("a name is not empty")]
    Empty,
    /// It holds a control character or one that cannot be seen.
    #[error("a name holds no control or invisible characters")]
    Invisible,
    /// It is longer than [`MAX_NAME`].
    #[error("a name has at most {MAX_NAME} bytes")]
    Long,
    /// It begins or ends with white space.
    #[error("a name neither begins nor ends with white space")]
    Space,
}

/// The canonical form of `name`: NFKC, lower case, NFKC again.
///
/// Nothing is allocated for a name of lower-case ASCII.
///
/// # Errors
/// It is no name.
pub fn canonical(name: &str) -> Result<Cow<'_, str>, BadName> {
    let form = if name.is_ascii() && !name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Borrowed(name)
    } else if name.len() <= MAX_NAME {
        Cow::Owned(name.nfkc().flat_map(char::to_lowercase).nfkc().collect())
    } else {
        return Err(BadName::Long);
    };
    check(&form)?;
    Ok(form)
}

/// The longest title, in bytes.
pub const MAX_TITLE: usize = 256;

/// A text that is no title or address: the caller's fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadTitle {
    /// It is not of an address's form (RFC 5321, section 4.1.2, in its common part).
    #[error("an address has one `@` with something on both sides, and no white space")]
    Address,
    /// It is empty, too long, or has white space at an end or characters that cannot be seen.
    #[error("a name has 1 to {MAX_TITLE} bytes, no space at either end and no control characters")]
    Title,
}

/// What people call something: kept as it was written.
///
/// # Errors
/// It is empty, too long, or cannot be shown as it is.
pub fn title(text: &str) -> Result<&str, BadTitle> {
    let fits = (1..=MAX_TITLE).contains(&text.len());
    let plain = text.trim() == text && !text.chars().any(invisible);
    if fits && plain { Ok(text) } else { Err(BadTitle::Title) }
}

/// The canonical form of an e-mail address: that of a name. Empty is none.
///
/// # Errors
/// It is not of an address's form.
pub fn address(text: &str) -> Result<Option<String>, BadTitle> {
    if text.is_empty() {
        return Ok(None);
    }
    let form = canonical(text).map_err(|_| BadTitle::Address)?;
    let parts = form
        .split_once('@')
        .filter(|(local, domain)| !local.is_empty() && !domain.is_empty() && !domain.contains('@'));
    let plain = parts.is_some() && !form.contains(char::is_whitespace);
    if plain { Ok(Some(form.into_owned())) } else { Err(BadTitle::Address) }
}

fn check(name: &str) -> Result<(), BadName> {
    if name.is_empty() {
        return Err(BadName::Empty);
    }
    if name.len() > MAX_NAME {
        return Err(BadName::Long);
    }
    if name.contains(':') {
        return Err(BadName::Colon);
    }
    if name.chars().any(invisible) {
        return Err(BadName::Invisible);
    }
    if name.starts_with(char::is_whitespace) || name.ends_with(char::is_whitespace) {
        return Err(BadName::Space);
    }
    Ok(())
}

/// Control characters, and the format characters that make two names look alike.
fn invisible(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_mean_the_same_have_one_form() {
        for (name, form) in [
            ("owner", "owner"),
            ("OWNER", "owner"),
            ("Zo\u{eb}", "zo\u{eb}"),
            ("Zoe\u{308}", "zo\u{eb}"),
            ("\u{ff4f}wner", "owner"),
            ("\u{212a}elvin", "kelvin"),
            ("A@Example.COM", "a@example.com"),
        ] {
            assert_eq!(canonical(name).unwrap(), form, "{name}");
            assert_eq!(canonical(form).unwrap(), form, "{name} twice");
        }
    }

    #[test]
    fn an_address_has_one_form_and_an_empty_one_is_none() {
        assert_eq!(address("").unwrap(), None);
        assert_eq!(address("Zoe@Example.COM").unwrap().as_deref(), Some("zoe@example.com"));
        for bad in ["zoe", "@example.com", "zoe@", "a@b@c", "a b@c", "a:b@c", "a@b\n"] {
            assert_eq!(address(bad).unwrap_err(), BadTitle::Address, "{bad:?}");
        }
    }

    #[test]
    fn a_title_is_kept_as_it_is_or_refused() {
        assert_eq!(title("ACME: Zo\u{eb} & Sons").unwrap(), "ACME: Zo\u{eb} & Sons");
        for bad in ["", " a", "a ", "a\nb", "a\u{202e}b", &"a".repeat(MAX_TITLE + 1)] {
            assert_eq!(title(bad).unwrap_err(), BadTitle::Title, "{bad:?}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for (name, why) in [
            ("", BadName::Empty),
            ("a:b", BadName::Colon),
            ("a\u{ff1a}b", BadName::Colon),
            ("a\nb", BadName::Invisible),
            ("a\u{200b}b", BadName::Invisible),
            ("\u{202e}a", BadName::Invisible),
            (" a", BadName::Space),
            ("a ", BadName::Space),
        ] {
            assert_eq!(canonical(name).unwrap_err(), why, "{name:?}");
        }
        assert_eq!(canonical(&"a".repeat(MAX_NAME + 1)).unwrap_err(), BadName::Long);
        assert!(canonical(&"a".repeat(MAX_NAME)).is_ok());
    }
}
