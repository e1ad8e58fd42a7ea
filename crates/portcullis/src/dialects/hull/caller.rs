//! Which connector calls, and on whose behalf.

use std::sync::{Arc, LazyLock};

use portcullis_core::authenticator::Authenticated;
use portcullis_core::id::Id;
use portcullis_core::limits::Site;
use portcullis_core::lookup::CredentialLookup as _;
use portcullis_core::organization::Organization;
use portcullis_core::scheme::connector::{ID_HEADER, TOKEN_HEADER, option};
use portcullis_core::scheme::{ALL, CONNECTOR, Found, Options, Scheme};
use portcullis_core::secret::Secret;
use portcullis_core::subject::{Claims, SubjectId};
use portcullis_core::time::Timestamp;

use super::failure::Failure;
use crate::actions::tracking::Teller;
use crate::dialects::Call;
use crate::gate::{Gate, Unknown};

/// The one scheme of the API: it takes tokens on behalf of subjects, and looks into the query, where
/// each connector says whether it may be found.
static SCHEMES: LazyLock<Vec<Box<dyn Scheme>>> = LazyLock::new(|| {
    let kinds = ALL.iter().filter(|kind| kind.name == CONNECTOR);
    let options = ["query", "subjects"].map(|option| (option.to_owned(), "true".to_owned()));
    let options = Options::from(options);
    kinds.filter_map(|kind| (kind.build)(&options).ok()).collect()
});

/// The header that says of which organization the caller thinks the connector is.
const ORGANIZATION: &str = "hull-organization";

/// Who sends what proves itself.
#[derive(Debug)]
pub(super) enum Sender {
    /// A connector.
    Connector(Box<Caller>),
    /// Nobody, for this reason: it says no more than a connector whose tokens are all bad.
    Nobody(Nobody),
}

/// Who named a connector that is none, or does not count.
#[derive(Debug)]
pub(super) struct Nobody {
    /// The name of the reason, for the log alone.
    pub(super) reason: &'static str,
    id: String,
    gate: Arc<Gate>,
}

/// Who calls.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    /// The connector, with whom it acts for.
    pub(super) who: Authenticated,
    /// The id that the connector is known by.
    pub(super) id: String,
    /// Whether the call itself proves it; else it is named, and what it tells must.
    pub(super) is_proven: bool,
    gate: Arc<Gate>,
    site: Site,
}

impl Caller {
    /// Whether it may do whatever the connector may.
    pub(super) fn has_rights(&self) -> bool {
        self.who.principal.has_rights()
    }

    /// On whose behalf it acts.
    pub(super) fn claims(&self) -> Option<&Arc<Claims>> {
        self.who.principal.subject.as_ref()
    }

    /// Whether `id` is the connector's own.
    pub(super) fn is(&self, id: SubjectId) -> bool {
        SubjectId::parse(&self.id) == Some(id)
    }

    /// The organization whose subjects it tells of.
    pub(super) fn organization(&self) -> Id<Organization> {
        self.who.principal.user.organization
    }

    /// Whether an option of the connector is switched on.
    pub(super) fn is_on(&self, name: &str) -> bool {
        let keyring = self.gate.memory().keyring(self.who.principal.credential.id);
        keyring.is_some_and(|keyring| keyring.is_on(name))
    }

    /// Counts that the connector was used, where the call itself did not.
    pub(super) fn count_use(&self) {
        self.gate.count(&self.who);
    }

    /// Who tells what is recorded, and whether they still may at that moment.
    pub(super) fn teller(&self) -> Teller {
        let (gate, who, site) = (Arc::clone(&self.gate), self.who.clone(), self.site);
        Teller {
            who: self.who.clone(),
            still: Arc::new(move || gate.is_still(&who, (&SCHEMES, &site))),
        }
    }
}

impl Sender {
    /// What one of many tokens claims; nothing if it does not count at `now`.
    pub(super) fn claims_of(&self, token: &[u8], now: Timestamp) -> Option<Arc<Claims>> {
        let (gate, who, id) = match self {
            Self::Connector(caller) => (&caller.gate, Some(&caller.who), &caller.id),
            Self::Nobody(nobody) => (&nobody.gate, None, &nobody.id),
        };
        let place = (SCHEMES.first()?.as_ref(), id.as_str());
        gate.authenticator().claims_of(who, place, Secret::new(token), now).ok()
    }

    /// Whether the call itself proves who it is.
    pub(super) const fn is_proven(&self) -> bool {
        matches!(self, Self::Connector(caller) if caller.is_proven)
    }
}

/// Who calls, proven by the secret of a connector or a token of it.
pub(super) async fn known(call: &Call<'_>) -> Result<Caller, Failure> {
    let (gate, site) = (Arc::clone(&call.services.gate), call.site());
    let known = gate.recognise(&SCHEMES, &site, call.head).await?;
    let who = known.ok_or_else(|| Failure::refused("no_credential"))?;
    of_organization(call, Caller { who, id: id(call)?, is_proven: true, gate, site })
}

/// Which connector calls, proven as for any call, or named alone: then each of what it tells must
/// prove itself, and whoever does not know a token learns nothing of the connector.
pub(super) async fn sender(call: &Call<'_>) -> Result<Sender, Failure> {
    let single = |name| call.head.single(name).map_err(|_| Failure::refused("ambiguous"));
    let (Some(_), None) = (single(&ID_HEADER)?, single(&TOKEN_HEADER)?) else {
        return Ok(Sender::Connector(Box::new(known(call).await?)));
    };
    let (gate, site, id) = (Arc::clone(&call.services.gate), call.site(), id(call)?);
    let named = match gate.name((CONNECTOR, &id), &site) {
        Ok(who) => {
            let (gate, id) = (Arc::clone(&gate), id.clone());
            let caller = Caller { who, id, is_proven: false, gate, site };
            of_organization(call, caller).map_err(|failure| failure.reason)
        }
        Err(Unknown::Rejected(no)) => Err(no.reason.name()),
        Err(unknown) => return Err(unknown.into()),
    };
    Ok(match named {
        Ok(caller) => Sender::Connector(Box::new(caller)),
        Err(reason) => Sender::Nobody(Nobody { reason, id, gate }),
    })
}

/// The id that the caller gives, wherever it stands.
fn id(call: &Call<'_>) -> Result<String, Failure> {
    let found = SCHEMES.first().map(|scheme| scheme.find(call.head));
    let Some(Found::Claimed(claim)) = found else { return Err(Failure::refused("malformed")) };
    let id = claim.beside.as_ref().and_then(|id| std::str::from_utf8(id.expose()).ok());
    let id = id.filter(|id| SubjectId::parse(id).is_some());
    id.map(str::to_owned).ok_or_else(|| Failure::refused("malformed"))
}

/// Who is bound to an organization says no other.
fn of_organization(call: &Call<'_>, caller: Caller) -> Result<Caller, Failure> {
    let keyring = caller.gate.memory().keyring(caller.who.principal.credential.id);
    let keyring = keyring.ok_or(Unknown::Unavailable)?;
    let wanted = keyring.options.get(option::ORGANIZATION).filter(|wanted| !wanted.is_empty());
    let mut said = call.head.headers().get_all(ORGANIZATION).iter();
    let other = wanted.is_some_and(|wanted| {
        said.any(|said| !said.as_bytes().eq_ignore_ascii_case(wanted.as_bytes()))
    });
    if other { Err(Failure::refused("other_organization")) } else { Ok(caller) }
}
