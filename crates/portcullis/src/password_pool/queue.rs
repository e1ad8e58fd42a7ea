//! A queue that is fair between sources: each in turn gives one item.

use std::collections::{HashMap, VecDeque};

use crate::source::Source;

/// Items in lanes, one lane a source.
///
/// Every source in `turns` has a lane, once, and no lane is empty.
pub(super) struct FairQueue<I> {
    lanes: HashMap<Source, VecDeque<I>>,
    turns: VecDeque<Source>,
    len: usize,
}

impl<I> FairQueue<I> {
    pub(super) fn new() -> Self {
        Self { lanes: HashMap::new(), turns: VecDeque::new(), len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn len_of(&self, source: Source) -> usize {
        self.lanes.get(&source).map_or(0, VecDeque::len)
    }

    pub(super) fn push(&mut self, source: Source, item: I) {
        let lane = self.lanes.entry(source).or_default();
        if lane.is_empty() {
            self.turns.push_back(source);
        }
        lane.push_back(item);
        self.len += 1;
    }

    /// The oldest item of the source whose turn it is, which then goes to the end of the round.
    pub(super) fn pop(&mut self) -> Option<I> {
        let source = self.turns.pop_front()?;
        let lane = self.lanes.get_mut(&source)?;
        let item = lane.pop_front()?;
        self.len -= 1;
        if lane.is_empty() {
            self.lanes.remove(&source);
        } else {
            self.turns.push_back(source);
        }
        Some(item)
    }

    /// Takes out the first item of `source` that `matches`, wherever it stands.
    pub(super) fn remove(&mut self, source: Source, matches: impl Fn(&I) -> bool) -> Option<I> {
        let lane = self.lanes.get_mut(&source)?;
        let item = lane.remove(lane.iter().position(matches)?)?;
        self.len -= 1;
        if lane.is_empty() {
            self.lanes.remove(&source);
            self.turns.retain(|turn| *turn != source);
        }
        Some(item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    fn source(address: &str) -> Source {
        Source::from(address.parse::<IpAddr>().unwrap())
    }

    fn drain<I>(queue: &mut FairQueue<I>) -> Vec<I> {
        std::iter::from_fn(|| queue.pop()).collect()
    }

    #[test]
    fn sources_take_turns_and_each_keeps_its_order() {
        let mut queue = FairQueue::new();
        for (from, item) in [("192.0.2.1", "a1"), ("192.0.2.1", "a2"), ("192.0.2.1", "a3")] {
            queue.push(source(from), item);
        }
        queue.push(source("192.0.2.2"), "b1");
        queue.push(source("192.0.2.3"), "c1");
        queue.push(source("192.0.2.2"), "b2");
        assert_eq!(drain(&mut queue), ["a1", "b1", "c1", "a2", "b2", "a3"]);
        assert_eq!((queue.len(), queue.lanes.len()), (0, 0));
    }

    #[test]
    fn one_who_was_served_queues_behind_the_others() {
        let mut queue = FairQueue::new();
        let (a, b) = (source("192.0.2.1"), source("192.0.2.2"));
        queue.push(a, "a1");
        queue.push(b, "b1");
        assert_eq!(queue.pop(), Some("a1"));
        queue.push(a, "a2");
        assert_eq!(drain(&mut queue), ["b1", "a2"]);
    }

    #[test]
    fn a_removed_item_leaves_no_turn_behind() {
        let mut queue = FairQueue::new();
        let (a, b) = (source("192.0.2.1"), source("192.0.2.2"));
        queue.push(a, "a1");
        queue.push(b, "b1");
        queue.push(b, "b2");
        assert_eq!(queue.remove(a, |item| *item == "a1"), Some("a1"));
        assert_eq!(queue.remove(a, |item| *item == "a1"), None);
        assert_eq!(queue.remove(b, |item| *item == "b1"), Some("b1"));
        assert_eq!((queue.len(), queue.len_of(a), queue.len_of(b)), (1, 0, 1));
        assert_eq!(drain(&mut queue), ["b2"]);
    }

    #[test]
    fn a_source_is_an_ipv4_address_or_an_ipv6_network() {
        for (one, other, same) in [
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("192.0.2.1", "::ffff:192.0.2.1", true),
            ("2001:db8::1", "2001:db8::ffff:0:0:2", true),
            ("2001:db8:0:1::1", "2001:db8:0:2::1", false),
        ] {
            assert_eq!(source(one) == source(other), same, "{one} and {other}");
        }
    }
}
