//! The exchange of Expert: a proof for a session, and a user for a name that nobody has yet.

use portcullis_core::ability::COMMUNITY_MEMBER;
use portcullis_core::id::Id;
use portcullis_core::organization::{Organization, State};
use portcullis_core::principal::{Grant, Holder, User};
use portcullis_core::time::Timestamp;
use portcullis_store::sessions::NewSession;
use portcullis_store::users::NewUser;
use portcullis_store::{StoreError, Writing};

use super::authority::Needs;
use super::sessions::{Mint, Minted, SessionTerms};
use super::{ActionError, Actions, Actor, Deed};

/// What the exchange is to do.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    /// How long the session lives.
    pub(crate) terms: SessionTerms,
    /// Whether a name that nobody has becomes a user.
    pub(crate) makes_users: bool,
    /// By what a signature is known that counts once, and until when that matters.
    pub(crate) once: Option<([u8; 16], Timestamp)>,
}

/// Whose session it is.
#[derive(Clone, Debug)]
enum Whose {
    /// Somebody's.
    Known(Id<User>),
    /// That of whoever will be called so.
    Named(Box<str>),
}

impl Actions {
    /// Opens a session for the principal who acts. Whoever stands for a name that nobody has becomes a
    /// user of that name, a Community Member of `realm`, in the very write: of many that come at once,
    /// all find the one.
    pub(crate) async fn exchange(
        &self,
        realm: Id<Organization>,
        now: Timestamp,
        exchange: Exchange,
    ) -> Result<Minted, ActionError> {
        let Actor::Principal(acting) = &self.actor else { return Err(ActionError::NotAllowed) };
        let principal = &acting.who.principal;
        let mint = Mint::authtoken(exchange.terms);
        let (new, minted) = self.draw_session(principal, now, mint)?;
        let whose = match &principal.nobody {
            Some(name) if exchange.makes_users => Whose::Named(name.clone()),
            Some(_) => return Err(ActionError::Missing("such user".into())),
            None if principal.user.is_anonymous() => {
                return Err(ActionError::Missing("such user".into()));
            }
            None => Whose::Known(principal.user.id),
        };
        let role = self.find_role(realm, COMMUNITY_MEMBER.name).await?;
        let grant = Grant { role: role.id, organization: realm };
        let once = exchange.once;
        let done =
            self.act(Deed::new("session.exchange", Needs::standing(realm)), move |writing| {
                if let Some((digest, until)) = once {
                    writing.spend_until(new.parent, digest, until)?;
                }
                let owner = match &whose {
                    Whose::Known(id) => *id,
                    Whose::Named(login) => member(writing, login, grant)?,
                };
                writing.note(format!("user {owner}"), format!("session {}", new.key));
                writing.insert_session(&NewSession { owner, ..new.clone() }).map(drop)
            });
        done.await.map_err(|error| error.or_exists(|| "a session by this link".into()))?;
        Ok(minted)
    }
}

/// The user called `login`, made if nobody is.
fn member(writing: &mut Writing<'_>, login: &str, grant: Grant) -> Result<Id<User>, StoreError> {
    let realm = grant.organization;
    if let Some(found) = writing.find_login(realm, login)? {
        let acts = found.signs_in && found.state == State::Active;
        return if acts { Ok(found.id) } else { Err(StoreError::NotFound("user who signs in")) };
    }
    let made = writing.insert_user(&NewUser {
        organization: realm,
        login: Some(login.into()),
        email: None,
        name: login.into(),
        signs_in: true,
    })?;
    writing.set_grant(Holder::User(made.id), grant, State::Active)?;
    Ok(made.id)
}
