//! What is told to hold everybody else up.

use portcullis_core::subject::{Claims, SubjectKind};
use portcullis_core::tracking::{Entry, MAX_ENTRIES, MAX_TRAIT_VALUE};
use portcullis_store::tracking::{Filter, MAX_MOVED, MAX_MOVED_AT_ONCE, MAX_SCANNED_BYTES, Search};
use serde_json::json;

use super::{alias, count, source, tell, track, traits, user};
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

#[test]
fn a_search_looks_at_so_much_and_says_that_there_is_more() {
    run("tracking_scanned", async |bench| {
        let store = &bench.store;
        let big =
            json!({ "a": "x".repeat(MAX_TRAIT_VALUE - 2), "b": "y".repeat(MAX_TRAIT_VALUE - 2) });
        let many = MAX_SCANNED_BYTES / (2 * MAX_TRAIT_VALUE);
        let tell_of = async |who: std::ops::Range<usize>| {
            let one = |who| (user(&format!("e:{who}")), traits(big.clone()));
            tell(store, who.map(one).collect()).await.unwrap();
        };
        let organization = source(store).await.organization;
        let (kind, filter) = (SubjectKind::User, Some(Filter::Trait("c".into(), json!(1))));
        let search = Search { kind, filter, skip: 0, top: 10 };
        let mut is_cut = Vec::new();
        for who in [0..many - 100, many - 100..many + 200] {
            tell_of(who).await;
            let search = search.clone();
            let found = store.read(move |it| it.list_subjects(organization, &search)).await;
            is_cut.push(found.unwrap().cut);
        }
        assert_eq!(is_cut, [false, true]);
        let names = store.read(move |it| it.list_trait_names(organization, kind)).await.unwrap();
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["a", "b"]);
    });
}
