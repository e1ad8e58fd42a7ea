//! What is sealed under the master key.

use portcullis_core::seal::MasterKey;

/// A key of zeros: what it seals is no secret.
const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
/// The form and the name of the key, before the nonce.
const HEAD: usize = 5;
const CONTEXT: &[u8] = b"table/column/record";

/// Sealed bytes as the database holds them, or a master key as the operator writes it.
///
/// # Panics
/// Something is opened that was not sealed with this key for this record, or is not opened
/// although it was.
pub fn sealed(data: &[u8]) {
    let key = MasterKey::parse(KEY).unwrap();
    assert!(key.open(data, CONTEXT).is_err(), "nobody sealed it");
    let sealed = key.seal(data, CONTEXT).unwrap();
    assert_eq!(key.open(&sealed, CONTEXT).unwrap().expose(), data);
    let forged = [&sealed[..HEAD], data].concat();
    assert!(key.open(&forged, CONTEXT).is_err(), "only its head was sealed");
    assert!(data == CONTEXT || key.open(&sealed, data).is_err(), "it is another record's");
    if let &[at, by, ..] = data {
        let mut changed = sealed.clone();
        let at = usize::from(at) % changed.len();
        changed[at] ^= by.max(1);
        assert!(key.open(&changed, CONTEXT).is_err(), "byte {at} was changed");
        assert!(key.open(&sealed[..at], CONTEXT).is_err(), "cut at {at}");
    }
    parse(data, &sealed);
}

fn parse(data: &[u8], sealed: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(key) = MasterKey::parse(text) else { return };
    assert!(!format!("{key:?}").contains(text.trim()), "a key shows");
    assert_eq!(key.open(sealed, CONTEXT).is_ok(), text.trim() == KEY);
}
