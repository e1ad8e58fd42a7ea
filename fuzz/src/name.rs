//! The one canonical form of a user name.

use portcullis_core::name::{MAX_NAME, canonical};

/// A user name or e-mail address.
///
/// # Panics
/// Its canonical form is not canonical, or cannot be carried by HTTP Basic.
pub fn name(data: &[u8]) {
    let Ok(name) = std::str::from_utf8(data) else { return };
    let Ok(form) = canonical(name) else { return };
    assert_eq!(canonical(&form).unwrap(), form, "its form is its own form");
    assert!(!form.is_empty() && form.len() <= MAX_NAME);
    assert_eq!(form.trim(), form);
    assert!(!form.contains(':') && !form.chars().any(char::is_control), "{form:?}");
    assert!(!form.chars().any(char::is_uppercase) || !form.is_ascii(), "{form:?}");
    if name.is_ascii() {
        assert_eq!(form, name.to_ascii_lowercase());
    }
}
