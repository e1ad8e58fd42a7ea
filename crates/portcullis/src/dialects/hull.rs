//! Hull: connectors tell of users and accounts, one call at a time or in batches whose entries each
//! have a token of their own, and read back what they told.
//!
//! The wire and its sources: `docs/dialects/hull.md`.

mod caller;
mod connector;
mod failure;
mod firehose;
mod input;
mod objects;
mod search;
mod shapes;
mod tracking;

use http::{Method, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Bytes;
use portcullis_core::authenticator::Authenticated;
use portcullis_core::subject::SubjectId;
use serde_json::Value;

use super::{Answered, Call, Dialect, answer};
use failure::Failure;

pub(crate) const DIALECT: Dialect = Dialect {
    name: "hull",
    summary: "the Hull API: connectors, tokens on behalf of a subject, tracking and the firehose",
    paths: &[
        "/api/v1/accounts_segments",
        "/api/v1/app",
        "/api/v1/extract",
        "/api/v1/firehose",
        "/api/v1/import",
        "/api/v1/me",
        "/api/v1/search",
        "/api/v1/t",
        "/api/v1/users/schema",
        "/api/v1/users_segments",
        "/api/v1/{object}",
    ],
    trial: &[],
    check: |options| match options.keys().next() {
        Some(option) => Err(format!("the dialect has no option `{option}`")),
        None => Ok(()),
    },
    route: |_, _| None,
    answer: |call| Box::pin(answer(call)),
    malformed: |_| Failure::bad("the request has no single meaning").respond().map(Full::new),
};

/// An address of the API.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Address {
    Alias,
    App,
    AppSettings,
    AppStatus,
    Bootstrap,
    Extract,
    Firehose,
    Me,
    Object(SubjectId),
    ObjectStatus(SubjectId),
    Schema,
    SearchEvents,
    SearchReports,
    Segments,
    Track,
    Traits,
    Unalias,
    UserReport,
}

impl Address {
    /// The address that `path` names below the mount. The firehose has a host of its own, where the
    /// mount names hosts.
    fn parse(path: &str, has_host: bool) -> Option<Self> {
        let Some(path) = path.strip_prefix("/api/v1/") else {
            return (has_host && matches!(path, "" | "/")).then_some(Self::Firehose);
        };
        Some(match path {
            "accounts_segments" | "users_segments" => Self::Segments,
            "app" => Self::App,
            "app/settings" => Self::AppSettings,
            "app/status" => Self::AppStatus,
            "extract/account_reports" | "extract/user_reports" => Self::Extract,
            "firehose" => Self::Firehose,
            "me" => Self::Me,
            "me/alias" => Self::Alias,
            "me/traits" => Self::Traits,
            "me/unalias" => Self::Unalias,
            "me/user_report" => Self::UserReport,
            "search/account_reports" | "search/user_reports" => Self::SearchReports,
            "search/events" => Self::SearchEvents,
            "search/account_reports/bootstrap" | "search/user_reports/bootstrap" => Self::Bootstrap,
            "t" => Self::Track,
            "users/schema" => Self::Schema,
            _ => match path.split_once('/') {
                None => Self::Object(SubjectId::parse(path)?),
                Some((id, "status")) => Self::ObjectStatus(SubjectId::parse(id)?),
                Some(_) => return None,
            },
        })
    }

    /// The methods it takes.
    const fn methods(self) -> &'static str {
        match self {
            Self::Alias
            | Self::Extract
            | Self::Firehose
            | Self::SearchEvents
            | Self::SearchReports
            | Self::Track
            | Self::Unalias => "POST",
            Self::App | Self::AppStatus | Self::ObjectStatus(_) => "GET, HEAD, PUT",
            Self::AppSettings
            | Self::Bootstrap
            | Self::Me
            | Self::Schema
            | Self::Segments
            | Self::UserReport => "GET, HEAD",
            Self::Object(_) => "DELETE, GET, HEAD, PUT",
            Self::Traits => "POST, PUT",
        }
    }
}

/// What a call comes to.
enum Told {
    /// It was done.
    Json(Value),
    /// It was done, and there is nothing to say.
    Nothing,
}

