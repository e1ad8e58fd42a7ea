//! Journey Hub's provisioning API: organizations, users, projects and templates, by script.
//!
//! Every success is 200 and holds one array under a plural key; every failure is JSON with
//! `metadata.message`. The wire and its sources: `docs/dialects/journey-hub.md`.

mod body;
mod envelope;
mod orgs;
mod page;
mod projects;
mod token;
mod users;

use std::sync::LazyLock;
use std::time::Duration;

use http::Method;
use http_body_util::Full;
use hyper::body::Bytes;
use portcullis_core::ability::HOLD_HUB_SECRET;
use portcullis_core::authenticator::{Authenticated, Rejection};
use portcullis_core::id::Id;
use portcullis_core::lookup::CredentialLookup as _;
use portcullis_core::organization::{MAX_DEPTH, Organization};
use portcullis_core::principal::within;
use portcullis_core::scheme::{ALL, HUB_TOKEN, Options as SchemeOptions, Scheme};

use super::{Answered, Call, Dialect, Options};
use crate::actions::{Acting, Actions, Actor};
use crate::gate::Unknown;
use body::Body;
use envelope::{Failure, Success};
use page::Page;

pub(crate) const DIALECT: Dialect = Dialect {
    name: "journey_hub",
    summary: "the Journey Hub provisioning API: organizations, users and projects by script",
    paths: &["/api/v1/token", "/api/v1/org", "/api/v1/project", "/api/v1/user"],
    trial: &[],
    check,
    route: |_, _| None,
    answer: |call| Box::pin(answer(call)),
    malformed: |why| Failure::bad(why.to_string()).respond().map(Full::new),
};

/// What stands before every path.
const BASE: &str = "/api/v1/";
/// How long a token lives if the mount does not say.
const LIFETIME: Duration = Duration::from_secs(3_600);
/// The least and the most that a mount may say.
const LIFETIMES: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(86_400);
/// The option of a mount that says how long a token lives.
const TOKEN_LIFETIME: &str = "token_lifetime";

fn check(options: &Options) -> Result<(), String> {
    options
        .keys()
        .find(|name| *name != TOKEN_LIFETIME)
        .map_or(Ok(()), |name| Err(format!("`journey_hub` has no option `{name}`")))?;
    lifetime(options).map(drop)
}

fn lifetime(options: &Options) -> Result<Duration, String> {
    let Some(text) = options.get(TOKEN_LIFETIME) else { return Ok(LIFETIME) };
    let read = text.parse::<jiff::SignedDuration>().ok().and_then(|it| Duration::try_from(it).ok());
    read.filter(|span| LIFETIMES.contains(span))
        .ok_or_else(|| format!("`{TOKEN_LIFETIME}` is a time from 1s to 24h, not `{text}`"))
}

/// An address of the API; `:` stands for the number of an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Address {
    Org(i64),
    OrgTemplates(i64),
    Orgs,
    Project(i64),
    ProjectsOf(i64),
    Token,
    User(i64),
    UsersOf(i64),
}

impl Address {
    /// The address that `path` names below the mount. A number that is none names nothing.
    fn parse(path: &str) -> Option<Self> {
        let rest = path.strip_prefix(BASE)?;
        let segments: Vec<&str> = rest.strip_suffix('/').unwrap_or(rest).split('/').collect();
        Some(match *segments.as_slice() {
            ["token"] => Self::Token,
            ["org"] => Self::Orgs,
            ["org", id] => Self::Org(number(id)?),
            ["org", id, "templates"] => Self::OrgTemplates(number(id)?),
            ["project", "org", id] => Self::ProjectsOf(number(id)?),
            ["project", id] => Self::Project(number(id)?),
            ["user", "org", id] => Self::UsersOf(number(id)?),
            ["user", id] => Self::User(number(id)?),
            _ => return None,
        })
    }

    /// The methods it takes.
    const fn methods(self) -> &'static str {
        match self {
            Self::Org(_) | Self::Project(_) | Self::User(_) => "GET, PUT, DELETE",
            Self::OrgTemplates(_) => "GET",
            Self::Orgs | Self::ProjectsOf(_) | Self::UsersOf(_) => "GET, POST",
            Self::Token => "POST",
        }
    }

    fn takes(self, method: &Method) -> bool {
        self.methods().split(", ").any(|it| it == method.as_str())
    }
}

