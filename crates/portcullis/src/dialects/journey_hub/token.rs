//! `POST /token`: a secret's proof over a nonce, exchanged for a token.

use portcullis_core::scheme::HUB_TOKEN;
use portcullis_core::scheme::hub_token::{self, check_nonce};
use portcullis_core::secret::SecretBuf;
use portcullis_core::time::Timestamp;
use portcullis_store::StoreError;
use portcullis_store::users::UserRow;
use serde_json::json;

use super::body::Body;
use super::envelope::{Failure, Success};
use super::{lifetime, number};
use crate::actions::hub_secrets::{Held, HubToken};
use crate::actions::{Acting, ActionError, Actor};
use crate::dialects::Call;
use crate::dialects::body::Fields;

/// What is proven for nobody: as long as a secret, so that the work is the same.
const DECOY: [u8; 72] = [b'0'; 72];

/// What a caller claims.
struct Claim<'b> {
    user: String,
    nonce: &'b str,
    hash: &'b str,
}

impl<'b> Claim<'b> {
    fn read(fields: Fields<'b>) -> Result<Self, Failure> {
        // One sample says `id`, the others say `userId`.
        let user = match (fields.id("userId")?, fields.id("id")?) {
            (Some(one), Some(other)) if one != other => {
                return Err(Failure::bad("`userId` and `id` are not the same"));
            }
            (one, other) => one.or(other).ok_or_else(|| Failure::bad("`userId` is missing"))?,
        };
        let (nonce, hash) = (fields.needed("nonce")?, fields.needed("hash")?);
        check_nonce(nonce).map_err(|bad| Failure::bad(bad.to_string()))?;
        Ok(Self { user, nonce, hash })
    }
}

pub(super) async fn exchange(call: &Call<'_>, body: &Body) -> Result<Success, Failure> {
    let claim = Claim::read(body.fields()?)?;
    let (services, realm) = (call.services, call.mount.realm);
    let authenticator = services.gate.authenticator();
    let attempts = authenticator.attempts();
    let place = attempts.place(realm, &format!("hub {}", claim.user), call.head.client());
    let now = services.clock.now().wall;
    if let Some(wait) = attempts.locked(&place, now) {
        return Err(Failure::too_many(wait));
    }
    let Some((held, spent)) = prove(call, &claim).await? else {
        attempts.failed(&place, now);
        return Err(Failure::BAD_TOKEN);
    };
    attempts.succeeded(&place);
    let who = authenticator
        .vouch((HUB_TOKEN, &held.row.key), &call.site(), now)
        .map_err(|reason| Failure::rejected(reason.name()))?;
    let acting =
        Acting { who, memory: services.gate.memory().clone(), applied: services.applied.clone() };
    let actions = services.actions.by(Actor::Principal(Box::new(acting)));
    let lifetime = lifetime(&call.mount.options).map_err(Failure::bad)?;
    let minted = actions.mint_hub_token(spent, now, lifetime).await.map_err(|error| {
        if matches!(error, ActionError::NotAllowed) {
            Failure::rejected("not_owner")
        } else if matches!(error, ActionError::Store(StoreError::Conflict)) {
            Failure::rejected("repeated")
        } else {
            error.into()
        }
    })?;
    Ok(told(&minted))
}

/// The secret that the claim proves, and what it spends; whoever is meant, the work is the same.
async fn prove(call: &Call<'_>, claim: &Claim<'_>) -> Result<Option<(Held, [u8; 16])>, Failure> {
    let actions = &call.services.actions;
    let id = number(&claim.user).unwrap_or_default();
    let user = match actions.find_user_numbered(call.mount.realm, id).await {
        Ok(user) => Some(user),
        Err(ActionError::Missing(_)) => None,
        Err(error) => return Err(error.into()),
    };
    let held = actions.find_hub_secret(&user.unwrap_or_else(nobody)).await?;
    let decoy = SecretBuf::new(DECOY);
    let secret = held.as_ref().map_or(&decoy, |held| &held.secret);
    let spent = hub_token::spend(secret, claim.nonce, claim.hash);
    Ok(held.zip(spent))
}

/// A user who has nothing.
fn nobody() -> UserRow {
    use portcullis_core::id::{Id, Revision};
    use portcullis_core::organization::State;
    UserRow {
        id: Id::from_bytes([0; 16]),
        number: 0,
        organization: Id::from_bytes([0; 16]),
        realm: Id::from_bytes([0; 16]),
        login: None,
        email: None,
        name: String::new(),
        signs_in: false,
        state: State::Deleted,
        version: Revision(0),
    }
}

/// One sample reads `token`, the others read `tokens`.
fn told(minted: &HubToken) -> Success {
    let token = json!({
        "token": minted.token.expose_text(),
        "expiration": written(minted.expires),
    });
    Success::one(&["token", "tokens"], token)
}

/// RFC 3339 with milliseconds, as the vendor's other objects have it.
fn written(moment: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(moment.millis())
        .map(|moment| moment.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiration_has_milliseconds_always() {
        assert_eq!(written(Timestamp::from_millis(1_700_000_000_000)), "2023-11-14T22:13:20.000Z");
        assert_eq!(written(Timestamp::from_millis(1_700_000_000_120)), "2023-11-14T22:13:20.120Z");
    }
}
