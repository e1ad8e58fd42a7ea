//! The sections `[server]` and `[trust]`: where requests arrive, and whom to believe about them.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use portcullis_core::policy::parse_network;

use super::mistake::Place;
use super::reader::Section;
use super::source::Source;
use super::store::path;

/// Where requests arrive, and how long things may take.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Server {
    /// The address on which guarded requests arrive.
    pub(crate) listen: SocketAddr,
    /// The address that sends whoever comes there to `listen`, by https.
    pub(crate) redirect: Option<SocketAddr>,
    /// How many threads answer; one for each processor if nobody says.
    pub(crate) threads: Option<NonZeroUsize>,
    /// How many connections may be open at once.
    pub(crate) max_connections: usize,
    /// How many of them may come from one address.
    pub(crate) max_connections_per_address: usize,
    /// How many bytes the body of a request may have.
    pub(crate) max_body: u64,
    /// How long a client may take to send the head of a request.
    pub(crate) header_timeout: Duration,
    /// How long a client may take to begin the next request.
    pub(crate) idle_timeout: Duration,
    /// How long a client may take to send the next piece of a body, or to take that of an answer.
    pub(crate) body_timeout: Duration,
    /// How many connections each thread may have to one upstream.
    pub(crate) max_upstream_connections: usize,
    /// How long connecting to an upstream may take.
    pub(crate) upstream_connect_timeout: Duration,
    /// How long an upstream may take until the head of its answer has come.
    pub(crate) upstream_answer_timeout: Duration,
    /// How long nothing may be said in a tunnel.
    pub(crate) tunnel_idle_timeout: Duration,
    /// The roots that vouch for upstreams; without them, the system's do.
    pub(crate) upstream_roots: Option<Roots>,
    /// How long requests under way may go on once the server is told to stop.
    pub(crate) drain: Duration,
}

/// The file of the roots that vouch for upstreams.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Roots {
    /// In PEM.
    pub(crate) file: PathBuf,
    /// Where it is named.
    pub(crate) place: Place,
}

/// Who may say where a request came from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Trust {
    /// The proxies in front of this server whose forwarding headers are believed.
    pub(crate) peers: Vec<IpNet>,
}

/// Reads `[server]`; `encrypted` if a `[tls]` has a certificate.
pub(super) fn server(
    mut section: Section<'_, '_>,
    source: &Source<'_>,
    encrypted: bool,
) -> Option<Server> {
    let listen = section.text("listen", |text| text.parse().ok());
    let at_redirect = section.at_key("redirect");
    let redirect = section.text("redirect", |text| text.parse().ok());
    if redirect.is_some() && !encrypted {
        section.note(
            at_redirect,
            "redirect",
            "there is nothing to redirect to without a `tls.certificate`",
        );
    }
    let threads = section.count("threads").and_then(|it| usize::try_from(it).ok());
    let max_connections = section.count("max_connections");
    let max_connections_per_address = section.count("max_connections_per_address");
    let max_body_mib = section.count("max_body_mib");
    let header_timeout = section.span("header_timeout");
    let idle_timeout = section.span("idle_timeout");
    let body_timeout = section.span("body_timeout");
    let max_upstream_connections = section.count("max_upstream_connections");
    let upstream_connect_timeout = section.span("upstream_connect_timeout");
    let upstream_answer_timeout = section.span("upstream_answer_timeout");
    let tunnel_idle_timeout = section.span("tunnel_idle_timeout");
    let place = source.place(section.at_key("upstream_roots").unwrap_or_else(|| section.at()));
    let upstream_roots = section.text("upstream_roots", path).map(|file| Roots { file, place });
    let drain = section.span("drain");
    section.finish(&[]);
    Some(Server {
        listen: listen?,
        redirect,
        threads: threads.and_then(NonZeroUsize::new),
        max_connections: usize::try_from(max_connections?).ok()?,
        max_connections_per_address: usize::try_from(max_connections_per_address?).ok()?,
        max_body: u64::from(max_body_mib?) << 20,
        header_timeout: header_timeout?,
        idle_timeout: idle_timeout?,
        body_timeout: body_timeout?,
        max_upstream_connections: usize::try_from(max_upstream_connections?).ok()?,
        upstream_connect_timeout: upstream_connect_timeout?,
        upstream_answer_timeout: upstream_answer_timeout?,
        tunnel_idle_timeout: tunnel_idle_timeout?,
        upstream_roots,
        drain: drain?,
    })
}

/// Reads `[trust]`.
pub(super) fn trust(mut section: Section<'_, '_>) -> Option<Trust> {
    let peers = section.list("peers", peers);
    section.finish(&[]);
    Some(Trust { peers: peers? })
}

/// Reads a network whose word is taken. Everybody's is nobody's: the address that stands first in
/// `X-Forwarded-For` would count, and anybody can write there.
pub(super) fn peers(text: &str) -> Option<IpNet> {
    network(text).filter(|network| network.prefix_len() > 0)
}

/// Reads a network, or a single address as the network of itself.
pub(super) fn network(text: &str) -> Option<IpNet> {
    parse_network(text).ok()
}
