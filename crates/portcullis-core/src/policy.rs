//! What a guard demands, as data, and the one decision over it.

mod networks;

use std::net::IpAddr;

use http::Method;
use ipnet::IpNet;

use crate::ability::Ability;
use crate::authenticator::Authenticated;
use crate::id::Id;
use crate::lookup::CredentialLookup;
use crate::organization::Organization;
use crate::principal::Principal;
use crate::request::{Origin, RequestHead, Upgrade};
use crate::scheme::Scheme;

pub use networks::{BadNetwork, Networks, NoNetworks, parse_network};

/// What a guard demands of a request and its principal.
#[derive(Debug)]
pub struct Policy {
    /// The organization that the guard belongs to.
    pub organization: Id<Organization>,
    /// Whether a principal is demanded at all.
    pub principal: Demand,
    /// The networks that callers must come from, if that is demanded.
    pub networks: Option<Networks>,
    /// Whether callers must have proven a certificate.
    pub client_certificate: bool,
    /// The methods that pass; empty for all.
    pub methods: Box<[Method]>,
    /// What connections may become, in small letters.
    pub upgrades: Box<[Box<str>]>,
    /// The ability that the principal must hold in the guard's organization.
    pub ability: Option<Ability>,
}

/// Whether somebody must be known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Demand {
    /// Nobody need be.
    Optional,
    /// Somebody must be.
    Required,
}

/// Where a caller stands, as far as a policy asks for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// It is not asked.
    Anywhere,
    /// In this network, the narrowest that the policy names.
    Inside(IpNet),
    /// In none of them.
    Outside,
}

/// What a policy is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Who asks; `None` if nothing was presented.
    pub principal: Option<&'a Principal>,
    /// The address the request comes from.
    pub client: IpAddr,
    /// Whether the connection that brought it has proven a certificate.
    pub certified: bool,
    /// Its method.
    pub method: &'a Method,
    /// Where it says it comes from.
    pub origin: Origin,
    /// What it asks its connection to become.
    pub upgrade: Upgrade<'a>,
    /// Whether what proved the principal was sent unasked, so that another site may have sent it.
    pub unasked: bool,
}

impl<'a> Question<'a> {
    /// Whether `who`, proven by one of `schemes`, may send the request.
    pub fn of(
        head: &'a RequestHead<'_>,
        who: Option<&'a Authenticated>,
        schemes: &[Box<dyn Scheme>],
    ) -> Self {
        let proven_by = |scheme: &dyn Scheme| who.is_some_and(|who| who.scheme == scheme.name());
        Self {
            principal: who.map(|who| &who.principal),
            client: head.client(),
            certified: head.is_certified(),
            method: head.method(),
            origin: head.origin(),
            upgrade: head.upgrade(),
            unasked: schemes.iter().any(|it| proven_by(it.as_ref()) && it.is_sent_unasked()),
        }
    }

    /// An allow-list of the safe methods (RFC 9110, section 9.2.1) but TRACE, which echoes requests.
    /// What a connection becomes may do anything.
    fn reads_only(&self) -> bool {
        self.upgrade == Upgrade::None
            && matches!(*self.method, Method::GET | Method::HEAD | Method::OPTIONS)
    }
}

/// A rule that a request can fail.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rule {
    /// The principal holds the ability.
    Ability,
    /// The connection has proven a certificate.
    ClientCertificate,
    /// The method is among those that pass.
    Method,
    /// The caller comes from one of the networks.
    Network,
    /// What was sent unasked and does more than read comes from the guard's own origin.
    Origin,
    /// The principal belongs to the guard's organization.
    Organization,
    /// Somebody is known.
    Principal,
    /// A credential that may only read is only reading.
    ReadOnly,
    /// What the connection is to become is among what it may.
    Upgrade,
}

impl Rule {
    /// Every rule, in the order in which the first that fails is named.
    pub const ALL: [Self; 9] = [
        Self::Network,
        Self::ClientCertificate,
        Self::Principal,
        Self::Origin,
        Self::Organization,
        Self::Method,
        Self::Upgrade,
        Self::ReadOnly,
        Self::Ability,
    ];

    /// The name of the rule in logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ability => "ability",
            Self::ClientCertificate => "client_certificate",
            Self::Method => "method",
            Self::Network => "network",
            Self::Organization => "organization",
            Self::Origin => "origin",
            Self::Principal => "principal",
            Self::ReadOnly => "read_only",
            Self::Upgrade => "upgrade",
        }
    }
}

