//! The firehose: a batch of entries, each with a token of its own. All count, or none does, unless
//! the connector says otherwise.

use std::sync::Arc;

use portcullis_core::authenticator::Authenticated;
use portcullis_core::scheme::connector::option;
use portcullis_core::seal;
use portcullis_core::subject::Claims;
use portcullis_core::time::Timestamp;
use portcullis_core::tracking::{BadBatch, Batch, Entry, MAX_NAMED, Told as Entrusted};
use serde_json::{Value, json};

use super::caller::{self, Sender};
use super::failure::{BadTold, Failure};
use super::{Told, input, tracking};
use crate::actions::tracking::Telling;
use crate::dialects::Call;
use crate::dialects::body::BadBody;
use crate::gate::Unknown;

/// The longest batch, in bytes, packed or not.
pub(super) const MAX_BATCH: usize = 4 << 20;

/// The longest batch, in bytes, of whoever names a connector and proves nothing by the call itself:
/// it is read before anything of it is known to be true.
pub(super) const MAX_UNPROVEN: usize = 256 << 10;

/// A batch that is longer, in bytes, is taken apart while another thread goes on with the rest.
const LONG: usize = 64 << 10;

/// Records a batch.
pub(super) async fn take(
    call: &mut Call<'_>,
    who: &mut Option<Authenticated>,
) -> Result<Told, Failure> {
    let sender = caller::sender(call).await?;
    let most = if sender.is_proven() { MAX_BATCH } else { MAX_UNPROVEN };
    let text = input::text(most, call).await?;
    // What is told is held until it is recorded.
    let mut place = call.services.room.place(call.head.client());
    place.take(text.len()).map_err(BadBody::from)?;
    let now = call.services.clock.now().wall;
    let long = text.len() > LONG;
    let weigh = move || (Weighed::of(&text, &sender, now), sender);
    // A long one would hold up whatever else this thread has to do.
    let (weighed, sender) = if long {
        tokio::task::spawn_blocking(weigh).await.map_err(|_| Unknown::Unavailable)?
    } else {
        weigh()
    };
    let Weighed { good, mut bad, receipt } = weighed?;
    let caller = match sender {
        Sender::Connector(caller) if caller.is_proven || !good.is_empty() => caller,
        Sender::Connector(_) => return Err(unproven(bad, "no_credential")),
        Sender::Nobody(nobody) => return Err(unproven(bad, nobody.reason)),
    };
    // One token of the connector proves it as well as all.
    *who = Some(caller.who.clone());
    if !caller.is_proven {
        caller.count_use();
    }
    let partial = caller.is_on(option::PARTIAL);
    if !bad.is_empty() && (!partial || good.is_empty()) {
        return Err(Failure::entries(bad));
    }
    if good.iter().map(|(_, claims, _)| claims.names()).sum::<usize>() > MAX_NAMED {
        return Err(Failure::bad(format!("a batch names at most {MAX_NAMED} identifiers")));
    }
    let places: Vec<usize> = good.iter().map(|(index, ..)| *index).collect();
    let entries = good.into_iter().map(|(_, claims, entry)| (claims, entry)).collect();
    let telling = Telling { entries, receipt, partial };
    let outcome = call.services.actions.tell(caller.teller(), telling).await?;
    drop(place);
    let later = outcome.bad.into_iter().map(|mut late| {
        late.index = places.get(late.index).copied().unwrap_or(late.index);
        BadTold::from(late)
    });
    bad.extend(later);
    Ok(if bad.is_empty() { Told::Nothing } else { Told::Json(partly(&bad)) })
}

/// A batch whose entries were judged.
struct Weighed {
    /// Those that count, with their places.
    good: Vec<(usize, Claims, Entry)>,
    bad: Vec<BadTold>,
    /// By what the batch is known again, if it says when it was sent.
    receipt: Option<[u8; 16]>,
}

impl Weighed {
    fn of(text: &str, sender: &Sender, now: Timestamp) -> Result<Self, BadBatch> {
        let batch = Batch::parse(text)?;
        let receipt = batch.dated.then(|| seal::fingerprint(&[text.as_bytes()]));
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        for (index, told) in batch.entries.iter().enumerate() {
            match judge(sender, told, now) {
                Ok((claims, entry)) => good.push((index, Claims::clone(&claims), entry)),
                Err(why) => bad.push(why.at(index)),
            }
        }
        Ok(Self { good, bad, receipt })
    }
}

/// Neither the call nor an entry of it proves who sends it.
fn unproven(bad: Vec<BadTold>, reason: &'static str) -> Failure {
    if bad.is_empty() {
        return Failure::refused(reason);
    }
    Failure::entries(bad).because(reason)
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

/// What an entry tells is looked at once its token counts.
fn judge(
    sender: &Sender,
    told: &Entrusted<'_>,
    now: Timestamp,
) -> Result<(Arc<Claims>, Entry), Bad> {
    let token = told.token.as_ref().ok_or(Bad::Token)?;
    let claims = sender.claims_of(token.expose(), now).ok_or(Bad::Token)?;
    let entry = told.entry().map_err(Bad::Entry)?;
    if tracking::may(&claims, &entry) { Ok((claims, entry)) } else { Err(Bad::Rights) }
}

/// What is told of a batch of which some entries count.
fn partly(bad: &[BadTold]) -> Value {
    let errors: Value = bad.iter().map(BadTold::told).collect();
    json!({ "status": 200, "message": "some entries were not accepted", "errors": errors })
}
