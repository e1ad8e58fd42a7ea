//! HTTP/2 by hand, for what no client would say (RFC 9113, sections 4 and 6; RFC 7541).

use std::io::{ErrorKind, Read as _, Write as _};

use super::client::Stream;

/// What opens a connection.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Kinds of frames.
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
/// Flags of frames.
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const ACK: u8 = 1;

/// Errors (RFC 9113, section 7).
pub(super) const PROTOCOL_ERROR: u32 = 1;
pub(super) const REFUSED_STREAM: u32 = 7;

/// A field of a head.
pub(super) type Field<'f> = (&'f str, &'f str);

/// What becomes of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    /// It is answered with this status, as far as it is one that HPACK has a number for.
    Answered(Option<u16>),
    /// The connection ends.
    Ended,
    /// It is given up for this reason.
    Reset(u32),
}

/// A frame as it came.
struct Frame {
    kind: u8,
    stream: u32,
    payload: Vec<u8>,
}

/// A connection on which a test says what it likes.
pub(super) struct Frames {
    stream: Stream,
    /// What the server allows, as pairs of a number and a value.
    pub(super) settings: Vec<(u16, u32)>,
}

impl Frames {
    /// Opens it, and hears what the server allows.
    pub(super) fn open(mut stream: Stream) -> Self {
        stream.write_all(PREFACE).unwrap();
        stream.write_all(&frame(SETTINGS, 0, 0, &[])).unwrap();
        let mut frames = Self { stream, settings: Vec::new() };
        while frames.settings.is_empty() {
            frames.next().unwrap();
        }
        frames
    }

    pub(super) fn write(&mut self, bytes: &[u8]) {
        // A server that has had enough closes.
        drop(self.stream.write_all(bytes));
        drop(self.stream.flush());
    }

    /// Sends a head, and says whether it is all.
    pub(super) fn send(&mut self, stream: u32, fields: &[Field<'_>], all: bool) {
        self.write(&head(stream, fields, all));
    }

    pub(super) fn send_data(&mut self, stream: u32, data: &[u8], all: bool) {
        self.write(&frame(DATA, if all { END_STREAM } else { 0 }, stream, data));
    }

    /// Waits for what becomes of the request on `stream`.
    pub(super) fn outcome(&mut self, stream: u32) -> Outcome {
        while let Some(frame) = self.next() {
            match frame.kind {
                GOAWAY => return Outcome::Ended,
                HEADERS if frame.stream == stream => {
                    return Outcome::Answered(status(&frame.payload));
                }
                RST_STREAM if frame.stream == stream => {
                    return Outcome::Reset(u32::from_be_bytes(frame.payload.try_into().unwrap()));
                }
                _ => {}
            }
        }
        Outcome::Ended
    }

    /// Waits until the server ends the connection.
    pub(super) fn end(mut self) {
        while self.next().is_some() {}
    }

    fn next(&mut self) -> Option<Frame> {
        let mut start = [0; 9];
        if let Err(error) = self.stream.read_exact(&mut start) {
            assert_ne!(error.kind(), ErrorKind::WouldBlock, "it hangs");
            return None;
        }
        let [a, b, c, kind, flags, stream @ ..] = start;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        self.stream.read_exact(&mut payload).ok()?;
        if kind == SETTINGS && flags & ACK == 0 {
            let read = |it: &[u8]| {
                let value = u32::from_be_bytes([it[2], it[3], it[4], it[5]]);
                (u16::from_be_bytes([it[0], it[1]]), value)
            };
            self.settings = payload.chunks(6).map(read).collect();
            self.write(&frame(SETTINGS, ACK, 0, &[]));
        }
        Some(Frame { kind, stream: u32::from_be_bytes(stream), payload })
    }
}

/// The head of a request.
pub(super) fn head(stream: u32, fields: &[Field<'_>], all: bool) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        // RFC 7541, section 6.2.2: a literal with a new name, not indexed.
        block.push(0);
        for text in [name, value] {
            block.push(u8::try_from(text.len()).ok().filter(|it| *it < 127).unwrap());
            block.extend_from_slice(text.as_bytes());
        }
    }
    frame(HEADERS, END_HEADERS | if all { END_STREAM } else { 0 }, stream, &block)
}

/// A request taken back.
pub(super) fn reset(stream: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes())
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let start = [length[1], length[2], length[3], kind, flags];
    [&start[..], &stream.to_be_bytes(), payload].concat()
}

/// RFC 7541, appendix A: the statuses that have a number.
fn status(block: &[u8]) -> Option<u16> {
    let known = [200, 204, 206, 304, 400, 404, 500];
    // A change of the table's size may come first.
    let first = block.iter().find(|byte| **byte & 0xe0 != 0x20)?;
    known.get(usize::from(first.checked_sub(0x88)?)).copied()
}