/// What became of each rule: the whole why of a decision.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Why([Verdict; Rule::ALL.len()]);

/// What became of one rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The request does not meet it.
    Failed,
    /// The request meets it.
    Met,
    /// The policy does not ask it.
    NotAsked,
}

impl Verdict {
    const fn of(met: bool) -> Self {
        if met { Self::Met } else { Self::Failed }
    }
}

impl Why {
    /// Every rule with what became of it.
    pub fn rules(&self) -> impl Iterator<Item = (Rule, Verdict)> {
        Rule::ALL.into_iter().zip(self.0)
    }
}

/// What a policy says.
#[derive(Debug)]
pub enum Decision {
    /// Yes.
    Allow(Permit),
    /// No.
    Deny(Denial),
}

/// Proof that a policy allowed a request; without one, no upstream is reached.
///
/// Only [`Policy::decide`] makes one:
///
/// ```compile_fail,E0451
/// fn forge(why: portcullis_core::policy::Why) -> portcullis_core::policy::Permit {
///     portcullis_core::policy::Permit { why }
/// }
/// ```
#[derive(Debug)]
#[must_use]
pub struct Permit {
    why: Why,
}

impl Permit {
    /// Why it was given.
    pub const fn why(&self) -> &Why {
        &self.why
    }
}

/// Policy said no.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Denial {
    /// The first rule that failed.
    pub rule: Rule,
    /// What became of all of them.
    pub why: Why,
}

impl Policy {
    /// Where `client` stands. Asked before anybody is identified: where it may not be, no proof is
    /// looked at.
    pub fn place(&self, client: IpAddr) -> Place {
        match &self.networks {
            None => Place::Anywhere,
            Some(networks) => networks.find(client).map_or(Place::Outside, Place::Inside),
        }
    }

    /// Decides. Total and without I/O: the same question over the same memory has one answer.
    pub fn decide(&self, question: &Question<'_>, lookup: &impl CredentialLookup) -> Decision {
        let why = Why(Rule::ALL.map(|rule| self.ask(rule, question, lookup)));
        match why.rules().find(|(_, verdict)| *verdict == Verdict::Failed) {
            None => Decision::Allow(Permit { why }),
            Some((rule, _)) => Decision::Deny(Denial { rule, why }),
        }
    }

    /// Whether `head` is turned away whoever sent it, by where it comes from and over what.
    pub fn shuts_out(&self, head: &RequestHead<'_>) -> bool {
        self.place(head.client()) == Place::Outside
            || self.client_certificate && !head.is_certified()
    }

    fn ask(&self, rule: Rule, question: &Question<'_>, lookup: &impl CredentialLookup) -> Verdict {
        match rule {
            Rule::Principal => match self.principal {
                Demand::Optional => Verdict::NotAsked,
                Demand::Required => Verdict::of(question.principal.is_some()),
            },
            Rule::Network => match self.place(question.client) {
                Place::Anywhere => Verdict::NotAsked,
                Place::Inside(_) => Verdict::Met,
                Place::Outside => Verdict::Failed,
            },
            Rule::ClientCertificate if !self.client_certificate => Verdict::NotAsked,
            Rule::ClientCertificate => Verdict::of(question.certified),
            Rule::Origin if question.principal.is_none() || !question.unasked => Verdict::NotAsked,
            Rule::Origin if question.reads_only() => Verdict::NotAsked,
            Rule::Origin => Verdict::of(question.origin == Origin::Own),
            Rule::Organization => question.principal.map_or(Verdict::NotAsked, |principal| {
                Verdict::of(principal.user.belongs(self.organization, lookup))
            }),
            Rule::Method if self.methods.is_empty() => Verdict::NotAsked,
            Rule::Method => Verdict::of(self.methods.contains(question.method)),
            Rule::Upgrade => match question.upgrade {
                Upgrade::None => Verdict::NotAsked,
                Upgrade::To(token) => {
                    Verdict::of(self.upgrades.iter().any(|it| it.eq_ignore_ascii_case(token)))
                }
                Upgrade::Unclear => Verdict::Failed,
            },
            Rule::ReadOnly => question
                .principal
                .filter(|principal| principal.credential.read_only)
                .map_or(Verdict::NotAsked, |_| Verdict::of(question.reads_only())),
            Rule::Ability => self.ability.as_ref().map_or(Verdict::NotAsked, |ability| {
                Verdict::of(question.principal.is_some_and(|principal| {
                    principal.has_rights()
                        && principal.user.may(ability.as_str(), self.organization, lookup)
                }))
            }),
        }
    }
}
