//! Expert: calls that a server signs, single sign-on by redirect, users, and keys.
//!
//! What is not answered here goes to a listener, with the proven identity. The wire and its sources:
//! `docs/dialects/expert.md`.

mod authenticate;
mod browser;
mod caller;
mod cookies;
mod document;
mod faces;
mod failure;
mod format;
mod pages;
mod query;
mod settings;
mod site;
mod tokens;
mod users;

use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Bytes;
use portcullis_core::authenticator::Authenticated;
use portcullis_core::mount::Mount;

use super::{Answered, Call, Dialect, body};
use crate::face::Destination;
use crate::gate;
use caller::Caller;
use document::Element;
use failure::Failure;
use format::Format;
use settings::{Settings, UPSTREAM};
use site::Site;

pub(crate) const DIALECT: Dialect = Dialect {
    name: "expert",
    summary: "the CXone Expert API: server tokens, sign-on by redirect, users; other paths go on",
    paths: &["/@api/deki"],
    trial: &[],
    check: |options| Settings::read(options).map(drop),
    route,
    answer: |call| Box::pin(answer(call)),
    malformed: |why| {
        faces::dressed(Failure::bad(why.to_string()).respond(Format::Xml, "")).map(Full::new)
    },
};

/// What stands before every path.
const BASE: &str = "/@api/deki/";

/// An address that is answered here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Address<'p> {
    Authenticate,
    Home,
    Logout,
    /// A key by its number.
    Token(&'p str),
    Tokens,
    /// A user, by what stands in the path.
    User(&'p str),
    Users,
}

impl<'p> Address<'p> {
    /// The address that `path` names below the mount.
    fn parse(path: &'p str) -> Option<Self> {
        let rest = path.strip_prefix(BASE)?;
        let mut segments = rest.strip_suffix('/').unwrap_or(rest).split('/');
        Some(match (segments.next()?, segments.next(), segments.next(), segments.next()) {
            ("users", None, ..) => Self::Users,
            ("users", Some("authenticate"), None, _) => Self::Authenticate,
            ("users", Some(user), None, _) => Self::User(user),
            ("pages", Some("home"), Some("info"), None) => Self::Home,
            ("site", Some("developer-tokens"), None, _) => Self::Tokens,
            ("site", Some("developer-tokens"), Some(number), None) => Self::Token(number),
            ("site", Some("logout"), None, _) => Self::Logout,
            _ => return None,
        })
    }

    /// The methods it takes, as the vendor lists them.
    const fn methods(self) -> &'static str {
        match self {
            Self::Authenticate | Self::Tokens => "GET,POST",
            Self::Home | Self::User(_) | Self::Users => "GET",
            Self::Logout => "POST",
            Self::Token(_) => "PUT,DELETE",
        }
    }
}

/// The listener that a request goes to which is not answered here.
fn route<'c>(mount: &'c Mount, path: &'c str) -> Option<Destination<'c>> {
    if Address::parse(path).is_some() {
        return None;
    }
    let id = mount.options.get(UPSTREAM)?;
    let address = gate::Address::Listener { mount, id };
    Some(Destination { address, face: &faces::EXPERT, below: path })
}

/// A success.
struct Success {
    status: StatusCode,
    headers: HeaderMap,
    body: Body,
}

