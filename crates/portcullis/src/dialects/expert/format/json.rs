//! JSON in ASCII alone, as the vendor writes it.

use std::io::{self, Write};

use serde::Serialize as _;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use super::shape::Shape;

pub(super) fn write(shape: &Shape) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    shape.serialize(&mut Serializer::with_formatter(&mut out, Ascii))?;
    Ok(out)
}

/// Escapes what is not ASCII.
struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut room = [0; 2];
        for letter in fragment.chars() {
            if letter.is_ascii() {
                write!(writer, "{letter}")?;
                continue;
            }
            // RFC 8259, section 7: beyond the basic plane, the two halves of UTF-16.
            for half in letter.encode_utf16(&mut room) {
                write!(writer, "\\u{half:04x}")?;
            }
        }
        Ok(())
    }
}
