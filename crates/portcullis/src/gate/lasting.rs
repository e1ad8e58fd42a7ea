//! Exchanges that last: what was permitted once is looked at again for as long as it goes on.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use portcullis_core::authenticator::{Again, Authenticated};
use portcullis_core::guard::Guard;
use portcullis_core::id::{Id, Revision};
use portcullis_core::limits::Site;
use portcullis_core::lookup::CredentialLookup as _;
use portcullis_core::mount::Mount;
use portcullis_core::policy::Question;
use portcullis_core::request::{Origin, RequestHead, Upgrade};
use portcullis_core::time::Timestamp;
use tokio::sync::watch;

use super::{Address, Gate, Judged};
use crate::refusal::Refusal;

/// How often a lasting exchange is looked at though nothing was written and its credential has not
/// expired: the lease may have ended, or the time of what proves nothing by its record alone.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What is kept of a permitted request, to look at it again. No proof is among it.
#[derive(Debug)]
pub(crate) struct Lasting {
    judged: Judged,
    /// The mount that it came through, as it was then, if it came to a listener.
    mount: Option<(Id<Mount>, Revision)>,
    client: IpAddr,
    certified: bool,
    method: Method,
    origin: Origin,
    upgrade: Option<Box<str>>,
    unasked: bool,
}

impl Lasting {
    /// What its policy is asked, once more.
    fn question(&self, now: Timestamp) -> Question<'_> {
        let certificate = self.judged.certificate.as_ref();
        Question {
            principal: self.judged.who.as_ref().map(|who| &who.principal),
            client: self.client,
            certified: self.certified && certificate.is_none_or(|it| it.is_good(now)),
            method: &self.method,
            origin: self.origin,
            upgrade: self.upgrade.as_deref().map_or(Upgrade::None, Upgrade::To),
            unasked: self.unasked,
        }
    }

    /// How long nothing need be looked at from `now` on.
    fn pause(&self, now: Timestamp) -> Duration {
        let who = self.judged.who.as_ref();
        let left = who.map(|who| {
            let left = who.principal.credential.expires.millis().saturating_sub(now.millis());
            Duration::from_millis(left.try_into().unwrap_or(0))
        });
        left.unwrap_or(LOOK_EVERY).min(LOOK_EVERY)
    }
}

impl Gate {
    /// What is kept of a request that was permitted so.
    pub(crate) fn lasting(
        &self,
        head: &RequestHead<'_>,
        address: Address<'_>,
        judged: Judged,
    ) -> Lasting {
        let question = Question::of(head, judged.who.as_ref(), &judged.guard.schemes);
        let unasked = question.unasked;
        let upgrade = match head.upgrade() {
            Upgrade::To(token) => Some(token.into()),
            Upgrade::None | Upgrade::Unclear => None,
        };
        Lasting {
            mount: address.mount().map(|mount| (mount.id, mount.version)),
            client: head.client(),
            certified: head.is_certified(),
            method: head.method().clone(),
            origin: head.origin(),
            upgrade,
            unasked,
            judged,
        }
    }

    /// Comes back when `lasting` would no longer be permitted, and says why: at once when what is
    /// live has changed so, and when its credential expires.
    pub(crate) async fn until_over(
        self: Arc<Self>,
        mut lasting: Lasting,
        mut applied: watch::Receiver<Revision>,
    ) -> Refusal {
        loop {
            // Before the look, so that what changes under it is looked at again.
            applied.mark_unchanged();
            if let Err(refusal) = self.still(&mut lasting) {
                return refusal;
            }
            let pause = lasting.pause(self.clock.now().wall);
            tokio::select! {
                changed = applied.changed() => if changed.is_err() {
                    // Nobody follows the feed any more.
                    return Refusal::Unavailable;
                },
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// The last look once more. A guard that was changed is another one: what went through it ends.
    pub(super) fn still(&self, lasting: &mut Lasting) -> Result<(), Refusal> {
        let mounts = self.memory().mounts();
        let stands = |mount| mounts.iter().any(|it| (it.id, it.version) == mount);
        let guard = &lasting.judged.guard;
        if !self.memory().guards().holds(guard) || !lasting.mount.is_none_or(stands) {
            return Err(Refusal::NoGuard);
        }
        if let Some(who) = lasting.judged.who.take() {
            let site = Site::guard(guard, lasting.client);
            lasting.judged.who = Some(self.still_known(who, &site, guard)?);
        }
        let question = lasting.question(self.clock.now().wall);
        self.decide_on(&lasting.judged, &question).map(drop)?;
        self.followed.lease.check(self.clock.now()).map_err(|_| Refusal::Unavailable)
    }

    /// `who` as their records are now. What changed otherwise than by use would have to be proven
    /// anew, and there is nothing left to prove it with.
    fn still_known(
        &self,
        mut who: Authenticated,
        site: &Site,
        guard: &Arc<Guard>,
    ) -> Result<Authenticated, Refusal> {
        let before = who.principal.credential;
        if before.slides.is_some()
            && let Some(newer) = self.memory().filed_at(before.filed_at)
            && newer.id == before.id
            && newer.verifier.to_bytes() == before.verifier.to_bytes()
        {
            who.principal.credential = newer;
        }
        let place = (&*guard.schemes, site);
        self.authenticator.look_again(&who, place, self.clock.now().wall).map_err(|again| {
            match again {
                Again::Changed => Refusal::Anonymous(Arc::clone(guard)),
                Again::Rejected(no) => Refusal::Rejected(no, Arc::clone(guard)),
            }
        })
    }
}
