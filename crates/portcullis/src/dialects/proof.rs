//! Who signs in, by what stands in a body instead of a header; and what they may then do.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::header::{AUTHORIZATION, HOST};
use http::{HeaderValue, Request};
use portcullis_core::authenticator::Authenticated;
use portcullis_core::limits::Site;
use portcullis_core::request::{RequestHead, TrustedPeers};
use portcullis_core::scheme::Scheme;
use portcullis_core::secret::SecretBuf;

use super::Call;
use crate::actions::{Acting, Actions, Actor};
use crate::gate::Unknown;

/// Why nobody knows whose name and password it is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Unproven {
    /// They cannot be a name and a password.
    Malformed,
    /// What the gate said.
    Unknown(Unknown),
}

/// Whose name and password, or key, it is: exactly what HTTP Basic would say, with its back-off, its
/// bounded pool of slow hashes and its memory. `schemes` must have HTTP Basic among them.
pub(super) async fn prove(
    call: &Call<'_>,
    (schemes, site): (&[Box<dyn Scheme>], &Site),
    username: &str,
    password: &str,
) -> Result<Authenticated, Unproven> {
    if username.contains(':') {
        // In HTTP Basic the name would end there.
        return Err(Unproven::Malformed);
    }
    let pair = SecretBuf::new(format!("{username}:{password}"));
    let basic = SecretBuf::new(format!("Basic {}", BASE64.encode(pair.expose())));
    let mut proof = HeaderValue::from_bytes(basic.expose()).map_err(|_| Unproven::Malformed)?;
    proof.set_sensitive(true);
    let request = Request::post("/").header(HOST, "login").header(AUTHORIZATION, proof);
    let (parts, ()) = request.body(()).map_err(|_| Unproven::Malformed)?.into_parts();
    let trusted = TrustedPeers::default();
    let (client, received) = (call.head.client(), call.head.received());
    let head = RequestHead::from_connection(&parts, client, &trusted, received)
        .map_err(|_| Unproven::Malformed)?;
    let known = call.services.gate.recognise(schemes, site, &head).await;
    known.map_err(Unproven::Unknown)?.ok_or(Unproven::Malformed)
}

/// The actions of whoever was proven.
pub(super) fn acting(call: &Call<'_>, who: Authenticated) -> Actions {
    let services = call.services;
    let memory = services.gate.memory().clone();
    let applied = services.applied.clone();
    services.actions.by(Actor::Principal(Box::new(Acting { who, memory, applied })))
}
