//! What a door knows of a request before anybody judges it.
//!
//! Here and only here a path is normalised, a repeated credential header refused, and a
//! forwarding header believed. What is judged is what is forwarded: both come from this type.

mod body;
mod connection;
mod cookies;
mod forwarded;
mod host;
mod origin;
mod original;
mod path;
mod unfold;
mod upgrade;

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, PROXY_AUTHORIZATION, TRANSFER_ENCODING,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::time::Timestamp;

pub use body::{BodyForm, BodyToken, MAX_LOOKED_INTO};
pub use connection::Connection;
pub use cookies::{CookiePair, cookie_pairs, unquoted};
pub use forwarded::{MAX_FORWARDED, TrustedPeers, fold, fold_network};
pub use host::canonical_host;
pub use origin::Origin;
pub use original::{Original, Unjudged, Wording};
pub use path::{MAX_PATH, MAX_QUERY, canonical_path};
pub use unfold::unfold;
pub use upgrade::Upgrade;

/// All headers together, names and values, in bytes.
pub const MAX_HEADERS: usize = 32 * 1_024;
/// One header that carries a credential, in bytes.
pub const MAX_CREDENTIAL: usize = 8 * 1_024;
/// All of `Connection`, in bytes: each header is compared with what it names.
pub const MAX_CONNECTION: usize = 1_024;
/// How many headers a request may have: some fewer than are read, so that one too many is refused in our
/// own words.
pub const MAX_HEADER_COUNT: usize = 96;

/// A request that has one meaning: canonical, bounded, nothing credential-like twice.
pub struct RequestHead<'r> {
    method: &'r Method,
    host: Cow<'r, str>,
    port: Option<u16>,
    path: Cow<'r, str>,
    query: Option<&'r str>,
    headers: &'r HeaderMap,
    connection: Connection,
    secure: bool,
    client: IpAddr,
    received: Timestamp,
    body_token: Option<BodyToken<'r>>,
}

/// Why a request has no single meaning: always the caller's fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Malformed {
    /// The body broke off or came too slowly, where it is looked into for a token.
    #[error("the body did not come whole in time")]
    Body,
    /// The body is longer than a door takes.
    #[error("the body is too long")]
    BodyTooLong,
    /// A header that carries a credential is longer than [`MAX_CREDENTIAL`].
    #[error("a credential header is longer than {MAX_CREDENTIAL} bytes")]
    CredentialTooLong,
    /// A forwarding header of a trusted peer cannot be read.
    #[error("X-Forwarded-For cannot be read")]
    Forwarded,
    /// Where the body ends could be read in two ways, or cannot be read.
    #[error("the framing {0}")]
    Framing(&'static str),
    /// There are more headers, or longer ones, than a request may have.
    #[error("the headers are too long or too many")]
    HeadersTooLarge,
    /// The host is missing, repeated, contradicted, or none.
    #[error("the host {0}")]
    Host(&'static str),
    /// The path could be read in two ways, or is none.
    #[error("the path {0}")]
    Path(&'static str),
    /// The path or the query is too long.
    #[error("the path or query is too long")]
    PathTooLong,
    /// The query holds what no query may.
    #[error("the query holds a character that must be escaped")]
    Query,
    /// A header that carries a credential stands there more than once, or under an alias.
    #[error("a credential header is repeated")]
    RepeatedCredential,
    /// It asks for a tunnel, and nothing here opens one.
    #[error("no tunnel is opened")]
    Tunnel,
}

impl<'r> RequestHead<'r> {
    /// The head of a request, [unfolded](unfold()), that came over `connection`.
    ///
    /// # Errors
    /// It has no single meaning.
    pub fn from_connection(
        parts: &'r Parts,
        connection: impl Into<Connection>,
        trusted: &TrustedPeers,
        received: Timestamp,
    ) -> Result<Self, Malformed> {
        check_headers(&parts.headers)?;
        let connection: Connection = connection.into();
        let connection = Connection { peer: fold(connection.peer), ..connection };
        let (host, port) = host::of(parts)?;
        Ok(Self {
            method: &parts.method,
            host,
            port,
            path: path::canonical_path(parts.uri.path())?,
            query: path::query(&parts.uri)?,
            headers: &parts.headers,
            connection,
            secure: connection.secure || trusted.says_https(connection.peer, &parts.headers),
            client: trusted.client(connection.peer, &parts.headers)?,
            received,
            body_token: None,
        })
    }

    /// The same head, with what its body presents.
    pub fn with_body_token(&'r self, body_token: Option<BodyToken<'r>>) -> Self {
        Self {
            method: self.method,
            host: Cow::Borrowed(&self.host),
            port: self.port,
            path: Cow::Borrowed(&self.path),
            query: self.query,
            headers: self.headers,
            connection: self.connection,
            secure: self.secure,
            client: self.client,
            received: self.received,
            body_token,
        }
    }

    /// The token in its body, if a door looked for one.
    pub const fn body_token(&self) -> Option<BodyToken<'r>> {
        self.body_token
    }

    /// The method.
    pub const fn method(&self) -> &'r Method {
        self.method
    }

    /// The host, in its canonical form and without its port.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The path, in its canonical form.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The query as it was sent. It may carry secrets: never log it.
    pub const fn query(&self) -> Option<&'r str> {
        self.query
    }

    /// The headers as they were sent.
    pub const fn headers(&self) -> &'r HeaderMap {
        self.headers
    }

    /// Where it says it comes from.
    pub fn origin(&self) -> Origin {
        origin::of(self.headers, &self.host, self.port, self.secure)
    }

    /// What it asks its connection to become.
    pub fn upgrade(&self) -> Upgrade<'r> {
        upgrade::of(self.method, self.headers)
    }

    /// Who opened the connection.
    pub const fn peer(&self) -> IpAddr {
        self.connection.peer
    }

    /// Whether it came encrypted: to us, or to a trusted peer that says so.
    pub const fn is_secure(&self) -> bool {
        self.secure
    }

    /// How it came, as URLs write it.
    pub const fn protocol(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }

    /// Whether the peer has proven a certificate that the server accepts from clients.
    pub const fn is_certified(&self) -> bool {
        self.connection.certified
    }

    /// The connection that brought it.
    pub const fn connection(&self) -> Connection {
        self.connection
    }

    /// Who is believed to have sent the request: the peer, or whom a trusted one names.
    pub const fn client(&self) -> IpAddr {
        self.client
    }

    /// When it began to arrive: the "now" of every rule.
    pub const fn received(&self) -> Timestamp {
        self.received
    }

    /// The value of a header that may stand there once.
    ///
    /// # Errors
    /// It stands there more than once, under its own name or an alias of it.
    pub fn single(&self, name: &HeaderName) -> Result<Option<&'r [u8]>, Malformed> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next();
        let alias = |other: &HeaderName| other != name && folded_eq(other.as_str(), name.as_str());
        if values.next().is_some() || self.headers.keys().any(alias) {
            return Err(Malformed::RepeatedCredential);
        }
        Ok(value.map(HeaderValue::as_bytes))
    }
}

