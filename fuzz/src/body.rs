//! Bodies in which a token may stand, as a form and as JSON.

use portcullis_core::request::{BodyForm, BodyToken};
use portcullis_core::scheme::bearer;

/// A body of either form.
///
/// # Panics
/// What is found is no token of the body's, one is left when it was taken out, or what has none is
/// changed.
pub fn body(data: &[u8]) {
    for form in [BodyForm::Form, BodyForm::Json] {
        let found = form.token(data);
        if let Some(BodyToken::One(token)) = found {
            assert!(bearer::is_ours(token), "{form:?}");
            assert!(data.windows(token.len()).any(|it| it == token), "{form:?}");
        }
        let rest = form.without_token(data);
        assert!(form.token(&rest).is_none(), "{form:?}");
        assert_eq!(form.without_token(&rest), rest, "{form:?}");
        match (found, form) {
            (None, BodyForm::Form) => assert_eq!(rest, data),
            (None, BodyForm::Json) => same(data, &rest),
            (Some(_), _) => assert!(rest.len() < data.len(), "{form:?}"),
        }
    }
}

/// Blanks between fields may go, and names be written in another way; no value changes.
fn same(data: &[u8], rest: &[u8]) {
    let read = |text: &[u8]| serde_json::from_slice::<serde_json::Value>(text).ok();
    assert_eq!(read(data), read(rest));
}
