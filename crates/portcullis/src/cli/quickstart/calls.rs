//! Calls to the guarded address, as a client makes them.

use std::net::SocketAddr;

use anyhow::Context as _;
use http::{HeaderName, Request, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::TokioIo;
use portcullis_core::scheme::session::DEFAULT_COOKIE;
use portcullis_core::scheme::{self, SchemeName};
use portcullis_core::secret::SecretBuf;
use portcullis_core::time::Clock as _;
use tokio::net::TcpStream;

use super::{Made, OWNER_LOGIN, expert, graph, hub, journyx};
use crate::cli::say;
use crate::clock::SystemClock;

/// A credential, as a client with default options sends it.
pub(super) struct Credential {
    scheme: SchemeName,
    /// What names it, where that stands apart.
    name: String,
    secret: String,
}

impl Credential {
    /// One of the owner's, that needs no name of its own.
    pub(super) fn new(scheme: SchemeName, secret: &str) -> Self {
        Self::named(scheme, OWNER_LOGIN, secret)
    }

    pub(super) fn named(scheme: SchemeName, name: &str, secret: &str) -> Self {
        Self { scheme, name: name.to_owned(), secret: secret.to_owned() }
    }
}

/// One call of the guarded address: by what, what it should come to, and how it is pasted.
struct Row {
    name: &'static str,
    credential: Option<Credential>,
    expected: u16,
    curl: String,
}

/// Calls the guarded address with each credential and without, and prints what came of it.
pub(super) async fn show(
    made: &Made,
    address: SocketAddr,
    clock: &SystemClock,
) -> anyhow::Result<()> {
    let graph = made.graph.as_ref().context("no listener of Graph")?;
    let rows = rows(made, address, clock).await?;
    say(&format!("Portcullis guards a demo API at {}\n\n", made.guarded_url));
    let mut failed = false;
    for Row { name, credential, expected, curl } in rows {
        let begun = clock.now().boot;
        let status = call(address, credential.as_ref()).await?;
        let spent = clock.now().boot.saturating_sub(begun);
        let mark = if status == expected { "✓" } else { "✗" };
        failed |= status != expected;
        say(&format!("{mark} {name:<19} {status} {spent:>4} ms   {curl}\n"));
    }
    anyhow::ensure!(!failed, "the guard did not answer as it should");
    say("\nA listener of Graph leads to the same API:\n");
    say(&format!(
        "  curl -H 'X-Auth-Token: {}' -d '{{\"message\":\"hi\"}}' {}/api/v1/listener/{}\n",
        graph.shared_secret, made.base_url, graph.listener
    ));
    say("\nNext, guard your own API:\n");
    say("  portcullis guard create my-api --path /api --upstream http://127.0.0.1:9000\n\n");
    Ok(())
}

async fn rows(made: &Made, address: SocketAddr, clock: &SystemClock) -> anyhow::Result<Vec<Row>> {
    let (url, basic) = (&made.guarded_url, &made.basic);
    let hub = made.journey_hub.as_ref().context("no secret of Journey Hub")?;
    let hub = hub::token(hub, address).await?;
    let journyx = made.journyx.as_ref().context("no user of Journyx")?;
    let session = journyx::session(journyx, address).await?;
    let graph = made.graph.as_ref().context("no listener of Graph")?;
    let token = graph::token(graph, address).await?;
    let of_expert = made.expert.as_ref().context("no server token of Expert")?;
    let signed = expert::token(of_expert, clock.now().wall)?;
    let authtoken = expert::authtoken(of_expert, address, clock).await?;
    let row = |name, scheme, secret: &str, how: String| Row {
        name,
        credential: Some(Credential::new(scheme, secret)),
        expected: 200,
        curl: format!("curl {how} {url}"),
    };
    let user = |secret: &str| format!("-u '{}:{secret}'", basic.username);
    let header = |name: &str, value: &str| format!("-H '{name}: {value}'");
    let (key, secret) = (&made.api_key, &graph.shared_secret);
    let none = Row {
        name: "no credential",
        credential: None,
        expected: 401,
        curl: format!("curl -i {url}"),
    };
    let cookie = format!("-b '{DEFAULT_COOKIE}={session}'");
    let bearer = header("Authorization", &format!("Bearer {token}"));
    let hull = made.hull.as_ref().context("no connector of Hull")?;
    let (id, proof) =
        (header("Hull-App-Id", &hull.app_id), header("Hull-Access-Token", &hull.secret));
    let connector = Row {
        credential: Some(Credential::named(scheme::CONNECTOR, &hull.app_id, &hull.secret)),
        ..row("connector", scheme::CONNECTOR, &hull.secret, format!("{id} {proof}"))
    };
    Ok(vec![
        none,
        row("basic", scheme::BASIC, &basic.password, user(&basic.password)),
        row("basic with API key", scheme::BASIC, &basic.api_key, user(&basic.api_key)),
        row("api_key", scheme::API_KEY, &key.key, header(&key.header, &key.key)),
        row("session", scheme::SESSION, &session, cookie),
        row("hub_token", scheme::HUB_TOKEN, &hub, header("Authorization", &hub)),
        row("bearer", scheme::BEARER, &token, bearer),
        row("shared_secret", scheme::SHARED_SECRET, secret, header("X-Auth-Token", secret)),
        connector,
        row("signature", scheme::SIGNATURE, &signed, header("X-Deki-Token", &signed)),
        row("authtoken", scheme::AUTHTOKEN, &authtoken, format!("-b 'authtoken={authtoken}'")),
    ])
}

/// The status with which a request is answered that presents this credential.
pub(super) async fn call(
    address: SocketAddr,
    credential: Option<&Credential>,
) -> anyhow::Result<u16> {
    let mut request = Request::get("/demo/hello").header("Host", address.to_string());
    if let Some(Credential { scheme, name, secret }) = credential {
        let kind =
            scheme::ALL.iter().find(|kind| kind.name == *scheme).context("no such scheme")?;
        let (header, value): (HeaderName, SecretBuf) = (kind.present)(name, secret);
        request = request.header(header, value.expose());
        if let Some(header) = kind.named_in {
            request = request.header(header, name);
        }
    }
    Ok(send(address, request.body(Full::new(Bytes::new()))?).await?.status().as_u16())
}

pub(super) async fn send(
    address: SocketAddr,
    request: Request<Full<Bytes>>,
) -> anyhow::Result<Response<Incoming>> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender.send_request(request).await?)
}
