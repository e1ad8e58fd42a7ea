//! HTTP/2 by hand, in the clear and over TLS: every case of the standard that a client can bring
//! about (RFC 9113, RFC 7541), and the floods that it does not speak of.

mod cases;
mod floods;
pub(crate) mod wire;

use crate::common::{Home, Server, connect};
use crate::recorder::Recorder;
use crate::tls;
use cases::{Case, Outcome, PROTOCOL_ERROR};
use wire::{
    ACK, CONTINUATION, DATA, GOAWAY, HEADERS, PING, PREFACE, RST_STREAM, SETTINGS, Wire, frame,
    settings,
};

/// Where HTTP/2 is spoken, both ways, in front of one upstream at `/open`.
struct Site {
    clear: Server,
    secure: tls::Site,
    _upstream: Recorder,
}

impl Site {
    fn new() -> Self {
        let upstream = Recorder::new();
        let config = format!(
            "[[guard]]\nname = \"open\"\npath = \"/open\"\nupstream = \"http://{}\"\n\
             networks = [\"127.0.0.0/8\"]\n",
            upstream.address
        );
        let clear = Server::serve(Home::new(), &config);
        Self { clear, secure: tls::Site::by_hand(upstream.address), _upstream: upstream }
    }

    /// A connection on which nothing was said yet.
    fn silent(&self, secure: bool) -> Wire {
        if secure { Wire::new(self.secure.raw()) } else { Wire::new(connect(&self.clear.address)) }
    }

    /// One on which both sides have said what they allow.
    fn open(&self, secure: bool, pairs: &[(u16, u32)]) -> Wire {
        let mut wire = self.silent(secure);
        wire.write(&[PREFACE, &settings(pairs)].concat());
        let theirs = wire.find(|frame| frame.kind == SETTINGS && frame.flags & ACK == 0);
        assert!(theirs.is_some(), "it says nothing");
        wire.write(&frame(SETTINGS, ACK, 0, &[]));
        wire
    }
}

#[test]
fn every_case_of_the_standard_is_met_in_the_clear() {
    meet(false);
}

#[test]
fn every_case_of_the_standard_is_met_over_tls() {
    meet(true);
}

