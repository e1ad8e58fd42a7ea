//! Sessions of principals: a proof of who one is, once, for all that follows.

use std::time::Duration;

use portcullis_core::credential::Credential;
use portcullis_core::guard::Guard;
use portcullis_core::id::Id;
use portcullis_core::limits::Limits;
use portcullis_core::principal::Principal;
use portcullis_core::scheme::{ALL, AUTHTOKEN, BEARER, Issued, SESSION, SchemeName};
use portcullis_core::secret::SecretBuf;
use portcullis_core::time::Timestamp;
use portcullis_store::sessions::NewSession;

use super::authority::Needs;
use super::{ActionError, Actions, Actor, Deed};

/// How long a new session lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SessionTerms {
    /// Unused, from when it is made.
    pub(crate) lifetime: Duration,
    /// After each use; zero if a use moves nothing.
    pub(crate) idle: Duration,
    /// However much it is used.
    pub(crate) cap: Duration,
}

/// What is to be minted.
#[derive(Clone, Debug)]
pub(crate) struct Mint {
    /// The scheme it is filed under.
    pub(crate) scheme: SchemeName,
    /// How long it lives.
    pub(crate) terms: SessionTerms,
    /// Where alone it counts, besides what limits the credential that pays for it.
    pub(crate) limits: Limits,
}

impl Mint {
    /// A session in a cookie.
    pub(crate) fn session(terms: SessionTerms) -> Self {
        Self { scheme: SESSION, terms, limits: Limits::default() }
    }

    /// A session of Expert.
    pub(crate) fn authtoken(terms: SessionTerms) -> Self {
        Self { scheme: AUTHTOKEN, terms, limits: Limits::default() }
    }

    /// A bearer token that counts at `guards`, or wherever its owner may.
    pub(crate) fn token(lifetime: Duration, guards: Option<Box<[Id<Guard>]>>) -> Self {
        let terms = SessionTerms { lifetime, idle: Duration::ZERO, cap: lifetime };
        Self { scheme: BEARER, terms, limits: Limits { networks: None, guards } }
    }
}

/// A session or token that its owner is given once.
#[derive(Debug)]
pub(crate) struct Minted {
    /// All of it.
    pub(crate) token: SecretBuf,
    /// It is not valid from this on, unless a use moves that.
    pub(crate) expires: Timestamp,
}

impl Actions {
    /// Mints a session or token for the principal who acts, of the credential that proved them: it inherits
    /// what that may not do, expires no later, and ends with it. A read-only credential opens one
    /// too, for that changes nothing but who is known.
    pub(crate) async fn mint(&self, now: Timestamp, mint: Mint) -> Result<Minted, ActionError> {
        let Actor::Principal(acting) = &self.actor else { return Err(ActionError::NotAllowed) };
        let principal = &acting.who.principal;
        let (new, minted) = self.draw_session(principal, now, mint)?;
        let needs = Needs::standing(principal.user.organization);
        self.act(Deed::new("session.create", needs), move |writing| {
            writing.note(format!("user {}", new.owner), format!("session {}", new.key));
            writing.insert_session(&new).map(drop)
        })
        .await?;
        Ok(minted)
    }

    /// A session or token of the credential that proved `principal`, not written yet.
    pub(super) fn draw_session(
        &self,
        principal: &Principal,
        now: Timestamp,
        Mint { scheme, terms, limits }: Mint,
    ) -> Result<(NewSession, Minted), ActionError> {
        if principal.credential.parent.is_some() {
            return Err(ActionError::Unfit("a session opens no other session"));
        }
        let Issued { key, shown, verifier } = self.draw(scheme)?;
        let ends = now.plus(terms.cap).min(principal.credential.expires);
        let expires = now.plus(terms.lifetime).min(ends);
        let new = NewSession {
            scheme,
            key,
            verifier: verifier.to_bytes().to_vec(),
            owner: principal.user.id,
            parent: principal.credential.id,
            read_only: principal.credential.read_only,
            expires,
            idle: terms.idle,
            ends,
            limits,
        };
        Ok((new, Minted { token: shown, expires }))
    }

    /// Ends the session or token that proved whoever acts.
    pub(crate) async fn end_session(&self) -> Result<(), ActionError> {
        let Actor::Principal(acting) = &self.actor else { return Err(ActionError::NotAllowed) };
        let principal = &acting.who.principal;
        if principal.credential.parent.is_none() {
            return Err(ActionError::NotAllowed);
        }
        self.end_own(&principal.credential.clone()).await
    }

    /// Ends a session or token of whoever acts, whichever proved them.
    pub(crate) async fn end_own(&self, session: &Credential) -> Result<(), ActionError> {
        let Actor::Principal(acting) = &self.actor else { return Err(ActionError::NotAllowed) };
        let user = &acting.who.principal.user;
        if session.owner != user.id || session.parent.is_none() {
            return Err(ActionError::NotAllowed);
        }
        let id = session.id;
        let deed = Deed::new("session.end", Needs::standing(user.organization)).urgent();
        self.act(deed, move |writing| {
            writing.note(format!("session {id}"), "");
            writing.end_session(id)
        })
        .await
    }

