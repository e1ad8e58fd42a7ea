//! What subjects did.

use portcullis_core::id::Id;
use portcullis_core::organization::Organization;
use portcullis_core::subject::SubjectId;
use portcullis_core::time::Timestamp;
use portcullis_core::tracking::Event;
use serde_json::value::RawValue;
use serde_json::{Map, Value as Json};

use super::{EventRow, MAX_PAGE, Source};
use crate::engine::Row;
use crate::error::StoreError;
use crate::sql::sql;
use crate::store::{Reading, Recording, Rows};

const TABLE: &str = "events";

impl Recording<'_> {
    /// Records an event, unless it was recorded before.
    pub(super) fn record_event(
        &mut self,
        source: Source,
        subject: SubjectId,
        event: &Event,
    ) -> Result<(), StoreError> {
        let id = self.next_event()?;
        let moment = event.created.unwrap_or(self.now);
        self.execute(
            &sql!(
                "INSERT INTO events (id, organization, subject, event, event_id, moment, context,
                     properties, connector)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
                 ON CONFLICT DO NOTHING"
            ),
            &[
                id.into(),
                source.organization.into(),
                subject.into(),
                (&*event.name).into(),
                event.event_id.as_deref().into(),
                moment.into(),
                written(&event.context).into(),
                event.properties.get().into(),
                source.connector.into(),
            ],
        )
        .map(drop)
    }

    /// Identities of one transaction count up (RFC 9562, section 6.2, method 1): what was told
    /// later is later.
    fn next_event(&mut self) -> Result<Id<Event>, StoreError> {
        let mut bytes = *Id::<Event>::fresh(self.now)?.as_bytes();
        let events = &mut self.desk().0.events;
        let [high, low] = events.to_be_bytes();
        *events = events.wrapping_add(1);
        let [_, _, _, _, _, _, version, counter, ..] = &mut bytes;
        (*version, *counter) = (*version & 0xf0 | high & 0x0f, low);
        Ok(Id::from_bytes(bytes))
    }
}

impl Reading<'_> {
    /// What `subject` did, the latest first: at most `limit` and [`MAX_PAGE`], before `before`.
    ///
    /// # Errors
    /// The store's own.
    pub fn list_events(
        &mut self,
        organization: Id<Organization>,
        subject: SubjectId,
        before: Option<(Timestamp, Id<Event>)>,
        limit: i64,
    ) -> Result<Vec<EventRow>, StoreError> {
        let (moment, id) = before.unwrap_or((Timestamp::MAX, Id::from_bytes([0xff; 16])));
        let rows = self.rows(
            &sql!(
                "SELECT id, subject, event, event_id, moment, context, properties, connector
                 FROM events WHERE organization = $1 AND subject = $2
                     AND (moment, id) < ($3, $4)
                 ORDER BY moment DESC, id DESC LIMIT $5"
            ),
            &[
                organization.into(),
                subject.into(),
                moment.into(),
                id.into(),
                limit.clamp(0, MAX_PAGE).into(),
            ],
        )?;
        rows.into_iter().map(read).collect()
    }

    /// All events of an organization in the order in which they were told: at most `limit` and
    /// [`MAX_PAGE`], after `after`.
    ///
    /// # Errors
    /// The store's own.
    pub fn export_events(
        &mut self,
        organization: Id<Organization>,
        after: Option<Id<Event>>,
        limit: i64,
    ) -> Result<Vec<EventRow>, StoreError> {
        let rows = self.rows(
            &sql!(
                "SELECT id, subject, event, event_id, moment, context, properties, connector
                 FROM events WHERE organization = $1 AND id > $2 ORDER BY id LIMIT $3"
            ),
            &[
                organization.into(),
                after.unwrap_or(Id::from_bytes([0; 16])).into(),
                limit.clamp(0, MAX_PAGE).into(),
            ],
        )?;
        rows.into_iter().map(read).collect()
    }
}

/// The JSON of texts and values, which can always be written.
fn written(object: &Map<String, Json>) -> String {
    serde_json::to_string(object).unwrap_or_default()
}

fn read(mut row: Row) -> Result<EventRow, StoreError> {
    Ok(EventRow {
        id: row.next(TABLE)?,
        subject: row.next(TABLE)?,
        name: row.next(TABLE)?,
        event_id: row.next(TABLE)?,
        moment: row.next(TABLE)?,
        context: json(row.next(TABLE)?)?,
        properties: json(row.next(TABLE)?)?,
        connector: row.next(TABLE)?,
    })
}

fn json(text: String) -> Result<Box<RawValue>, StoreError> {
    RawValue::from_string(text)
        .map_err(|error| StoreError::Corrupt { table: TABLE, reason: error.to_string() })
}
