//! Who calls: a server on behalf of a user, whoever holds a session, or nobody.

use std::sync::{Arc, LazyLock};

use http::HeaderName;
use portcullis_core::ability::MANAGE_USERS;
use portcullis_core::authenticator::{Authenticated, Rejection};
use portcullis_core::lookup::CredentialLookup as _;
use portcullis_core::principal::{ANONYMOUS, User};
use portcullis_core::request::Origin;
use portcullis_core::scheme::signature::{self, ServerToken};
use portcullis_core::scheme::{
    ALL, AUTHTOKEN, AUTHTOKEN_BEARER, BASIC, Options, SIGNATURE, Scheme, SchemeName,
};

use super::failure::{self, Failure};
use super::settings::Settings;
use super::{browser, query};
use crate::dialects::Call;
use crate::gate::Unknown;

/// Carries a token.
pub(super) const TOKEN: HeaderName = HeaderName::from_static(signature::CARRIER);
/// By which a script says that it is one, as no page of another site can.
const SCRIPTED: [HeaderName; 2] =
    [HeaderName::from_static("x-requested-with"), HeaderName::from_static("x-deki-requested-with")];

/// Schemes to look for a credential by.
pub(super) type Schemes = LazyLock<Vec<Box<dyn Scheme>>>;

/// A signature, wherever a token counts.
pub(super) static SIGNED: Schemes = LazyLock::new(|| built(&[SIGNATURE], false));
/// A signature, in the exchange.
pub(super) static EXCHANGED: Schemes = LazyLock::new(|| built(&[SIGNATURE], true));
/// A name and a password.
pub(super) static PASSWORD: Schemes = LazyLock::new(|| built(&[BASIC], false));
/// A session.
static SESSION: Schemes = LazyLock::new(|| built(&[AUTHTOKEN_BEARER, AUTHTOKEN], false));

fn built(names: &[SchemeName], query: bool) -> Vec<Box<dyn Scheme>> {
    let options: Options =
        query.then(|| ("query".to_owned(), "true".to_owned())).into_iter().collect();
    let kinds = ALL.iter().filter(|kind| names.contains(&kind.name));
    kinds.filter_map(|kind| (kind.build)(&options).ok()).collect()
}

/// A caller, known or not.
pub(super) struct Caller {
    /// How they were proven, if they were.
    pub(super) who: Option<Authenticated>,
    /// As whom they act.
    pub(super) user: Arc<User>,
}

impl Caller {
    /// A token says who calls; without one a session does, and if that does not count either, nobody
    /// calls.
    pub(super) async fn recognise(call: &Call<'_>, settings: &Settings) -> Result<Self, Failure> {
        let who = match call.head.single(&TOKEN) {
            Err(_) => return Err(Failure::token("repeated")),
            Ok(Some(key)) if signature::is_key(key) => {
                browser::judge(call, key)?;
                session(call).await?
            }
            Ok(Some(_)) => signed(call, &SIGNED).await?,
            Ok(None) => {
                let who = session(call).await?;
                if who.is_none() && settings.require_token && !is_scripted(call) {
                    return Err(Failure::missing_token());
                }
                who
            }
        };
        let memory = call.services.gate.memory();
        let user = match &who {
            Some(who) => Some(Arc::clone(&who.principal.user)),
            None => memory.numbered(call.mount.realm, ANONYMOUS),
        };
        Ok(Self { user: user.ok_or_else(Failure::unavailable)?, who })
    }

    /// Somebody: who they are and how that is known.
    pub(super) fn known(&self) -> Result<&Authenticated, Failure> {
        let who = self.who.as_ref().filter(|who| !who.principal.user.is_anonymous());
        who.ok_or_else(Failure::forbidden)
    }

    /// Whether they look after users.
    pub(super) fn is_admin(&self, call: &Call<'_>) -> bool {
        is_admin(call, &self.user)
    }

    /// Whether they made this very call: a page of another site can have a browser send a cookie.
    pub(super) fn may_change(&self, call: &Call<'_>, settings: &Settings) -> Result<(), Failure> {
        let who = self.known()?;
        if who.scheme != AUTHTOKEN {
            return Ok(());
        }
        let said = call.head.headers().get(http::header::ORIGIN);
        let own = match call.head.origin() {
            Origin::Own => true,
            Origin::Unsaid => is_scripted(call),
            Origin::Foreign => said.is_some_and(|said| {
                settings.origins.iter().any(|origin| origin.as_str().as_bytes() == said.as_bytes())
            }),
        };
        if own { Ok(()) } else { Err(Failure::forbidden()) }
    }
}

/// Whether `user` looks after the users of the site.
pub(super) fn is_admin(call: &Call<'_>, user: &User) -> bool {
    user.may(MANAGE_USERS, call.mount.realm, call.services.gate.memory())
}

/// On whose behalf a server signed.
pub(super) async fn signed(
    call: &Call<'_>,
    schemes: &Schemes,
) -> Result<Option<Authenticated>, Failure> {
    let known = call.services.gate.recognise(schemes, &call.site(), call.head).await;
    known.map_err(|unknown| {
        let inactive = matches!(unknown, Unknown::Rejected(no)
            if no.reason == Rejection::UserInactive);
        if inactive {
            return Failure::disabled(&meant(call));
        }
        failure::unknown(unknown, Failure::token)
    })
}

/// The user in a token whose hash was right.
fn meant(call: &Call<'_>) -> String {
    let header = call.head.single(&TOKEN).ok().flatten();
    let text = header.and_then(|text| std::str::from_utf8(text).ok());
    let query = query::value(call.head.query(), signature::CARRIER).ok().flatten();
    let token = text.map(str::to_owned).or(query);
    let user =
        token.as_deref().and_then(|text| Some(ServerToken::parse(text).ok()?.user().to_owned()));
    user.map(|user| user.trim_start_matches('=').to_owned()).unwrap_or_default()
}

/// Who holds the session that was sent. One that does not count is none, unless the caller asks for
/// one that does.
async fn session(call: &Call<'_>) -> Result<Option<Authenticated>, Failure> {
    let strict = query::flag(call.head.query(), "authenticate")?;
    let known = call.services.gate.recognise(&SESSION, &call.site(), call.head).await;
    let who = match known {
        Err(Unknown::Rejected(_)) => None,
        other => other.map_err(|it| failure::unknown(it, Failure::unauthenticated))?,
    };
    if strict && who.is_none() { Err(Failure::unauthenticated("no_session")) } else { Ok(who) }
}

fn is_scripted(call: &Call<'_>) -> bool {
    let headers = call.head.headers();
    let says = |name| {
        headers
            .get(name)
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"XMLHttpRequest"))
    };
    SCRIPTED.iter().any(says)
}
