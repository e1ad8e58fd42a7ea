//! The cases, in the order of the standards: what a client sends once a connection is open, and what
//! comes of it. Numbers of sections are those of RFC 9113 and, where it says so, RFC 7541.

#![expect(clippy::too_many_lines, reason = "they are tables")]

use Outcome::{Answered, Connection, Ends, Ignored, Pong, Settled, Stream};

use super::wire::{
    ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, Field, GOAWAY, HEADERS, PADDED, PING,
    PRIORITY, PUSH_PROMISE, RST_STREAM, SETTINGS, UNKNOWN, WINDOW_UPDATE, WITH_PRIORITY, block,
    frame, number, settings,
};

/// Errors (RFC 9113, section 7).
pub(super) const PROTOCOL_ERROR: u32 = 1;
const FLOW_CONTROL_ERROR: u32 = 3;
const STREAM_CLOSED: u32 = 5;
const FRAME_SIZE_ERROR: u32 = 6;
const REFUSED_STREAM: u32 = 7;
const CANCEL: u32 = 8;
const COMPRESSION_ERROR: u32 = 9;

/// What comes of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    /// The request on this stream is answered with this status.
    Answered(u32, u16),
    /// The connection ends, for one of these reasons.
    Connection(&'static [u32]),
    /// The connection ends. The standard has a code of its own for the reason; the library says
    /// `PROTOCOL_ERROR` to all of them, which a client can do as little about.
    Ends(u32),
    /// Nothing, and the connection goes on.
    Ignored,
    /// A PING comes back.
    Pong(&'static [u8; 8]),
    /// The settings are acknowledged.
    Settled,
    /// This stream ends, or all of the connection, for one of these reasons; or it is answered 400.
    Stream(u32, &'static [u32]),
}

/// One case.
pub(super) struct Case {
    pub(super) section: &'static str,
    pub(super) name: &'static str,
    /// What the client allows, as pairs of a number and a value.
    pub(super) allows: &'static [(u16, u32)],
    pub(super) sends: Vec<u8>,
    pub(super) outcome: Outcome,
}

const METHOD: Field<'_> = (":method", "GET");
const POSTS: Field<'_> = (":method", "POST");
const SCHEME: Field<'_> = (":scheme", "http");
const PATH: Field<'_> = (":path", "/open");
const AUTHORITY: Field<'_> = (":authority", "localhost");
const GET: &[Field<'_>] = &[METHOD, SCHEME, PATH, AUTHORITY];
const POST: &[Field<'_>] = &[POSTS, SCHEME, PATH, AUTHORITY];

/// A head, and whether it is all of the request.
fn head(stream: u32, fields: &[Field<'_>], flags: u8) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | flags, stream, &block(fields))
}

/// A whole request.
pub(super) fn get(stream: u32) -> Vec<u8> {
    head(stream, GET, END_STREAM)
}

/// The fields of a whole request, as a block.
pub(super) fn fields() -> Vec<u8> {
    block(GET)
}

/// The head of a request whose body follows.
pub(super) fn post(stream: u32) -> Vec<u8> {
    head(stream, POST, 0)
}

/// A whole request with a field more.
fn with(field: Field<'_>) -> Vec<u8> {
    head(1, &[GET, &[field]].concat(), END_STREAM)
}

/// A whole request of these fields alone.
fn of(fields: &[Field<'_>]) -> Vec<u8> {
    head(1, fields, END_STREAM)
}

/// The head of a good request, and in the block something more.
fn coded(more: &[u8]) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END_STREAM, 1, &[&block(GET), more].concat())
}

fn data(stream: u32, flags: u8, bytes: &[u8]) -> Vec<u8> {
    frame(DATA, flags, stream, bytes)
}

fn join(frames: &[Vec<u8>]) -> Vec<u8> {
    frames.concat()
}

/// Which stream depends on which, with what weight.
fn priority(stream: u32, on: u32, weight: u8) -> Vec<u8> {
    frame(PRIORITY, 0, stream, &[&on.to_be_bytes()[..], &[weight]].concat())
}

/// A head in two pieces, of which the first alone is sent.
fn first_half(stream: u32) -> Vec<u8> {
    frame(HEADERS, END_STREAM, stream, &block(&GET[..2]))
}

fn second_half(stream: u32, flags: u8) -> Vec<u8> {
    frame(CONTINUATION, flags, stream, &block(&GET[2..]))
}

/// All of them.
pub(super) fn all() -> Vec<Case> {
    let groups = [framing(), streams(), frames(), bounds(), heads(), blocks()];
    groups.into_iter().flatten().collect()
}

type Group = Vec<Case>;

fn case(section: &'static str, name: &'static str, sends: Vec<u8>, outcome: Outcome) -> Case {
    Case { section, name, allows: &[], sends, outcome }
}

/// Sections 3 and 4.
fn framing() -> Group {
    let mut reserved = frame(PING, 0, 0, b"reserved");
    reserved[5] |= 0x80;
    let huge = block(&[("x", &"x".repeat(16_384))]);
    vec![
        case("3.4", "nothing more than the preface", vec![], Ignored),
        case("4.1", "a frame of a kind that nobody knows", frame(UNKNOWN, 0, 0, &[0; 8]), Ignored),
        case(
            "4.1",
            "a flag that nobody knows",
            frame(PING, 0x16, 0, b"undefine"),
            Pong(b"undefine"),
        ),
        case("4.1", "a bit that is reserved", reserved, Pong(b"reserved")),
        case(
            "4.2",
            "the greatest frame",
            join(&[post(1), data(1, END_STREAM, &[0; 16_384])]),
            Answered(1, 200),
        ),
        case(
            "4.2",
            "a frame of DATA beyond the greatest",
            join(&[post(1), data(1, END_STREAM, &[0; 16_385])]),
            Stream(1, &[FRAME_SIZE_ERROR]),
        ),
        case(
            "4.2",
            "a frame of HEADERS beyond the greatest",
            frame(HEADERS, 5, 1, &[block(GET), huge.clone()].concat()),
            Connection(&[FRAME_SIZE_ERROR]),
        ),
        case(
            "4.2",
            "a frame of SETTINGS beyond the greatest",
            settings(&[(0x7a, 0); 2_731]),
            Connection(&[FRAME_SIZE_ERROR]),
        ),
        case(
            "4.3",
            "a block that cannot be read",
            frame(HEADERS, 5, 1, &[0x40, 0x0a, b'x']),
            Ends(COMPRESSION_ERROR),
        ),
        case(
            "4.3",
            "PRIORITY within a block",
            join(&[first_half(1), priority(1, 0, 255), second_half(1, END_HEADERS)]),
            Connection(&[PROTOCOL_ERROR]),
        ),
        case(
            "4.3",
            "the block of another stream within a block",
            join(&[first_half(1), get(3), second_half(1, END_HEADERS)]),
            Connection(&[PROTOCOL_ERROR]),
        ),
    ]
}

/// Section 5.
fn streams() -> Group {
    let idle = |name, sends| case("5.1", name, sends, Connection(&[PROTOCOL_ERROR]));
    let half_closed =
        |name, sends: Vec<u8>, codes| case("5.1", name, join(&[get(1), sends]), Stream(1, codes));
    let reset = |name, sends: Vec<u8>, codes| {
        let sends = join(&[post(1), number(RST_STREAM, 1, CANCEL), sends]);
        case("5.1", name, sends, Stream(1, codes))
    };
    vec![
        idle("DATA where nothing is open", data(1, END_STREAM, b"x")),
        idle("RST_STREAM where nothing is open", number(RST_STREAM, 1, CANCEL)),
        idle("WINDOW_UPDATE where nothing is open", number(WINDOW_UPDATE, 1, 100)),
        idle("CONTINUATION where nothing is open", second_half(1, END_HEADERS)),
        half_closed(
            "DATA after the end",
            data(1, END_STREAM, b"x"),
            &[STREAM_CLOSED, PROTOCOL_ERROR],
        ),
        half_closed("HEADERS after the end", get(1), &[STREAM_CLOSED, PROTOCOL_ERROR]),
        half_closed(
            "CONTINUATION after the end",
            second_half(1, END_HEADERS),
            &[STREAM_CLOSED, PROTOCOL_ERROR],
        ),
        case(
            "5.1",
            "WINDOW_UPDATE after the end",
            join(&[get(1), number(WINDOW_UPDATE, 1, 1)]),
            Answered(1, 200),
        ),
        case("5.1", "PRIORITY after the end", join(&[get(1), priority(1, 0, 9)]), Answered(1, 200)),
        case(
            "5.1",
            "RST_STREAM after the end",
            join(&[get(1), number(RST_STREAM, 1, CANCEL)]),
            Ignored,
        ),
        case(
            "5.1",
            "PRIORITY after a reset",
            join(&[post(1), number(RST_STREAM, 1, CANCEL), priority(1, 0, 9)]),
            Ignored,
        ),
        reset("HEADERS after a reset", get(1), &[STREAM_CLOSED, PROTOCOL_ERROR]),
        reset(
            "CONTINUATION after a reset",
            second_half(1, END_HEADERS),
            &[STREAM_CLOSED, PROTOCOL_ERROR],
        ),
        case("5.1.1", "a stream of an even number", get(2), Connection(&[PROTOCOL_ERROR])),
        case(
            "5.1.1",
            "a stream of a lower number",
            join(&[get(5), get(3)]),
            Connection(&[PROTOCOL_ERROR, STREAM_CLOSED]),
        ),
        case(
            "5.1.2",
            "more streams than there may be",
            (0..=100).flat_map(|at| post(at * 2 + 1)).collect(),
            Stream(201, &[REFUSED_STREAM, PROTOCOL_ERROR]),
        ),
        case(
            "5.3.1",
            "PRIORITY of a stream that is idle",
            join(&[priority(1, 0, 9), get(1)]),
            Answered(1, 200),
        ),
        case(
            "5.3.1",
            "PRIORITY of a higher stream",
            join(&[priority(7, 0, 0), get(1)]),
            Answered(1, 200),
        ),
        case(
            "5.3.1",
            "a dependency that is exclusive",
            join(&[get(1), priority(3, 0x8000_0001, 255), get(3)]),
            Answered(3, 200),
        ),
        case(
            "5.3.1",
            "HEADERS that depend on themselves",
            frame(HEADERS, 5 | WITH_PRIORITY, 1, &[&[0, 0, 0, 1, 255], &block(GET)[..]].concat()),
            Stream(1, &[PROTOCOL_ERROR]),
        ),
        case(
            "5.3.1",
            "PRIORITY that depends on itself",
            priority(1, 1, 255),
            Stream(1, &[PROTOCOL_ERROR]),
        ),
        case("5.5", "an extension", frame(UNKNOWN, 0xff, 1, b"anything"), Ignored),
        case(
            "5.5",
            "an extension within a block",
            join(&[first_half(1), frame(UNKNOWN, 0, 1, &[]), second_half(1, END_HEADERS)]),
            Connection(&[PROTOCOL_ERROR]),
        ),
    ]
}

/// Section 6, up to flow control, and section 7.
fn frames() -> Group {
    let protocol = |section, name, sends| case(section, name, sends, Connection(&[PROTOCOL_ERROR]));
    let size = |section, name, sends| case(section, name, sends, Ends(FRAME_SIZE_ERROR));
    let padded = |kind, body: &[u8]| frame(kind, 5 | PADDED, 1, &[&[3], body, &[0; 3]].concat());
    vec![
        case("6.1", "DATA", join(&[post(1), data(1, END_STREAM, b"ok")]), Answered(1, 200)),
        case(
            "6.1",
            "DATA in pieces",
            join(&[post(1), data(1, 0, b"o"), data(1, 0, b""), data(1, END_STREAM, b"k")]),
            Answered(1, 200),
        ),
        case(
            "6.1",
            "DATA with padding",
            join(&[post(1), frame(DATA, END_STREAM | PADDED, 1, b"\x03ok\0\0\0")]),
            Answered(1, 200),
        ),
        protocol("6.1", "DATA of no stream", data(0, 0, b"x")),
        protocol(
            "6.1",
            "DATA with more padding than there is",
            join(&[post(1), frame(DATA, END_STREAM | PADDED, 1, b"\x06test")]),
        ),
        case("6.2", "HEADERS", get(1), Answered(1, 200)),
        case("6.2", "HEADERS with padding", padded(HEADERS, &block(GET)), Answered(1, 200)),
        case(
            "6.2",
            "HEADERS with priority",
            frame(HEADERS, 5 | WITH_PRIORITY, 1, &[&[0, 0, 0, 0, 255], &block(GET)[..]].concat()),
            Answered(1, 200),
        ),
        protocol("6.2", "HEADERS of no stream", get(0)),
        protocol(
            "6.2",
            "HEADERS with more padding than there is",
            frame(HEADERS, 5 | PADDED, 1, &[&[250], &block(GET)[..]].concat()),
        ),
        protocol(
            "6.2",
            "HEADERS without end, and PRIORITY",
            join(&[first_half(1), priority(1, 0, 1)]),
        ),
        protocol("6.2", "HEADERS without end, and others", join(&[first_half(1), get(3)])),
        case("6.3", "the least weight", join(&[priority(1, 0, 0), get(1)]), Answered(1, 200)),
        case("6.3", "the greatest weight", join(&[priority(1, 0, 255), get(1)]), Answered(1, 200)),
        case("6.3", "a dependency", join(&[get(1), priority(3, 1, 9), get(3)]), Answered(3, 200)),
        protocol("6.3", "PRIORITY of no stream", priority(0, 1, 9)),
        case(
            "6.3",
            "PRIORITY that is too short",
            join(&[post(1), frame(PRIORITY, 0, 1, &[0; 4])]),
            Ends(FRAME_SIZE_ERROR),
        ),
        case("6.4", "RST_STREAM", join(&[post(1), number(RST_STREAM, 1, CANCEL)]), Ignored),
        protocol("6.4", "RST_STREAM of no stream", number(RST_STREAM, 0, CANCEL)),
        protocol("6.4", "RST_STREAM of an idle stream", number(RST_STREAM, 3, CANCEL)),
        size(
            "6.4",
            "RST_STREAM that is too short",
            join(&[post(1), frame(RST_STREAM, 0, 1, &[0; 3])]),
        ),
        case("6.5", "SETTINGS", settings(&[(3, 10)]), Settled),
        size("6.5", "an acknowledgement with something in it", frame(SETTINGS, ACK, 0, &[0; 6])),
        protocol("6.5", "SETTINGS of a stream", frame(SETTINGS, 0, 1, &[0, 3, 0, 0, 0, 9])),
        size("6.5", "half a setting", frame(SETTINGS, 0, 0, &[0, 3, 0])),
        protocol("6.5.2", "ENABLE_PUSH of two", settings(&[(2, 2)])),
        case(
            "6.5.2",
            "a window beyond the greatest",
            settings(&[(4, 1 << 31)]),
            Ends(FLOW_CONTROL_ERROR),
        ),
        protocol("6.5.2", "a frame below the least", settings(&[(5, 16_383)])),
        protocol("6.5.2", "a frame beyond the greatest", settings(&[(5, 1 << 24)])),
        case("6.5.2", "a setting that nobody knows", settings(&[(0xff, 1)]), Ignored),
        case("6.5.3", "SETTINGS are acknowledged", settings(&[(1, 100), (1, 200)]), Settled),
        case("6.7", "PING", frame(PING, 0, 0, b"h2 spec!"), Pong(b"h2 spec!")),
        case("6.7", "a PING that answers one", frame(PING, ACK, 0, b"invalid!"), Ignored),
        protocol("6.7", "PING of a stream", frame(PING, 0, 1, &[0; 8])),
        size("6.7", "PING that is too short", frame(PING, 0, 0, &[0; 6])),
        protocol("6.8", "GOAWAY of a stream", frame(GOAWAY, 0, 1, &[0; 8])),
        protocol("6.6", "a promise of a client", frame(PUSH_PROMISE, 4, 1, &[0, 0, 0, 2])),
        case(
            "7",
            "GOAWAY with a code that nobody knows",
            join(&[get(1), frame(GOAWAY, 0, 0, &[0, 0, 0, 0, 0, 0, 0, 0xff])]),
            Answered(1, 200),
        ),
        case(
            "7",
            "RST_STREAM with a code that nobody knows",
            join(&[post(1), number(RST_STREAM, 1, 0xff)]),
            Ignored,
        ),
        protocol(
            "5.4.1",
            "something wrong in what only serves the connection",
            frame(PING, 0, 3, &[0; 8]),
        ),
    ]
}

/// Sections 6.9 and 6.10.
fn bounds() -> Group {
    let protocol = |section, name, sends| case(section, name, sends, Connection(&[PROTOCOL_ERROR]));
    let flow = Connection(&[FLOW_CONTROL_ERROR]);
    let greatest = (1 << 31) - 1;
    let third = [&block(&GET[2..3])[..], &block(&GET[3..])].map(<[u8]>::to_vec);
    vec![
        case(
            "6.9",
            "a window of the connection",
            join(&[number(WINDOW_UPDATE, 0, 1), get(1)]),
            Answered(1, 200),
        ),
        case(
            "6.9",
            "a window of a stream",
            join(&[get(1), number(WINDOW_UPDATE, 1, 1)]),
            Answered(1, 200),
        ),
        protocol("6.9", "a window that grows by nothing", number(WINDOW_UPDATE, 0, 0)),
        case(
            "6.9",
            "a stream's window that grows by nothing",
            join(&[post(1), number(WINDOW_UPDATE, 1, 0)]),
            Stream(1, &[PROTOCOL_ERROR]),
        ),
        case(
            "6.9",
            "WINDOW_UPDATE that is too short",
            frame(WINDOW_UPDATE, 0, 0, &[0; 3]),
            Ends(FRAME_SIZE_ERROR),
        ),
        case("6.9.1", "a window beyond the greatest", number(WINDOW_UPDATE, 0, greatest), flow),
        case(
            "6.9.1",
            "a stream's window beyond the greatest",
            join(&[post(1), number(WINDOW_UPDATE, 1, greatest)]),
            Stream(1, &[FLOW_CONTROL_ERROR]),
        ),
        case(
            "6.9.2",
            "a window beyond the greatest by a setting",
            settings(&[(4, 1 << 31)]),
            Ends(FLOW_CONTROL_ERROR),
        ),
        case(
            "6.10",
            "a head in two pieces",
            join(&[first_half(1), second_half(1, END_HEADERS)]),
            Answered(1, 200),
        ),
        case(
            "6.10",
            "a head in three pieces",
            join(&[
                first_half(1),
                frame(CONTINUATION, 0, 1, &third[0]),
                frame(CONTINUATION, END_HEADERS, 1, &third[1]),
            ]),
            Answered(1, 200),
        ),
        protocol(
            "6.10",
            "another frame within a head",
            join(&[first_half(1), second_half(1, 0), data(1, END_STREAM, b"x")]),
        ),
        protocol(
            "6.10",
            "CONTINUATION of no stream",
            join(&[first_half(1), second_half(0, END_HEADERS)]),
        ),
        protocol(
            "6.10",
            "CONTINUATION after the end",
            join(&[post(1), second_half(1, END_HEADERS)]),
        ),
        protocol(
            "6.10",
            "CONTINUATION after its own end",
            join(&[first_half(1), second_half(1, END_HEADERS), second_half(1, END_HEADERS)]),
        ),
        protocol(
            "6.10",
            "CONTINUATION after DATA",
            join(&[post(1), data(1, 0, b"x"), second_half(1, END_HEADERS)]),
        ),
    ]
}

/// Section 8.
fn heads() -> Group {
    let bad = |section, name, sends| case(section, name, sends, Stream(1, &[PROTOCOL_ERROR]));
    let trailers =
        |fields: &[Field<'_>], flags| join(&[post(1), data(1, 0, b"x"), head(1, fields, flags)]);
    let without = |left: usize| {
        let left: Vec<_> =
            GET.iter().enumerate().filter(|(at, _)| *at != left).map(|(_, it)| *it).collect();
        of(&left)
    };
    let length = |said: &str, pieces: &[&[u8]]| {
        let fields = [POST, &[("content-length", said)]].concat();
        let mut sends = head(1, &fields, 0);
        for (at, piece) in pieces.iter().enumerate() {
            let last = if at + 1 == pieces.len() { END_STREAM } else { 0 };
            sends.extend(data(1, last, piece));
        }
        sends
    };
    vec![
        case("8.1", "GET", get(1), Answered(1, 200)),
        case(
            "8.1",
            "HEAD",
            of(&[(":method", "HEAD"), SCHEME, (":path", "/healthz"), AUTHORITY]),
            Answered(1, 200),
        ),
        case("8.1", "POST", join(&[post(1), data(1, END_STREAM, b"x")]), Answered(1, 200)),
        case(
            "8.1",
            "POST with trailers",
            trailers(&[("x-sum", "1")], END_STREAM),
            Answered(1, 200),
        ),
        bad("8.1", "a second head without an end", trailers(&[("x-sum", "1")], 0)),
        // The library does not look at what is no field there; trailers are dropped whole, so nobody
        // is told.
        case(
            "8.1",
            "trailers with a pseudo-field",
            trailers(&[METHOD], END_STREAM),
            Answered(1, 200),
        ),
        bad("8.2.1", "a name in capitals", with(("X-Test", "ok"))),
        bad("8.2.1", "a name with a blank", with(("x test", "ok"))),
        bad("8.2.1", "a name with a colon", with(("x:test", "ok"))),
        bad("8.2.1", "an empty name", with(("", "ok"))),
        bad("8.2.1", "a value with a NUL", with(("x-test", "a\0b"))),
        bad("8.2.1", "a value with a CR", with(("x-test", "a\rb"))),
        bad("8.2.1", "a value with a LF", with(("x-test", "a\nb"))),
        bad("8.2.2", "Connection", with(("connection", "keep-alive"))),
        bad("8.2.2", "Keep-Alive", with(("keep-alive", "1"))),
        bad("8.2.2", "Proxy-Connection", with(("proxy-connection", "close"))),
        bad("8.2.2", "Transfer-Encoding", with(("transfer-encoding", "chunked"))),
        bad("8.2.2", "Upgrade", with(("upgrade", "h2c"))),
        bad("8.2.2", "TE of more than trailers", with(("te", "trailers, deflate"))),
        case("8.2.2", "TE of trailers", with(("te", "trailers")), Answered(1, 200)),
        bad("8.3", "a pseudo-field that nobody knows", with((":test", "ok"))),
        bad("8.3", "a pseudo-field of an answer", with((":status", "200"))),
        bad(
            "8.3",
            "a pseudo-field after others",
            of(&[METHOD, SCHEME, ("x-test", "ok"), PATH, AUTHORITY]),
        ),
        bad("8.3.1", "an empty path", of(&[METHOD, SCHEME, (":path", ""), AUTHORITY])),
        bad("8.3.1", "no method", without(0)),
        bad("8.3.1", "no scheme", without(1)),
        bad("8.3.1", "no path", without(2)),
        bad("8.3.1", "no authority", without(3)),
        bad("8.3.1", "two methods", of(&[METHOD, METHOD, SCHEME, PATH, AUTHORITY])),
        bad("8.3.1", "two schemes", of(&[METHOD, SCHEME, SCHEME, PATH, AUTHORITY])),
        bad("8.3.1", "two paths", of(&[METHOD, SCHEME, PATH, PATH, AUTHORITY])),
        bad("8.3.1", "two authorities", of(&[METHOD, SCHEME, PATH, AUTHORITY, AUTHORITY])),
        bad(
            "8.3.1",
            "an authority with a user",
            of(&[METHOD, SCHEME, PATH, (":authority", "u@localhost")]),
        ),
        bad("8.3.1", "a host that contradicts", with(("host", "evil.example"))),
        bad("8.3.1", "a path without a slash", of(&[METHOD, SCHEME, (":path", "open"), AUTHORITY])),
        bad("8.1.1", "a shorter body than was said", length("4", &[b"abc"])),
        bad("8.1.1", "a shorter body in pieces", length("9", &[b"abc", b"abc"])),
        bad("8.1.1", "a longer body than was said", length("2", &[b"abc"])),
        bad("8.1.1", "a length of nothing, and a body", length("0", &[b"abc"])),
        case(
            "8.1.1",
            "a body as long as was said",
            length("6", &[b"abc", b"abc"]),
            Answered(1, 200),
        ),
        case(
            "8.4",
            "a promise of a client",
            frame(PUSH_PROMISE, 4, 1, &[0, 0, 0, 2]),
            Connection(&[PROTOCOL_ERROR]),
        ),
    ]
}

/// RFC 7541.
fn blocks() -> Group {
    let bad =
        |section, name, more: &[u8]| case(section, name, coded(more), Ends(COMPRESSION_ERROR));
    let good = |section, name, more: &[u8]| case(section, name, coded(more), Answered(1, 200));
    let resized = |updates: &[u8]| frame(HEADERS, 5, 1, &[updates, &block(GET)].concat());
    // `:method: GET`, `:scheme: http`, `:path: /open` and `:authority: localhost`, by their numbers.
    let indexed = b"\x82\x86\x04\x05/open\x01\x09localhost";
    vec![
        case(
            "7541 6.1",
            "fields by their numbers",
            frame(HEADERS, 5, 1, indexed),
            Answered(1, 200),
        ),
        good("7541 6.2.1", "a literal to be kept, with a known name", b"\x50\x04gzip"),
        good(
            "7541 6.2.1",
            "a literal to be kept, with a known name, in Huffman's code",
            b"\x50\x83\x9b\xd9\xab",
        ),
        good("7541 6.2.1", "a literal to be kept, with a new name", b"\x40\x06x-test\x02ok"),
        good("7541 6.2.1", "a literal that is kept, and its number", b"\x40\x06x-test\x02ok\xbe"),
        good(
            "7541 6.2.1",
            "a literal to be kept, with a new name, in Huffman's code",
            b"\x40\x85\xf2\xb4\xa8\x41\x9f\x82\x3d\x45",
        ),
        good("7541 6.2.2", "a literal, with a known name", b"\x0f\x01\x04gzip"),
        good(
            "7541 6.2.2",
            "a literal, with a known name, in Huffman's code",
            b"\x0f\x01\x83\x9b\xd9\xab",
        ),
        good("7541 6.2.2", "a literal, with a new name", b"\x00\x06x-test\x02ok"),
        good("7541 6.2.3", "a literal never to be kept, with a known name", b"\x1f\x01\x04gzip"),
        good(
            "7541 6.2.3",
            "a literal never to be kept, with a known name, in Huffman's code",
            b"\x1f\x01\x83\x9b\xd9\xab",
        ),
        good("7541 6.2.3", "a literal never to be kept, with a new name", b"\x10\x06x-test\x02ok"),
        case("7541 6.3", "a smaller table", resized(b"\x3f\x61"), Answered(1, 200)),
        case(
            "7541 6.3",
            "a table made small, and greater again",
            resized(b"\x20\x3f\x61"),
            Answered(1, 200),
        ),
        bad("7541 2.3.3", "a number beyond both tables", b"\xc6"),
        bad("7541 2.3.3", "a literal with a number beyond both tables", b"\x7f\x07\x05value"),
        bad("7541 4.2", "a change of the table's size at the end", b"\x3f\x61"),
        bad("7541 5.2", "more than seven bits of padding", b"\x00\x06x-test\x83\x3d\x45\xff"),
        bad("7541 5.2", "padding of zeros", b"\x00\x06x-test\x83\x3d\x45\x00"),
        bad("7541 5.2", "the end of a text within it", b"\x00\x06x-test\x84\xff\xff\xff\xff"),
        bad(
            "7541 5.1",
            "a number without an end",
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        ),
        bad("7541 5.2", "a text beyond its block", b"\x00\x7f\xff\xff\x03x"),
        bad("7541 6.1", "the number zero", b"\x80"),
        case(
            "7541 6.3",
            "a greater table than is allowed",
            resized(b"\x3f\xe2\x1f"),
            Ends(COMPRESSION_ERROR),
        ),
        case("8.1", "an answer is whole", get(1), Answered(1, 200)),
    ]
}
