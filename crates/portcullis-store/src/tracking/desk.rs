//! The subjects that a transaction works on: each is read once, and written once at the end.

use std::collections::HashMap;

use portcullis_core::id::Id;
use portcullis_core::organization::Organization;
use portcullis_core::subject::{Identifier, Named, SubjectId, SubjectKind};
use portcullis_core::tracking::{Holder, Holders, Plan, Resolution, resolve};

use super::{Subject, TABLE, merge, reading};
use crate::error::StoreError;
use crate::sql::sql;
use crate::store::{Recording, Rows};

/// Where a name means one subject at most.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Space {
    pub(crate) organization: Id<Organization>,
    pub(crate) kind: SubjectKind,
}

#[derive(Debug, Default)]
pub(crate) struct Desk {
    subjects: HashMap<SubjectId, Open>,
    holders: HashMap<(Space, Identifier), Option<SubjectId>>,
    /// How many events were recorded.
    pub(crate) events: u16,
    /// How many rows went from one subject to another.
    pub(crate) moved: i64,
}

/// A subject that was read.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) subject: Subject,
    pub(crate) state: State,
}

/// How a subject differs from its row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    Changed,
    Same,
    /// There is no row.
    New,
}

impl Open {
    /// The subject, to be changed.
    pub(crate) fn change(&mut self) -> &mut Subject {
        if self.state == State::Same {
            self.state = State::Changed;
        }
        &mut self.subject
    }
}

impl Desk {
    /// The subject `id`, if it is in `space`.
    pub(crate) fn find(
        &mut self,
        from: &mut impl Rows,
        space: Space,
        id: SubjectId,
    ) -> Result<Option<&Subject>, StoreError> {
        if !self.subjects.contains_key(&id)
            && let Some(subject) = reading::find(from, space.organization, id)?
        {
            self.put(subject);
        }
        let found = self.subjects.get(&id).map(|it| &it.subject);
        Ok(found.filter(|it| (it.organization, it.kind) == (space.organization, space.kind)))
    }

    /// Who has the name, read.
    pub(crate) fn holder(
        &mut self,
        from: &mut impl Rows,
        space: Space,
        name: &Identifier,
    ) -> Result<Option<SubjectId>, StoreError> {
        let key = (space, name.clone());
        if let Some(known) = self.holders.get(&key) {
            return Ok(*known);
        }
        let holder = reading::holder(from, space, name)?;
        let id = holder.as_ref().map(|it| it.id);
        self.holders.insert(key, id);
        if let Some(subject) = holder {
            self.put(subject);
        }
        Ok(id)
    }

    /// Puts one there that was not: all its names are known from now on, so that no other name can
    /// lead to its row again.
    fn put(&mut self, subject: Subject) {
        let space = Space { organization: subject.organization, kind: subject.kind };
        for name in &subject.identifiers {
            self.holders.insert((space, name.clone()), Some(subject.id));
        }
        self.subjects.insert(subject.id, Open { subject, state: State::Same });
    }

    /// What the judgement of `id` needs.
    pub(crate) fn as_holder(&self, id: SubjectId) -> Option<Holder<'_>> {
        let open = self.subjects.get(&id)?;
        Some(Holder { id, identifiers: &open.subject.identifiers })
    }

    /// Whom `named` means.
    pub(crate) fn resolve(
        &mut self,
        from: &mut impl Rows,
        space: Space,
        named: &Named,
        create: bool,
    ) -> Result<Option<Plan>, StoreError> {
        let identity = match named.id {
            Some(id) => self.find(from, space, id)?.map(|it| it.id),
            None => None,
        };
        let names = named.identifiers.iter().map(|name| self.holder(from, space, name));
        let names = names.collect::<Result<Vec<_>, _>>()?;
        let found = Holders {
            identity: identity.and_then(|id| self.as_holder(id)),
            identifiers: names.into_iter().map(|id| self.as_holder(id?)).collect(),
        };
        let Resolution::Subject(mut plan) = resolve(named, create, &found) else { return Ok(None) };
        let (mut small, mut moved) = (Vec::new(), self.moved);
        for other in plan.merge {
            if let Some(more) = merge::weigh(from, other, moved)? {
                small.push(other);
                moved += more;
            }
        }
        plan.merge = small;
        Ok(Some(plan))
    }

    /// One that was read.
    pub(crate) fn open(&mut self, id: SubjectId) -> Result<&mut Open, StoreError> {
        self.subjects.get_mut(&id).ok_or(StoreError::NotFound(TABLE))
    }

    /// One that has no row yet.
    pub(crate) fn make(&mut self, subject: Subject) {
        self.subjects.insert(subject.id, Open { subject, state: State::New });
    }

    /// Says who has a name now.
    pub(crate) fn rename(&mut self, space: Space, name: Identifier, holder: Option<SubjectId>) {
        self.holders.insert((space, name), holder);
    }

    /// Takes a subject away.
    pub(crate) fn remove(&mut self, id: SubjectId) -> Option<Open> {
        let open = self.subjects.remove(&id)?;
        for holder in self.holders.values_mut().filter(|it| **it == Some(id)) {
            *holder = None;
        }
        Some(open)
    }

    /// Links those who were linked to one account to another, as their rows are: nothing is to be
    /// written for it.
    pub(crate) fn relink(&mut self, old: SubjectId, new: Option<SubjectId>) {
        for open in self.subjects.values_mut().filter(|it| it.subject.account == Some(old)) {
            open.subject.account = new;
        }
    }
}

impl Recording<'_> {
    /// Writes what has changed of the subjects.
    pub(crate) fn clear_desk(&mut self) -> Result<(), StoreError> {
        let subjects = std::mem::take(&mut self.desk().0.subjects);
        for Open { subject, state } in subjects.into_values() {
            match state {
                State::Changed => self.update(&subject)?,
                State::New => self.insert(&subject)?,
                State::Same => {}
            }
        }
        Ok(())
    }

    fn insert(&mut self, subject: &Subject) -> Result<(), StoreError> {
        self.execute(
            &sql!(
                "INSERT INTO subjects (id, organization, kind, account, traits, created, changed)
                 VALUES ($1, $2, $3, $4, $5, $6, $7)"
            ),
            &[
                subject.id.into(),
                subject.organization.into(),
                subject.kind.into(),
                subject.account.into(),
                subject.traits.to_json().into(),
                subject.created.into(),
                subject.changed.into(),
            ],
        )
        .map(drop)
    }

    fn update(&mut self, subject: &Subject) -> Result<(), StoreError> {
        let (traits, changed) = (subject.traits.to_json(), self.now);
        let updated = self.execute(
            &sql!("UPDATE subjects SET account = $2, traits = $3, changed = $4 WHERE id = $1"),
            &[subject.id.into(), subject.account.into(), traits.into(), changed.into()],
        )?;
        if updated == 1 { Ok(()) } else { Err(StoreError::NotFound(TABLE)) }
    }
}
