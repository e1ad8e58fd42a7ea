//! The stored form of what checks a password.

use portcullis_core::password::{Cost, PasswordVerifier, Verdict};
use portcullis_core::seal::{Pepper, PepperId, Peppers};
use portcullis_core::secret::SecretBuf;

/// What a check of an input may cost at most, so that there can be many.
const CHEAP: Cost = Cost { memory: 64, passes: 2, lanes: 4 };

/// A verifier as the database holds it.
///
/// # Panics
/// It is read as another one, or a password meets it that it was not made of.
pub fn password_verifier(data: &[u8]) {
    let Some(verifier) = PasswordVerifier::from_bytes(data) else { return };
    assert_eq!(verifier.to_bytes().as_slice(), data);
    assert_eq!(PasswordVerifier::from_bytes(&verifier.to_bytes()), Some(verifier));
    let Some(cost) = cost(data) else { return };
    if cost.memory <= CHEAP.memory && cost.passes <= CHEAP.passes && cost.lanes <= CHEAP.lanes {
        let peppers = Peppers::new(Pepper::new(PepperId(1), &[1; 32]), vec![]);
        let verdict = verifier.check(&SecretBuf::new(data), CHEAP, &peppers);
        assert!(!matches!(verdict, Ok(Verdict::Right { .. })), "it was not made of itself");
    }
}

/// The cost that stands in a verifier: after the form and the pepper, three numbers.
fn cost(verifier: &[u8]) -> Option<Cost> {
    let mut numbers = verifier.get(5..17)?.chunks_exact(4).map(|it| it.try_into().ok());
    let mut number = || Some(u32::from_be_bytes(numbers.next()??));
    Some(Cost { memory: number()?, passes: number()?, lanes: number()? })
}
