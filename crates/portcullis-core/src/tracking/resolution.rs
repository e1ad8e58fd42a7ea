//! Whom identifiers mean.
//!
//! Where the vendor is silent, this is what was inferred: identity before external id, before
//! e-mail or domain, before anonymous id, and the first that is known decides. But who has another
//! external id (or another e-mail, where an anonymous id found them) than the one that was named is
//! somebody else, and keeps the weaker identifier. What is free becomes the subject's: one external
//! id for ever, one e-mail or domain at a time, many anonymous ids. Who has nothing but anonymous
//! ids was the same all along; who has more stays.

use crate::subject::{Identifier, IdentifierKind, Named, SubjectId};

use super::MAX_KEPT_IDENTIFIERS;

/// A subject that was found, and all that it is called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Holder<'a> {
    /// Which one.
    pub id: SubjectId,
    /// All its identifiers.
    pub identifiers: &'a [Identifier],
}

/// Whom the names of one [`Named`] were found to belong to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Holders<'a> {
    /// Whom its identity names.
    pub identity: Option<Holder<'a>>,
    /// Whom each of its identifiers names, in their order.
    pub identifiers: Vec<Option<Holder<'a>>>,
}

/// Whom identifiers mean.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Resolution {
    /// Nobody, and nobody shall be made.
    Nothing,
    /// Somebody.
    Subject(Plan),
}

/// Who is meant, and what becomes of those who are known by the same names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// Who is meant.
    pub target: Target,
    /// What becomes the target's.
    pub attach: Vec<Identifier>,
    /// What is the target's no more, for it gets another of the kind.
    pub detach: Vec<Identifier>,
    /// Who was the target all along.
    pub merge: Vec<SubjectId>,
    /// How many names the target has then.
    pub names: usize,
}

/// Who is meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    /// One that is there.
    Found(SubjectId),
    /// One that is to be made.
    Make,
}

/// What becomes of another name of somebody.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Joining {
    /// It becomes theirs.
    Attach,
    /// Whoever is called so was they all along.
    Merge(SubjectId),
    /// There is no room for it.
    NoRoom,
    /// Nothing: it is theirs, or that of somebody who is known by more.
    Stays,
}

impl Holder<'_> {
    /// Whether nothing is known of who it is.
    pub fn is_anonymous(&self) -> bool {
        self.identifiers.iter().all(|it| it.kind == IdentifierKind::AnonymousId)
    }
}

/// Whom `named` means, who was `found` under its names; with `create`, somebody in any case.
pub fn resolve(named: &Named, create: bool, found: &Holders<'_>) -> Resolution {
    let target = match (named.id, found.identity) {
        (Some(_), None) => return Resolution::Nothing,
        (_, Some(holder)) => Some(holder),
        (None, None) => first(named, found),
    };
    match target {
        Some(holder) => Resolution::Subject(plan(Some(holder), named, found)),
        None if create && !named.identifiers.is_empty() => {
            Resolution::Subject(plan(None, named, found))
        }
        None => Resolution::Nothing,
    }
}

/// What becomes of the anonymous id that `other` has, or nobody, if it is also said to be a name of
/// `target`, who has so many names.
pub fn join(target: Option<SubjectId>, names: usize, other: Option<Holder<'_>>) -> Joining {
    let room = |more| names + more <= MAX_KEPT_IDENTIFIERS;
    match other {
        None if room(1) => Joining::Attach,
        Some(holder) if Some(holder.id) == target || !holder.is_anonymous() => Joining::Stays,
        Some(holder) if room(holder.identifiers.len()) => Joining::Merge(holder.id),
        None | Some(_) => Joining::NoRoom,
    }
}

/// The first that is known and may be the one.
fn first<'a>(named: &Named, found: &Holders<'a>) -> Option<Holder<'a>> {
    let mut pairs = named.identifiers.iter().zip(&found.identifiers);
    pairs.find_map(|(by, holder)| holder.filter(|it| !is_another(it, by.kind, named)))
}

/// Whether who was found by an identifier of the kind `by` has another one of a kind that is
/// believed before it than those that are named.
fn is_another(holder: &Holder<'_>, by: IdentifierKind, named: &Named) -> bool {
    holder.identifiers.iter().filter(|own| own.kind < by).any(|own| {
        let mut same_kind = named.identifiers.iter().filter(|it| it.kind == own.kind).peekable();
        same_kind.peek().is_some() && !same_kind.any(|it| it == own)
    })
}

fn plan(target: Option<Holder<'_>>, named: &Named, found: &Holders<'_>) -> Plan {
    let (id, own) = target.map_or((None, &[][..]), |it| (Some(it.id), it.identifiers));
    let made = id.map_or(Target::Make, Target::Found);
    let names = own.len();
    let mut plan = Plan { target: made, attach: vec![], detach: vec![], merge: vec![], names };
    for (identifier, holder) in named.identifiers.iter().zip(&found.identifiers) {
        if identifier.kind != IdentifierKind::AnonymousId {
            if holder.is_none() {
                plan.attach_only(identifier, own);
            }
            continue;
        }
        match join(id, plan.names, *holder) {
            Joining::Attach => {
                plan.attach.push(identifier.clone());
                plan.names += 1;
            }
            Joining::Merge(other) if !plan.merge.contains(&other) => {
                plan.merge.push(other);
                plan.names += holder.map_or(0, |it| it.identifiers.len());
            }
            Joining::Merge(_) | Joining::NoRoom | Joining::Stays => {}
        }
    }
    plan
}

impl Plan {
    /// Attaches what a subject has but one of.
    fn attach_only(&mut self, new: &Identifier, own: &[Identifier]) {
        let before = own.iter().find(|it| it.kind == new.kind);
        let full = self.names >= MAX_KEPT_IDENTIFIERS && before.is_none();
        let kept = new.kind == IdentifierKind::ExternalId && before.is_some();
        if full || kept || self.attach.iter().any(|it| it.kind == new.kind) {
            return;
        }
        self.names += usize::from(before.is_none());
        self.attach.push(new.clone());
        self.detach.extend(before.cloned());
    }
}

#[cfg(test)]
mod tests;
