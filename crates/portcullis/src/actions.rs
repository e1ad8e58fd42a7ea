//! What may be done to each resource. Command line, and later dialects, API and console only
//! translate to and from it; it knows no HTTP.

mod acknowledge;
pub(crate) mod assertion_keys;
mod authority;
pub(crate) mod collections;
pub(crate) mod connectors;
pub(crate) mod exchange;
pub(crate) mod groups;
pub(crate) mod guards;
pub(crate) mod hub_secrets;
mod keyrings;
pub(crate) mod keys;
pub(crate) mod mounts;
pub(crate) mod organizations;
mod outcome;
pub(crate) mod projects;
pub(crate) mod roles;
pub(crate) mod server_tokens;
pub(crate) mod sessions;
pub(crate) mod setup;
pub(crate) mod shared_secrets;
pub(crate) mod templates;
pub(crate) mod tracking;
pub(crate) mod users;

use std::sync::Arc;
use std::time::Duration;

use portcullis_core::ability::BadAbility;
use portcullis_core::guard::{BadGuard, Overlap};
use portcullis_core::host_patterns::BadPattern;
use portcullis_core::mount::BadMount;
use portcullis_core::name::{BadName, BadTitle};
use portcullis_core::password::{BadPassword, Cost, HashError};
use portcullis_core::scheme::connector;
use portcullis_core::scheme::shared_secret::Unimportable;
use portcullis_core::seal::{MasterKey, NoEntropy, Peppers};
use portcullis_store::authority::Authority;
use portcullis_store::{Store, StoreError, Write, Writing};
use tokio::sync::oneshot;

pub(crate) use acknowledge::{Acknowledge, Wake};
use authority::Needs;
pub(crate) use authority::{Acting, Actor};

/// How often a write is decided anew because what it was decided from changed: as often as others
/// may write the same thing at once.
const TRIES: usize = 32;

/// Within so long a node that lives has written its row again.
const SIGN_OF_LIFE: Duration = Duration::from_millis(2_500);

/// Everything an action needs.
#[derive(Clone, Debug)]
pub(crate) struct Actions {
    /// What is remembered.
    pub(crate) store: Arc<Store>,
    /// What verifiers are made under.
    pub(crate) peppers: Arc<Peppers>,
    /// What secrets are sealed under that must be read again.
    pub(crate) master: Arc<MasterKey>,
    /// What a password hash costs.
    pub(crate) cost: Cost,
    /// How to know that a write has reached whoever judges by it.
    pub(crate) acknowledge: Acknowledge,
    /// Who acts.
    pub(crate) actor: Actor,
    /// Where mounts answer, which no guard may.
    pub(crate) paths: mounts::Paths,
}

