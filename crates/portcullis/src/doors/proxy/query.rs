//! The query that is forwarded: what was sent, without a credential that stood in it.

use std::borrow::Cow;

use portcullis_core::guard::Guard;
use portcullis_core::request::RequestHead;
use portcullis_core::scheme::{Found, Scheme};

/// The query for the upstream of `guard`.
pub(super) fn forwarded<'h>(head: &'h RequestHead<'_>, guard: &Guard) -> Option<Cow<'h, str>> {
    let query = head.query()?;
    let presented = |scheme: &dyn Scheme| match scheme.find(head) {
        Found::Claimed(claim) => claim.in_query,
        Found::NotMine | Found::Repeated => false,
    };
    let removes = |scheme: &&dyn Scheme| {
        !guard.pass_credential && !scheme.parameters().is_empty() && presented(*scheme)
    };
    let schemes = guard.schemes.iter().map(AsRef::as_ref);
    let names = schemes.filter(removes).flat_map(|scheme| scheme.parameters());
    let names: Vec<&str> = names.copied().collect();
    if names.is_empty() {
        return Some(Cow::Borrowed(query));
    }
    let name = |pair: &'h str| pair.split_once('=').map_or(pair, |(name, _)| name);
    let left = query.split('&').filter(|pair| !names.contains(&name(pair)));
    let left = left.collect::<Vec<_>>().join("&");
    (!left.is_empty()).then_some(Cow::Owned(left))
}
