//! The one path that every guarded request takes.

mod address;
mod lasting;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ipnet::IpNet;
use portcullis_core::authenticator::{
    Again, Authenticated, Authenticator, Begun, Concluded, Pending, Rejected, SlowCheck, Upgrade,
};
use portcullis_core::credential::Credential;
use portcullis_core::guard::Guard;
use portcullis_core::limits::Site;
use portcullis_core::password::Verdict;
use portcullis_core::policy::{Decision, Permit, Place, Question, Rule};
use portcullis_core::request::RequestHead;
use portcullis_core::scheme::{Scheme, SchemeName};
use portcullis_core::time::{Clock, Timestamp};
use portcullis_store::memory::{Followed, Memory};
use tokio::sync::mpsc;

use crate::certificate::Certificate;
use crate::password_pool::{Busy, PasswordPool};
use crate::refusal::Refusal;
pub(crate) use address::Address;
pub(crate) use lasting::Lasting;

/// What stands where a scheme's name does if the caller's network stands for the caller.
pub(crate) const NETWORK: &str = "network";
/// How often a request is judged anew because its records changed under it.
const TRIES: usize = 3;
/// A node is ready while the last renewal of its lease began no longer ago, in milliseconds.
///
/// Renewals come every second, so some have failed by then; the lease itself lasts longer, to
/// refuse nobody meanwhile.
const READY_MILLIS: u64 = 5_000;

/// Judges requests by what is in memory.
#[derive(Debug)]
pub(crate) struct Gate {
    authenticator: Authenticator<Arc<Memory>>,
    followed: Arc<Followed>,
    /// What was found of the password; `None` if the hash could not be computed.
    passwords: PasswordPool<Option<Verdict>>,
    later: Later,
    clock: Arc<dyn Clock>,
    /// What was last said of it.
    ready: AtomicBool,
}

/// Where the gate leaves what is to be stored and can wait. What finds no room is let go.
#[derive(Debug)]
pub(crate) struct Later {
    /// Better verifiers of passwords.
    pub(crate) upgrades: mpsc::Sender<Upgrade>,
    /// Sessions whose use moves their expiry, as they were when they were used.
    pub(crate) slides: mpsc::Sender<Credential>,
}

/// A request that was judged, but not yet permitted.
#[derive(Clone, Debug)]
pub(crate) struct Judged {
    /// The guard it came to.
    pub(crate) guard: Arc<Guard>,
    /// Who sent it, if anybody is known.
    pub(crate) who: Option<Authenticated>,
    /// The network that stands for whoever sent it, where the guard asks for nothing else.
    pub(crate) network: Option<IpNet>,
    /// What its connection has proven, for what lasts to be looked at again by.
    pub(crate) certificate: Option<Certificate>,
}

/// A request that may be forwarded, at once.
#[derive(Debug)]
pub(crate) struct Admitted<T> {
    /// Its guard, and who sent it, as they were at the last look.
    pub(crate) judged: Judged,
    /// What was reached in the meantime.
    pub(crate) reached: T,
    /// The proof, without which nothing is forwarded.
    pub(crate) permit: Permit,
}

impl Judged {
    /// A request of which only the address is known.
    fn unproven(guard: Arc<Guard>, head: &RequestHead<'_>) -> Self {
        let network = match guard.policy.place(head.client()) {
            Place::Inside(network) if guard.schemes.is_empty() => Some(network),
            Place::Anywhere | Place::Inside(_) | Place::Outside => None,
        };
        Self { guard, who: None, network, certificate: None }
    }
}

impl Gate {
    pub(crate) const fn new(
        authenticator: Authenticator<Arc<Memory>>,
        followed: Arc<Followed>,
        passwords: PasswordPool<Option<Verdict>>,
        later: Later,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let ready = AtomicBool::new(false);
        Self { authenticator, followed, passwords, later, clock, ready }
    }

    /// What is live.
    pub(crate) fn memory(&self) -> &Arc<Memory> {
        &self.followed.memory
    }

