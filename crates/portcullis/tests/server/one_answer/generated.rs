//! The requests that are drawn: every path with every way to write it, every method with every
//! credential at every guard, and what a seed makes of all of them together.

use super::row::Row;

/// Under which seed rows are drawn.
const SEED: u64 = 1;
/// How many rows are drawn.
const DRAWN: usize = 700;
/// A form that a proxy that asks does not change.
const CANONICAL: &str = "the path may have another form, or a header an alias";

const METHODS: &[&str] = &["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "QUERY"];
const GUARDED: &[&str] = &["/public", "/orders", "/admin", "/read", "/near", "/signed", "/nowhere"];
const CREDENTIALS: &[&str] = &[
    "",
    "X-Api-Key: {key}",
    "Authorization: Bearer {key}",
    "X-Api-Key: {reading}",
    "X-Api-Key: {revoked}",
    "X-Api-Key: {bound}",
    "X-Api-Key: {unknown}",
    "X-Api-Key: {key}|Authorization: Bearer {other}",
    "Cookie: wtsession={session}",
];
const SEGMENTS: &[&str] = &[
    "a",
    "%61",
    "%2e",
    "%2E%2e",
    "..",
    ".",
    "",
    "%2f",
    "%5C",
    "\\",
    ";a=b",
    "%3b",
    "%252e%252e",
    "%00",
    "%7F",
    "caf%C3%A9",
    "caf%c3%a9",
    "%c0%ae",
    "a%20b",
    "~",
    "%7e",
    "@",
    "%40",
    "A",
    "...",
    "admin",
    "%zz",
    "a:b",
    "%2B",
    "+",
    "*",
    "%E9",
    "..;",
    "%23",
    "%3F",
];
const HOSTS: &[&str] = &["api.example", "API.EXAMPLE.", "api.example:80", "other.example"];
const HEADERS: &[&str] = &[
    "",
    "",
    "Accept: */*",
    "X-Forwarded-For: 198.51.100.7",
    "X-Forwarded-For: 203.0.113.9, 198.51.100.7",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Host: forged.example",
    "X-Forwarded-Uri: /public?forged",
    "X-Real-IP: forged",
    "Forwarded: for=forged",
    "X_Forwarded_For: forged",
    "Portcullis-User: forged",
    "Portcullis_User: forged",
    "Remote.User: forged",
    "X-HTTP-Method-Override: forged",
    "X-Original-URL: http://api.example/public?forged",
    "Origin: https://api.example",
    "Origin: https://evil.example",
    "X-Trace: theirs=2",
];
const QUERIES: &[&str] = &["", "", "?", "?a=1&b=%2f..", "?x-deki-token=t&a", "?a#b", "?/admin"];

pub(super) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for method in METHODS {
        for path in GUARDED {
            for credential in CREDENTIALS {
                rows.push(Row::new("who may what", method, format!("{path}/7")).with(credential));
            }
        }
    }
    for before in ["/public/", "/public", "/admin/", "/"] {
        for segment in SEGMENTS {
            for after in ["", "/", "/admin", "?x=/public"] {
                let target = format!("{before}{segment}{after}");
                let row = Row::new("a way to write it", "GET", target);
                rows.push(row.with("X-Api-Key: {key}").rewritten(CANONICAL));
            }
        }
    }
    let mut draw = Draw(SEED);
    rows.extend((0..DRAWN).map(|_| drawn(&mut draw)));
    rows
}

fn drawn(draw: &mut Draw) -> Row {
    let mut target = draw.one(GUARDED).to_owned();
    for _ in 0..draw.below(3) {
        target = format!("{target}/{}", draw.one(SEGMENTS));
    }
    target.push_str(draw.one(QUERIES));
    let row = Row::new("drawn", draw.one(METHODS), target).rewritten(CANONICAL);
    let row = row.at(&[draw.one(HOSTS)]).with(draw.one(CREDENTIALS));
    let (first, second) = (draw.one(HEADERS), draw.one(HEADERS));
    let row = row.with(first).with(if first == second { "" } else { second });
    if draw.below(3) == 0 { row.trusted() } else { row }
}

/// A generator of numbers that are the same everywhere (`SplitMix64`).
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).unwrap()
    }

    fn one<'t>(&mut self, all: &[&'t str]) -> &'t str {
        all[self.below(all.len())]
    }
}
