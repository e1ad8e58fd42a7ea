//! How long a caller may let a connection stand still.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::talk::Talk;

/// How long a caller may take.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Patience {
    /// For a TLS handshake, and for the head of a request.
    pub(in super::super) head: Duration,
    /// Between requests.
    pub(in super::super) idle: Duration,
    /// To send the next piece of a body, and to take the next piece of an answer.
    pub(in super::super) body: Duration,
}

/// A connection that its caller may let stand still only so long: where a head is waited for, it
/// then ends as if they had ended it; where an answer is not taken, it breaks off.
///
/// One timer serves all heads, and is put off where it could be set anew; the other is there only
/// while somebody does not read.
#[derive(Debug)]
pub(in super::super) struct Paced<S> {
    stream: S,
    /// What was read ahead, and is read again.
    ahead: Bytes,
    patience: Patience,
    talk: Arc<Talk>,
    /// How many exchanges had ended when the next head was first waited for.
    since: usize,
    head: Head,
    /// None where heads are not what is read (HTTP/2).
    late: Option<Pin<Box<Sleep>>>,
    unread: Option<Pin<Box<Sleep>>>,
}

/// How far the next head has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Head {
    /// There is none.
    None,
    /// There are bytes that may be all of it.
    Heard,
    /// There is some, and not all.
    Part,
}

impl<S> Paced<S> {
    /// `stream`, on which `talk` tells what is under way. Whoever connects has something to say.
    pub(in super::super) fn new(stream: S, patience: Patience, talk: Arc<Talk>) -> Self {
        let late = Some(Box::pin(sleep(patience.head)));
        Self { late, ..Self::unhurried(stream, patience, talk) }
    }

    /// The same, and what is read may take as long as it likes.
    pub(super) fn unhurried(stream: S, patience: Patience, talk: Arc<Talk>) -> Self {
        let (ahead, head) = (Bytes::new(), Head::Part);
        Self { stream, ahead, patience, talk, since: 0, head, late: None, unread: None }
    }

    /// The same, and these bytes are read first.
    pub(super) fn after(self, ahead: impl Into<Bytes>) -> Self {
        Self { ahead: ahead.into(), ..self }
    }

    /// Something has come.
    fn hear(&mut self) {
        let ended = self.talk.ended();
        if self.head == Head::None || self.since != ended && !self.talk.is_under_way() {
            (self.since, self.head) = (ended, Head::Heard);
        }
    }

    /// Ready when a head that is waited for has not come in time.
    fn poll_late(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(late) = &mut self.late else { return Poll::Pending };
        let ended = self.talk.ended();
        if self.talk.is_under_way() {
            // How long a body takes is its reader's to judge. But nobody may read here again when
            // the exchange has ended, so somebody has to look.
            if late.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            late.as_mut().reset(sleep(self.patience.idle).deadline());
        } else if self.since != ended {
            (self.since, self.head) = (ended, Head::None);
            late.as_mut().reset(sleep(self.patience.idle).deadline());
        } else if self.head == Head::Heard {
            self.head = Head::Part;
            late.as_mut().reset(sleep(self.patience.head).deadline());
        }
        late.as_mut().poll(context)
    }

