//! Forward-auth: another proxy asks whether it may forward a request, and forwards it itself.
//!
//! The request is judged as it is at the proxy door. What that door would rewrite, and the proxy that
//! asks would forward as it is, is refused here: see [`Unrewritable`].

mod asker;
mod sender;
mod told;
mod unrewritable;

use std::sync::Arc;

use http::request::Parts;
use http::{Method, Response};
use http_body_util::Either;
use portcullis_core::request::{Connection, Malformed, Original, TrustedPeers, Unjudged};
use portcullis_core::time::Timestamp;

use crate::config::Config;
use crate::doors::identity::{self, Telling};
use crate::exchange::{Content, Exchange};
use crate::gate::{Address, Admitted, Gate};
use crate::http::problem;
use crate::refusal::Refusal;
pub(crate) use asker::{Asker, asker_at};
use sender::{Senders, Stranger};
use told::Told;
use unrewritable::Unrewritable;

/// The doors for proxies that ask.
#[derive(Debug)]
pub(crate) struct ForwardAuth {
    gate: Arc<Gate>,
    senders: Senders,
    /// Whose word is taken for where a request came from: the proxies that ask, and those before them.
    trusted: TrustedPeers,
}

/// Why the answer is not yes.
enum No {
    /// Its method is one that is never forwarded.
    NotForwarded,
    Refusal(Refusal),
    Unjudged(Unjudged),
    Unrewritable(Unrewritable),
}

impl ForwardAuth {
    pub(crate) fn new(gate: Arc<Gate>, config: &Config) -> Self {
        let trusted = [&config.authz.peers[..], &config.trust.peers].concat();
        let senders = Senders::new(&config.authz);
        Self { gate, senders, trusted: TrustedPeers::new(&trusted) }
    }

    /// Whether a call over `connection` may be one of a proxy that asks, which then is answered here
    /// whichever host it names: Caddy names the caller's.
    pub(crate) fn is_for(&self, connection: &Connection) -> bool {
        self.senders.include(connection.peer)
    }

    /// Answers whoever else comes where `asker` asks: nothing is here.
    pub(crate) fn turn_away(
        &self,
        asker: &Asker,
        connection: Connection,
        exchange: &mut Exchange,
    ) -> Response<Content> {
        let stranger = self.senders.turn_away(Stranger::Address, &connection);
        nothing_here(asker, stranger, exchange).map(Either::Left)
    }

    /// Answers one call of `asker`; never fails. To whoever may not ask, nothing is here.
    pub(crate) async fn serve(
        &self,
        asker: &Asker,
        (call, connection): (&Parts, Connection),
        now: Timestamp,
        exchange: &mut Exchange,
    ) -> Response<Content> {
        if let Err(stranger) = self.senders.check(&connection, &call.headers) {
            return nothing_here(asker, stranger, exchange).map(Either::Left);
        }
        exchange.come_by(asker.door);
        let answer = match self.judge(asker, (call, connection), now, exchange).await {
            Ok(yes) => yes,
            Err(no) => (asker.tell)(no.told(exchange)),
        };
        answer.map(Either::Left)
    }

    async fn judge(
        &self,
        asker: &Asker,
        (call, connection): (&Parts, Connection),
        now: Timestamp,
        exchange: &mut Exchange,
    ) -> Result<Told, No> {
        let original = Original::read(&call.headers, asker.wording)?;
        exchange.concern(original.method());
        unrewritable::look(original.headers())?;
        let head = original.head(connection.peer, &self.trusted, now)?;
        exchange.read(&head);
        if *head.method() == Method::CONNECT {
            return Err(Refusal::Malformed(Malformed::Tunnel).into());
        }
        let forwarded = async |_| match *head.method() {
            Method::TRACE => Err(No::NotForwarded),
            _ => Ok(()),
        };
        let admitted = self.gate.admit(&head, Address::Own, forwarded).await?;
        let Admitted { judged, permit, .. } = admitted;
        exchange.meet(&judged);
        exchange.allow(&permit);
        let line = identity::line(&head, head.method(), head.path());
        Ok(told::yes(&self.gate, &Telling { judged: &judged, id: exchange.id, line }))
    }
}

/// The answer to whoever may not ask, which is what any other address of nobody's is answered.
fn nothing_here(asker: &Asker, stranger: Stranger, exchange: &mut Exchange) -> Told {
    exchange.come_by(asker.door);
    exchange.turn_away(stranger.reason());
    problem::refused(&Refusal::NoGuard, exchange.id)
}

impl No {
    /// The native answer.
    fn told(&self, exchange: &mut Exchange) -> Told {
        match self {
            Self::NotForwarded => {
                exchange.turn_away("not_forwarded");
                problem::not_forwarded(exchange.id)
            }
            Self::Refusal(refusal) => {
                exchange.refuse(refusal);
                problem::refused(refusal, exchange.id)
            }
            Self::Unjudged(Unjudged::Malformed(why)) => {
                Self::Refusal(Refusal::Malformed(*why)).told(exchange)
            }
            Self::Unjudged(Unjudged::NotCanonical) => {
                exchange.turn_away("path_not_canonical");
                problem::not_canonical(exchange.id)
            }
            Self::Unjudged(Unjudged::Unstated(what)) => {
                tracing::debug!(%what, "a proxy asks about a request without stating it");
                exchange.turn_away("request_not_stated");
                problem::unstated(exchange.id)
            }
            Self::Unrewritable(why) => {
                exchange.turn_away(why.reason());
                problem::unrewritable(exchange.id)
            }
        }
    }
}

impl From<Refusal> for No {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}

impl From<Unjudged> for No {
    fn from(why: Unjudged) -> Self {
        Self::Unjudged(why)
    }
}

impl From<Unrewritable> for No {
    fn from(why: Unrewritable) -> Self {
        Self::Unrewritable(why)
    }
}
