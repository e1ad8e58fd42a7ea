//! The pepper, sealed under the master key: without both, the database proves nothing.

use portcullis_core::seal::{self, MasterKey, Pepper, PepperId, Peppers};
use portcullis_core::secret::SecretBuf;

use crate::error::StoreError;
use crate::sql::sql;
use crate::store::{Rows, Store, Write};

const TABLE: &str = "peppers";

impl Store {
    /// Every pepper, opened with `master`; draws the first one if there is none yet.
    ///
    /// # Errors
    /// One was sealed under another master key, or the store's own.
    pub async fn open_peppers(&self, master: &MasterKey) -> Result<Peppers, StoreError> {
        if self.read(|reading| sealed(reading)).await?.is_empty() {
            let secret = SecretBuf::new(seal::random::<32>()?);
            let bytes = master.seal(secret.expose(), &context(PepperId(1)))?;
            let write = Write::new("portcullis", "pepper.draw")?;
            self.write(write, move |writing| {
                writing.note("pepper 1", "");
                let now = writing.now;
                // Two nodes may start at once: the first one's stands.
                writing.execute(
                    &sql!(
                        "INSERT INTO peppers (id, sealed, created) VALUES (1, $1, $2)
                         ON CONFLICT (id) DO NOTHING"
                    ),
                    &[bytes.as_slice().into(), now.into()],
                )
            })
            .await?;
        }
        let mut opened = Vec::new();
        for (id, bytes) in self.read(|reading| sealed(reading)).await? {
            let what = "the pepper in the database";
            let secret = master
                .open(&bytes, &context(id))
                .map_err(|source| StoreError::Seal { what, source })?;
            let secret = secret
                .expose()
                .try_into()
                .map_err(|_| StoreError::Corrupt { table: TABLE, reason: "not 32 bytes".into() })?;
            opened.push(Pepper::new(id, secret));
        }
        let mut newest_first = opened.into_iter();
        let current = newest_first.next().ok_or(StoreError::NotFound("pepper"))?;
        Ok(Peppers::new(current, newest_first.collect()))
    }
}

/// What a sealed pepper is bound to: table, column and record.
fn context(id: PepperId) -> Vec<u8> {
    format!("peppers.sealed/{}", id.0).into_bytes()
}

fn sealed(from: &mut impl Rows) -> Result<Vec<(PepperId, Vec<u8>)>, StoreError> {
    let rows = from.rows(&sql!("SELECT id, sealed FROM peppers ORDER BY id DESC"), &[])?;
    rows.into_iter()
        .map(|mut row| {
            let id = u32::try_from(row.next::<i64>(TABLE)?).map_err(|_| StoreError::Corrupt {
                table: TABLE,
                reason: "its id is none".into(),
            })?;
            Ok((PepperId(id), row.next(TABLE)?))
        })
        .collect()
}
