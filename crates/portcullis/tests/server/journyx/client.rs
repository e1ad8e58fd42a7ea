//! A caller of Journyx: the headers that it demands, and what its answers have in common.

use std::io::Write as _;
use std::sync::OnceLock;

use serde_json::{Map, Value, json};

use crate::common::{Answer, Server, connect};

/// A caller at one host, with a line of header that proves who it is, or none.
#[derive(Clone)]
pub(crate) struct Client {
    address: String,
    host: String,
    pub(crate) proof: String,
}

impl Client {
    pub(crate) fn new(server: &Server, host: &str) -> Self {
        Self { address: server.address.clone(), host: host.to_owned(), proof: String::new() }
    }

    /// The same caller with this line of header.
    pub(crate) fn with(&self, proof: &str) -> Self {
        Self { proof: proof.to_owned(), ..self.clone() }
    }

    /// The same caller at another host.
    pub(crate) fn at(&self, host: &str) -> Self {
        Self { host: host.to_owned(), ..self.clone() }
    }

    /// The same caller with the cookie of a session.
    pub(crate) fn with_session(&self, token: &str) -> Self {
        self.with(&format!("Cookie: wtsession={token}"))
    }

    /// The same caller with a session of its own.
    #[track_caller]
    pub(crate) fn sign_in(&self, login: &str, secret: &str) -> Self {
        let told = self.log_in(login, secret);
        let token = told.token();
        told.login();
        self.with_session(&token)
    }

    pub(crate) fn log_in(&self, login: &str, secret: &str) -> Told {
        self.post("/login", &json!({ "username": login, "password": secret }))
    }

    /// What the cookie holds.
    pub(crate) fn token(&self) -> &str {
        self.proof.strip_prefix("Cookie: wtsession=").unwrap()
    }

    pub(crate) fn get(&self, path: &str) -> Told {
        self.call("GET", path, "")
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Told {
        self.call("POST", path, &body.to_string())
    }

    pub(crate) fn patch(&self, path: &str, body: &Value) -> Told {
        self.call("PATCH", path, &body.to_string())
    }

    pub(crate) fn delete(&self, path: &str) -> Told {
        self.call("DELETE", path, "")
    }

    pub(crate) fn log_out(&self) -> Told {
        self.call("POST", "/logout", "")
    }

    /// Makes a key; what is told of it.
    #[track_caller]
    pub(crate) fn generate(&self, body: &Value) -> Value {
        self.post(GENERATE, body).item()
    }

    /// The keys that are told of.
    #[track_caller]
    pub(crate) fn keys(&self) -> Vec<Value> {
        self.get("/api_keys").list()
    }

    /// A call below `/api/v1` with all that is demanded.
    pub(crate) fn call(&self, method: &str, path: &str, body: &str) -> Told {
        let guard = if ["GET", "HEAD"].contains(&method) { String::new() } else { self.guard() };
        self.send(method, path, &guard, body.as_bytes())
    }

    /// The three headers, as the documentation has them.
    pub(crate) fn guard(&self) -> String {
        let host = &self.host;
        format!(
            "Origin: {host}\r\nAccept: application/json\r\nX-Requested-With: XMLHttpRequest\r\n\
             Content-Type: application/json\r\n"
        )
    }

    /// A call below `/api/v1` with these lines of header, and the proof.
    pub(crate) fn send(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Told {
        let host = &self.host;
        let proof = match &*self.proof {
            "" => String::new(),
            proof => format!("{proof}\r\n"),
        };
        let length = match (method, body.len()) {
            ("GET" | "HEAD" | "DELETE", 0) => String::new(),
            (_, length) => format!("Content-Length: {length}\r\n"),
        };
        let path = format!("/api/v1{path}");
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
             {proof}{headers}{length}\r\n"
        );
        let mut stream = connect(&self.address);
        // A server that refuses a body need not read it.
        drop(stream.write_all(&[head.as_bytes(), body].concat()));
        let (path, _) = path.split_once('?').unwrap_or((&path, ""));
        let called = format!("{method} {path}");
        Told { called, uri: format!("http://{host}{path}"), answer: Answer::read(&mut stream) }
    }
}

/// What an answer says, and to what.
pub(crate) struct Told {
    called: String,
    uri: String,
    pub(crate) answer: Answer,
}

impl Told {
    pub(crate) fn status(&self) -> u16 {
        self.answer.status()
    }

    /// The token, which both headers hold alike.
    #[track_caller]
    pub(crate) fn token(&self) -> String {
        let header = |name| self.answer.header(name);
        let token = header("x-session-id").unwrap_or_else(|| panic!("{}", self.answer.0));
        let start = format!("wtsession={token};");
        assert!(header("set-cookie").unwrap().starts_with(&start), "{}", self.answer.0);
        assert!(token.starts_with("pcl_ses_"), "{token}");
        token.to_owned()
    }

