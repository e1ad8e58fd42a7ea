//! What an upstream got, held against what was judged.

use std::collections::HashMap;

use portcullis_core::request::{canonical_host, canonical_path, folded_eq};

use super::decision::Decision;
use super::row::Row;
use super::site::Callers;

/// What only a proxy may say of a request: none of it is a caller's, under any alias.
const RESERVED: &[&str] = &[
    "cf-connecting-ip",
    "forwarded",
    "true-client-ip",
    "x-client-cert",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-credential-identifier",
    "x-forwarded",
    "x-host",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-real-ip",
    "x-rewrite-url",
];
const RESERVED_STARTS: &[&str] = &[
    "portcullis-",
    "remote-",
    "x-auth-request-",
    "x-consumer-",
    "x-forwarded-",
    "x-original-",
    "x-remote-",
];
/// What carries credentials, where a guard reads any.
const CREDENTIALS: &[&str] = &["authorization", "proxy-authorization", "x-api-key"];
/// The guards that read none: their upstreams may have credentials of their own.
const OPEN: &[&str] = &["cafe", "near", "other", "public", "six"];
/// What our own server says besides its identity headers.
const OURS: &[&str] = &["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"];
/// What no caller of the corpus may have an upstream read.
const FORGED: &str = "forged";

/// What was heard, by the name that its caller gave the request.
pub(super) fn by_name(heard: &[String]) -> HashMap<String, Vec<String>> {
    let mut named: HashMap<String, Vec<String>> = HashMap::new();
    for heard in heard {
        let name = values(heard, "x-request-id").concat();
        named.entry(name).or_default().push(heard.clone());
    }
    named
}

/// What is wrong with what the upstream got of `row`.
pub(super) fn faults(
    row: &Row,
    callers: &Callers,
    decision: Option<&Decision>,
    heard: &[String],
) -> Vec<String> {
    let allowed = decision.filter(|it| it.is_allowed());
    match (allowed, heard) {
        (None, []) => Vec::new(),
        (Some(decision), [heard]) => {
            let wrong = wrong(row, callers, decision, heard);
            wrong.into_iter().map(|what| format!("{what}:\n{heard}")).collect()
        }
        _ => vec![format!("the upstream heard of it {} times: {heard:?}", heard.len())],
    }
}

fn wrong(row: &Row, callers: &Callers, decision: &Decision, heard: &str) -> Vec<&'static str> {
    let line = heard.lines().next().unwrap();
    let [host] = &row.hosts[..] else { return vec!["it has no single host"] };
    let path = decision.path();
    let target = expected_target(row, decision);
    let own = |name: &str, value: &str| values(heard, name) == [value];
    let reads = !OPEN.contains(&decision.guard());
    let theirs: String = headers(heard)
        // A session is read where the guard says so.
        .filter(|(name, _)| *name != "cookie" || decision.guard() == "orders")
        .map(|(_, value)| value)
        .collect();
    let secret = reads && callers.are_in(&theirs);
    let plain = |name: &str| is_plain(name) && !(reads && is_credential(name));
    let headers: Vec<(&str, &str)> = headers(heard).collect();
    [
        (line == format!("{} {target} HTTP/1.1", row.method), "another request than was judged"),
        (canonical_path(path).is_ok_and(|form| form == path), "a path in another form"),
        (own("host", host), "another host"),
        (own("x-forwarded-host", &canonical_host(host).unwrap()), "another host is told"),
        (own("x-forwarded-for", decision.client()), "another client is told"),
        (values(heard, "x-forwarded-proto").len() == 1, "no one protocol is told"),
        (!heard.to_lowercase().contains(FORGED), "what a caller may not say"),
        (!secret, "a credential"),
        (headers.iter().all(|(name, _)| plain(name)), "an alias"),
        (headers.iter().all(|header| is_theirs(row, callers, header)), "what nobody sent"),
    ]
    .into_iter()
    .filter_map(|(right, what)| (!right).then_some(what))
    .collect()
}

/// The path that was judged, and the query without the one pair that carries a credential.
fn expected_target(row: &Row, decision: &Decision) -> String {
    let path = decision.path();
    let whole = row.target.split('#').next().unwrap();
    let Some((_, query)) = whole.split_once('?') else { return path.to_owned() };
    let signed = decision.guard() == "signed";
    let kept = |pair: &&str| !(signed && pair.split('=').next() == Some("x-deki-token"));
    let left: Vec<&str> = query.split('&').filter(kept).collect();
    let left = left.join("&");
    if left.is_empty() && !query.is_empty() { path.to_owned() } else { format!("{path}?{left}") }
}

/// Whether no server takes the header for one that it is not written as.
fn is_plain(name: &str) -> bool {
    let starts = |start: &&&str| name.get(..start.len()).is_some_and(|it| folded_eq(it, start));
    let reserved = RESERVED.iter().any(|other| folded_eq(name, other))
        || RESERVED_STARTS.iter().any(|start| starts(&start));
    !reserved || name.starts_with("portcullis-") || OURS.contains(&name)
}

fn is_credential(name: &str) -> bool {
    CREDENTIALS.iter().any(|other| folded_eq(name, other))
}

/// Whether a header is the caller's to the letter, or one that we say.
fn is_theirs(row: &Row, callers: &Callers, (name, value): &(&str, &str)) -> bool {
    let sent = row.headers.iter().any(|(theirs, said)| {
        let said = callers.fill(said);
        theirs.eq_ignore_ascii_case(name) && (said.trim() == *value || *name == "cookie")
    });
    let ours = name.starts_with("portcullis-") || OURS.contains(name);
    let tunnel = row.headers.iter().any(|(name, _)| name == "Upgrade");
    let opens = tunnel && matches!(*name, "connection" | "upgrade");
    sent || ours || opens || matches!(*name, "host" | "x-request-id")
}

fn headers(heard: &str) -> impl Iterator<Item = (&str, &str)> {
    let head = heard.split("\r\n\r\n").next().unwrap();
    head.split("\r\n").skip(1).map(|line| line.split_once(": ").unwrap_or((line, "")))
}

fn values<'h>(heard: &'h str, wanted: &str) -> Vec<&'h str> {
    headers(heard).filter(|(name, _)| *name == wanted).map(|(_, value)| value).collect()
}
