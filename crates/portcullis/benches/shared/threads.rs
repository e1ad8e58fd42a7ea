//! Callers and an upstream that have a thread for each connection.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

/// Does `work` at once, each its part.
pub(crate) fn spread((count, threads): (u32, u32), work: impl Fn(u32) + Sync) {
    let work = &work;
    thread::scope(|scope| {
        (0..threads).for_each(|_| drop(scope.spawn(move || work(count / threads))));
    });
}

/// An upstream that says yes to whatever it hears.
pub(crate) fn upstream() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || say_yes(stream));
        }
    });
    address
}

fn say_yes(stream: TcpStream) {
    stream.set_nodelay(true).unwrap();
    let mut told = stream.try_clone().unwrap();
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    while lines.by_ref().take_while(|line| !line.is_empty()).count() > 0 {
        // Whoever asked may have gone.
        drop(told.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    }
}
