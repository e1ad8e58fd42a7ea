//! The query that is forwarded: what was sent, without a credential that stood in it.

use std::borrow::Cow;

use portcullis_core::guard::Guard;
use portcullis_core::request::RequestHead;
use portcullis_core::scheme::{Found, Scheme};

/// The query for the upstream of `guard`.
pub(super) fn forwarded<'h>(head: &'h RequestHead<'_>, guard: &'h Guard) -> Option<Cow<'h, str>> {
    let query = head.query()?;
    let presented = |scheme: &dyn Scheme| match scheme.find(head) {
        Found::Claimed(claim) => claim.in_query,
        Found::NotMine | Found::Repeated => false,
    };
    let removed = |scheme: &'h dyn Scheme| {
        let read = scheme.parameters();
        let read = if !read.is_empty() && presented(scheme) { read } else { &[] };
        read.iter().chain(scheme.reserved())
    };
    let schemes = guard.schemes.iter().filter(|_| !guard.pass_credential).map(AsRef::as_ref);
    let names: Vec<&str> = schemes.flat_map(removed).copied().collect();
    let name = |pair: &'h str| pair.split_once('=').map_or(pair, |(name, _)| name);
    let is_removed = |pair: &&'h str| names.contains(&name(pair));
    if !query.split('&').any(|pair| is_removed(&pair)) {
        return Some(Cow::Borrowed(query));
    }
    let left = query.split('&').filter(|pair| !is_removed(pair));
    let left = left.collect::<Vec<_>>().join("&");
    (!left.is_empty()).then_some(Cow::Owned(left))
}
