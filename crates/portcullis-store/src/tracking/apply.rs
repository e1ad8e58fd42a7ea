//! What is told becomes what is known. An entry is judged whole before anything of it is done.

use portcullis_core::id::Id;
use portcullis_core::organization::Organization;
use portcullis_core::subject::{Claims, Identifier, Named, SubjectId, SubjectKind};
use portcullis_core::tracking::{
    BadEntry, Change, Entry, Event, Joining, Plan, Target, Traits, join,
};

use super::desk::Space;
use super::{BadAt, Batch, Outcome, Source, Subject, TrackError};
use crate::error::StoreError;
use crate::sql::sql;
use crate::store::Recording;

/// Why an entry was not applied; then nothing of it was.
enum Failure {
    Bad(BadEntry),
    Store(StoreError),
}

impl From<BadEntry> for Failure {
    fn from(bad: BadEntry) -> Self {
        Self::Bad(bad)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What a judged entry does to its subject.
enum Step<'e> {
    Alias(&'e Identifier, Joining),
    Track(&'e Event),
    Traits(Traits),
    Unalias(&'e Identifier),
}

impl Recording<'_> {
    /// Records what is told at once, entry after entry.
    ///
    /// # Errors
    /// Unless the batch is partial, a bad entry; and the store's own. Then the whole job fails,
    /// whatever else it does.
    pub fn apply_batch(&mut self, batch: &Batch) -> Result<Outcome, TrackError> {
        let applied = self.apply_all(batch);
        self.spoilt |= applied.is_err();
        applied
    }

    fn apply_all(&mut self, batch: &Batch) -> Result<Outcome, TrackError> {
        let mut outcome = Outcome::default();
        if let Some(digest) = batch.receipt
            && !self.keep_receipt(batch.source.connector, digest)?
        {
            outcome.repeated = true;
            return Ok(outcome);
        }
        for (index, (claims, entry)) in batch.entries.iter().enumerate() {
            match self.apply(batch.source, claims, entry) {
                Ok(applied) => outcome.applied += usize::from(applied.is_some()),
                Err(Failure::Bad(reason)) => outcome.bad.push(BadAt { index, reason }),
                Err(Failure::Store(error)) => return Err(error.into()),
            }
        }
        match batch.partial || outcome.bad.is_empty() {
            true => Ok(outcome),
            false => Err(TrackError::Bad(outcome.bad)),
        }
    }

    /// Changes traits of the subject `id`; whether it is there.
    ///
    /// # Errors
    /// A change that cannot be made, told as entry 0, or the store's own.
    pub fn change_traits(
        &mut self,
        organization: Id<Organization>,
        id: SubjectId,
        changes: &[Change],
    ) -> Result<bool, TrackError> {
        for kind in [SubjectKind::Account, SubjectKind::User] {
            let (desk, from) = self.desk();
            let Some(subject) = desk.find(from, Space { organization, kind }, id)? else {
                continue;
            };
            let traits = subject.traits.changed(changes).map_err(|overgrown| {
                TrackError::Bad(vec![BadAt { index: 0, reason: overgrown.into() }])
            })?;
            self.set_traits(id, traits)?;
            return Ok(true);
        }
        Ok(false)
    }

    /// Applies one entry; to whom, if they are there.
    fn apply(
        &mut self,
        source: Source,
        claims: &Claims,
        entry: &Entry,
    ) -> Result<Option<SubjectId>, Failure> {
        let space = |kind| Space { organization: source.organization, kind };
        let create = claims.create && !matches!(entry, Entry::Unalias(_));
        let (named, (other, other_named)) = match claims.kind {
            SubjectKind::Account => (&claims.account, (SubjectKind::User, &claims.user)),
            SubjectKind::User => (&claims.user, (SubjectKind::Account, &claims.account)),
        };
        let acted = space(claims.kind);
        let plan = match named {
            Some(named) => {
                let (desk, from) = self.desk();
                desk.resolve(from, acted, named, create)?
            }
            None => self.account_of(source, claims)?,
        };
        let Some(plan) = plan else { return Ok(None) };
        let step = self.judge(acted, &plan, entry)?;
        let id = self.carry_out(acted, plan)?;
        self.take(source, acted, id, step)?;
        if let (Some(_), Some(other_named)) = (named, other_named) {
            self.link(acted, id, space(other), (other_named, create))?;
        }
        Ok(Some(id))
    }

    /// The account that the user of `claims` is linked to.
    fn account_of(&mut self, source: Source, claims: &Claims) -> Result<Option<Plan>, StoreError> {
        let (SubjectKind::Account, Some(user)) = (claims.kind, &claims.user) else {
            return Ok(None);
        };
        let space = |kind| Space { organization: source.organization, kind };
        let (desk, from) = self.desk();
        let Some(plan) = desk.resolve(from, space(SubjectKind::User), user, false)? else {
            return Ok(None);
        };
        let Target::Found(user) = plan.target else { return Ok(None) };
        let Some(account) = desk.open(user)?.subject.account else { return Ok(None) };
        let named = Named { id: Some(account), identifiers: Box::default() };
        desk.resolve(from, space(SubjectKind::Account), &named, false)
    }

    /// What `entry` does to whom `plan` means; nothing is done yet.
    fn judge<'e>(
        &mut self,
        space: Space,
        plan: &Plan,
        entry: &'e Entry,
    ) -> Result<Step<'e>, Failure> {
        match entry {
            Entry::Alias(name) => self.judge_alias(space, plan, name),
            Entry::Track(_) if space.kind == SubjectKind::Account => {
                Err(BadEntry::AccountEvent.into())
            }
            Entry::Track(event) => Ok(Step::Track(event)),
            Entry::Traits(changes) => {
                let (desk, _) = self.desk();
                let mut traits = match plan.target {
                    Target::Found(id) => desk.open(id)?.subject.traits.clone(),
                    Target::Make => Traits::default(),
                };
                for other in &plan.merge {
                    traits.absorb(desk.open(*other)?.subject.traits.clone());
                }
                Ok(Step::Traits(traits.changed(changes).map_err(BadEntry::from)?))
            }
            Entry::Unalias(name) => Ok(Step::Unalias(name)),
        }
    }

    fn judge_alias<'e>(
        &mut self,
        space: Space,
        plan: &Plan,
        name: &'e Identifier,
    ) -> Result<Step<'e>, Failure> {
        let (desk, from) = self.desk();
        let (holder, moved) = (desk.holder(from, space, name)?, desk.moved);
        let comes = plan.attach.contains(name) || holder.is_some_and(|it| plan.merge.contains(&it));
        let target = match plan.target {
            Target::Found(id) => Some(id),
            Target::Make => None,
        };
        let joining = match join(target, plan.names, holder.and_then(|id| desk.as_holder(id))) {
            _ if comes => Joining::Stays,
            Joining::Merge(other) if super::merge::weigh(from, other, moved)?.is_none() => {
                Joining::Stays
            }
            Joining::NoRoom => return Err(BadEntry::TooManyIdentifiers.into()),
            joining @ (Joining::Attach | Joining::Merge(_) | Joining::Stays) => joining,
        };
        Ok(Step::Alias(name, joining))
    }

    /// Makes who is meant, and gives them their names.
    fn carry_out(&mut self, space: Space, plan: Plan) -> Result<SubjectId, StoreError> {
        let now = self.now;
        let id = match plan.target {
            Target::Found(id) => id,
            Target::Make => {
                let id = SubjectId::fresh(now)?;
                self.desk().0.make(Subject {
                    id,
                    organization: space.organization,
                    kind: space.kind,
                    account: None,
                    traits: Traits::default(),
                    identifiers: Vec::new(),
                    created: now,
                    changed: now,
                });
                id
            }
        };
        for name in &plan.detach {
            self.detach(space, id, name)?;
        }
        for name in plan.attach {
            self.attach(space, id, name)?;
        }
        for other in plan.merge {
            self.merge(space, id, other)?;
        }
        Ok(id)
    }

    fn take(
        &mut self,
        source: Source,
        space: Space,
        id: SubjectId,
        step: Step<'_>,
    ) -> Result<(), StoreError> {
        match step {
            Step::Alias(name, Joining::Attach) => self.attach(space, id, name.clone()),
            Step::Alias(_, Joining::Merge(other)) => self.merge(space, id, other),
            Step::Alias(_, Joining::NoRoom | Joining::Stays) => Ok(()),
            Step::Track(event) => self.record_event(source, id, event),
            Step::Traits(traits) => self.set_traits(id, traits),
            Step::Unalias(name) => self.detach(space, id, name),
        }
    }

    fn set_traits(&mut self, id: SubjectId, traits: Traits) -> Result<(), StoreError> {
        let open = self.desk().0.open(id)?;
        if open.subject.traits != traits {
            open.change().traits = traits;
        }
        Ok(())
    }

    fn attach(&mut self, space: Space, id: SubjectId, name: Identifier) -> Result<(), StoreError> {
        self.execute(
            &sql!(
                "INSERT INTO identifiers (organization, subject_kind, kind, value, subject)
                 VALUES ($1, $2, $3, $4, $5)"
            ),
            &[
                space.organization.into(),
                space.kind.into(),
                name.kind.into(),
                (&*name.value).into(),
                id.into(),
            ],
        )?;
        let (desk, _) = self.desk();
        desk.open(id)?.change().identifiers.push(name.clone());
        desk.rename(space, name, Some(id));
        Ok(())
    }

    /// Takes a name away from a subject, if it is its own.
    fn detach(&mut self, space: Space, id: SubjectId, name: &Identifier) -> Result<(), StoreError> {
        let gone = self.execute(
            &sql!(
                "DELETE FROM identifiers WHERE organization = $1 AND subject_kind = $2
                     AND kind = $3 AND value = $4 AND subject = $5"
            ),
            &[
                space.organization.into(),
                space.kind.into(),
                name.kind.into(),
                (&*name.value).into(),
                id.into(),
            ],
        )?;
        if gone > 0 {
            let (desk, _) = self.desk();
            desk.open(id)?.change().identifiers.retain(|it| it != name);
            desk.rename(space, name.clone(), None);
        }
        Ok(())
    }

    /// Links a user and an account, of which one is `id`, and the other is named.
    fn link(
        &mut self,
        space: Space,
        id: SubjectId,
        other_space: Space,
        (named, create): (&Named, bool),
    ) -> Result<(), StoreError> {
        let (desk, from) = self.desk();
        let Some(plan) = desk.resolve(from, other_space, named, create)? else { return Ok(()) };
        let other = self.carry_out(other_space, plan)?;
        let (user, account) = match space.kind {
            SubjectKind::Account => (other, id),
            SubjectKind::User => (id, other),
        };
        let open = self.desk().0.open(user)?;
        if open.subject.account != Some(account) {
            open.change().account = Some(account);
        }
        Ok(())
    }
}