    /// Draws a new credential of `scheme`.
    pub(super) fn draw(&self, scheme: SchemeName) -> Result<Issued, ActionError> {
        let issue = ALL.iter().find(|kind| kind.name == scheme).and_then(|kind| kind.issue);
        let issue = issue.ok_or_else(|| ActionError::Missing(format!("scheme `{scheme}`")))?;
        Ok(issue(&self.peppers)?)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use portcullis_core::authenticator::{Authenticated, Rejection};
    use portcullis_core::limits::Site;
    use portcullis_core::scheme::API_KEY;
    use portcullis_core::time::Clock as _;
    use portcullis_store::users::UserRow;

    use super::*;
    use crate::actions::Acting;
    use crate::actions::keys::KeyOptions;
    use crate::actions::users::UserOptions;
    use crate::config::{self, Known};
    use crate::serve::{House, Server};

    const HOUR: Duration = Duration::from_secs(3_600);
    const TERMS: SessionTerms =
        SessionTerms { lifetime: HOUR, idle: HOUR, cap: Duration::from_secs(10 * 3_600) };

    /// A server with a user who has no role.
    struct Bench {
        server: Server,
        actions: Actions,
        owner: UserRow,
        now: Timestamp,
        _folder: tempfile::TempDir,
    }

    impl Bench {
        async fn open() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let data = folder.path().join("data").to_str().unwrap().to_owned();
            let environment = |name: &str| match name {
                "PORTCULLIS_DATA" => Some(data.clone()),
                "PORTCULLIS_LISTEN" => Some("127.0.0.1:0".into()),
                _ => None,
            };
            let known = Known { schemes: &[], dialects: &[] };
            let house = House::open(config::load(None, &environment, &known).unwrap()).await;
            let house = house.unwrap();
            let now = house.clock.now().wall;
            let server = Server::start(house).await.unwrap();
            let actions = server.actions(Actor::Operator("test".into()));
            let root = actions.root().await.unwrap().id;
            let options = UserOptions { login: Some("zoe".into()), ..UserOptions::default() };
            let owner = actions.create_user(root, options).await.unwrap();
            Self { server, actions, owner, now, _folder: folder }
        }

        /// A new key's public part, and whom it proves.
        async fn key(&self, options: KeyOptions) -> (String, Authenticated) {
            let key = self.actions.create_key(&self.owner, options).await.unwrap();
            let who = self.who(API_KEY, &key.id).unwrap();
            (key.id, who)
        }

        fn who(
            &self,
            scheme: portcullis_core::scheme::SchemeName,
            key: &str,
        ) -> Result<Authenticated, Rejection> {
            self.server.gate().authenticator().vouch(
                (scheme, key),
                &Site::any(self.owner.realm, None),
                self.now,
            )
        }

        async fn mint(&self, who: Authenticated) -> Result<Minted, ActionError> {
            let memory = Arc::clone(self.server.gate().memory());
            let acting = Acting { who, memory, applied: self.server.applied() };
            let actions = self.actions.by(Actor::Principal(Box::new(acting)));
            actions.mint(self.now, Mint::session(TERMS)).await
        }
    }

    fn id(minted: &Minted) -> &str {
        minted.token.expose_text().split('_').nth(2).unwrap()
    }

    #[tokio::test]
    async fn a_session_inherits_what_its_key_may_not_and_expires_no_later() {
        let bench = Bench::open().await;
        let short = bench.now.plus(HOUR / 2);
        for (read_only, ends) in [(false, None), (true, None), (false, Some(short))] {
            let options = KeyOptions { read_only, expires: ends, ..KeyOptions::default() };
            let (_, who) = bench.key(options).await;
            let minted = bench.mint(who).await.unwrap();
            assert_eq!(minted.expires, ends.unwrap_or(bench.now.plus(HOUR)));
            let session = bench.who(SESSION, id(&minted)).unwrap().principal.credential;
            assert_eq!((session.read_only, session.expires), (read_only, minted.expires));
            let slides = session.slides.map(|idle| Duration::from_secs(idle.get().into()));
            assert_eq!(slides, ends.is_none().then_some(HOUR));
        }
    }

    #[tokio::test]
    async fn only_a_credential_of_its_own_opens_a_session_and_never_one_that_is_gone() {
        let bench = Bench::open().await;
        let (key, who) = bench.key(KeyOptions::default()).await;
        let minted = bench.mint(who.clone()).await.unwrap();
        let session = bench.who(SESSION, id(&minted)).unwrap();
        assert!(matches!(bench.mint(session).await, Err(ActionError::Unfit(_))));
        let nobody = bench.actions.mint(bench.now, Mint::session(TERMS)).await;
        assert!(matches!(nobody, Err(ActionError::NotAllowed)));

        let row = bench.actions.find_key(&key).await.unwrap();
        let revoked = portcullis_core::organization::State::Deleted;
        bench.actions.set_key_state(&row, revoked).await.unwrap();
        assert!(matches!(bench.who(SESSION, id(&minted)), Err(Rejection::Revoked)));
        let late = bench.mint(who).await;
        assert!(matches!(late, Err(ActionError::NotAllowed)), "{late:?}");
    }
}