    /// The present moment, by which what is signed counts.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now().wall
    }

    /// The public parts of the keys that sign; `None` if there is no key.
    ///
    /// # Errors
    /// This node cannot tell.
    pub(crate) fn key_set(&self) -> Result<Option<String>, Refusal> {
        let (keys, now) = (self.memory().signing_keys(), self.clock.now());
        self.followed.lease.check(now).map_err(|_| Refusal::Unavailable)?;
        Ok((!keys.is_empty()).then(|| keys.published(now.wall)))
    }

    /// Whether new callers should be sent here: the store is there, migrated, and followed. A
    /// change of that is told in the log.
    pub(crate) fn is_ready(&self) -> bool {
        let age = self.followed.lease.age(self.clock.now());
        let ready = age.is_some_and(|age| age <= READY_MILLIS);
        match (self.ready.swap(ready, Ordering::Relaxed), ready) {
            (false, true) => tracing::info!("ready: the store is there, and followed"),
            (true, false) => tracing::warn!(age, "not ready: the store is not followed any more"),
            (true, true) | (false, false) => {}
        }
        ready
    }

    /// The one way to a permit: judges `head` by the guard at `address`, has `reach` do whatever
    /// else must be awaited, and looks again, last of all. What changed under it is judged anew, a
    /// few times.
    pub(crate) async fn admit<T, E: From<Refusal>, F: Future<Output = Result<T, E>>>(
        &self,
        head: &RequestHead<'_>,
        address: Address<'_>,
        reach: impl Fn(Judged) -> F,
    ) -> Result<Admitted<T>, E> {
        for _ in 0..TRIES {
            let judged = match self.judge(head, address).await {
                Err(Stop::Changed) => continue,
                Err(Stop::Refused(refusal)) => return Err(self.timely(refusal).into()),
                Ok(judged) => judged,
            };
            let reached = reach(judged.clone()).await?;
            match self.permit(judged, head, address) {
                Err(Stop::Changed) => {}
                Err(Stop::Refused(refusal)) => return Err(refusal.into()),
                Ok((judged, permit)) => return Ok(Admitted { judged, reached, permit }),
            }
        }
        Err(Refusal::Unavailable.into())
    }

    /// `refusal`, if this node can tell: what it knows may be too old.
    fn timely(&self, refusal: Refusal) -> Refusal {
        let current = self.followed.lease.check(self.clock.now());
        current.map_or(Refusal::Unavailable, |()| refusal)
    }

    /// The guard that a request goes to, which is looked up again whenever it is judged.
    pub(crate) fn guard(&self, head: &RequestHead<'_>, address: Address<'_>) -> Option<Arc<Guard>> {
        address.find(&self.followed.memory, head)
    }

    /// Whether a guard names the canonical `host`.
    pub(crate) fn is_named(&self, host: &str) -> bool {
        self.followed.memory.guards().names(host)
    }

    /// Who sends the request, and whether the guard's policy allows it.
    async fn judge(&self, head: &RequestHead<'_>, address: Address<'_>) -> Result<Judged, Stop> {
        let guard = address.find(&self.followed.memory, head).ok_or(Refusal::NoGuard)?;
        let mut judged = Judged::unproven(guard, head);
        if judged.guard.policy.shuts_out(head) {
            // Before any proof is looked at: whoever stands there learns nothing of one, and has
            // nothing hashed.
            self.decide(&judged, head).map(drop)?;
        }
        judged.who = self.identify(&judged.guard, head).await?;
        self.decide(&judged, head).map(drop)?;
        Ok(judged)
    }

    /// Who sends the request; `None` if nothing was presented.
    async fn identify(
        &self,
        guard: &Arc<Guard>,
        head: &RequestHead<'_>,
    ) -> Result<Option<Authenticated>, Stop> {
        let who =
            self.recognise_once(&guard.schemes, &Site::guard(guard, head.client()), head).await;
        who.map_err(|unknown| match unknown {
            Unknown::Changed => Stop::Changed,
            Unknown::Busy(wait) => Refusal::Busy(wait, Arc::clone(guard)).into(),
            Unknown::Rejected(no) => Refusal::Rejected(no, Arc::clone(guard)).into(),
            Unknown::Unavailable => Refusal::Unavailable.into(),
        })
    }

    /// Who sends a request that is answered by us: by a dialect, say. `None` if nothing was
    /// presented. A write that follows is authorised again at its own revision.
    pub(crate) async fn recognise(
        &self,
        schemes: &[Box<dyn Scheme>],
        site: &Site,
        head: &RequestHead<'_>,
    ) -> Result<Option<Authenticated>, Unknown> {
        self.followed.lease.check(self.clock.now()).map_err(|_| Unknown::Unavailable)?;
        let mut known = Err(Unknown::Changed);
        for _ in 0..TRIES {
            known = match self.recognise_once(schemes, site, head).await {
                Ok(Some(who)) => self.confirm(&who, (schemes, site)).map(Some),
                other => other,
            };
            if !matches!(known, Err(Unknown::Changed)) {
                break;
            }
        }
        let who = known?;
        let now = self.clock.now();
        self.followed.lease.check(now).map_err(|_| Unknown::Unavailable)?;
        if let Some(who) = &who {
            self.count_use(&who.principal.credential, now.wall);
        }
        Ok(who)
    }

    /// Whom the credential that `scheme` files under `key` stands for, at `site`: named, and not
    /// proven by anything.
    pub(crate) fn name(
        &self,
        (scheme, key): (SchemeName, &str),
        site: &Site,
    ) -> Result<Authenticated, Unknown> {
        let now = self.clock.now();
        let named = self.authenticator.vouch((scheme, key), site, now.wall);
        self.followed.lease.check(now).map_err(|_| Unknown::Unavailable)?;
        named.map_err(|reason| {
            let scheme = Some(scheme);
            Unknown::Rejected(Rejected { reason, scheme, credential: None, user: None })
        })
    }

    /// Whether `who`, known before something was awaited, may still do what they were about to.
    pub(crate) fn is_still(
        &self,
        who: &Authenticated,
        place: (&[Box<dyn Scheme>], &Site),
    ) -> Result<(), Unknown> {
        self.confirm(who, place)?;
        self.followed.lease.check(self.clock.now()).map_err(|_| Unknown::Unavailable)
    }

    /// The records of `who` once more: a password may have been hashed since they were read.
    fn confirm(
        &self,
        who: &Authenticated,
        place: (&[Box<dyn Scheme>], &Site),
    ) -> Result<Authenticated, Unknown> {
        let again = self.authenticator.look_again(who, place, self.clock.now().wall);
        again.map_err(|again| match again {
            Again::Changed => Unknown::Changed,
            Again::Rejected(no) => Unknown::Rejected(no),
        })
    }

    async fn recognise_once(
        &self,
        schemes: &[Box<dyn Scheme>],
        site: &Site,
        head: &RequestHead<'_>,
    ) -> Result<Option<Authenticated>, Unknown> {
        let mut pending = match self.authenticator.begin(schemes, site, head) {
            Begun::Anonymous => return Ok(None),
            Begun::Authenticated(who) => return Ok(Some(who)),
            Begun::Rejected(no) => return Err(Unknown::Rejected(no)),
            Begun::Pending(pending) => pending,
        };
        let verdict = self.check(&mut pending).await.map_err(|busy| match busy {
            Busy::Broken => Unknown::Unavailable,
            Busy::Full { retry_after } => Unknown::Busy(retry_after),
        })?;
        let right = matches!(verdict.ok_or(Unknown::Unavailable)?, Verdict::Right { .. });
        match self.authenticator.conclude(&pending, right, self.clock.now().wall) {
            Concluded::Authenticated(who) => Ok(Some(who)),
            Concluded::Changed => Err(Unknown::Changed),
            Concluded::Rejected(no) => Err(Unknown::Rejected(no)),
        }
    }

    /// How exchanges are judged that are no request's credential.
    pub(crate) const fn authenticator(&self) -> &Authenticator<Arc<Memory>> {
        &self.authenticator
    }

    /// Hashes the password, and once the answer is known, again for a better verifier if need be.
    async fn check(&self, pending: &mut Pending) -> Result<Option<Verdict>, Busy> {
        let check = Arc::new(self.authenticator.slow_check(pending));
        let (same, upgrades) = (Arc::clone(&check), self.later.upgrades.clone());
        let after = move |verdict: &Option<Verdict>| {
            if *verdict == Some(Verdict::Right { upgrade: true }) {
                upgrade(&same, &upgrades);
            }
        };
        self.passwords.run(pending.claim, pending.source, move || check.run().ok(), after).await
    }

    fn decide(&self, judged: &Judged, head: &RequestHead<'_>) -> Result<Permit, Refusal> {
        let question = Question::of(head, judged.who.as_ref(), &judged.guard.schemes);
        self.decide_on(judged, &question)
    }

    fn decide_on(&self, judged: &Judged, question: &Question<'_>) -> Result<Permit, Refusal> {
        let Judged { guard, who, .. } = judged;
        match guard.policy.decide(question, &self.followed.memory) {
            Decision::Allow(permit) => Ok(permit),
            Decision::Deny(denial) if denial.rule == Rule::Principal => {
                Err(Refusal::Anonymous(Arc::clone(guard)))
            }
            Decision::Deny(denial) => Err(Refusal::Denied {
                denial,
                guard: Arc::clone(guard),
                who: who.clone().map(Box::new),
            }),
        }
    }

    /// The last look, after the last thing that was awaited: the guard and the records again, the
    /// policy again, and then the lease by a fresh clock.
    fn permit(
        &self,
        mut judged: Judged,
        head: &RequestHead<'_>,
        address: Address<'_>,
    ) -> Result<(Judged, Permit), Stop> {
        let found = address.find(&self.followed.memory, head);
        if found.is_none_or(|found| found.standing != judged.guard.standing) {
            return Err(Stop::Changed);
        }
        if let Some(who) = &judged.who {
            let site = Site::guard(&judged.guard, head.client());
            let (place, now) = ((&*judged.guard.schemes, &site), self.clock.now().wall);
            let again = self.authenticator.look_again(who, place, now);
            judged.who = Some(again.map_err(|again| match again {
                Again::Changed => Stop::Changed,
                Again::Rejected(no) => Refusal::Rejected(no, Arc::clone(&judged.guard)).into(),
            })?);
        }
        let permit = self.decide(&judged, head)?;
        let now = self.clock.now();
        self.followed.lease.check(now).map_err(|_| Refusal::Unavailable)?;
        if let Some(who) = &judged.who {
            self.count_use(&who.principal.credential, now.wall);
        }
        Ok((judged, permit))
    }

    /// Remembers that the credential of `who`, who was only [named](Self::name), proved them after all.
    pub(crate) fn count(&self, who: &Authenticated) {
        self.count_use(&who.principal.credential, self.clock.now().wall);
    }

    /// Remembers that `credential` was used, for whoever writes that down.
    fn count_use(&self, credential: &Credential, now: Timestamp) {
        self.followed.memory.count_use(credential, now);
        if credential.should_slide(now) && self.later.slides.try_send(*credential).is_err() {
            tracing::debug!("too many sessions wait to slide: the next use of this one will do");
        }
    }
}

/// Makes a better verifier and hands it on. What fails is made up for at the next slow check.
fn upgrade(check: &SlowCheck, upgrades: &mpsc::Sender<Upgrade>) {
    match check.upgrade() {
        // When too many wait to be stored, or the server ends, this one is let go.
        Ok(upgrade) => drop(upgrade.map(|it| upgrades.try_send(it))),
        Err(error) => tracing::warn!(%error, "a password's verifier was not upgraded"),
    }
}

/// Why nobody knows who sent a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unknown {
    /// Too many passwords wait to be hashed.
    Busy(Duration),
    /// Something changed in between: look again.
    Changed,
    /// Authentication said no.
    Rejected(Rejected),
    /// This node cannot tell.
    Unavailable,
}

/// Why a request is not permitted as it was judged.
#[derive(Debug)]
enum Stop {
    /// Something changed in between, and the request may still be good: begin again.
    Changed,
    /// It goes no further.
    Refused(Refusal),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

#[cfg(test)]
mod tests;
