//! `users/authenticate`: a proof for a session, and perhaps the way to a page; and its end.

use http::header::{LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue, StatusCode};
use hyper::body::Bytes;
use portcullis_core::authenticator::Authenticated;
use portcullis_core::public_origin::judge_target;
use portcullis_core::scheme::signature;
use portcullis_core::scheme::{AUTHTOKEN, AUTHTOKEN_BEARER, Found, SIGNATURE, Scheme};
use portcullis_core::secret::SecretBuf;
use portcullis_core::time::Timestamp;

use super::caller::{Caller, EXCHANGED, PASSWORD, signed};
use super::cookies::{self, X_DEKI_SESSION};
use super::failure::{self, Failure};
use super::settings::Settings;
use super::{Body, Success, query};
use crate::actions::exchange::Exchange;
use crate::dialects::Call;
use crate::dialects::answer::Undone;
use crate::dialects::proof::acting;

/// The one provider of authentication: this site itself.
const PROVIDER: &str = "1";
/// What whoever is sent elsewhere may read: twenty bytes, as the vendor's.
const MOVED: &str = "redirecting to page\n";

/// Where the browser goes is judged before anybody is: nothing is made for a bad link.
pub(super) async fn exchange(
    call: &Call<'_>,
    settings: &Settings,
    who: &mut Option<Authenticated>,
) -> Result<Success, Failure> {
    let redirect = query::value(call.head.query(), "redirect")?;
    if let Some(target) = &redirect {
        judge_target(target, &settings.origins).map_err(|bad| Failure::bad(bad.to_string()))?;
    }
    let provider = query::value(call.head.query(), "authprovider")?;
    if provider.is_some_and(|it| it != PROVIDER) {
        return Err(Failure::bad("there is no such provider of authentication"));
    }
    let proven = prove(call).await?;
    *who = Some(proven.clone());
    let now = call.services.clock.now().wall;
    let link = settings.single_use && redirect.is_some() && proven.scheme == SIGNATURE;
    let once = if link { Some(once(call, &proven)?) } else { None };
    let wanted = Exchange { terms: settings.terms, makes_users: settings.new_users, once };
    let opened = acting(call, proven).exchange(call.mount.realm, now, wanted).await;
    let opened = opened.map_err(|error| match Undone::from(error) {
        Undone::Unknown => Failure::unauthenticated("no_user"),
        Undone::Conflict(_) => Failure::token("spent"),
        Undone::Bad(message) => Failure::bad(message),
        Undone::Failed => Failure::failed(),
        Undone::NotAllowed => Failure::forbidden(),
        Undone::Unavailable => Failure::unavailable(),
    })?;
    let visit = cookies::visit(call, now);
    let mut headers = HeaderMap::new();
    for cookie in cookies::set(call, settings, &opened.token, &visit) {
        headers.append(SET_COOKIE, secret(&cookie)?);
    }
    headers.insert(X_DEKI_SESSION, value(&visit)?);
    let Some(target) = redirect else {
        let token = Bytes::copy_from_slice(opened.token.expose());
        let body = Body::Text("text/plain; charset=utf-8", token);
        return Ok(Success { status: StatusCode::OK, headers, body });
    };
    headers.insert(LOCATION, value(&target)?);
    let body = Body::Text("text/plain; charset=us-ascii", Bytes::from_static(MOVED.as_bytes()));
    Ok(Success { status: StatusCode::FOUND, headers, body })
}

/// Who signs in: by a token, wherever it stands, or else by name and password. A session opens no
/// other, and a browser's key proves nobody.
async fn prove(call: &Call<'_>) -> Result<Authenticated, Failure> {
    let sent = |scheme: &dyn Scheme| !matches!(scheme.find(call.head), Found::NotMine);
    if EXCHANGED.iter().any(|scheme| sent(scheme.as_ref())) {
        let who = signed(call, &EXCHANGED).await?;
        return who.ok_or_else(|| Failure::unauthenticated("no_credential"));
    }
    let known = call.services.gate.recognise(&PASSWORD, &call.site(), call.head).await;
    let who = known.map_err(|it| failure::unknown(it, Failure::unauthenticated))?;
    who.ok_or_else(|| Failure::unauthenticated("no_credential"))
}

/// By what a signature is known that counts once, however it is written: for whom it was made, and
/// when.
fn once(call: &Call<'_>, who: &Authenticated) -> Result<([u8; 16], Timestamp), Failure> {
    // What cannot be told apart from another is not spent, and so does not count.
    let epoch = signature::epoch_of(call.head).ok_or_else(|| Failure::token("malformed"))?;
    let user = &who.principal.user;
    let number = user.number.to_string();
    let user = who.principal.nobody.as_deref().or(user.login.as_deref()).unwrap_or(&number);
    Ok((signature::once(epoch, user), signature::counts_until(epoch)))
}

/// `POST site/logout`: ends the session, and takes the cookie away.
pub(super) async fn logout(
    call: &Call<'_>,
    settings: &Settings,
    caller: &Caller,
) -> Result<Success, Failure> {
    let who = caller.known()?;
    if ![AUTHTOKEN, AUTHTOKEN_BEARER].contains(&who.scheme) {
        return Err(Failure::bad("this call has no session to end"));
    }
    acting(call, who.clone()).end_session().await?;
    let mut headers = HeaderMap::new();
    headers.insert(SET_COOKIE, secret(&cookies::clear(call, settings))?);
    let body = Body::Text("text/plain; charset=utf-8", Bytes::new());
    Ok(Success { status: StatusCode::OK, headers, body })
}

fn secret(text: &SecretBuf) -> Result<HeaderValue, Failure> {
    let mut value = value(text.expose_text())?;
    value.set_sensitive(true);
    Ok(value)
}

fn value(text: &str) -> Result<HeaderValue, Failure> {
    HeaderValue::from_str(text).map_err(|_| Failure::failed())
}