    /// What became of writing, unless nothing was taken for too long.
    fn bounded<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            if self.unread.take().is_some() {
                self.talk.be_unread(false);
            }
            return written;
        }
        let patience = self.patience.body;
        self.talk.be_unread(true);
        let unread = self.unread.get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(unread.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> Paced<S> {
    /// Waits for something to be read. Whether there is: else it has ended, or come too late.
    pub(super) async fn wake(&mut self) -> bool {
        if self.ahead.is_empty() {
            let mut first = [0];
            let read = self.read(&mut first).await.unwrap_or(0);
            self.ahead = Bytes::copy_from_slice(first.get(..read).unwrap_or_default());
        }
        !self.ahead.is_empty()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let paced = self.get_mut();
        if !paced.ahead.is_empty() {
            let length = paced.ahead.len().min(buffer.remaining());
            buffer.put_slice(&paced.ahead.split_to(length));
            return Poll::Ready(Ok(()));
        }
        let read = Pin::new(&mut paced.stream).poll_read(context, buffer);
        if read.is_ready() {
            paced.hear();
            return read;
        }
        ready!(paced.poll_late(context));
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let paced = self.get_mut();
        let written = Pin::new(&mut paced.stream).poll_write(context, bytes);
        paced.bounded(context, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let paced = self.get_mut();
        let written = Pin::new(&mut paced.stream).poll_write_vectored(context, pieces);
        paced.bounded(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let paced = self.get_mut();
        let flushed = Pin::new(&mut paced.stream).poll_flush(context);
        paced.bounded(context, flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let paced = self.get_mut();
        let shut = Pin::new(&mut paced.stream).poll_shutdown(context);
        paced.bounded(context, shut)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt as _, DuplexStream, duplex};
    use tokio::time::Instant;

    use super::super::talk::Open;
    use super::*;

    const PATIENCE: Patience = Patience {
        head: Duration::from_secs(10),
        idle: Duration::from_secs(60),
        body: Duration::from_secs(30),
    };

    fn pair() -> (DuplexStream, Paced<DuplexStream>, Arc<Talk>) {
        let (far, near) = duplex(4);
        let talk = Arc::new(Talk::default());
        (far, Paced::new(near, PATIENCE, Arc::clone(&talk)), talk)
    }

    /// What is read next, and after how many seconds.
    async fn next(paced: &mut Paced<DuplexStream>) -> (usize, u64) {
        let (start, mut bytes) = (Instant::now(), [0; 4]);
        let count = paced.read(&mut bytes).await.unwrap();
        (count, start.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_has_its_time_however_it_drips_and_so_has_the_pause_before_it() {
        let (mut far, mut paced, talk) = pair();
        tokio::spawn(async move {
            far.write_all(b"a").await.unwrap();
            sleep(Duration::from_secs(9)).await;
            far.write_all(b"b").await.unwrap();
            sleep(Duration::from_secs(100)).await;
        });
        assert_eq!(next(&mut paced).await, (1, 0));
        assert_eq!(next(&mut paced).await, (1, 9));
        assert_eq!(next(&mut paced).await, (0, 1), "ten seconds since it began");
        drop(Open::begin(&talk));
        assert_eq!(next(&mut paced).await, (0, 60));
    }

    #[tokio::test(start_paused = true)]
    async fn the_pause_ends_with_the_first_byte_and_the_head_begins() {
        let (mut far, mut paced, talk) = pair();
        drop(Open::begin(&talk));
        tokio::spawn(async move {
            sleep(Duration::from_secs(50)).await;
            far.write_all(b"a").await.unwrap();
            sleep(Duration::from_secs(100)).await;
        });
        assert_eq!(next(&mut paced).await, (1, 50));
        assert_eq!(next(&mut paced).await, (0, 10));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_late_while_an_exchange_is_under_way() {
        let (_far, mut paced, talk) = pair();
        let open = Open::begin(&talk);
        let hour = Duration::from_secs(3_600);
        assert!(tokio::time::timeout(hour, next(&mut paced)).await.is_err());
        drop(open);
        assert_eq!(next(&mut paced).await, (0, 60));
    }

    #[tokio::test(start_paused = true)]
    async fn an_exchange_that_ends_unseen_is_looked_after() {
        let (_far, mut paced, talk) = pair();
        let open = Open::begin(&talk);
        let start = Instant::now();
        let ending = async {
            sleep(Duration::from_secs(100)).await;
            drop(open);
        };
        let (read, ()) = tokio::join!(next(&mut paced), ending);
        assert_eq!(read.0, 0);
        let waited = start.elapsed().as_secs() - 100;
        assert!((60..120).contains(&waited), "{waited}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_is_late_too_that_begins_before_the_end_was_seen() {
        let (mut far, mut paced, talk) = pair();
        drop(Open::begin(&talk));
        far.write_all(b"a").await.unwrap();
        assert_eq!(next(&mut paced).await, (1, 0));
        assert_eq!(next(&mut paced).await, (0, 10));
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_takes_breaks_off_and_what_somebody_takes_goes_on() {
        let (mut far, mut paced, _talk) = pair();
        let taking = tokio::spawn(async move {
            sleep(Duration::from_secs(29)).await;
            far.read_exact(&mut [0; 4]).await.unwrap();
            sleep(Duration::from_secs(29)).await;
            far.read_exact(&mut [0; 8]).await.unwrap();
            far
        });
        paced.write_all(&[0; 16]).await.unwrap();
        let start = Instant::now();
        let _far = taking.await.unwrap();
        let error = paced.write_all(&[0; 16]).await.unwrap_err();
        assert_eq!((error.kind(), start.elapsed().as_secs()), (io::ErrorKind::TimedOut, 30));
    }
}