/// The number of an object, as its id is written: decimal, without a sign or leading zeros.
fn number(text: &str) -> Option<i64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| plain)
}

/// A caller who was recognised.
struct Caller<'c> {
    call: &'c Call<'c>,
    who: Authenticated,
    /// What may be done, by this caller.
    actions: Actions,
    /// The organization that the caller belongs to: what lies neither in it nor below is unknown.
    own: Id<Organization>,
}

async fn answer(mut call: Call<'_>) -> Answered {
    let mut who = None;
    let (response, reason) = match handle(&mut call, &mut who).await {
        Ok(success) => (success.respond(), None),
        Err(failure) => (failure.respond(), Some(failure.reason)),
    };
    Answered { response: response.map(|body: Bytes| Full::new(body)), who, reason }
}

async fn handle(call: &mut Call<'_>, who: &mut Option<Authenticated>) -> Result<Success, Failure> {
    let address = Address::parse(call.path).ok_or(Failure::NO_ROUTE)?;
    // RFC 9110, section 9.3.2: whoever answers GET answers HEAD.
    let method = if call.head.method() == Method::HEAD { &Method::GET } else { call.head.method() };
    if !address.takes(method) {
        return Err(Failure::wrong_method(address.methods()));
    }
    if address == Address::Token {
        // The vendor's sample sends `Authorization: null` here: nobody reads it.
        let body = Body::read(call).await?;
        return token::exchange(call, &body).await;
    }
    let proven = recognise(call).await?;
    *who = Some(proven.clone());
    let body = match *method {
        Method::POST | Method::PUT => Body::read(call).await?,
        _ => Body::none(),
    };
    let page = Page::read(call.head.query())?;
    let caller = Caller::new(call, proven);
    match (address, method) {
        (Address::Orgs, &Method::POST) => orgs::create(&caller, &body).await,
        (Address::Orgs, _) => orgs::list(&caller, page).await,
        (Address::Org(id), &Method::PUT) => orgs::rename(&caller, id, &body).await,
        (Address::Org(id), &Method::DELETE) => orgs::delete(&caller, id).await,
        (Address::Org(id), _) => orgs::show(&caller, id).await,
        (Address::OrgTemplates(id), _) => projects::templates(&caller, id, page).await,
        (Address::ProjectsOf(id), &Method::POST) => projects::create(&caller, id, &body).await,
        (Address::ProjectsOf(id), _) => projects::list(&caller, id, page).await,
        (Address::Project(id), &Method::PUT) => projects::update(&caller, id, &body).await,
        (Address::Project(id), &Method::DELETE) => projects::delete(&caller, id).await,
        (Address::Project(id), _) => projects::show(&caller, id).await,
        (Address::UsersOf(id), &Method::POST) => users::create(&caller, id, &body).await,
        (Address::UsersOf(id), _) => users::list(&caller, id, page).await,
        (Address::User(id), &Method::PUT) => users::update(&caller, id, &body).await,
        (Address::User(id), &Method::DELETE) => users::delete(&caller, id).await,
        (Address::User(id), _) => users::show(&caller, id).await,
        (Address::Token, _) => Err(Failure::NO_ROUTE),
    }
}

static SCHEMES: LazyLock<Vec<Box<dyn Scheme>>> = LazyLock::new(|| {
    let kind = ALL.iter().find(|kind| kind.name == HUB_TOKEN);
    kind.and_then(|kind| (kind.build)(&SchemeOptions::new()).ok()).into_iter().collect()
});

/// Whose token it is. Its holder must still be what they had to be to get it.
async fn recognise(call: &Call<'_>) -> Result<Authenticated, Failure> {
    let gate = &call.services.gate;
    let known = gate.recognise(&SCHEMES, &call.site(), call.head).await;
    let who = known.map_err(Failure::from)?.ok_or(Failure::NO_TOKEN)?;
    let user = &who.principal.user;
    if user.may(HOLD_HUB_SECRET, user.organization, gate.memory()) {
        Ok(who)
    } else {
        Err(Failure::BAD_TOKEN)
    }
}

