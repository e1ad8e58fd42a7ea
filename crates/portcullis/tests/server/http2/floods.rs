//! What costs a client little and would cost a server much: each ends its own connection, or costs
//! next to nothing.

use super::wire::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, PREFACE, PRIORITY,
    RST_STREAM, SETTINGS, WINDOW_UPDATE, Wire, block, frame, number, settings,
};
use super::{Site, cases, is_answer};

/// How often each is repeated.
const MANY: u32 = 20_000;
/// How much memory a server may take for one of them, in bytes: less than a byte a repetition.
const GROWTH: u64 = 24 << 20;

/// What becomes of a flood.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    /// The connection, which is told why.
    Told,
    /// The connection.
    Closed,
    /// Nothing: it is answered as fast as it is read.
    None,
}

fn flood(one: impl Fn(u32) -> Vec<u8>) -> Vec<u8> {
    (0..MANY).flat_map(|at| one(at * 2 + 1)).collect()
}

/// A literal that is kept, of almost all the table; then its number, over and over.
fn bomb() -> Vec<u8> {
    let long = "x".repeat(4_000);
    let mut kept = block(&[("x", &long)]);
    kept[0] = 0x40;
    let numbers = vec![0xbe; 15_000];
    frame(HEADERS, END_HEADERS | END_STREAM, 1, &[&cases::fields()[..], &kept, &numbers].concat())
}

#[test]
fn a_flood_ends_its_own_connection_or_costs_nothing() {
    let site = Site::new();
    let endless = frame(CONTINUATION, 0, 1, &block(&[("x", &"y".repeat(1_000))]));
    let floods = [
        (
            "rapid reset (CVE-2023-44487)",
            flood(|at| [cases::get(at), number(RST_STREAM, at, 8)].concat()),
            End::Told,
        ),
        (
            "made you reset, by windows (CVE-2025-8671)",
            flood(|at| [cases::get(at), number(WINDOW_UPDATE, at, 0)].concat()),
            End::Told,
        ),
        (
            "made you reset, by greater windows",
            flood(|at| [cases::get(at), number(WINDOW_UPDATE, at, (1 << 31) - 1)].concat()),
            End::Told,
        ),
        (
            "made you reset, by data after the end",
            flood(|at| [cases::get(at), frame(DATA, END_STREAM, at, b"x")].concat()),
            End::Told,
        ),
        (
            "a head without an end (CVE-2024-27316)",
            [frame(HEADERS, 0, 1, &[]), endless.repeat(MANY as usize / 4)].concat(),
            End::Told,
        ),
        (
            "a head in empty pieces without an end",
            [frame(HEADERS, 0, 1, &[]), frame(CONTINUATION, 0, 1, &[]).repeat(MANY as usize)]
                .concat(),
            End::Told,
        ),
        (
            "empty data (CVE-2019-9518)",
            [cases::post(1), frame(DATA, 0, 1, &[]).repeat(MANY as usize * 5)].concat(),
            End::Told,
        ),
        ("settings (CVE-2019-9515)", settings(&[(3, 9)]).repeat(MANY as usize), End::None),
        ("pings (CVE-2019-9512)", frame(PING, 0, 0, &[7; 8]).repeat(MANY as usize), End::None),
        (
            "priorities (CVE-2019-9513)",
            flood(|at| frame(PRIORITY, 0, at, &[0, 0, 0, 0, 9])),
            End::None,
        ),
    ];
    for (name, bytes, end) in floods {
        let before = site.clear.memory();
        let mut wire = site.open(false, &[]);
        // What comes back is not read meanwhile: it must not pile up either.
        wire.write(&bytes);
        assert_eq!(ended(&mut wire), end, "{name}");
        let grown = site.clear.memory().saturating_sub(before);
        assert!(grown < GROWTH, "{name}: {grown} bytes");
        answers(&site, name);
    }
}

#[test]
fn a_head_that_unfolds_to_much_is_refused() {
    let site = Site::new();
    for secure in [false, true] {
        let mut wire = site.open(secure, &[]);
        let before = site.clear.memory();
        wire.write(&bomb());
        let told = wire.find(|it| is_answer(it.kind) || [GOAWAY, RST_STREAM].contains(&it.kind));
        // 431 has no number of its own.
        assert!(told.is_none_or(|told| told.status() != Some(200)));
        assert!(site.clear.memory().saturating_sub(before) < GROWTH);
    }
    answers(&site, "a bomb");
}

/// How a connection ended, as far as it did: whoever goes on answers a last PING.
fn ended(wire: &mut Wire) -> End {
    wire.write(&frame(PING, 0, 0, b"still up"));
    let last = wire.find(|it| it.kind == GOAWAY || it.kind == PING && it.payload == b"still up");
    match last.map(|last| last.kind) {
        Some(GOAWAY) => End::Told,
        Some(_) => End::None,
        None => End::Closed,
    }
}

/// Others are answered.
fn answers(site: &Site, after: &str) {
    let mut wire = site.silent(false);
    wire.write(&[PREFACE, &settings(&[]), &cases::get(1)].concat());
    let answer = wire.find(|it| it.kind == HEADERS).unwrap();
    assert_eq!(answer.status(), Some(200), "after {after}");
    assert!(wire.find(|it| it.kind == DATA || it.kind == SETTINGS).is_some());
}