/// Why an action was not done, or is not known to be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ActionError {
    #[error(transparent)]
    Ability(#[from] BadAbility),
    #[error("{0} exists already")]
    Exists(String),
    #[error(
        "another node's configuration file names other {0}; give all nodes the same, or stop them"
    )]
    FilesDiffer(&'static str),
    #[error(transparent)]
    ConnectorSecret(#[from] connector::Unimportable),
    #[error(transparent)]
    Guard(#[from] BadGuard),
    #[error(transparent)]
    Mount(#[from] BadMount),
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error("there is no {0}")]
    Missing(String),
    #[error(transparent)]
    Name(#[from] BadName),
    #[error("this is not yours to do")]
    NotAllowed,
    #[error(transparent)]
    Overlap(#[from] Overlap),
    #[error(transparent)]
    Password(#[from] BadPassword),
    #[error(transparent)]
    Pattern(#[from] BadPattern),
    #[error("done in the store, but a server has not said yet that it judges by it")]
    Pending,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Secret(#[from] Unimportable),
    #[error(transparent)]
    Title(#[from] BadTitle),
    #[error("{0}")]
    Unfit(&'static str),
}

impl ActionError {
    /// A conflict told as what it is: `what` exists already.
    fn or_exists(self, what: impl FnOnce() -> String) -> Self {
        if matches!(self, Self::Store(StoreError::Conflict)) { Self::Exists(what()) } else { self }
    }

    /// Absence told as what it is: there is no `what`.
    fn or_missing(self, what: impl FnOnce() -> String) -> Self {
        if matches!(self, Self::Store(StoreError::NotFound(_))) {
            Self::Missing(what())
        } else {
            self
        }
    }
}

impl From<NoEntropy> for ActionError {
    fn from(error: NoEntropy) -> Self {
        Self::Store(error.into())
    }
}

/// What is about to be done.
#[derive(Clone, Debug)]
struct Deed {
    /// What the audit trail calls it.
    action: &'static str,
    /// Whether it takes something away, and so goes ahead of what gives.
    urgent: bool,
    /// The rights that whoever does it must hold, and where.
    needs: Needs,
}

impl Deed {
    const fn new(action: &'static str, needs: Needs) -> Self {
        Self { action, urgent: false, needs }
    }

    fn urgent(self) -> Self {
        Self { urgent: true, ..self }
    }
}

impl Actions {
    /// Decides whether the actor may, writes if that still holds at the write's own revision, and
    /// answers when every server judges by it.
    async fn act<T: Send + 'static>(
        &self,
        deed: Deed,
        work: impl Fn(&mut Writing<'_>) -> Result<T, StoreError> + Clone + Send + 'static,
    ) -> Result<T, ActionError> {
        for _ in 0..TRIES {
            let authority = self.decide(&deed.needs)?;
            let write = Write::new(self.actor.told(), deed.action)?;
            let write = if deed.urgent { write.urgent() } else { write };
            let (work, request) = (work.clone(), write.request);
            // Apart from the store's answer, which may be lost.
            let (tell, value) = oneshot::channel();
            let done = self.store.write(write, move |writing| {
                authority.map_or(Ok(()), |authority| writing.uphold(&authority))?;
                drop(tell.send(work(writing)?));
                Ok(())
            });
            let revision = match done.await {
                Ok(done) => done.revision,
                Err(StoreError::Changed) => {
                    self.catch_up(authority.as_ref()).await?;
                    continue;
                }
                Err(StoreError::UnknownOutcome) => {
                    outcome::find(|| self.store.find_outcome(request)).await?
                }
                Err(error) => return Err(error.into()),
            };
            self.acknowledge.wait(&self.store, revision).await?;
            return value.await.map_err(|_| StoreError::Stopped.into());
        }
        Err(StoreError::Changed.into())
    }

    /// Whether what stands of a configuration file is left to another node, whose file it is: one
    /// that names nothing leaves it so. Nodes whose files differ must not undo each other's.
    async fn is_anothers(&self, empty: bool, what: &'static str) -> Result<bool, ActionError> {
        if !self.store.is_shared() {
            return Ok(false);
        }
        let before = self.store.read(|reading| reading.list_nodes()).await?;
        tokio::time::sleep(SIGN_OF_LIFE).await;
        let now = self.store.read(|reading| reading.list_nodes()).await?;
        // A row that stands still is of a node that died; one of those that move is this node's.
        let alive = now.iter().filter(|node| !before.contains(node)).count();
        match (alive > 1, empty) {
            (false, _) => Ok(false),
            (true, true) => Ok(true),
            (true, false) => Err(ActionError::FilesDiffer(what)),
        }
    }

    /// Waits until this server judges by what changed since `authority` was decided: it may have
    /// been written just before, in the very same transaction, and not be there to be read yet.
    async fn catch_up(&self, authority: Option<&Authority>) -> Result<(), ActionError> {
        let stamp = self.store.read(|reading| reading.stamp()).await?;
        self.acknowledge.wait(&self.store, stamp.revision).await?;
        if let (Actor::Principal(acting), Some(authority)) = (&self.actor, authority) {
            let mut applied = acting.applied.clone();
            let moved = applied.wait_for(|now| *now > authority.decided_at);
            // Whatever it was may have been undone: then it is decided as before.
            drop(tokio::time::timeout(SIGN_OF_LIFE, moved).await);
        }
        Ok(())
    }
}
