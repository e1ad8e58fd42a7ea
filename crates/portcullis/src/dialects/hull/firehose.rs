//! The firehose: a batch of entries, each with a token of its own. All count, or none does, unless
//! the connector says otherwise.

use std::sync::Arc;

use portcullis_core::authenticator::Authenticated;
use portcullis_core::scheme::connector::option;
use portcullis_core::seal;
use portcullis_core::subject::Claims;
use portcullis_core::time::Timestamp;
use portcullis_core::tracking::{Batch, Entry, Told as Entrusted};
use serde_json::{Value, json};

use super::caller::{self, Caller};
use super::failure::{BadTold, Failure};
use super::{Told, input, tracking};
use crate::actions::tracking::Telling;
use crate::dialects::Call;

/// The longest batch, in bytes, packed or not.
pub(super) const MAX_BATCH: usize = 4 << 20;

/// Records a batch.
pub(super) async fn take(
    call: &mut Call<'_>,
    who: &mut Option<Authenticated>,
) -> Result<Told, Failure> {
    let caller = caller::named(call).await?;
    if caller.is_proven {
        *who = Some(caller.who.clone());
    }
    let text = input::text(MAX_BATCH, call).await?;
    let batch = Batch::parse(&text)?;
    let receipt = batch.dated.then(|| seal::fingerprint(&[text.as_bytes()]));
    drop(text);
    let now = call.services.clock.now().wall;
    let partial = caller.is_on(option::PARTIAL);
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for (index, told) in batch.entries.into_iter().enumerate() {
        match judge(&caller, told, now) {
            Ok((claims, entry)) => good.push((index, Claims::clone(&claims), entry)),
            Err(why) => bad.push(why.at(index)),
        }
    }
    if !bad.is_empty() && (!partial || good.is_empty()) {
        return Err(Failure::entries(bad));
    }
    if !good.is_empty() {
        // One token of the connector proves it as well as all.
        *who = Some(caller.who.clone());
    }
    let places: Vec<usize> = good.iter().map(|(index, ..)| *index).collect();
    let entries = good.into_iter().map(|(_, claims, entry)| (claims, entry)).collect();
    let telling = Telling { entries, receipt, partial };
    let outcome = call.services.actions.tell(caller.teller(), telling).await?;
    let later = outcome.bad.into_iter().map(|mut late| {
        late.index = places.get(late.index).copied().unwrap_or(late.index);
        BadTold::from(late)
    });
    bad.extend(later);
    Ok(if bad.is_empty() { Told::Nothing } else { Told::Json(partly(&bad)) })
}

/// Why an entry does not count.
enum Bad {
    Entry(portcullis_core::tracking::BadEntry),
    Rights,
    Token,
}

impl Bad {
    fn at(self, index: usize) -> BadTold {
        match self {
            Self::Entry(bad) => BadTold::entry(index, bad),
            Self::Rights => BadTold::beyond_rights(index),
            Self::Token => BadTold::token(index),
        }
    }
}

fn judge(caller: &Caller, told: Entrusted, now: Timestamp) -> Result<(Arc<Claims>, Entry), Bad> {
    let token = told.token.ok_or(Bad::Token)?;
    let claims = caller.claims_of(token.expose(), now).ok_or(Bad::Token)?;
    let entry = told.entry.map_err(Bad::Entry)?;
    if tracking::may(&claims, &entry) { Ok((claims, entry)) } else { Err(Bad::Rights) }
}

/// What is told of a batch of which some entries count.
fn partly(bad: &[BadTold]) -> Value {
    let errors: Value = bad.iter().map(BadTold::told).collect();
    json!({ "status": 200, "message": "some entries were not accepted", "errors": errors })
}
