//! What an upstream is told under our signature.

use http::HeaderValue;
use portcullis_core::assertion::{ASSERTION_LIFE, Assertion, ISSUER};
use uuid::Uuid;

use super::Telling;
use super::known::Known;
use crate::gate::Gate;

/// The assertion of a request; none where no key signs.
pub(super) fn sign(gate: &Gate, telling: &Telling<'_>, known: &Known<'_>) -> Option<HeaderValue> {
    let now = gate.now();
    let keys = gate.memory().signing_keys();
    let mut room = Uuid::encode_buffer();
    let groups: Vec<&str> = known.roles().iter().map(|role| &*role.name).collect();
    let assertion = Assertion {
        issuer: ISSUER,
        audience: &telling.judged.guard.name,
        user: known.user.map(|user| user.id),
        anonymous: known.user.is_none(),
        made: now,
        expires: now.plus(ASSERTION_LIFE),
        request: telling.id.hyphenated().encode_lower(&mut room),
        scheme: known.scheme(),
        credential: known.principal.map(|it| it.credential.id),
        organization: known.principal.map(|it| it.user.organization),
        login: known.user.and_then(|user| user.login.as_deref()),
        groups: &groups,
        request_line: telling.line,
    };
    let signed = keys.signer(now).map(|key| assertion.sign(key));
    let signed = signed.transpose().inspect_err(|error| {
        tracing::error!(%error, "an assertion could not be signed");
    });
    HeaderValue::try_from(signed.ok()??).ok()
}