impl fmt::Debug for RequestHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHead")
            .field("method", &self.method)
            .field("host", &self.host)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// Whether two header names are the same to a server that folds every character but letters and
/// digits into one, as CGI and its heirs do (`X_Api_Key`, `X.Api.Key`).
pub fn folded_eq(a: &str, b: &str) -> bool {
    let folded =
        |byte: u8| if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'-' };
    a.len() == b.len() && a.bytes().zip(b.bytes()).all(|(a, b)| folded(a) == folded(b))
}

fn check_headers(headers: &HeaderMap) -> Result<(), Malformed> {
    let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if size > MAX_HEADERS || headers.len() > MAX_HEADER_COUNT {
        return Err(Malformed::HeadersTooLarge);
    }
    let names: usize = headers.get_all(CONNECTION).iter().map(HeaderValue::len).sum();
    if names > MAX_CONNECTION {
        return Err(Malformed::HeadersTooLarge);
    }
    check_framing(headers)?;
    // What HTTP/2 may split was joined before.
    for name in [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE] {
        let mut values = headers.get_all(&name).iter();
        if values.next().is_some_and(|value| value.len() > MAX_CREDENTIAL) {
            return Err(Malformed::CredentialTooLong);
        }
        if values.next().is_some() {
            return Err(Malformed::RepeatedCredential);
        }
    }
    let alias = |name: &HeaderName| {
        *name != PROXY_AUTHORIZATION && folded_eq(name.as_str(), PROXY_AUTHORIZATION.as_str())
    };
    if headers.keys().any(alias) { Err(Malformed::RepeatedCredential) } else { Ok(()) }
}

/// RFC 9112, section 6.1: a coding that this server does not take off would hide where the body ends.
fn check_framing(headers: &HeaderMap) -> Result<(), Malformed> {
    // To some a number with a zero in front is octal.
    let length = headers.get(CONTENT_LENGTH).map(HeaderValue::as_bytes);
    if length.is_some_and(|length| length.len() > 1 && length.starts_with(b"0")) {
        return Err(Malformed::Framing("has a length with a zero in front"));
    }
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => Ok(()),
        (Some(coding), None) if coding.as_bytes().eq_ignore_ascii_case(b"chunked") => Ok(()),
        (Some(_), _) => Err(Malformed::Framing("has a transfer coding other than chunked")),
    }
}
