//! Collections: what a query asks of what somebody may see.

use portcullis_core::id::Id;
use portcullis_core::organization::Organization;
use portcullis_core::query::Query;
use portcullis_store::collections::{Collection, Page, Visible};

use super::{ActionError, Actions};

impl Actions {
    /// What `query` asks of what is `visible` in `realm`.
    pub(crate) async fn list<C: Collection + Send + 'static>(
        &self,
        realm: Id<Organization>,
        visible: Visible,
        query: Query,
    ) -> Result<Page<C>, ActionError> {
        Ok(self.store.read(move |reading| reading.list(realm, visible, &query)).await?)
    }

    /// The one of this identity, if it is `visible` in `realm`.
    pub(crate) async fn find_visible<C: Collection + Send + 'static>(
        &self,
        realm: Id<Organization>,
        visible: Visible,
        id: Id<C::Named>,
    ) -> Result<C, ActionError>
    where
        C::Named: 'static,
    {
        let found =
            self.store.read(move |reading| reading.find_visible(realm, visible, id)).await?;
        found.ok_or_else(|| ActionError::Missing(format!("object {id}")))
    }
}
