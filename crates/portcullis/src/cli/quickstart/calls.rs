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

use super::{Made, OWNER_LOGIN, hub, journyx};
use crate::cli::say;
use crate::clock::SystemClock;

/// Calls the guarded address with each credential and without, and prints what came of it.
pub(super) async fn show(
    made: &Made,
    address: SocketAddr,
    clock: &SystemClock,
) -> anyhow::Result<()> {
    let url = &made.guarded_url;
    let user = format!("{}:{}", made.basic.username, made.basic.password);
    let hub = made.journey_hub.as_ref().context("no secret of Journey Hub")?;
    let hub = hub::token(hub, address).await?;
    let journyx = made.journyx.as_ref().context("no user of Journyx")?;
    let session = journyx::session(journyx, address).await?;
    let with_key = format!("{}:{}", made.basic.username, made.basic.api_key);
    let rows = [
        ("no credential", None, 401, format!("curl -i {url}")),
        (
            "basic",
            Some((scheme::BASIC, made.basic.password.as_str())),
            200,
            format!("curl -u '{user}' {url}"),
        ),
        (
            "basic with API key",
            Some((scheme::BASIC, made.basic.api_key.as_str())),
            200,
            format!("curl -u '{with_key}' {url}"),
        ),
        (
            "api_key",
            Some((scheme::API_KEY, made.api_key.key.as_str())),
            200,
            format!("curl -H '{}: {}' {url}", made.api_key.header, made.api_key.key),
        ),
        (
            "session",
            Some((scheme::SESSION, session.as_str())),
            200,
            format!("curl -b '{DEFAULT_COOKIE}={session}' {url}"),
        ),
        (
            "hub_token",
            Some((scheme::HUB_TOKEN, hub.as_str())),
            200,
            format!("curl -H 'Authorization: {hub}' {url}"),
        ),
    ];
    say(&format!("Portcullis guards a demo API at {url}\n\n"));
    let mut failed = false;
    for (name, credential, expected, curl) in rows {
        let begun = clock.now().boot;
        let status = call(address, credential).await?;
        let spent = clock.now().boot.saturating_sub(begun);
        let mark = if status == expected { "✓" } else { "✗" };
        failed |= status != expected;
        say(&format!("{mark} {name:<19} {status} {spent:>4} ms   {curl}\n"));
    }
    anyhow::ensure!(!failed, "the guard did not answer as it should");
    say("\nNext, guard your own API:\n");
    say("  portcullis guard create my-api --path /api --upstream http://127.0.0.1:9000\n\n");
    Ok(())
}

/// The status with which a request is answered that presents this credential.
pub(super) async fn call(
    address: SocketAddr,
    credential: Option<(SchemeName, &str)>,
) -> anyhow::Result<u16> {
    let mut request = Request::get("/demo/hello").header("Host", address.to_string());
    if let Some((name, secret)) = credential {
        let kind = scheme::ALL.iter().find(|kind| kind.name == name).context("no such scheme")?;
        let (header, value): (HeaderName, SecretBuf) = (kind.present)(OWNER_LOGIN, secret);
        request = request.header(header, value.expose());
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
