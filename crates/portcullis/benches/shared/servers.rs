//! Servers that are measured beside one another.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How often each is measured; the best counts.
const ROUNDS: usize = 3;
/// How long a server may take to listen.
const START_LIMIT: Duration = Duration::from_secs(10);

/// The best that each server does of `count` pieces of `work`, and how the first does beside the
/// second.
pub(crate) fn compare(what: &str, servers: &[&Server], count: u32, work: impl Fn(&Server)) {
    let mut best = vec![(Duration::MAX, Duration::MAX); servers.len()];
    // In turns, so that all meet the same moods of the machine.
    for _ in 0..ROUNDS {
        for (server, best) in servers.iter().zip(&mut best) {
            let (begun, used) = (Instant::now(), server.processor_time());
            work(server);
            best.0 = best.0.min(begun.elapsed());
            best.1 = best.1.min(server.processor_time() - used);
        }
    }
    println!("{what}");
    let each = |it: Duration| it.as_secs_f64() / f64::from(count);
    for (server, (spent, used)) in servers.iter().zip(&best) {
        println!("  {:<22}{:>12.0}{:>14.1}", server.name, each(*spent).recip(), each(*used) * 1e6);
    }
    if let [ours, theirs] = best[..] {
        let ratio = |ours: Duration, theirs: Duration| ours.as_secs_f64() / theirs.as_secs_f64();
        let (rate, used) = (ratio(theirs.0, ours.0), ratio(ours.1, theirs.1));
        println!("  {:<22}{rate:>12.2}{used:>14.2}", "ratio");
    }
}

/// A server; it ends with this.
pub(crate) struct Server {
    pub(crate) name: &'static str,
    pub(crate) process: Child,
    pub(crate) address: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        // Asked, not killed: what it has started ends with it.
        let process = Pid::from_child(&self.process);
        kill_process(process, Signal::TERM).unwrap();
        self.process.wait().unwrap();
    }
}

impl Server {
    /// The processor time that it has used, its children's and the kernel's for them included.
    fn processor_time(&self) -> Duration {
        let process = self.process.id();
        let children = format!("/proc/{process}/task/{process}/children");
        let children = fs::read_to_string(children).unwrap_or_default();
        let own = [process.to_string()];
        let all = own.iter().map(String::as_str).chain(children.split_whitespace());
        all.map(processor_time).sum()
    }
}

/// What the threads of one process have used, in nanoseconds as the scheduler counts them.
fn processor_time(process: &str) -> Duration {
    let threads = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    // A thread may end while it is looked for.
    let used = threads.filter_map(|thread| {
        let used = fs::read_to_string(thread.unwrap().path().join("schedstat")).ok()?;
        used.split(' ').next()?.parse().ok().map(Duration::from_nanos)
    });
    used.sum()
}

/// An address that nobody listens on.
pub(crate) fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Waits until somebody listens at `address`.
pub(crate) fn await_listening(address: SocketAddr) {
    let begun = Instant::now();
    while TcpStream::connect(address).is_err() {
        assert!(begun.elapsed() < START_LIMIT, "it does not listen");
        thread::sleep(Duration::from_millis(20));
    }
}
