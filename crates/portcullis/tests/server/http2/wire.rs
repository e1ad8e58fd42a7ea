//! HTTP/2 by hand (RFC 9113, section 4; RFC 7541): frames as a test wants them.

use std::io::{ErrorKind, Read, Write};

/// What opens a connection.
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Kinds of frames.
pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const PRIORITY: u8 = 2;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PUSH_PROMISE: u8 = 5;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;
/// A kind that nobody has defined.
pub(crate) const UNKNOWN: u8 = 0xfa;

/// Flags of frames.
pub(crate) const ACK: u8 = 1;
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;
pub(crate) const PADDED: u8 = 8;
pub(crate) const WITH_PRIORITY: u8 = 0x20;

/// A frame as it came.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    /// The last four bytes of the first eight of a `GOAWAY`, or those of a `RST_STREAM`.
    pub(crate) fn code(&self) -> u32 {
        let start = if self.kind == GOAWAY { 4 } else { 0 };
        u32::from_be_bytes(self.payload[start..start + 4].try_into().unwrap())
    }

    /// RFC 7541, appendix A: the statuses that have a number; others are written as literals, here
    /// without Huffman's code or with it.
    pub(crate) fn status(&self) -> Option<u16> {
        let known = [200, 204, 206, 304, 400, 404, 500];
        // A change of the table's size may come first.
        let first = self.payload.iter().find(|byte| **byte & 0xe0 != 0x20)?;
        known.get(usize::from(first.checked_sub(0x88)?)).copied()
    }
}

/// What carries a connection.
pub(crate) trait Carrier: Read + Write {}

impl<T: Read + Write> Carrier for T {}

/// A connection on which a test says what it likes.
pub(crate) struct Wire(Box<dyn Carrier>);

impl Wire {
    pub(crate) fn new(carrier: impl Carrier + 'static) -> Self {
        Self(Box::new(carrier))
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        // A server that has had enough closes.
        drop(self.0.write_all(bytes).and_then(|()| self.0.flush()));
    }

    /// The next frame; none when the server has closed.
    pub(crate) fn next(&mut self) -> Option<Frame> {
        let mut start = [0; 9];
        if let Err(error) = self.0.read_exact(&mut start) {
            assert_ne!(error.kind(), ErrorKind::WouldBlock, "it hangs");
            return None;
        }
        let [a, b, c, kind, flags, stream @ ..] = start;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        self.0.read_exact(&mut payload).ok()?;
        Some(Frame { kind, flags, stream: u32::from_be_bytes(stream), payload })
    }

    /// The next frame that `wanted` is; none when the server has closed.
    pub(crate) fn find(&mut self, wanted: impl Fn(&Frame) -> bool) -> Option<Frame> {
        loop {
            let frame = self.next()?;
            if wanted(&frame) {
                return Some(frame);
            }
        }
    }
}

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let start = [length[1], length[2], length[3], kind, flags];
    [&start[..], &stream.to_be_bytes(), payload].concat()
}

pub(crate) fn settings(pairs: &[(u16, u32)]) -> Vec<u8> {
    let pair =
        |(name, value): &(u16, u32)| [&name.to_be_bytes()[..], &value.to_be_bytes()].concat();
    frame(SETTINGS, 0, 0, &pairs.iter().flat_map(pair).collect::<Vec<u8>>())
}

/// A frame whose payload is a number: a code, or an increment.
pub(crate) fn number(kind: u8, stream: u32, number: u32) -> Vec<u8> {
    frame(kind, 0, stream, &number.to_be_bytes())
}

/// A field of a head.
pub(crate) type Field<'f> = (&'f str, &'f str);

/// Fields as literals with new names, not indexed (RFC 7541, section 6.2.2).
pub(crate) fn block(fields: &[Field<'_>]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            block.extend(integer(text.len(), 7));
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}

/// RFC 7541, section 5.1.
fn integer(mut number: usize, bits: u32) -> Vec<u8> {
    let most = (1 << bits) - 1;
    if number < most {
        return vec![u8::try_from(number).unwrap()];
    }
    let mut bytes = vec![u8::try_from(most).unwrap()];
    number -= most;
    while number >= 128 {
        bytes.push(u8::try_from(number % 128).unwrap() | 128);
        number /= 128;
    }
    bytes.push(u8::try_from(number).unwrap());
    bytes
}