impl<'c> Caller<'c> {
    fn new(call: &'c Call<'c>, who: Authenticated) -> Self {
        let services = call.services;
        let acting = Acting {
            who: who.clone(),
            memory: services.gate.memory().clone(),
            applied: services.applied.clone(),
        };
        let actions = services.actions.by(Actor::Principal(Box::new(acting)));
        Self { call, own: who.principal.user.organization, who, actions }
    }

    fn realm(&self) -> Id<Organization> {
        self.call.mount.realm
    }

    /// The organization with this number, if the caller sees it.
    async fn organization(&self, number: i64) -> Result<Organization, Failure> {
        let found = self.actions.find_organization(self.own, number).await?;
        if self.is_here(&found) { Ok(found) } else { Err(Failure::UNKNOWN) }
    }

    /// Whether an organization is of the realm that is mounted. A realm below is a tenant of its
    /// own, and numbers its users and projects anew: shown here, they would be taken for others.
    fn is_here(&self, organization: &Organization) -> bool {
        let memory = self.call.services.gate.memory();
        let (mut realm, mut at) = (organization.realm, organization.id);
        for _ in 0..MAX_DEPTH {
            if realm {
                break;
            }
            let above = memory.organization(at).and_then(|it| it.parent);
            let Some(above) = above.and_then(|it| memory.organization(it)) else { return false };
            (realm, at) = (above.realm, above.id);
        }
        at == self.realm()
    }

    /// What belongs to `organization` is there, or is unknown to the caller.
    fn sees(&self, organization: Id<Organization>) -> Result<(), Failure> {
        let inside = within(organization, self.own, self.call.services.gate.memory());
        if inside { Ok(()) } else { Err(Failure::UNKNOWN) }
    }

    /// The number that stands for an organization.
    fn number_of(&self, organization: Id<Organization>) -> Option<i64> {
        self.call.services.gate.memory().organization(organization).map(|found| found.number)
    }
}

impl From<Unknown> for Failure {
    fn from(unknown: Unknown) -> Self {
        match unknown {
            Unknown::Busy(wait) => Self::too_many(wait),
            Unknown::Changed | Unknown::Unavailable => Self::UNAVAILABLE,
            Unknown::Rejected(no) => {
                if let Rejection::TooManyAttempts { retry_after } = no.reason {
                    Self::too_many(retry_after)
                } else {
                    Self::rejected(no.reason.name())
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_from_its_path_and_nothing_else_is_one() {
        for (path, expected) in [
            ("/api/v1/token", Some(Address::Token)),
            ("/api/v1/org", Some(Address::Orgs)),
            ("/api/v1/org/", Some(Address::Orgs)),
            ("/api/v1/org/1", Some(Address::Org(1))),
            ("/api/v1/org/9223372036854775807", Some(Address::Org(i64::MAX))),
            ("/api/v1/org/7/templates", Some(Address::OrgTemplates(7))),
            ("/api/v1/project/org/7", Some(Address::ProjectsOf(7))),
            ("/api/v1/project/7", Some(Address::Project(7))),
            ("/api/v1/user/org/7", Some(Address::UsersOf(7))),
            ("/api/v1/user/7", Some(Address::User(7))),
            ("/api/v1/org/9223372036854775808", None),
            ("/api/v1/org/01", None),
            ("/api/v1/org/-1", None),
            ("/api/v1/org/+1", None),
            ("/api/v1/org/x", None),
            ("/api/v1/org/1/else", None),
            ("/api/v1/project", None),
            ("/api/v1/", None),
            ("/api/v2/org", None),
            ("", None),
        ] {
            assert_eq!(Address::parse(path), expected, "{path}");
        }
    }

    #[test]
    fn a_token_lives_an_hour_or_as_the_mount_says() {
        let options = |text: &str| Options::from([(TOKEN_LIFETIME.to_owned(), text.to_owned())]);
        assert_eq!(lifetime(&Options::new()), Ok(LIFETIME));
        assert_eq!(lifetime(&options("90s")), Ok(Duration::from_secs(90)));
        assert_eq!(lifetime(&options("24h")), Ok(Duration::from_secs(86_400)));
        for bad in ["", "0s", "25h", "soon", "-1h"] {
            assert!(lifetime(&options(bad)).is_err(), "{bad}");
        }
        assert!(check(&Options::from([("else".to_owned(), String::new())])).is_err());
    }
}
