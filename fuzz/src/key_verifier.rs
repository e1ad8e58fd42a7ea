//! The stored form of what checks a key.

use portcullis_core::credential::KeyVerifier;
use portcullis_core::seal::{Pepper, PepperId, Peppers};

/// A verifier as the database holds it.
///
/// # Panics
/// It is read as another one, or a key meets it that it was not made of.
pub fn key_verifier(data: &[u8]) {
    let peppers = Peppers::new(Pepper::new(PepperId(1), &[1; 32]), vec![]);
    let made = KeyVerifier::make(&[data], &peppers);
    let kept = KeyVerifier::from_bytes(&made.to_bytes()).unwrap();
    assert!(kept.is_met_by(&[data], &peppers));
    let Some(verifier) = KeyVerifier::from_bytes(data) else { return };
    assert_eq!(verifier.to_bytes().as_slice(), data);
    assert!(!verifier.is_met_by(&[data], &peppers), "it was not made of itself");
    assert!(!verifier.is_met_by(&[], &peppers), "it was made of something");
}
