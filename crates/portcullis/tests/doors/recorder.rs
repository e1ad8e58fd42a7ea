//! An upstream that remembers what it got.

use std::io::{Read as _, Write as _};
use std::sync::{Arc, Mutex};

use crate::common::text;
use crate::upstream::{read_head, upstream};

/// What got through, a text for each request.
#[derive(Clone, Default)]
pub(crate) struct Recorder(Arc<Mutex<Vec<String>>>);

impl Recorder {
    /// One that answers at the address: `200`, or `101` to whoever wants another protocol.
    pub(crate) fn start() -> (Self, String) {
        let recorder = Self::default();
        let kept = recorder.clone();
        let address = upstream(move |mut stream| {
            let mut head = read_head(&mut stream);
            let length =
                values(&head, "content-length").first().map_or(0, |it| it.parse().unwrap());
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            head.push_str(&text(&body));
            let upgrades = !values(&head, "upgrade").is_empty();
            if !head.is_empty() {
                kept.0.lock().unwrap().push(head);
            }
            // Whoever broke off learns nothing.
            drop(stream.write_all(if upgrades { SWITCHED } else { ANSWERED }));
        });
        (recorder, address.to_string())
    }

    /// What got through since it was asked last.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// The values of the headers that a server could take for one of this name.
pub(crate) fn values<'h>(head: &'h str, name: &str) -> Vec<&'h str> {
    let folded = |name: &str| {
        let fold =
            |it: char| if it.is_ascii_alphanumeric() { it.to_ascii_lowercase() } else { '-' };
        name.chars().map(fold).collect::<String>()
    };
    let headers = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    let named = headers.filter(|(other, _)| folded(other) == folded(name));
    named.map(|(_, value)| value.trim()).collect()
}

/// Where a request went, as the upstream read it.
pub(crate) fn target(head: &str) -> &str {
    head.split(' ').nth(1).unwrap()
}

const ANSWERED: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
const SWITCHED: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
