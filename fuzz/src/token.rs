//! The form of our keys and tokens.

use portcullis_core::token::{CHECK, ID, SECRET, TokenKind};

const KEY: TokenKind = TokenKind::new("key");

/// A key.
///
/// # Panics
/// Something is read that is not a whole key, a whole one is not read, or one wrong character
/// goes unnoticed.
pub fn token(data: &[u8]) {
    if let Ok(token) = KEY.parse(data) {
        let (id, secret) = (token.id.as_bytes(), token.secret.expose());
        assert!(data.starts_with(&[b"pcl_key_", id, b"_", secret].concat()));
        assert_eq!((id.len(), secret.len()), (ID, SECRET));
        assert_eq!(data.len(), "pcl_key_".len() + ID + 1 + SECRET + CHECK);
        change(data, data);
    }
    let drawn = KEY.draw().unwrap();
    assert!(KEY.claims(drawn.expose()) && KEY.parse(drawn.expose()).is_ok());
    change(drawn.expose(), data);
    for (other, word) in [(TokenKind::new("ses"), "ses"), (TokenKind::new("ke"), "ke")] {
        assert!(!other.claims(drawn.expose()), "{word} claims a key");
    }
}

/// Changes one byte of `token`, as `how` says: nothing that is so near is a token.
fn change(token: &[u8], how: &[u8]) {
    let &[at, by, ..] = how else { return };
    let at = usize::from(at) % token.len();
    let mut changed = token.to_vec();
    changed[at] ^= by.max(1);
    assert!(KEY.parse(&changed).is_err(), "byte {at}, changed by {}", by.max(1));
    assert!(KEY.parse(&token[..at]).is_err(), "cut at {at}");
    assert!(KEY.parse(&[token, &[by]].concat()).is_err(), "one byte longer");
}
