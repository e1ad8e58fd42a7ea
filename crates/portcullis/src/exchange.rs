//! What one line of the log tells of one request. Never a proof, a cookie, a query or a body.

use std::fmt;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::request::Parts;
use http::{HeaderMap, Method, Response, StatusCode};
use http_body_util::{Either, Full};
use hyper::body::{Bytes, Frame, SizeHint};
use ipnet::IpNet;
use portcullis_core::authenticator::Authenticated;
use portcullis_core::credential::Credential;
use portcullis_core::guard::Guard;
use portcullis_core::id::Id;
use portcullis_core::mount::Mount;
use portcullis_core::policy::{Permit, Verdict, Why};
use portcullis_core::principal::User;
use portcullis_core::request::RequestHead;
use portcullis_core::scheme::SchemeName;
use portcullis_core::time::Clock;
use uuid::Uuid;

use crate::gate::{Judged, NETWORK};
use crate::http::problem::UpstreamFault;
use crate::refusal::Refusal;
use crate::streamed::{CutOff, Streamed};

/// The longest request id of a caller's that is kept, in characters.
const MAX_THEIR_ID: usize = 64;
/// Where a caller may name the request as they know it.
const THEIR_ID: &str = "x-request-id";

/// One request from its first byte to the last of its answer. Dropped, it leaves its line, so that
/// there is exactly one of each, of those too that a caller breaks off.
#[derive(Debug)]
pub(crate) struct Exchange {
    /// The id we gave it.
    pub(crate) id: Uuid,
    theirs: Option<Box<str>>,
    /// Where a proxy asked about it, if one holds it.
    door: Option<&'static str>,
    client: IpAddr,
    method: Method,
    /// In its canonical form; none if it has none.
    path: Option<Box<str>>,
    decision: &'static str,
    reason: Option<&'static str>,
    why: Option<Why>,
    guard: Option<Arc<Guard>>,
    mount: Option<Box<str>>,
    who: Who,
    status: Option<StatusCode>,
    silent: bool,
    /// Milliseconds since boot.
    begun: u64,
    clock: Arc<dyn Clock>,
}

/// Who is meant, by names that prove nothing.
#[derive(Clone, Copy, Default, Debug)]
struct Who {
    scheme: Option<SchemeName>,
    user: Option<Id<User>>,
    credential: Option<Id<Credential>>,
    /// The network that stands for them, if nothing else does.
    network: Option<IpNet>,
}

