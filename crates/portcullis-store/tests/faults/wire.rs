//! The wire between the store and PostgreSQL, which can be cut, held, and made to lie.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

/// What happens on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// The next COMMIT does not arrive: the connection is cut.
    CutCommit,
    /// The next COMMIT arrives; its answer does not, and the connection is cut.
    CutAnswer,
    /// The same, and from then on nothing passes.
    CutAnswerAndHold,
    /// The next COMMIT is on its way until the fault changes; all else passes.
    DelayCommit,
    /// It is on its way.
    Delaying,
    /// The next COMMIT arrives; its answer and all that follows are swallowed.
    SwallowAnswer,
    /// A warning comes ahead of the answer to the next COMMIT.
    WarnAtCommit,
    /// Nothing passes in either direction, and nothing is cut.
    Hold,
}

/// A wire to a PostgreSQL server.
#[derive(Clone)]
pub(crate) struct Wire {
    pub(crate) port: u16,
    state: Arc<State>,
}

struct State {
    fault: Mutex<Fault>,
    changed: Condvar,
    connections: AtomicUsize,
}

impl Wire {
    /// A wire to `server`, which is `host:port`.
    pub(crate) fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State {
            fault: Mutex::new(Fault::None),
            changed: Condvar::new(),
            connections: AtomicUsize::new(0),
        });
        let wire = Self { port, state: Arc::clone(&state) };
        let server = server.to_owned();
        thread::spawn(move || {
            for client in listener.incoming() {
                state.connections.fetch_add(1, Ordering::Relaxed);
                join(client.unwrap(), TcpStream::connect(&server).unwrap(), &state);
            }
        });
        wire
    }

    /// From now on.
    pub(crate) fn set(&self, fault: Fault) {
        *self.state.fault.lock().unwrap() = fault;
        self.state.changed.notify_all();
    }

    /// How many connections there have been.
    pub(crate) fn connections(&self) -> usize {
        self.state.connections.load(Ordering::Relaxed)
    }
}

impl State {
    /// Waits while nothing passes.
    fn pass(&self) {
        let held = self.fault.lock().unwrap();
        drop(self.changed.wait_while(held, |fault| *fault == Fault::Hold).unwrap());
    }

    /// Waits while a COMMIT is on its way.
    fn arrive(&self) {
        let delayed = self.fault.lock().unwrap();
        drop(self.changed.wait_while(delayed, |fault| *fault == Fault::Delaying).unwrap());
    }

    /// What shall become of a COMMIT: each fault of it strikes once.
    fn at_commit(&self) -> Fault {
        let mut fault = self.fault.lock().unwrap();
        let next = match *fault {
            Fault::CutAnswerAndHold => Fault::Hold,
            Fault::DelayCommit | Fault::Delaying => Fault::Delaying,
            Fault::None
            | Fault::CutCommit
            | Fault::CutAnswer
            | Fault::SwallowAnswer
            | Fault::WarnAtCommit
            | Fault::Hold => Fault::None,
        };
        std::mem::replace(&mut *fault, next)
    }
}

/// Passes bytes between the two, each direction on a thread of its own.
fn join(client: TcpStream, server: TcpStream, state: &Arc<State>) {
    // What becomes of the answer that is waited for.
    let answer = Arc::new(Mutex::new(Fault::None));
    let (up, down) = (Arc::clone(state), Arc::clone(state));
    let (from_client, to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let decided = Arc::clone(&answer);
    thread::spawn(move || upwards(from_client, to_server, &up, &decided));
    thread::spawn(move || downwards(server, client, &down, &answer));
}

fn upwards(mut client: TcpStream, mut server: TcpStream, state: &State, answer: &Mutex<Fault>) {
    let mut buffer = [0; 65_536];
    while let Ok(count @ 1..) = client.read(&mut buffer) {
        state.pass();
        let bytes = buffer.get(..count).unwrap();
        if bytes.windows(8).any(|word| word == b"; COMMIT") {
            let fault = state.at_commit();
            if fault == Fault::CutCommit {
                break;
            }
            if fault == Fault::DelayCommit {
                state.arrive();
            }
            *answer.lock().unwrap() = fault;
        }
        if server.write_all(bytes).is_err() {
            break;
        }
    }
    cut(&client, &server);
}

fn downwards(mut server: TcpStream, mut client: TcpStream, state: &State, answer: &Mutex<Fault>) {
    let mut buffer = [0; 65_536];
    while let Ok(count @ 1..) = server.read(&mut buffer) {
        let fault = *answer.lock().unwrap();
        match fault {
            Fault::CutAnswer | Fault::CutAnswerAndHold => break,
            Fault::SwallowAnswer => continue,
            Fault::WarnAtCommit => {
                *answer.lock().unwrap() = Fault::None;
                client.write_all(&warning()).unwrap();
            }
            Fault::None | Fault::CutCommit | Fault::DelayCommit | Fault::Delaying | Fault::Hold => {
            }
        }
        state.pass();
        if client.write_all(buffer.get(..count).unwrap()).is_err() {
            break;
        }
    }
    cut(&client, &server);
}

/// The other side may be gone already.
fn cut(client: &TcpStream, server: &TcpStream) {
    drop(client.shutdown(Shutdown::Both));
    drop(server.shutdown(Shutdown::Both));
}

/// A notice, as the server sends when it gave up waiting for a standby.
fn warning() -> Vec<u8> {
    let fields = b"SWARNING\0VWARNING\0C01000\0Mcanceling wait for synchronous replication\0\0";
    let length = u32::try_from(fields.len() + 4).unwrap().to_be_bytes();
    [b"N", length.as_slice(), fields].concat()
}
