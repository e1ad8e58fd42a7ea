//! Tells from the first bytes in the clear which version of HTTP is spoken.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// What opens a connection in HTTP/2 (RFC 9113, section 3.4); no request in HTTP/1 begins so.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What the first bytes tell, and they themselves, to be read again.
#[derive(Debug)]
pub(super) struct Seen {
    /// Whether HTTP/2 is spoken "with prior knowledge" (RFC 9113, section 3.3).
    pub(super) http2: bool,
    pub(super) bytes: Vec<u8>,
}

/// Waits for as many bytes as tell which version is spoken, and no more.
///
/// # Errors
/// Those of reading.
pub(super) async fn look(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Seen> {
    let (mut seen, mut length) = ([0; PREFACE.len()], 0);
    while let Some(room) = seen.get_mut(length..).filter(|room| !room.is_empty()) {
        let more = stream.read(room).await?;
        length += more;
        if more == 0 || seen.get(..length) != PREFACE.get(..length) {
            break;
        }
    }
    let bytes = seen.get(..length).unwrap_or_default().to_vec();
    Ok(Seen { http2: bytes == PREFACE, bytes })
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt as _, duplex};

    use super::*;

    #[tokio::test]
    async fn http2_is_told_from_its_first_bytes_and_nothing_of_them_is_lost() {
        for (sent, http2) in [
            (&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nframes"[..], true),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\r", false),
            (b"PRI * HTTP/1.1\r\n\r\n", false),
            (b"PRI", false),
            (b"GET / HTTP/1.1\r\n\r\n", false),
            (b"PUT / HTTP/1.1\r\n\r\nand more than the preface has", false),
            (b"", false),
        ] {
            // In whatever pieces it comes.
            looked_at(sent, http2, 1).await;
            looked_at(sent, http2, 3).await;
            looked_at(sent, http2, 64).await;
        }
    }

    async fn looked_at(sent: &'static [u8], http2: bool, piece: usize) {
        let (mut far, mut near) = duplex(piece);
        let writing = tokio::spawn(async move { far.write_all(sent).await });
        let Seen { http2: found, bytes: mut all } = look(&mut near).await.unwrap();
        assert_eq!(found, http2, "{sent:?}");
        near.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, sent);
        writing.await.unwrap().unwrap();
    }
}
