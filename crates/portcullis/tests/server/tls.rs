//! TLS and HTTP/2 as callers meet them: handshakes, certificates of both sides, both protocols,
//! what changes under way, and the plain address beside.

pub(crate) mod authority;
mod certificates;
pub(crate) mod client;
mod frames;
mod handshakes;
mod http2;
mod redirect;
mod reload;

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, channel};

use crate::common::{Home, Server};
use crate::upstream::{read_head, upstream};
use authority::{Authority, Pair};
use client::Client;

/// A server that speaks TLS, and what its callers need to know.
pub(crate) struct Site {
    server: Server,
    authority: Authority,
    /// Who vouches for clients.
    clients: Authority,
    /// What reached the upstream: the head of each request.
    heads: Receiver<String>,
}

impl Site {
    fn new() -> Self {
        Self::with("", "")
    }

    /// With `settings` in `[server]`, and `more` after all else.
    fn with(settings: &str, more: &str) -> Self {
        let (tell, heads) = channel();
        let upstream = upstream(move |mut stream| {
            tell.send(read_head(&mut stream)).unwrap();
            // Whoever asked may have gone.
            let _told = stream.write_all(
                b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\n\r\nok",
            );
        });
        Self::before(upstream, heads, settings, more)
    }

    /// In front of `upstream`, which two guards lead to: one open, one for those with a
    /// certificate.
    fn before(upstream: SocketAddr, heads: Receiver<String>, settings: &str, more: &str) -> Self {
        let (home, authority, clients) = (Home::new(), Authority::new(), Authority::new());
        let [certificate, key] = write(&home, &authority.vouch("localhost"));
        let ca = home.write("clients.pem", &clients.root);
        let guard = |name: &str, more: &str| {
            format!(
                "[[guard]]\nname = \"{name}\"\npath = \"/{name}\"\nupstream = \"http://{upstream}\"\n\
                 networks = [\"127.0.0.0/8\"]\n{more}\n"
            )
        };
        let (open, strict) = (guard("open", ""), guard("strict", "client_certificate = true"));
        let config = format!(
            "{settings}\n[tls]\ncertificate = \"{certificate}\"\nkey = \"{key}\"\n\
             client_ca = \"{ca}\"\n{open}{strict}{more}"
        );
        Self { server: Server::serve(home, &config), authority, clients, heads }
    }

    /// In front of `upstream`, at `/open`, for those who speak HTTP/2 by hand.
    pub(crate) fn by_hand(upstream: SocketAddr) -> Self {
        Self::before(upstream, channel().1, "", "")
    }

    /// A connection in HTTP/2 of which nothing was said yet.
    pub(crate) fn raw(&self) -> impl Read + Write + 'static {
        self.client().shake(&["h2"]).unwrap()
    }

    /// A client that shows no certificate.
    fn client(&self) -> Client {
        Client::new(&self.server.address, &self.authority, None)
    }

    /// A client that shows one.
    fn client_with(&self, pair: &Pair) -> Client {
        Client::new(&self.server.address, &self.authority, Some(pair))
    }
}

/// Puts a certificate and its key where the server reads them.
fn write(home: &Home, pair: &Pair) -> [String; 2] {
    [home.write("chain.pem", &pair.certificate), home.write("key.pem", &pair.key)]
}
