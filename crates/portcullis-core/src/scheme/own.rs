//! What is alike in all schemes whose credentials have our own form, `pcl_…`.

use http::header::COOKIE;

use super::{Claim, Found, Issued, Presented, PresentedKey, SchemeName, Unread};
use crate::credential::{Credential, KeyVerifier};
use crate::request::{RequestHead, cookie_pairs};
use crate::seal::{NoEntropy, Peppers};
use crate::token::TokenKind;

/// Draws a credential of this kind.
pub(super) fn issue(kind: TokenKind, peppers: &Peppers) -> Result<Issued, NoEntropy> {
    let shown = kind.draw()?;
    let token = kind.parse(shown.expose()).map_err(|_| NoEntropy)?;
    // Both parts have one length, so that their boundary is fixed.
    let verifier = KeyVerifier::make(&[token.id.as_bytes(), token.secret.expose()], peppers);
    Ok(Issued { key: token.id.to_owned(), shown, verifier })
}

/// Looks for the one cookie called `name`.
pub(super) fn find_cookie<'r>(request: &'r RequestHead<'_>, name: &str) -> Found<'r> {
    let lines = request.headers().get_all(COOKIE).iter();
    let mut mine = lines
        .flat_map(|line| cookie_pairs(line.as_bytes()))
        .filter(|pair| pair.name == name.as_bytes());
    match (mine.next(), mine.next()) {
        (None, _) => Found::NotMine,
        (Some(pair), None) => Found::Claimed(Claim::new(pair.value)),
        (Some(_), Some(_)) => Found::Repeated,
    }
}

/// Takes `text` apart as a credential of this kind; `otherwise` says what it is not.
pub(super) fn read<'s>(
    (kind, filed_under): (TokenKind, SchemeName),
    text: &'s [u8],
    otherwise: &'static str,
) -> Result<Presented<'s>, Unread> {
    if !kind.claims(text) {
        return Err(Unread::Malformed(otherwise));
    }
    let token = kind.parse(text).map_err(|_| Unread::Mistyped)?;
    let (id, secret) = (token.id, token.secret);
    Ok(Presented::Key(PresentedKey { filed_under, id, secret, login: None }))
}

/// Whether `presented` is the credential that `stored` was made of.
pub(super) fn is_met(presented: &PresentedKey<'_>, stored: &Credential, peppers: &Peppers) -> bool {
    stored.verifier.is_met_by(&[presented.id.as_bytes(), presented.secret.expose()], peppers)
}