enum Body {
    Document(Element),
    /// As it is, in no format.
    Text(&'static str, Bytes),
}

impl From<Element> for Success {
    fn from(document: Element) -> Self {
        let headers = HeaderMap::new();
        Self { status: StatusCode::OK, headers, body: Body::Document(document) }
    }
}

impl Success {
    fn respond(self, format: Format) -> std::io::Result<Response<Bytes>> {
        let (kind, body) = match self.body {
            Body::Document(document) => (format.content_type(), format.write(&document)?.into()),
            Body::Text(kind, text) => (HeaderValue::from_static(kind), text),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response.headers_mut().extend(self.headers);
        Ok(response)
    }
}

async fn answer(mut call: Call<'_>) -> Answered {
    let (mut who, mut format) = (None, Format::default());
    let uri = site::uri(&call);
    let done = handle(&mut call, &mut who, &mut format).await;
    let (response, reason) = match done {
        Ok(success) => match success.respond(format) {
            Ok(response) => (response, None),
            Err(error) => {
                tracing::error!(%error, "a document was not written");
                (Failure::failed().respond(format, &uri), Some("failed"))
            }
        },
        Err(failure) => (failure.respond(format, &uri), Some(failure.reason)),
    };
    let mut response = faces::dressed(response);
    let now = call.services.clock.now().wall;
    site::mark(&call, now, response.headers_mut());
    browser::share(&call, response.headers_mut());
    Answered { response: response.map(Full::new), who, reason }
}

async fn handle(
    call: &mut Call<'_>,
    who: &mut Option<Authenticated>,
    format: &mut Format,
) -> Result<Success, Failure> {
    *format = query::format(call.head.query())?;
    let settings = Settings::read(&call.mount.options).map_err(Failure::bad)?;
    if call.head.method() == Method::OPTIONS {
        return browser::preflight(call);
    }
    let address = Address::parse(call.path);
    let address = address.ok_or_else(|| Failure::unknown("there is no such address"))?;
    // RFC 9110, section 9.3.2: whoever answers GET answers HEAD; but the exchange is not safe.
    let head = call.head.method() == Method::HEAD && address != Address::Authenticate;
    let method = if head { &Method::GET } else { call.head.method() };
    if !address.methods().split(',').any(|it| it == method.as_str()) {
        return Err(Failure::wrong_method(address.methods()));
    }
    if address == Address::Authenticate {
        return authenticate::exchange(call, &settings, who).await;
    }
    let caller = Caller::recognise(call, &settings).await?;
    who.clone_from(&caller.who);
    if !method.is_safe() {
        caller.may_change(call, &settings)?;
    }
    let described = matches!(address, Address::Token(_) | Address::Tokens) && !method.is_safe();
    let body =
        if described { body::read_at_most(tokens::MAX_BODY, call).await? } else { String::new() };
    let site = Site::of(call, &settings)?;
    match (address, method) {
        (Address::Home, _) => Ok(pages::home(&site).into()),
        (Address::Logout, _) => authenticate::logout(call, &settings, &caller).await,
        (Address::Token(number), &Method::DELETE) => tokens::delete(&site, &caller, number).await,
        (Address::Token(number), _) => tokens::update(&site, &caller, (number, &body)).await,
        (Address::Tokens, &Method::POST) => tokens::create(&site, &caller, &body).await,
        (Address::Tokens, _) => tokens::list(&site, &caller).await,
        (Address::User(user), _) => users::show(&site, &caller, user).await,
        (Address::Users, _) => users::list(&site, &caller).await,
        (Address::Authenticate, _) => Err(Failure::forbidden()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_from_its_path_and_everything_else_goes_on() {
        for (path, expected) in [
            ("/@api/deki/users", Some(Address::Users)),
            ("/@api/deki/users/", Some(Address::Users)),
            ("/@api/deki/users/authenticate", Some(Address::Authenticate)),
            ("/@api/deki/users/authenticate/x", None),
            ("/@api/deki/users/current", Some(Address::User("current"))),
            ("/@api/deki/users/=j%25C3%25B6rg", Some(Address::User("=j%25C3%25B6rg"))),
            ("/@api/deki/users/1/properties", None),
            ("/@api/deki/pages/home/info", Some(Address::Home)),
            ("/@api/deki/pages/2/info", None),
            ("/@api/deki/pages/home/info/x", None),
            ("/@api/deki/site/developer-tokens", Some(Address::Tokens)),
            ("/@api/deki/site/developer-tokens/20", Some(Address::Token("20"))),
            ("/@api/deki/site/logout", Some(Address::Logout)),
            ("/@api/deki/site/settings", None),
            ("/@api/deki/", None),
            ("/@api/deki", None),
            ("", None),
        ] {
            assert_eq!(Address::parse(path), expected, "{path}");
        }
    }
}