async fn answer(mut call: Call<'_>) -> Answered {
    let mut who = None;
    let (response, reason) = match handle(&mut call, &mut who).await {
        Ok(Told::Json(body)) => (answer::json(StatusCode::OK, &body), None),
        Ok(Told::Nothing) => (nothing(), None),
        Err(failure) => (failure.respond(), Some(failure.reason)),
    };
    Answered { response: response.map(Full::new), who, reason }
}

fn nothing() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

async fn handle(call: &mut Call<'_>, who: &mut Option<Authenticated>) -> Result<Told, Failure> {
    let has_host = !call.mount.hosts.is_empty();
    let address = Address::parse(call.path, has_host).ok_or_else(Failure::unknown)?;
    if !address.methods().split(", ").any(|it| it == call.head.method().as_str()) {
        return Err(Failure::wrong_method(address.methods()));
    }
    if address == Address::Firehose {
        return firehose::take(call, who).await;
    }
    let caller = caller::known(call).await?;
    *who = Some(caller.who.clone());
    let writes = *call.head.method() == Method::PUT;
    match address {
        Address::Alias => tracking::tell(call, &caller, "alias").await,
        Address::Track => tracking::tell(call, &caller, "track").await,
        Address::Traits => tracking::tell(call, &caller, "traits").await,
        Address::Unalias => tracking::tell(call, &caller, "unalias").await,
        Address::Me => objects::me(call, &caller).await,
        Address::UserReport => objects::my_report(call, &caller).await,
        // All else takes the rights of the connector itself.
        _ if !caller.has_rights() => Err(Failure::beyond_rights()),
        Address::App | Address::AppStatus if writes => {
            connector::change(call, &caller, address).await
        }
        Address::App => connector::show(call, &caller).await,
        Address::AppSettings => Ok(connector::settings(&caller)),
        Address::AppStatus => connector::status(call, &caller).await,
        Address::Object(id) if caller.is(id) && writes => {
            connector::change(call, &caller, Address::App).await
        }
        Address::Object(id) if caller.is(id) && *call.head.method() == Method::DELETE => {
            Err(Failure::forbidden("a connector is deleted by an operator"))
        }
        Address::Object(id) if caller.is(id) => connector::show(call, &caller).await,
        Address::Object(id) => objects::object(call, &caller, id).await,
        Address::ObjectStatus(id) if !caller.is(id) => Err(Failure::unknown()),
        Address::ObjectStatus(_) if writes => {
            connector::change(call, &caller, Address::AppStatus).await
        }
        Address::ObjectStatus(_) => connector::status(call, &caller).await,
        Address::Bootstrap | Address::Schema => search::names(call, &caller, address).await,
        Address::Extract => Err(Failure::bad("nothing is sent to URLs from here; search instead")),
        Address::SearchEvents => search::events(call, &caller).await,
        Address::SearchReports => search::reports(call, &caller).await,
        Address::Segments => Ok(Told::Json(Value::Array(Vec::new()))),
        Address::Firehose => Err(Failure::unknown()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_named_by_its_path_and_the_firehose_by_its_host_too() {
        const ID: &str = "5a7962e2793d3e942a03b29a";
        let id = SubjectId::parse(ID).unwrap();
        for (path, has_host, expected) in [
            ("/api/v1/firehose", false, Some(Address::Firehose)),
            ("/", true, Some(Address::Firehose)),
            ("", true, Some(Address::Firehose)),
            ("/", false, None),
            ("/api/v1/me/traits", false, Some(Address::Traits)),
            ("/api/v1/me/traits/", false, None),
            (&format!("/api/v1/{ID}"), false, Some(Address::Object(id))),
            (&format!("/api/v1/{ID}/status"), false, Some(Address::ObjectStatus(id))),
            (&format!("/api/v1/{ID}/else"), false, None),
            ("/api/v1/5a79", false, None),
            ("/api/v1/users/schema", false, Some(Address::Schema)),
            ("/api/v1", false, None),
            ("/api/v2/me", true, None),
        ] {
            assert_eq!(Address::parse(path, has_host), expected, "{path}");
        }
    }
}
