//! What is told to hold everybody else up.

use portcullis_core::subject::{Claims, SubjectKind};
use portcullis_core::tracking::{Entry, MAX_ENTRIES};
use portcullis_store::tracking::{MAX_MOVED, MAX_MOVED_AT_ONCE};
use serde_json::json;

use super::{alias, count, tell, track, traits, user};
use crate::run;

/// So many of the greatest who can be moved are moved at once.
const MOVED: i64 = MAX_MOVED_AT_ONCE / MAX_MOVED;

#[test]
fn so_much_is_moved_at_once_and_no_more() {
    run("tracking_moved", async |bench| {
        let store = &bench.store;
        let did = |who: &str| -> Vec<(Claims, Entry)> {
            let one = || (user(who), track(json!({ "event": "Viewed" })));
            std::iter::repeat_with(one).take(MAX_ENTRIES).collect()
        };
        let many: Vec<String> = (0..MOVED + 2).map(|it| format!("a:{it}")).collect();
        for who in &many {
            for _ in 0..MAX_MOVED / MAX_ENTRIES as i64 {
                tell(store, did(who)).await.unwrap();
            }
        }
        assert_eq!(count(store, SubjectKind::User).await, many.len() as u64);

        // The first of them is who all were all along.
        let all = (user(&format!("e:1 {}", many.join(" "))), traits(json!({ "a": 1 })));
        let last = alias("alias", &(MOVED + 1).to_string());
        tell(store, vec![all, (user("e:1"), last.clone())]).await.unwrap();
        assert_eq!(count(store, SubjectKind::User).await, 2, "the last one stays");

        tell(store, vec![(user("e:1"), last)]).await.unwrap();
        assert_eq!(count(store, SubjectKind::User).await, 1, "there is room again");
    });
}