    /// What a sign-in tells, which is no envelope.
    #[track_caller]
    pub(crate) fn login(self) -> Value {
        assert_eq!(self.status(), 200, "{}: {}", self.called, self.answer.0);
        let body = self.body();
        assert_eq!(body["success"], json!(true), "{body}");
        body
    }

    /// The confirmations and the results of a success.
    #[track_caller]
    pub(crate) fn ok(self) -> (Value, Value) {
        assert_eq!(self.status(), 200, "{}: {}", self.called, self.answer.0);
        let body = self.envelope(200);
        assert_eq!(body.keys().map(String::as_str).collect::<Vec<_>>(), ENVELOPE, "{body:?}");
        assert_eq!(body["errors"], json!([]));
        (body["status"].clone(), body["results"].clone())
    }

    /// The object of a success.
    #[track_caller]
    pub(crate) fn item(self) -> Value {
        let called = self.called.clone();
        let (_, results) = self.ok();
        assert!(results.is_object(), "{called}: {results}");
        results
    }

    /// The array of a success that is no page.
    #[track_caller]
    pub(crate) fn list(self) -> Vec<Value> {
        self.ok().1.as_array().unwrap().clone()
    }

    /// What stands on a page.
    #[track_caller]
    pub(crate) fn page(self) -> Vec<Value> {
        self.collection()["results"].as_array().unwrap().clone()
    }

    /// A page with all that is told of it.
    #[track_caller]
    pub(crate) fn collection(self) -> Map<String, Value> {
        assert_eq!(self.status(), 200, "{}: {}", self.called, self.answer.0);
        let body = self.envelope(200);
        for name in body.keys() {
            let known = ENVELOPE.contains(&&**name) || PAGE.contains(&&**name);
            assert!(known, "{}: {name}", self.called);
        }
        let shown = body["results"].as_array().unwrap().len();
        assert_eq!(body["$top"], json!(shown), "{}: {}", self.called, self.answer.0);
        body
    }

    /// The one refusal of whatever may not be, worded alike everywhere.
    #[track_caller]
    pub(crate) fn forbidden(self, what: &str) {
        static SAID: OnceLock<String> = OnceLock::new();
        let said = self.refused(403, what);
        assert_eq!(&said, SAID.get_or_init(|| said.clone()), "{what}");
    }

    /// A refusal of what is hardly HTTP, before anybody read whose call it is.
    #[track_caller]
    pub(crate) fn malformed(self, what: &str) {
        assert_eq!(self.status(), 400, "{what}, {}: {}", self.called, self.answer.0);
        let body = self.body();
        assert_eq!(body["response_code"], json!(400), "{what}");
        assert_eq!((&body["success"], &body["results"]), (&json!(false), &json!(null)), "{what}");
    }

    /// The message of a refusal.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, what: &str) -> String {
        let what = format!("{what}, {}: {}", self.called, self.answer.0);
        assert_eq!(self.status(), status, "{what}");
        let body = self.envelope(status);
        assert_eq!(body.keys().map(String::as_str).collect::<Vec<_>>(), ENVELOPE, "{what}");
        assert_eq!(body["results"], json!(null), "{what}");
        assert_eq!(body["status"], json!([]), "{what}");
        let header = |name| self.answer.header(name);
        assert_eq!(status == 405, header("allow").is_some(), "{what}");
        assert_eq!(status == 429, header("retry-after").is_some(), "{what}");
        assert_eq!(header("set-cookie"), None, "{what}");
        assert_eq!(header("x-session-id"), None, "{what}");
        let errors = body["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 1, "{what}");
        errors[0].as_str().unwrap().to_owned()
    }

    /// What every envelope says of itself.
    #[track_caller]
    fn envelope(&self, status: u16) -> Map<String, Value> {
        let body = self.body().as_object().unwrap().clone();
        assert_eq!(body["response_code"], json!(status), "{}", self.called);
        assert_eq!(body["success"], json!(status == 200), "{}", self.called);
        let (uri, _) = body["uri"]
            .as_str()
            .unwrap()
            .split_once('?')
            .unwrap_or((body["uri"].as_str().unwrap(), ""));
        assert_eq!(uri, self.uri, "{}: {body:?}", self.called);
        for name in ["status", "errors", "warnings", "info"] {
            assert!(body[name].is_array(), "{}: {name} in {body:?}", self.called);
        }
        body
    }

    #[track_caller]
    pub(crate) fn body(&self) -> Value {
        let header = |name| self.answer.header(name).unwrap_or_default();
        assert_eq!(header("content-type"), "application/json", "{}", self.answer.0);
        assert_eq!(header("cache-control"), "no-store", "{}", self.answer.0);
        serde_json::from_str(self.answer.body()).unwrap()
    }
}

/// The members of an envelope, sorted.
const ENVELOPE: [&str; 8] =
    ["errors", "info", "response_code", "results", "status", "success", "uri", "warnings"];

/// What a page tells beside them.
const PAGE: [&str; 4] = ["$count", "$skip", "$top", "@nextLink"];

pub(crate) const GENERATE: &str = "/api_keys/generate_api_key";
