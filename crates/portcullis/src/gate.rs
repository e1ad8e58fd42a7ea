//! The one path that every guarded request takes.

use std::net::IpAddr;
use std::sync::Arc;

use portcullis_core::authenticator::{Again, Authenticated, Authenticator, Begun, Concluded};
use portcullis_core::guard::Guard;
use portcullis_core::password::Verdict;
use portcullis_core::policy::{Decision, Permit, Question};
use portcullis_core::request::RequestHead;
use portcullis_core::time::Clock;
use portcullis_store::memory::{Followed, Memory};

use crate::password_pool::{Busy, PasswordPool};
use crate::refusal::Refusal;

/// How often a request is judged anew because its records changed under it.
const TRIES: usize = 3;

/// Judges requests by what is in memory.
#[derive(Debug)]
pub(crate) struct Gate {
    authenticator: Authenticator<Arc<Memory>>,
    followed: Arc<Followed>,
    /// Whether the password was right; `None` if the hash could not be computed.
    passwords: PasswordPool<Option<bool>>,
    clock: Arc<dyn Clock>,
}

/// A request that was judged, but not yet permitted.
#[derive(Debug)]
pub(crate) struct Judged {
    /// The guard it came to.
    pub(crate) guard: Arc<Guard>,
    /// Who sent it, if anybody is known.
    pub(crate) who: Option<Authenticated>,
}

impl Gate {
    pub(crate) const fn new(
        authenticator: Authenticator<Arc<Memory>>,
        followed: Arc<Followed>,
        passwords: PasswordPool<Option<bool>>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { authenticator, followed, passwords, clock }
    }

    /// Whether this node may answer now.
    pub(crate) fn is_ready(&self) -> bool {
        self.followed.lease.check(self.clock.now()).is_ok()
    }

    /// Who sends the request, and whether the guard's policy allows it.
    pub(crate) async fn judge(&self, head: &RequestHead<'_>) -> Result<Judged, Refusal> {
        self.followed.lease.check(self.clock.now()).map_err(|_| Refusal::Unavailable)?;
        let guards = self.followed.memory.guards();
        let guard = guards.find(head.host(), head.path()).cloned().ok_or(Refusal::NoGuard)?;
        drop(guards);
        for _ in 0..TRIES {
            let who = match self.identify(&guard, head).await? {
                Identified::Changed => continue,
                Identified::Nobody => None,
                Identified::Somebody(who) => Some(who),
            };
            let judged = Judged { guard, who };
            return self.decide(&judged, head.method(), head.client()).map(|_| judged);
        }
        Err(Refusal::Unavailable)
    }

    async fn identify(
        &self,
        guard: &Arc<Guard>,
        head: &RequestHead<'_>,
    ) -> Result<Identified, Refusal> {
        let realm = guard.standing.realm;
        let mut pending = match self.authenticator.begin(&guard.schemes, realm, head) {
            Begun::Anonymous => return Ok(Identified::Nobody),
            Begun::Authenticated(who) => return Ok(Identified::Somebody(who)),
            Begun::Rejected(no) => return Err(Refusal::Rejected(no, Arc::clone(guard))),
            Begun::Pending(pending) => pending,
        };
        let check = self.authenticator.slow_check(&mut pending);
        let hash = move || check.run().ok().map(|verdict| matches!(verdict, Verdict::Right { .. }));
        let right = match self.passwords.run(pending.claim, pending.source, hash).await {
            Ok(right) => right.ok_or(Refusal::Unavailable)?,
            Err(Busy::Full { retry_after }) => {
                return Err(Refusal::Busy(retry_after, Arc::clone(guard)));
            }
            Err(Busy::Broken) => return Err(Refusal::Unavailable),
        };
        match self.authenticator.conclude(&pending, right, self.clock.now().wall) {
            Concluded::Authenticated(who) => Ok(Identified::Somebody(who)),
            Concluded::Changed => Ok(Identified::Changed),
            Concluded::Rejected(no) => Err(Refusal::Rejected(no, Arc::clone(guard))),
        }
    }

    fn decide(
        &self,
        judged: &Judged,
        method: &http::Method,
        client: IpAddr,
    ) -> Result<Permit, Refusal> {
        let principal = judged.who.as_ref().map(|who| &who.principal);
        let question = Question { principal, client, method };
        match judged.guard.policy.decide(&question, &self.followed.memory) {
            Decision::Allow(permit) => Ok(permit),
            Decision::Deny(_) if principal.is_none() && !judged.guard.schemes.is_empty() => {
                Err(Refusal::Anonymous(Arc::clone(&judged.guard)))
            }
            Decision::Deny(denial) => Err(Refusal::Denied {
                denial,
                guard: Arc::clone(&judged.guard),
                who: judged.who.clone().map(Box::new),
            }),
        }
    }

    /// The last look, after the last thing that was awaited: the records again, the policy again,
    /// and then the lease by a fresh clock. Only what comes back here reaches an upstream.
    pub(crate) fn permit(
        &self,
        judged: &mut Judged,
        method: &http::Method,
        client: IpAddr,
    ) -> Result<Permit, Refusal> {
        if let Some(who) = &judged.who {
            let realm = judged.guard.standing.realm;
            let again = self.authenticator.look_again(who, realm, self.clock.now().wall);
            judged.who = Some(again.map_err(|again| match again {
                Again::Changed => Refusal::Unavailable,
                Again::Rejected(no) => Refusal::Rejected(no, Arc::clone(&judged.guard)),
            })?);
        }
        let guards = self.followed.memory.guards();
        if !guards.holds(&judged.guard) {
            return Err(Refusal::Unavailable);
        }
        let permit = self.decide(judged, method, client)?;
        self.followed.lease.check(self.clock.now()).map_err(|_| Refusal::Unavailable)?;
        Ok(permit)
    }
}

enum Identified {
    Changed,
    Nobody,
    Somebody(Authenticated),
}
