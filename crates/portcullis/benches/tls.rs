//! What TLS costs: handshakes, and requests over kept connections, beside nginx with the same key
//! in front of the same upstream, in turns. The guard demands an API key; nginx demands nothing.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark may fail loudly, and prints"
)]

#[path = "shared/servers.rs"]
mod servers;
#[path = "shared/threads.rs"]
mod threads;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::{fs, thread};

use rcgen::{CertificateParams, KeyPair};
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use servers::{Server, await_listening, compare, free};
use threads::{spread, upstream};

/// How many handshakes, and by how many at once.
const HANDSHAKES: (u32, u32) = (4_000, 8);
/// How many requests, over how many connections.
const REQUESTS: (u32, u32) = (64_000, 16);

fn main() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let config = make_certificate(folder.path());
    let upstream = upstream();
    let (portcullis, key) = portcullis(folder.path(), upstream);
    let nginx = nginx(folder.path(), upstream);
    if nginx.is_none() {
        println!("nginx was not found, and is not measured: `apt-get install nginx-light`");
    }
    let servers: Vec<_> = [Some(&portcullis), nginx.as_ref()].into_iter().flatten().collect();
    println!("{:<24}{:>12}{:>14}", "", "per second", "CPU each, µs");
    let request =
        |more: &str| format!("GET /one HTTP/1.1\r\nHost: any\r\nX-Api-Key: {key}\r\n{more}\r\n");
    let (close, keep) = (request("Connection: close\r\n"), request(""));
    compare("a handshake, a request and the end", &servers, HANDSHAKES.0, |server| {
        spread(HANDSHAKES, |count| {
            (0..count).for_each(|_| ask(&mut connect(server, &config), &close));
        });
    });
    compare("a request on a kept connection", &servers, REQUESTS.0, |server| {
        spread(REQUESTS, |count| {
            let mut stream = connect(server, &config);
            (0..count).for_each(|_| ask(&mut stream, &keep));
        });
    });
}

/// Writes a certificate and its key (ECDSA on P-256); what a client needs that never resumes.
fn make_certificate(folder: &Path) -> Arc<ClientConfig> {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&key);
    let pem = certificate.unwrap().pem();
    fs::write(folder.join("chain.pem"), &pem).unwrap();
    fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Arc::new(config)
}

fn connect(
    server: &Server,
    config: &Arc<ClientConfig>,
) -> StreamOwned<ClientConnection, TcpStream> {
    let name = ServerName::try_from("localhost").unwrap();
    let session = ClientConnection::new(Arc::clone(config), name).unwrap();
    let socket = TcpStream::connect(server.address).unwrap();
    socket.set_nodelay(true).unwrap();
    StreamOwned::new(session, socket)
}

/// Sends it, and reads an answer without a body.
fn ask(stream: &mut StreamOwned<ClientConnection, TcpStream>, request: &str) {
    stream.write_all(request.as_bytes()).unwrap();
    let (mut answer, mut piece) = (Vec::new(), [0; 1_024]);
    while !answer.ends_with(b"\r\n\r\n") {
        let read = stream.read(&mut piece).unwrap();
        assert_ne!(read, 0, "it broke off");
        answer.extend_from_slice(&piece[..read]);
    }
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
}

/// Our own, and the key that its guard demands.
fn portcullis(folder: &Path, upstream: SocketAddr) -> (Server, String) {
    let data = folder.join("data");
    let command = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        command.arg("--data").arg(&data);
        command
    };
    assert!(command().args(["user", "create", "owner"]).output().unwrap().status.success());
    let key = command().args(["--json", "key", "create", "owner"]).output().unwrap().stdout;
    let key: serde_json::Value = serde_json::from_slice(&key).unwrap();
    let at = |name| folder.join(name).display().to_string();
    let config = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[tls]\ncertificate = \"{}\"\nkey = \"{}\"\n\
         [log]\nlevel = \"error\"\n[[guard]]\nname = \"one\"\npath = \"/one\"\n\
         upstream = \"http://{upstream}\"\nschemes = [\"api_key\"]\n",
        at("chain.pem"),
        at("key.pem")
    );
    let file = folder.join("portcullis.toml");
    fs::write(&file, config).unwrap();
    let mut serve = command();
    serve.arg("serve").arg("--config").arg(file).stderr(Stdio::piped());
    let mut process = serve.spawn().unwrap();
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines().map_while(Result::ok);
    let address = lines.find_map(|line| Some(line.strip_prefix("listening on https://")?.parse()));
    thread::spawn(move || lines.for_each(drop));
    let server = Server { name: "portcullis", process, address: address.unwrap().unwrap() };
    (server, key["key"].as_str().unwrap().to_owned())
}

/// nginx, if it is installed.
fn nginx(folder: &Path, upstream: SocketAddr) -> Option<Server> {
    let address = free();
    let config = format!(
        "daemon off;\npid nginx.pid;\nerror_log stderr error;\nworker_processes auto;\n\
         events {{ worker_connections 1024; }}\n\
         http {{\n  access_log off;\n  keepalive_requests 1000000;\n\
         client_body_temp_path body;\n  proxy_temp_path proxy;\n  fastcgi_temp_path fastcgi;\n\
         uwsgi_temp_path uwsgi;\n  scgi_temp_path scgi;\n\
         upstream one {{ server {upstream}; keepalive 64; keepalive_requests 1000000; }}\n\
         server {{\n    listen {address} ssl;\n    ssl_certificate chain.pem;\n\
         ssl_certificate_key key.pem;\n    ssl_protocols TLSv1.2 TLSv1.3;\n\
         location / {{ proxy_pass http://one; proxy_http_version 1.1;\n\
         proxy_set_header Connection \"\"; }}\n  }}\n}}\n"
    );
    fs::write(folder.join("nginx.conf"), config).unwrap();
    let mut command = Command::new("nginx");
    command.arg("-p").arg(folder).args(["-c", "nginx.conf", "-e", "stderr"]);
    let process = command.spawn().ok()?;
    await_listening(address);
    Some(Server { name: "nginx", process, address })
}
