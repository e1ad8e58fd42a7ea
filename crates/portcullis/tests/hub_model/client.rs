//! A client of the hub as a partner's script is one: plain HTTP over one kept connection.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Longer than anything takes that works: what hangs fails instead.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where a hub is mounted.
#[derive(Clone, Debug)]
pub(crate) struct Mount {
    pub(crate) address: String,
    pub(crate) host: String,
    /// The prefix, without a slash at its end.
    pub(crate) prefix: String,
}

/// What is to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: &'static str,
    /// Below `/api/v1`, query and all.
    pub(crate) path: String,
    pub(crate) token: Option<String>,
    /// With its type.
    pub(crate) body: Option<(&'static str, String)>,
    /// For whom the proxy before the server speaks.
    pub(crate) from: Ipv4Addr,
}

pub(crate) const JSON: &str = "application/json";
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

impl Call {
    pub(crate) fn new(method: &'static str, path: impl Into<String>) -> Self {
        let (path, from) = (path.into(), Ipv4Addr::LOCALHOST);
        Self { method, path, token: None, body: None, from }
    }

    pub(crate) fn token(self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self }
    }

    pub(crate) fn from(self, number: u32) -> Self {
        // Documentation knows no network that is large enough.
        Self { from: Ipv4Addr::from_bits(0x0a00_0000 | number & 0x00ff_ffff), ..self }
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        Self { body: Some((JSON, body.to_string())), ..self }
    }

    /// The members of an object as a form; numbers and texts only.
    pub(crate) fn form(self, body: &Value) -> Self {
        let pairs = body.as_object().into_iter().flatten().map(|(key, value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            format!("{key}={}", escaped(&text))
        });
        Self { body: Some((FORM, pairs.collect::<Vec<_>>().join("&"))), ..self }
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, wanted: &str) -> Option<&str> {
        self.headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
    }

    /// The one object below a plural key.
    pub(crate) fn one(&self, key: &str) -> Option<&Value> {
        self.body.get(key)?.as_array()?.first()
    }
}

/// One connection, kept for as long as the server keeps it.
pub(crate) struct Client {
    mount: Mount,
    stream: BufReader<TcpStream>,
}

impl Client {
    pub(crate) fn connect(mount: &Mount) -> Self {
        Self { mount: mount.clone(), stream: BufReader::new(open(mount)) }
    }

    pub(crate) fn send(&mut self, call: &Call) -> Answer {
        let Mount { host, prefix, .. } = &self.mount;
        let mut request = format!(
            "{} {prefix}/api/v1/{} HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-For: {}\r\n",
            call.method, call.path, call.from
        );
        if let Some(token) = &call.token {
            request.push_str(&format!("Authorization: {token}\r\n"));
        }
        if let Some((kind, body)) = &call.body {
            request
                .push_str(&format!("Content-Type: {kind}\r\nContent-Length: {}\r\n", body.len()));
        }
        request.push_str("\r\n");
        request.push_str(call.body.as_ref().map_or("", |(_, body)| body));
        self.stream.get_mut().write_all(request.as_bytes()).unwrap();
        let answer = self.read().unwrap_or_else(|| panic!("no whole answer to {request}"));
        if answer.header("connection") == Some("close") {
            self.stream = BufReader::new(open(&self.mount));
        }
        answer
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line).ok().filter(|read| *read > 0)?;
        Some(line.trim_end().to_owned())
    }

    fn read(&mut self) -> Option<Answer> {
        let status = self.line()?.split(' ').nth(1)?.parse().ok()?;
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(':') else { break };
            headers.push((name.to_lowercase(), value.trim().to_owned()));
        }
        let length = headers.iter().find(|(name, _)| name == "content-length")?.1.parse().ok()?;
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).ok()?;
        Some(Answer { status, headers, body: serde_json::from_slice(&body).unwrap_or(Value::Null) })
    }
}

fn open(mount: &Mount) -> TcpStream {
    let stream = TcpStream::connect(&mount.address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// The members of a call of `/token`, under either of the two names for the user's id.
pub(crate) fn proof(name: &str, user: &str, secret: &str, nonce: &str) -> Value {
    json!({ name: user, "nonce": nonce, "hash": hash(secret, nonce) })
}

/// The lower-case hexadecimal SHA-256 of secret and nonce.
pub(crate) fn hash(secret: &str, nonce: &str) -> String {
    let digest = Sha256::digest(format!("{secret}{nonce}"));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// As `application/x-www-form-urlencoded` has it.
fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => {
            char::from(byte).to_string()
        }
        b' ' => "+".into(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}
