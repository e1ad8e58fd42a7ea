//! The one form of a host.

use portcullis_core::request::canonical_host;

/// A host, with a port or without.
///
/// # Panics
/// Its canonical form is not canonical, or another writing of the same host has another form.
pub fn host(data: &[u8]) {
    let Ok(host) = std::str::from_utf8(data) else { return };
    let Ok(form) = canonical_host(host) else { return };
    let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    assert!(form.bytes().all(|byte| letters(byte) || b"-._[:]".contains(&byte)), "{form}");
    assert!(!form.is_empty() && !form.ends_with('.') && form.len() <= 253, "{form}");
    assert_eq!(form.contains(':'), form.starts_with('['), "a port is left: {form}");
    for same in [form.to_string(), form.to_ascii_uppercase(), format!("{form}:65535")] {
        assert_eq!(canonical_host(&same).unwrap(), form, "{same}");
    }
    if !form.starts_with('[') {
        assert_eq!(canonical_host(&format!("{form}.")).unwrap(), form);
    }
    for other in [format!("{form}:65536"), format!("{form}:"), format!("a@{form}")] {
        assert!(canonical_host(&other).is_err(), "{other}");
    }
}
