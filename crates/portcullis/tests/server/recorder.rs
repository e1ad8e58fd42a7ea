//! An upstream that writes down every byte it gets, and answers each request that comes whole.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use crate::common::text;
use crate::upstream::upstream;

/// What ends a body that comes in chunks.
const LAST_CHUNK: &[u8] = b"\r\n0\r\n\r\n";

/// The upstream, and what it heard.
pub(crate) struct Recorder {
    pub(crate) address: SocketAddr,
    heard: Receiver<String>,
    connections: Arc<AtomicUsize>,
}

impl Recorder {
    pub(crate) fn new() -> Self {
        let (tell, heard) = channel();
        let connections = Arc::<AtomicUsize>::default();
        let count = Arc::clone(&connections);
        let address = upstream(move |stream| {
            count.fetch_add(1, Ordering::SeqCst);
            let tell = tell.clone();
            thread::spawn(move || record(stream, &tell));
        });
        Self { address, heard, connections }
    }

    /// The whole requests that it has heard since it was last asked. Each is there before its answer.
    pub(crate) fn take(&self) -> Vec<String> {
        self.heard.try_iter().collect()
    }

    /// How often it was connected to, before the last that was answered and by that.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Reads one request, and answers it if it is whole. Each has a connection of its own, so that what
/// follows it would be seen.
fn record(mut stream: TcpStream, tell: &Sender<String>) {
    let (mut bytes, mut piece) = (Vec::new(), [0; 4_096]);
    while !is_whole(&bytes) {
        match stream.read(&mut piece) {
            Ok(more @ 1..) => bytes.extend_from_slice(&piece[..more]),
            Ok(0) | Err(_) => return,
        }
    }
    drop(tell.send(text(&bytes)));
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
    drop(stream.write_all(answer));
}

fn is_whole(bytes: &[u8]) -> bool {
    let heard = text(bytes).to_lowercase();
    let Some((head, body)) = heard.split_once("\r\n\r\n") else { return false };
    if head.contains("\r\ntransfer-encoding: chunked") {
        return body.as_bytes().starts_with(&LAST_CHUNK[2..])
            || body.as_bytes().ends_with(LAST_CHUNK);
    }
    let length = head.split_once("\r\ncontent-length: ").map_or("0", |(_, rest)| rest);
    body.len() >= length.lines().next().unwrap().parse().unwrap()
}
