//! Server tokens of Expert, and the users they are signed for.

use portcullis_core::scheme::signature::{Form, MAX_TOKEN, NamedUser, ServerToken, sign};
use portcullis_core::seal::MacKey;
use portcullis_core::time::Timestamp;

const KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const NOW: Timestamp = Timestamp::from_millis(1_422_940_200_000);

/// A token, or a user to sign one for.
///
/// # Panics
/// What is read is not what is written, a token stands for somebody whom nobody signed for, or one
/// changed character goes unnoticed.
pub fn server_token(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (secret, other) = (MacKey::of_text(b"secret"), MacKey::of_text(b"other"));
    let signed_user = |token: &ServerToken<'_>, key: &MacKey| {
        token.signed_user(|parts| key.digest(parts)).map(std::borrow::Cow::into_owned)
    };
    if let Ok(token) = ServerToken::parse(text) {
        assert!(text.len() <= MAX_TOKEN && !token.key().contains('_'), "{text}");
        assert!((1_000_000_000..=9_999_999_999).contains(&token.epoch()), "{text}");
        let written = token.write();
        assert!(written.expose_text().eq_ignore_ascii_case(text), "{text}");
        let again = ServerToken::parse(written.expose_text()).unwrap();
        assert_eq!(again.write().expose(), written.expose());
        assert_eq!(signed_user(&again, &secret), signed_user(&token, &secret));
    }
    for form in [Form::Documented, Form::Older] {
        let Some(signed) = sign(form, (KEY, &secret), NOW, text) else { continue };
        assert!(NamedUser::parse(text).is_some(), "{text}");
        let token = ServerToken::parse(signed.expose_text()).unwrap();
        assert_eq!((token.form(), token.key(), token.user()), (form, KEY, text));
        assert_eq!(signed_user(&token, &secret).as_deref(), Some(text));
        assert_eq!(signed_user(&token, &other), None, "{text}");
        change(signed.expose(), data);
    }
}

/// Changes one digit of the hash: then nobody signed it.
fn change(token: &[u8], how: &[u8]) {
    let Some(at) = how.first().map(|by| token.len() - 1 - usize::from(by % 64)) else { return };
    let mut changed = token.to_vec();
    changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
    let text = std::str::from_utf8(&changed).unwrap();
    let token = ServerToken::parse(text).unwrap();
    let secret = MacKey::of_text(b"secret");
    assert_eq!(token.signed_user(|parts| secret.digest(parts)), None, "{text}");
}
