//! A request of the corpus, and what is to come of it.

use std::fmt;

use super::site::Door;

/// What comes of a request at the proxy door.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Is {
    /// This guard lets it through.
    Allowed(&'static str),
    /// It is refused for this reason, as the log names it.
    Refused(&'static str),
    /// The same as elsewhere: the doors are compared with one another alone.
    Whatever,
}

/// Any reason will do: it is for the schemes to name.
pub(super) const ANY: &str = "";

/// Whether another door can have a request in the form that it has in HTTP/1.1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    /// The very same.
    Same,
    /// It cannot, for this reason, and may refuse what the proxy door lets through.
    Other(&'static str),
}

/// Who opens the connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum From {
    /// Anybody.
    Stranger,
    /// A proxy of `trust.peers`.
    Trusted,
}

/// A request.
#[derive(Clone)]
pub(super) struct Row {
    /// Why it is here.
    pub(super) why: String,
    pub(super) method: String,
    pub(super) target: String,
    /// Every `Host` that it has.
    pub(super) hosts: Vec<String>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) from: From,
    pub(super) is: Is,
    /// What a proxy that asks cannot have as it was.
    form: Form,
    /// The door that such a request cannot come to, if there is one.
    pub(super) except: Option<Door>,
}

/// Ends at each hop of HTTP/1.1, and is no header of HTTP/2 (RFC 9113, section 8.2.2).
const OF_CONNECTIONS: [&str; 5] = ["connection", "keep-alive", "proxy-connection", "te", "upgrade"];

impl Row {
    /// A request for `target` at the guarded host.
    pub(super) fn new(why: impl Into<String>, method: &str, target: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            method: method.to_owned(),
            target: target.into(),
            hosts: vec!["api.example".to_owned()],
            headers: Vec::new(),
            from: From::Stranger,
            is: Is::Whatever,
            form: Form::Same,
            except: None,
        }
    }

    /// With these lines of headers.
    pub(super) fn with(mut self, lines: &str) -> Self {
        let split = |line: &str| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_owned(), value.strip_prefix(' ').unwrap_or(value).to_owned())
        };
        self.headers.extend(lines.split('|').filter(|it| !it.is_empty()).map(split));
        self
    }

    /// For these hosts instead.
    pub(super) fn at(mut self, hosts: &[&str]) -> Self {
        self.hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
        self
    }

    /// From a trusted proxy.
    pub(super) fn trusted(mut self) -> Self {
        self.from = From::Trusted;
        self
    }

    /// This guard lets it through.
    pub(super) fn allowed(mut self, guard: &'static str) -> Self {
        self.is = Is::Allowed(guard);
        self
    }

    /// It is refused, for this reason.
    pub(super) fn refused(mut self, reason: &'static str) -> Self {
        self.is = Is::Refused(reason);
        self
    }

    /// The proxy door would rewrite it, and a proxy that asks would not.
    pub(super) fn rewritten(mut self, why: &'static str) -> Self {
        self.form = Form::Other(why);
        self
    }

    /// It cannot come to `door`, for this reason.
    pub(super) fn except(mut self, door: Door, why: &str) -> Self {
        self.except = Some(door);
        self.why = format!("{} ({why})", self.why);
        self
    }

    /// The form in which HTTP/2 has it.
    pub(super) fn in_http2(&self) -> Form {
        let own = |(name, _): &(String, String)| OF_CONNECTIONS.contains(&&*name.to_lowercase());
        if self.headers.iter().any(own) {
            return Form::Other("a header of HTTP/1.1's connections");
        }
        if !self.target.starts_with('/') {
            return Form::Other("a target that is no path");
        }
        Form::Same
    }

    /// The form in which a proxy that asks states it.
    pub(super) const fn as_asked(&self) -> Form {
        self.form
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { why, method, target, hosts, headers, from, .. } = self;
        write!(f, "{why}: {from:?} {method} {target} {hosts:?} {headers:?}")
    }
}
