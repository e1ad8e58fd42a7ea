//! One request, one meaning: what two servers could read in two ways is refused before an upstream
//! hears of it, or sent on in one reading, by the bytes that the upstream really got (RFC 9110,
//! RFC 9112).

mod rows;

use std::io::Write as _;
use std::thread;

use crate::common::{Answer, Home, Server};
use crate::recorder::Recorder;
use rows::{ROWS, Row, Way};

/// A server in front of an upstream that writes down every byte it gets.
struct Site {
    server: Server,
    upstream: Recorder,
}

impl Site {
    fn new() -> Self {
        let upstream = Recorder::new();
        let config = format!(
            "header_timeout = \"250ms\"\nidle_timeout = \"100ms\"\nbody_timeout = \"250ms\"\n\
             [[guard]]\nname = \"all\"\nhosts = [\"api.example\"]\npath = \"/\"\n\
             upstream = \"http://{}\"\nnetworks = [\"127.0.0.0/8\"]\n",
            upstream.address
        );
        Self { server: Server::serve(Home::new(), &config), upstream }
    }

    /// Everything that comes back for `bytes`, after which nothing is sent, until the server has
    /// waited long enough.
    fn send(&self, bytes: &[u8]) -> Answer {
        let mut stream = self.server.connect();
        // Whoever is refused early may be cut off.
        drop(stream.write_all(bytes));
        Answer::read(&mut stream)
    }
}

/// How many sites share the rows: each row waits for the end of its connection.
const SITES: usize = 8;

#[test]
fn every_request_is_refused_or_has_one_reading() {
    let exactly = |site: &Site, whole| {
        assert_eq!(site.upstream.connections(), whole, "the upstream heard more than it told");
    };
    judge(|way| way != Way::Broken, exactly);
}

#[test]
fn what_shows_only_in_the_body_never_arrives_as_whole() {
    judge(|way| way == Way::Broken, |_, whole| assert_eq!(whole, 1));
}

/// Has each of some rows go its way; in the end a site knows how many whole requests its upstream
/// heard.
fn judge(mine: impl Fn(Way) -> bool, end: impl Fn(&Site, usize) + Sync) {
    let rows: Vec<&Row> = ROWS.iter().filter(|Row(.., way)| mine(*way)).collect();
    let wrong: Vec<String> = thread::scope(|scope| {
        let shares = rows.chunks(rows.len().div_ceil(SITES));
        let sites: Vec<_> = shares.map(|rows| scope.spawn(|| went_wrong(rows, &end))).collect();
        sites.into_iter().flat_map(|site| site.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

/// What is to be said of the rows that do not go their way.
fn went_wrong(rows: &[&Row], end: impl Fn(&Site, usize)) -> Vec<String> {
    let (site, mut wrong, mut whole) = (Site::new(), Vec::new(), 0);
    for row @ Row(name, bytes, way) in rows {
        let answer = site.send(bytes).0;
        let heard = site.upstream.take();
        whole += heard.len();
        if !row.is_judged_by(&answer, &heard) {
            wrong.push(format!(
                "{name} is not {way:?}\n  answer: {answer:?}\n  upstream: {heard:?}"
            ));
        }
    }
    assert_eq!(site.send(rows::GOOD).status(), 200, "it still answers");
    end(&site, whole + site.upstream.take().len());
    wrong
}
