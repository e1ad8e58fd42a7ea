//! Who calls the site's own addresses: by HTTP Basic, or by what stands in the body.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::header::AUTHORIZATION;
use portcullis_core::authenticator::Authenticated;
use portcullis_core::limits::Site;
use portcullis_core::scheme::{ALL, BASIC, BEARER, Options, Scheme, SchemeName};
use zeroize::Zeroizing;

use super::failure::Failure;
use crate::dialects::Call;
use crate::dialects::body::{self, Fields};
use crate::dialects::proof::prove;
use crate::gate::Unknown;

fn scheme(name: SchemeName) -> Vec<Box<dyn Scheme>> {
    let kinds = ALL.iter().filter(|kind| kind.name == name);
    kinds.filter_map(|kind| (kind.build)(&Options::new()).ok()).collect()
}

static PASSWORDS: LazyLock<Vec<Box<dyn Scheme>>> = LazyLock::new(|| scheme(BASIC));
static TOKENS: LazyLock<Vec<Box<dyn Scheme>>> = LazyLock::new(|| scheme(BEARER));

/// A credential counts here whatever it is limited to, for what it pays for is limited as it is.
fn site(call: &Call<'_>) -> Site {
    Site::any(call.mount.realm, Some(call.head.client()))
}

/// Who signs in: by HTTP Basic, or by `username` and `password`; never by both.
pub(super) async fn user(call: &Call<'_>, fields: Fields<'_>) -> Result<Authenticated, Failure> {
    let (username, password) = (fields.text("username")?, fields.text("password")?);
    let site = site(call);
    match (username, password) {
        (None, None) => {
            let known = call.services.gate.recognise(&PASSWORDS, &site, call.head).await?;
            known.ok_or_else(|| Failure::refused("no_credential"))
        }
        _ if call.head.headers().contains_key(AUTHORIZATION) => {
            Err(Failure::bad("a user is named in the body and in the head"))
        }
        (Some(username), Some(password)) => {
            Ok(prove(call, (&PASSWORDS, &site), username, password).await?)
        }
        (None, _) => Err(Failure::bad("`username` is missing")),
        (_, None) => Err(Failure::bad("`password` is missing")),
    }
}

/// Which client calls (RFC 6749, section 2.3.1): by HTTP Basic or by `client_id` and `client_secret`;
/// never by both. A client is a user, its id the login name, its secret a password or an API key.
pub(super) async fn client(call: &Call<'_>, fields: Fields<'_>) -> Result<Authenticated, Failure> {
    proven(call, fields, &site(call)).await
}

/// Which server asks what it was handed: proven as a [`client`] is, but by a credential that counts
/// here. One that is limited to guards pays for nothing by asking.
pub(super) async fn server(call: &Call<'_>, fields: Fields<'_>) -> Result<Authenticated, Failure> {
    proven(call, fields, &call.site()).await
}

async fn proven(
    call: &Call<'_>,
    fields: Fields<'_>,
    site: &Site,
) -> Result<Authenticated, Failure> {
    let (id, secret) = (fields.text("client_id")?, fields.text("client_secret")?);
    let header = call.head.headers().get(AUTHORIZATION);
    let pair = match (header, id, secret) {
        (Some(_), _, Some(_)) => {
            return Err(Failure::bad("the client proves itself in more than one way"));
        }
        (Some(header), named, None) => {
            let (id, secret) =
                decoded(header.as_bytes()).ok_or_else(|| Failure::refused("malformed"))?;
            if named.is_some_and(|named| named != id) {
                return Err(Failure::bad("`client_id` is not the client that proves itself"));
            }
            (id, secret)
        }
        (None, Some(id), Some(secret)) => (id.to_owned(), Zeroizing::new(secret.to_owned())),
        (None, ..) => return Err(Failure::refused("no_credential")),
    };
    let (id, secret) = pair;
    Ok(prove(call, (&PASSWORDS, site), &id, &secret).await?)
}

/// Name and secret of an `Authorization`, each encoded as in a form before they became a pair
/// (RFC 6749, section 2.3.1).
fn decoded(header: &[u8]) -> Option<(String, Zeroizing<String>)> {
    let (scheme, rest) = header.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"Basic ") {
        return None;
    }
    let pair = Zeroizing::new(BASE64.decode(rest.trim_ascii()).ok()?);
    let (id, secret) = std::str::from_utf8(&pair).ok()?.split_once(':')?;
    Some((body::decode(id).ok()?, Zeroizing::new(body::decode(secret).ok()?)))
}

/// Whose token it is that stands in the head.
pub(super) async fn holder(call: &Call<'_>) -> Result<Authenticated, Failure> {
    let known = call.services.gate.recognise(&TOKENS, &site(call), call.head).await;
    let who = known.map_err(|unknown| {
        if let Unknown::Rejected(no) = unknown {
            return Failure::bad_token(no.reason.name());
        }
        unknown.into()
    })?;
    who.ok_or_else(|| Failure::bad_token("no_credential"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pair_of_a_client_is_encoded_twice() {
        for (pair, expected) in [
            ("me:secret", Some(("me", "secret"))),
            ("a%40b.example:x%3Ay%2Bz+", Some(("a@b.example", "x:y+z "))),
            ("a@b.example:pcl_key_x", Some(("a@b.example", "pcl_key_x"))),
            ("me", None),
            ("me:%ff", None),
        ] {
            let header = format!("basic {}", BASE64.encode(pair));
            let read = decoded(header.as_bytes());
            let read = read.as_ref().map(|(id, secret)| (id.as_str(), secret.as_str()));
            assert_eq!(read, expected, "{pair}");
        }
        for header in ["", "Basic", "Basic x", "Bearer eDp5"] {
            assert!(decoded(header.as_bytes()).is_none(), "{header}");
        }
    }
}
