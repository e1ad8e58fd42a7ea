//! One caller's connection: in the clear or over TLS, in HTTP/1.1 or HTTP/2, bounded in what and
//! how slowly it may send.

pub(super) mod http1;
mod http2;
mod pace;
mod preface;
mod talk;

use std::any::Any;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use portcullis_core::request::Connection;
use portcullis_core::time::Timestamp;
use tokio::net::TcpStream;

use super::front::Front;
use super::listen::Accepted;
use super::tls::{Settled, Tls};
use crate::certificate::Certificate;
pub(super) use pace::{Paced, Patience};
use preface::Seen;
pub(super) use talk::Talk;

/// The most bytes that a request's head may take before it is even looked at.
const MAX_HEAD: u32 = 64 * 1_024;

/// How connections are spoken on.
#[derive(Clone, Debug)]
pub(super) struct Speech {
    /// Without it, they are spoken on in the clear.
    pub(super) tls: Option<Tls>,
    pub(super) patience: Patience,
}

/// Who sends the requests of one connection.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) peer: IpAddr,
    secure: bool,
    pub(super) certificate: Option<Certificate>,
}

impl Caller {
    /// What is known of the connection at `now`.
    pub(super) fn connection(&self, now: Timestamp) -> Connection {
        let certified = self.certificate.as_ref().is_some_and(|it| it.is_good(now));
        Connection { peer: self.peer, secure: self.secure, certified }
    }
}

/// Answers one connection's requests until it ends. It takes up `held` until then, or until the last
/// tunnel ends that came of it.
pub(super) async fn serve(
    front: Arc<Front>,
    speech: Speech,
    accepted: Accepted,
    held: impl Any + Send + Sync,
) {
    let Accepted { stream, peer, mut stop } = accepted;
    let Speech { tls, patience } = speech;
    let talk = Arc::new(Talk::holding(held));
    let settling = async {
        Some(match tls {
            Some(tls) => Opened::Tls(Box::new(shake(&tls, stream, peer, patience.head).await?)),
            None => look(stream, patience.head).await?,
        })
    };
    let opened = tokio::select! {
        opened = settling => opened,
        _ = stop.wait_for(|stop| *stop) => None,
    };
    let caller = |secure, certificate| Caller { peer: peer.ip(), secure, certificate };
    let terms = (patience, stop, talk);
    match opened {
        None => {}
        Some(Opened::Clear(stream, Seen { http2: false, bytes })) => {
            http1::serve(front, caller(false, None), (stream, bytes), terms).await;
        }
        Some(Opened::Clear(stream, Seen { http2: true, bytes })) => {
            Box::pin(http2::serve(front, caller(false, None), (stream, bytes), terms)).await;
        }
        Some(Opened::Tls(settled)) => {
            let Settled { stream, http2, client } = *settled;
            let certificate = client.map(|it| Certificate::new(move |now| it.is_good(now)));
            let (caller, stream) = (caller(true, certificate), (stream, Vec::new()));
            if http2 {
                Box::pin(http2::serve(front, caller, stream, terms)).await;
            } else {
                Box::pin(http1::serve(front, caller, stream, terms)).await;
            }
        }
    }
}

/// A connection of which is known what is spoken on it.
enum Opened {
    Clear(TcpStream, Seen),
    Tls(Box<Settled>),
}

/// What a handshake settles, if it comes to an end in time.
async fn shake(
    tls: &Tls,
    stream: TcpStream,
    peer: SocketAddr,
    patience: Duration,
) -> Option<Settled> {
    let shaken = tokio::time::timeout(patience, tls.accept(stream)).await;
    match shaken {
        Ok(Ok(settled)) => return Some(settled),
        Ok(Err(error)) => tracing::debug!(%peer, %error, "a TLS handshake failed"),
        Err(_) => tracing::debug!(%peer, "a TLS handshake took too long"),
    }
    None
}

/// What the first bytes in the clear tell, if they come in time.
async fn look(mut stream: TcpStream, patience: Duration) -> Option<Opened> {
    let looking = tokio::time::timeout(patience, preface::look(&mut stream));
    let seen = looking.await.ok()?.ok()?;
    Some(Opened::Clear(stream, seen))
}
