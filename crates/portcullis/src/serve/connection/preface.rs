//! Tells from the first bytes in the clear which version of HTTP is spoken.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};

/// What opens a connection in HTTP/2 (RFC 9113, section 3.4); no request in HTTP/1 begins so.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A connection of which the first bytes were looked at; they are read again.
#[derive(Debug)]
pub(super) struct Begun<S> {
    stream: S,
    seen: [u8; PREFACE.len()],
    /// How many of them there are.
    length: usize,
    /// How many of them have been read again.
    read: usize,
}

/// Waits for as many bytes as tell whether HTTP/2 is spoken "with prior knowledge" (RFC 9113,
/// section 3.3), and no more.
///
/// # Errors
/// Those of reading.
pub(super) async fn look<S: AsyncRead + Unpin>(mut stream: S) -> io::Result<(bool, Begun<S>)> {
    let (mut seen, mut length) = ([0; PREFACE.len()], 0);
    while let Some(room) = seen.get_mut(length..).filter(|room| !room.is_empty()) {
        let more = stream.read(room).await?;
        length += more;
        if more == 0 || seen.get(..length) != PREFACE.get(..length) {
            break;
        }
    }
    let http2 = seen == *PREFACE;
    Ok((http2, Begun { stream, seen, length, read: 0 }))
}

impl<S: AsyncRead + Unpin> AsyncRead for Begun<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let begun = self.get_mut();
        if begun.read == begun.length {
            return Pin::new(&mut begun.stream).poll_read(context, buffer);
        }
        let most = begun.length.min(begun.read + buffer.remaining());
        buffer.put_slice(begun.seen.get(begun.read..most).unwrap_or_default());
        begun.read = most;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Begun<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
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
        let (mut far, near) = duplex(piece);
        let writing = tokio::spawn(async move { far.write_all(sent).await });
        let (found, mut begun) = look(near).await.unwrap();
        assert_eq!(found, http2, "{sent:?}");
        let mut all = Vec::new();
        begun.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, sent);
        writing.await.unwrap().unwrap();
    }
}
