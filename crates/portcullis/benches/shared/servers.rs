//! Servers that are measured beside one another, and an upstream behind them.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How often each is measured; the best counts.
const ROUNDS: usize = 3;
/// How long a server may take to listen.
const START_LIMIT: Duration = Duration::from_secs(10);
/// Clock ticks of processor time in a second (`getconf CLK_TCK`).
const TICKS: u64 = 100;

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

fn processor_time(process: &str) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // The name, in brackets, may hold blanks; the 14th and 15th field are meant.
    let fields = stat.rsplit_once(')').unwrap().1.split_whitespace().skip(11).take(2);
    let ticks: u64 = fields.map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 1_000 / TICKS)
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
