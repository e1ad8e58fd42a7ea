//! `?limit=` and `?after=`: lists are pages, and a sample that reads one array reads the first.

use super::envelope::Failure;
use crate::actions::ActionError;

/// A page has so many objects at most, and where nothing is said.
pub(super) const MAX_PAGE: i64 = 10_000;

/// Which page of a list is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Page {
    /// How many objects.
    pub(super) limit: i64,
    /// The number of the last object that was seen.
    pub(super) after: i64,
}

impl Page {
    pub(super) fn read(query: Option<&str>) -> Result<Self, Failure> {
        let (mut limit, mut after) = (None, None);
        for pair in query.unwrap_or_default().split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let place = match name {
                "limit" => &mut limit,
                "after" => &mut after,
                _ => continue,
            };
            let number = value.parse::<i64>().ok().filter(|number| *number >= 0);
            let number = number.ok_or_else(|| Failure::bad(format!("`{name}` is no number")))?;
            if place.replace(number).is_some() {
                return Err(Failure::bad(format!("`{name}` is there twice")));
            }
        }
        let limit = limit.unwrap_or(MAX_PAGE);
        if !(1..=MAX_PAGE).contains(&limit) {
            return Err(Failure::bad(format!("`limit` is from 1 to {MAX_PAGE}")));
        }
        Ok(Self { limit, after: after.unwrap_or(0) })
    }

    /// The objects of this page, and the number to go on after if there are more. `list` lists at
    /// most so many above a number.
    pub(super) async fn fetch<T, F: Future<Output = Result<Vec<T>, ActionError>>>(
        self,
        number: fn(&T) -> i64,
        list: impl Fn(i64, i64) -> F,
    ) -> Result<(Vec<T>, Option<i64>), Failure> {
        let found = list(self.after, self.limit).await?;
        let full = usize::try_from(self.limit).is_ok_and(|limit| found.len() >= limit);
        let Some(last) = found.last().map(number).filter(|_| full) else {
            return Ok((found, None));
        };
        let more = !list(last, 1).await?.is_empty();
        Ok((found, more.then_some(last)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_the_whole_list_unless_the_query_says_otherwise() {
        let page = |limit, after| Some(Page { limit, after });
        for (query, expected) in [
            (None, page(MAX_PAGE, 0)),
            (Some(""), page(MAX_PAGE, 0)),
            (Some("limit=5&after=7"), page(5, 7)),
            (Some("else=1&limit=5"), page(5, 0)),
            (Some("limit=0"), None),
            (Some("limit=10001"), None),
            (Some("limit=x"), None),
            (Some("limit"), None),
            (Some("after=-1"), None),
            (Some("limit=5&limit=5"), None),
        ] {
            assert_eq!(Page::read(query).ok(), expected, "{query:?}");
        }
    }
}
