//! The reverse proxy between real sockets: what it speaks, where it sends, what streams through it,
//! what becomes of tunnels, and when all of that ends.

mod answers;
mod lasting;
mod origin;
mod protocols;
mod several;
mod streams;
mod tunnels;

use std::fmt::Display;

use serde_json::Value;

use crate::common::{Home, Server};

/// A guard that lets everybody of this machine through to `upstreams`, with `more` said of it.
fn open(name: &str, upstreams: &[impl Display], more: &str) -> String {
    guard(name, upstreams, &format!("networks = [\"127.0.0.0/8\"]\n{more}"))
}

/// A guard at `/NAME`.
fn guard(name: &str, upstreams: &[impl Display], more: &str) -> String {
    let upstreams: Vec<_> = upstreams.iter().map(|it| format!("\"{it}\"")).collect();
    let upstreams = upstreams.join(", ");
    format!("[[guard]]\nname = \"{name}\"\npath = \"/{name}\"\nupstreams = [{upstreams}]\n{more}\n")
}

/// A server with these guards. Each thread has connections of its own to upstreams; who counts these
/// has one.
fn serve(config: &str) -> Server {
    Server::serve(Home::new(), &format!("threads = 1\n{config}"))
}

/// A new key of somebody: its id, and the line of header that presents it.
fn key(server: &Server, more: &[&str]) -> (String, String) {
    server.home.run(&["user", "create", "zoe"]);
    let made = server.home.json(&[&["key", "create", "zoe"], more].concat());
    let text = |name: &str| made[name].as_str().map(str::to_owned).unwrap();
    assert!(matches!(made, Value::Object(_)));
    (text("id"), format!("X-Api-Key: {}", text("key")))
}
