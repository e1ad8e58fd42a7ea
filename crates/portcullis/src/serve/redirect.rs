//! The plain address: says where to find by https what was asked for, and nothing else.

use std::future::ready;
use std::net::IpAddr;
use std::sync::Arc;

use http::header::{CONNECTION, LOCATION};
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use portcullis_core::request::{RequestHead, TrustedPeers, unfold};
use portcullis_core::time::Clock;

use super::connection::{Paced, Patience, Talk, http1};
use super::front::{REQUEST_ID, as_header};
use super::listen::Accepted;
use super::request_ids::RequestIds;
use crate::http::problem;
use crate::refusal::Refusal;

/// The port that a URL of https need not name (RFC 9110, section 4.2.2).
const HTTPS: u16 = 443;

/// Where requests are sent on to.
#[derive(Debug)]
pub(super) struct Redirect {
    /// The port on which https is spoken.
    pub(super) port: u16,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: RequestIds,
}

/// Answers one connection, with one answer.
pub(super) async fn serve(redirect: Arc<Redirect>, patience: Patience, accepted: Accepted) {
    let Accepted { stream, peer, stop } = accepted;
    let service = service_fn(move |request: Request<Incoming>| {
        // The body is nobody's to read here, and ends with the connection.
        let answer = redirect.answer(request.into_parts().0, peer.ip());
        ready(Ok::<_, hyper::Error>(answer))
    });
    let talk = Arc::new(Talk::default());
    let stream = Paced::new(stream, patience, Arc::clone(&talk));
    http1::speak(stream, service, &talk, stop).await;
}

impl Redirect {
    /// RFC 9110, section 15.4.9: a client repeats the very same request there.
    fn answer(&self, mut parts: Parts, peer: IpAddr) -> Response<Full<Bytes>> {
        unfold(&mut parts);
        let (now, trusted) = (self.clock.now().wall, TrustedPeers::default());
        let id = self.ids.next(now.millis());
        let read = RequestHead::from_connection(&parts, peer, &trusted, now);
        let mut answer = match read.map(|head| self.location(&head)) {
            Ok(Some(location)) => {
                let mut answer = Response::new(Full::default());
                *answer.status_mut() = StatusCode::PERMANENT_REDIRECT;
                answer.headers_mut().insert(LOCATION, location);
                answer
            }
            Ok(None) => problem::refused(&Refusal::Unavailable, id),
            Err(why) => problem::refused(&Refusal::Malformed(why), id),
        };
        answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        answer.headers_mut().insert(REQUEST_ID, as_header(id));
        answer
    }

    fn location(&self, head: &RequestHead<'_>) -> Option<HeaderValue> {
        let port = if self.port == HTTPS { String::new() } else { format!(":{}", self.port) };
        let mut location = format!("https://{}{port}{}", head.host(), head.path());
        if let Some(query) = head.query() {
            location.push('?');
            location.push_str(query);
        }
        // A query may carry what is nobody's to see.
        let mut location = HeaderValue::try_from(location).ok()?;
        location.set_sensitive(true);
        Some(location)
    }
}
