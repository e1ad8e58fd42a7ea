//! What a door decided, as its line of the log tells it.

use std::collections::HashMap;

use serde_json::Value;

/// A request without one meaning.
pub(super) const MALFORMED: &str = "malformed_request";
/// What a proxy that asks is told besides: it states no request, or none with one meaning.
const UNSTATED: &str = "request_not_stated";
/// What is refused only where nobody here can rewrite it.
const OF_FORM: [&str; 6] = [
    "header_under_alias",
    MALFORMED,
    "overriding_header",
    "path_not_canonical",
    UNSTATED,
    "upgrade_to_http2",
];

/// Everything that was decided of one request, and over what.
#[derive(Debug)]
pub(super) struct Decision(Value);

impl Decision {
    pub(super) fn is_allowed(&self) -> bool {
        self.0["decision"] == "allowed"
    }

    pub(super) fn reason(&self) -> Option<&str> {
        self.0["reason"].as_str().filter(|_| !self.is_allowed())
    }

    pub(super) fn is_malformed(&self) -> bool {
        self.reason().is_some_and(|it| [MALFORMED, UNSTATED].contains(&it))
    }

    pub(super) fn is_for_form(&self) -> bool {
        self.reason().is_some_and(|it| OF_FORM.contains(&it))
    }

    pub(super) fn guard(&self) -> &str {
        self.0["guard"].as_str().unwrap_or_default()
    }

    pub(super) fn path(&self) -> &str {
        self.0["path"].as_str().unwrap_or_default()
    }

    pub(super) fn client(&self) -> &str {
        self.0["client"].as_str().unwrap_or_default()
    }

    /// Whether the target is, to the letter, what was judged.
    pub(super) fn is_to(&self, target: &str) -> bool {
        let rest = target.strip_prefix(self.path());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('?'))
    }
}

impl PartialEq for Decision {
    /// The same was decided, for the same reason, over the same request of the same caller.
    fn eq(&self, other: &Self) -> bool {
        let same = |name: &&str| self.0[name] == other.0[name];
        let over = ["guard", "method", "scheme", "user", "credential", "network", "path", "client"];
        if self.is_malformed() && other.is_malformed() {
            return true;
        }
        ["decision", "reason"].iter().all(same) && over.iter().all(same)
    }
}

/// Every decision of a log, by the name that its caller gave the request.
pub(super) fn decisions(log: &str) -> HashMap<String, Decision> {
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let named = lines.filter_map(|line| {
        let fields = line.get("fields").unwrap_or(&line);
        Some((fields["theirs"].as_str()?.to_owned(), Decision(fields.clone())))
    });
    named.collect()
}
