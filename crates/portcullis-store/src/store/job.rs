//! A piece of work that waits for its turn in a batch.

use portcullis_core::time::Timestamp;
use tokio::sync::oneshot;

use crate::engine::Connection;
use crate::error::StoreError;

/// One piece of work, and whoever waits for it.
pub(super) trait Job: Send {
    /// By what its outcome can be looked up, if the answer to its COMMIT is lost.
    fn request(&self) -> Option<[u8; 16]>;
    /// Does it, once, inside its savepoint; how many rows it touched, or `None` if it failed and
    /// must be undone.
    fn run(&mut self, connection: &mut Connection, now: Timestamp) -> Option<u64>;
    /// Tells whoever waits: what the work answered, or what became of its transaction.
    fn finish(self: Box<Self>, outcome: Result<(), StoreError>);
}

/// Where the answer comes.
pub(super) type Answer<T, E> = oneshot::Receiver<Result<T, E>>;

/// A job that does `work`, which says how many rows it touched.
pub(super) fn job<T, E, F>(request: Option<[u8; 16]>, work: F) -> (Box<dyn Job>, Answer<T, E>)
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
    F: FnOnce(&mut Connection, Timestamp) -> Result<(T, u64), E> + Send + 'static,
{
    let (tell, told) = oneshot::channel();
    (Box::new(Asked { request, work: Some(work), answer: None, tell }), told)
}

struct Asked<T, E, F> {
    request: Option<[u8; 16]>,
    work: Option<F>,
    answer: Option<Result<T, E>>,
    tell: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F> Job for Asked<T, E, F>
where
    T: Send,
    E: From<StoreError> + Send,
    F: FnOnce(&mut Connection, Timestamp) -> Result<(T, u64), E> + Send,
{
    fn request(&self) -> Option<[u8; 16]> {
        self.request
    }

    fn run(&mut self, connection: &mut Connection, now: Timestamp) -> Option<u64> {
        let (answer, touched) = match self.work.take()?(connection, now) {
            Ok((value, touched)) => (Ok(value), Some(touched)),
            Err(error) => (Err(error), None),
        };
        self.answer = Some(answer);
        touched
    }

    fn finish(self: Box<Self>, outcome: Result<(), StoreError>) {
        let answer = match (outcome, self.answer) {
            // What failed by itself says why, whatever became of the others.
            (_, Some(Err(error))) => Err(error),
            (Err(error), _) => Err(error.into()),
            // It broke.
            (Ok(()), None) => Err(StoreError::Stopped.into()),
            (Ok(()), Some(Ok(value))) => Ok(value),
        };
        // Whoever asked may have gone away.
        drop(self.tell.send(answer));
    }
}
