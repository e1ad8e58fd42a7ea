//! What became of a write whose answer was lost, asked until it is known.

use std::time::Duration;

use portcullis_core::id::Revision;
use portcullis_store::StoreError;

/// How long it is asked before it is told as unknown.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long to wait before asking again.
const PAUSE: Duration = Duration::from_millis(250);

/// The revision of a write that `look` finds.
///
/// # Errors
/// It was not done, and will not be; or it is not known even now.
pub(super) async fn find<F>(look: impl Fn() -> F) -> Result<Revision, StoreError>
where
    F: Future<Output = Result<Option<Revision>, StoreError>>,
{
    let known = async {
        loop {
            match look().await {
                Ok(found) => return found,
                // Whatever keeps it from being known says nothing of the write.
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    };
    let known = tokio::time::timeout(PATIENCE, known).await;
    let found = known.map_err(|_| StoreError::UnknownOutcome)?;
    found.ok_or_else(|| {
        StoreError::Unreachable("the connection was lost before anything was done".into())
    })
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// What is told of a write with this outcome, if `failures` looks come to nothing before.
    async fn told(outcome: Option<Revision>, failures: usize) -> Result<Revision, StoreError> {
        let left = RefCell::new(failures);
        find(async || match left.replace_with(|left| left.saturating_sub(1)) {
            0 => Ok(outcome),
            _ => Err(StoreError::Busy),
        })
        .await
    }

    #[tokio::test(start_paused = true)]
    async fn an_outcome_is_asked_for_until_it_is_known() {
        for failures in [0, 1, 20] {
            assert_eq!(told(Some(Revision(7)), failures).await.unwrap(), Revision(7));
            let undone = told(None, failures).await;
            assert!(matches!(undone, Err(StoreError::Unreachable(_))), "{undone:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_be_known_in_time_is_told_as_unknown_and_as_nothing_else() {
        let failing = find(async || Err(StoreError::Engine("no".into()))).await;
        assert!(matches!(failing, Err(StoreError::UnknownOutcome)), "{failing:?}");
        let hanging = find(std::future::pending).await;
        assert!(matches!(hanging, Err(StoreError::UnknownOutcome)), "{hanging:?}");
    }
}