impl Exchange {
    /// Of a request that came from `peer` at `begun`, in milliseconds since boot.
    pub(crate) fn begin(
        parts: &Parts,
        peer: IpAddr,
        (id, begun): (Uuid, u64),
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            id,
            theirs: their_id(&parts.headers),
            door: None,
            client: peer,
            method: parts.method.clone(),
            path: None,
            decision: "unfinished",
            reason: None,
            why: None,
            guard: None,
            mount: None,
            who: Who::default(),
            status: None,
            silent: false,
            begun,
            clock,
        }
    }

    /// It has one meaning, and this is it.
    pub(crate) fn read(&mut self, head: &RequestHead<'_>) {
        self.client = head.client();
        self.path = Some(head.path().into());
    }

    /// A proxy asks at this door about a request that it holds.
    pub(crate) const fn come_by(&mut self, door: &'static str) {
        self.door = Some(door);
    }

    /// That request has this method.
    pub(crate) fn concern(&mut self, method: &Method) {
        self.method = method.clone();
    }

    /// This guard answers for it, and this is who sent it.
    pub(crate) fn meet(&mut self, judged: &Judged) {
        self.guard = Some(Arc::clone(&judged.guard));
        let who = judged.who.as_ref().map(Who::from).unwrap_or_default();
        self.who = Who { network: judged.network, ..who };
    }

    /// It came to its guard through this mount.
    pub(crate) fn pass(&mut self, mount: &Mount) {
        self.mount = Some(mount.name.clone());
    }

    /// It is forwarded.
    pub(crate) const fn allow(&mut self, permit: &Permit) {
        self.decision = "allowed";
        self.why = Some(*permit.why());
    }

    /// The upstream did not do its part.
    pub(crate) const fn fail(&mut self, fault: UpstreamFault) {
        self.reason = Some(match fault {
            UpstreamFault::Broken => "upstream_broken",
            UpstreamFault::Full => "upstream_full",
            UpstreamFault::Slow => "upstream_slow",
            UpstreamFault::Unreadable => "upstream_unreadable",
        });
    }

    /// It goes no further.
    pub(crate) fn refuse(&mut self, refusal: &Refusal) {
        self.decision = "refused";
        self.reason = Some(refusal.reason());
        if let Some(guard) = refusal.guard() {
            self.guard = Some(Arc::clone(guard));
        }
        match refusal {
            Refusal::Denied { denial, who, .. } => {
                self.why = Some(denial.why);
                self.who = who.as_deref().map(Who::from).unwrap_or_default();
            }
            Refusal::Rejected(no, _) => {
                let (scheme, user, credential) = (no.scheme, no.user, no.credential);
                self.who = Who { scheme, user, credential, network: None };
            }
            Refusal::Anonymous(_)
            | Refusal::Busy(..)
            | Refusal::Malformed(_)
            | Refusal::NoGuard
            | Refusal::Unavailable => {}
        }
    }

    /// It goes no further, for a reason that is a door's own.
    pub(crate) const fn turn_away(&mut self, reason: &'static str) {
        self.decision = "refused";
        self.reason = Some(reason);
    }

    /// A dialect has answered it at this mount.
    pub(crate) fn speak(
        &mut self,
        mount: &Mount,
        who: Option<&Authenticated>,
        reason: Option<&'static str>,
    ) {
        self.mount = Some(mount.name.clone());
        self.who = who.map(Who::from).unwrap_or_default();
        self.decision = if reason.is_some() { "refused" } else { "answered" };
        self.reason = reason;
    }

    /// It is of no interest to anybody.
    pub(crate) const fn leave_no_line(&mut self) {
        self.silent = true;
    }

    /// It is answered so; it ends with the answer's body.
    pub(crate) fn answer(mut self: Box<Self>, response: Response<Content>) -> Response<Body> {
        self.status = Some(response.status());
        response.map(|content| Body { content, exchange: self })
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if self.silent {
            return;
        }
        let scheme = self.who.scheme.map(SchemeName::as_str);
        let why = self.why.as_ref().filter(|_| tracing::enabled!(tracing::Level::DEBUG));
        tracing::info!(
            request = %self.id,
            theirs = self.theirs.as_deref(),
            door = self.door,
            client = %self.client,
            method = %self.method,
            path = self.path.as_deref(),
            decision = self.decision,
            reason = self.reason,
            why = why.map(|why| display(Rules(why))),
            guard = self.guard.as_deref().map(|guard| &*guard.name),
            mount = self.mount.as_deref(),
            scheme = scheme.or(self.who.network.map(|_| NETWORK)),
            network = self.who.network.map(display),
            user = self.who.user.map(display),
            credential = self.who.credential.map(display),
            status = self.status.map(|status| status.as_u16()),
            millis = self.clock.now().boot.saturating_sub(self.begun),
            "request"
        );
    }
}

impl From<&Authenticated> for Who {
    fn from(who: &Authenticated) -> Self {
        let (user, credential) = (who.principal.user.id, who.principal.credential.id);
        let scheme = Some(who.scheme);
        Self { scheme, user: Some(user), credential: Some(credential), network: None }
    }
}

/// Every rule that was asked, with what became of it.
struct Rules<'w>(&'w Why);

impl fmt::Display for Rules<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (rule, verdict) in self.0.rules() {
            let word = match verdict {
                Verdict::Failed => "failed",
                Verdict::Met => "met",
                Verdict::NotAsked => continue,
            };
            write!(f, "{separator}{} {word}", rule.name())?;
            separator = ", ";
        }
        Ok(())
    }
}

/// What the caller calls the request, if that is short and printable and said once.
fn their_id(headers: &HeaderMap) -> Option<Box<str>> {
    let mut values = headers.get_all(THEIR_ID).iter();
    let (value, None) = (values.next()?.as_bytes(), values.next()) else { return None };
    let printable = value.iter().all(|byte| (b' '..=b'~').contains(byte));
    let kept = printable && (1..=MAX_THEIR_ID).contains(&value.len());
    std::str::from_utf8(value).ok().filter(|_| kept).map(Into::into)
}

/// What a door answers with: words of our own, or what streams from an upstream.
pub(crate) type Content = Either<Full<Bytes>, Streamed>;

/// The body of every answer. With it ends the exchange.
#[derive(Debug)]
pub(crate) struct Body {
    content: Content,
    exchange: Box<Exchange>,
}

impl Body {
    /// Whether these are our words.
    pub(crate) const fn is_own(&self) -> bool {
        matches!(self.content, Either::Left(_))
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let body = self.get_mut();
        let polled = Pin::new(&mut body.content).poll_frame(context);
        if let Poll::Ready(Some(Err(error))) = &polled
            && let Some(CutOff(reason)) = error.downcast_ref()
        {
            body.exchange.reason = Some(reason);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.content.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.content.size_hint()
    }
}

#[cfg(test)]
mod tests;
