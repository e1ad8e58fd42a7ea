//! Upstreams that behave as badly as a test wants.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

/// An upstream that does with each connection what `script` says, one after the other.
pub(crate) fn upstream(mut script: impl FnMut(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || listener.incoming().map_while(Result::ok).for_each(&mut script));
    address
}

/// An upstream that reads one request of each connection, says `answer`, and closes.
pub(crate) fn answering(answer: &'static str) -> SocketAddr {
    upstream(move |mut stream| {
        read_head(&mut stream);
        stream.write_all(answer.as_bytes()).unwrap();
    })
}

/// A port that refuses connections, and that nobody else can take while this lives.
pub(crate) struct Refusing {
    pub(crate) address: SocketAddr,
    _taken: (TcpListener, TcpStream),
}

impl Refusing {
    /// The near end of a connection has a port, and nobody listens there.
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        Self { address: stream.local_addr().unwrap(), _taken: (listener, stream) }
    }
}

/// The head of a request, up to its empty line; less if the other side ends before.
pub(crate) fn read_head(stream: &mut TcpStream) -> String {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}
