//! What became of writes whose answer was lost.

use portcullis_core::id::Revision;

use super::Tending;
use crate::error::StoreError;
use crate::{audit, meta};

/// The revision of each request, or `None` if it was not written and never will be.
///
/// Whoever writes holds the number until its transaction has ended, on the standby too. So once the
/// number could be held here, nothing of an older session is on its way any more; and that this
/// very transaction could be committed says that the standby has what it saw.
pub(super) fn find(
    tending: &mut Tending<'_>,
    requests: &[[u8; 16]],
) -> Result<Vec<Option<Revision>>, StoreError> {
    meta::hold_number(tending)?;
    requests.iter().map(|request| audit::find_request(tending.0, *request)).collect()
}
