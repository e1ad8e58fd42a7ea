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