fn meet(secure: bool) {
    let site = Site::new();
    let all = cases::all();
    let mut wrong = Vec::new();
    for Case { section, name, allows, sends, outcome } in &all {
        let mut wire = site.open(secure, allows);
        wire.write(sends);
        if let Err(instead) = judge(&mut wire, outcome) {
            wrong.push(format!("{section} {name}: {instead}, not {outcome:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), all.len(), wrong.join("\n"));
}

/// What came instead of `outcome`, if it did not come.
fn judge(wire: &mut Wire, outcome: &Outcome) -> Result<(), String> {
    // Whoever goes on answers this, after all that was sent before.
    if let Outcome::Ignored = outcome {
        wire.write(&frame(PING, 0, 0, b"go on???"));
    }
    while let Some(frame) = wire.next() {
        let fine = match (frame.kind, outcome) {
            (GOAWAY, Outcome::Connection(codes) | Outcome::Stream(_, codes)) => {
                codes.contains(&frame.code())
            }
            (GOAWAY, Outcome::Ends(code)) => {
                [*code, PROTOCOL_ERROR].contains(&frame.code()) && wire.next().is_none()
            }
            (GOAWAY, _) => false,
            (RST_STREAM, Outcome::Stream(stream, codes)) if frame.stream == *stream => {
                codes.contains(&frame.code())
            }
            (RST_STREAM, Outcome::Answered(stream, _)) if frame.stream == *stream => false,
            (HEADERS, Outcome::Answered(stream, status)) if frame.stream == *stream => {
                frame.status() == Some(*status)
            }
            (HEADERS, Outcome::Stream(stream, _)) if frame.stream == *stream => {
                // RFC 9113, section 8.1.1: it may say what is wrong.
                frame.status() == Some(400)
            }
            (PING, Outcome::Pong(data)) if frame.flags & ACK != 0 => frame.payload == *data,
            (PING, Outcome::Ignored) if frame.flags & ACK != 0 => frame.payload == b"go on???",
            (SETTINGS, Outcome::Settled) => frame.flags & ACK != 0,
            _ => continue,
        };
        return if fine { Ok(()) } else { Err(format!("{frame:?}")) };
    }
    Err("the end".to_owned())
}

#[test]
fn a_connection_opens_with_its_preface_and_settings_and_nothing_else() {
    let site = Site::new();
    for secure in [false, true] {
        let mut wire = site.silent(secure);
        wire.write(&[PREFACE, &settings(&[])].concat());
        let first = wire.next().unwrap();
        assert_eq!((first.kind, first.flags, first.stream), (SETTINGS, 0, 0), "section 3.4");
        // RFC 8441, section 3: `ENABLE_CONNECT_PROTOCOL`.
        assert!(first.payload.chunks(6).any(|pair| pair == [0, 8, 0, 0, 0, 1]), "{first:?}");
        for opening in [
            &b"INVALID CONNECTION PREFACE\r\n\r\n"[..],
            &[PREFACE, b"GET / HTTP/1.1\r\nHost: any\r\n\r\n"].concat(),
        ] {
            let mut wire = site.silent(secure);
            wire.write(opening);
            // In the clear the first of them is a bad request in HTTP/1.1.
            let answer = wire.find(|frame| is_answer(frame.kind));
            assert!(answer.is_none(), "{answer:?}");
        }
    }
}

#[test]
fn a_client_takes_as_much_of_an_answer_as_its_windows_say() {
    let site = Site::new();
    for secure in [false, true] {
        // Section 6.9.1: no more than it allows, and the rest when it allows more.
        let mut wire = site.open(secure, &[(4, 1)]);
        wire.write(&cases::get(1));
        assert_eq!(data(&mut wire), (1, false));
        wire.write(&wire::number(wire::WINDOW_UPDATE, 1, 1));
        assert_eq!(data(&mut wire).0, 1);
        // Section 6.9.2: a window that changes after the request, and one below nothing.
        let mut wire = site.open(secure, &[(4, 0)]);
        wire.write(&[cases::get(1), settings(&[(4, 1)])].concat());
        assert_eq!(data(&mut wire), (1, false));
        let mut wire = site.open(secure, &[(4, 1)]);
        wire.write(&cases::get(1));
        assert_eq!(data(&mut wire), (1, false));
        wire.write(&settings(&[(4, 0)]));
        wire.write(&wire::number(wire::WINDOW_UPDATE, 1, 2));
        assert_eq!(data(&mut wire).0, 1, "two for one that was taken before");
        // The last of several values is what counts (section 6.5.3).
        let mut wire = site.open(secure, &[(4, 100), (4, 1)]);
        wire.write(&cases::get(1));
        assert_eq!(data(&mut wire), (1, false));
    }
}

/// How long the next piece of an answer is, and whether it is the last.
fn data(wire: &mut Wire) -> (usize, bool) {
    let frame = wire.find(|frame| frame.kind == DATA).unwrap();
    (frame.payload.len(), frame.flags & wire::END_STREAM != 0)
}

#[test]
fn no_tunnel_is_opened_in_any_version() {
    let site = Site::new();
    for secure in [false, true] {
        let mut wire = site.open(secure, &[]);
        let connect = (":method", "CONNECT");
        let plain = [connect, (":authority", "localhost:443")];
        let extended = [
            connect,
            (":protocol", "websocket"),
            (":scheme", if secure { "https" } else { "http" }),
            (":path", "/open"),
            (":authority", "localhost"),
        ];
        // What is refused with a 403 has no number in HPACK.
        for (stream, fields, status) in [(1, &plain[..], Some(400)), (3, &extended, None)] {
            wire.write(&frame(HEADERS, wire::END_HEADERS, stream, &wire::block(fields)));
            let answer = wire.find(|it| it.kind == HEADERS && it.stream == stream).unwrap();
            assert_eq!(answer.status(), status, "{fields:?}");
        }
    }
    for target in ["CONNECT localhost:443", "CONNECT /open"] {
        assert_eq!(site.clear.send(&format!("{target} HTTP/1.1")).status(), 400, "{target}");
    }
    // RFC 9113, section 3.1: the upgrade to it is no more, and is not answered.
    let offered = "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__";
    assert_eq!(site.clear.send(&format!("GET /open HTTP/1.1\r\n{offered}")).status(), 200);
}

/// Whether a frame is part of an answer.
fn is_answer(kind: u8) -> bool {
    matches!(kind, HEADERS | CONTINUATION | DATA)
}
