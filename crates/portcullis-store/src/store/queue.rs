//! What waits for a thread that changes things, in two lanes.

use std::collections::VecDeque;

use super::job::Job;
use super::{
    BATCH_MILLIS, BATCH_ROWS, BATCH_WRITES, QUEUE, RECORD_BATCH, RECORD_MILLIS, RECORD_ROWS,
};
use crate::error::StoreError;

/// What a job is; a batch is of one lane.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Lane {
    /// What is told of subjects, on which no decision depends.
    Records,
    /// What takes a revision.
    Writes,
}

/// What a batch of a lane may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// So many jobs.
    jobs: usize,
    /// So many rows, before another job is taken.
    rows: u64,
    /// So many milliseconds, before another job is taken.
    millis: u64,
}

#[derive(Default)]
pub(super) struct Queue {
    records: VecDeque<Waiting>,
    writes: VecDeque<Waiting>,
    /// Whose turn was last.
    last: Option<Lane>,
    pub(super) stopping: bool,
}

pub(super) struct Waiting {
    pub(super) job: Box<dyn Job>,
    /// Whether it goes ahead of what is not.
    pub(super) urgent: bool,
    /// The moment since boot at which it queued.
    pub(super) since: u64,
}

impl Lane {
    pub(super) const fn bounds(self) -> Bounds {
        match self {
            Self::Records => {
                Bounds { jobs: RECORD_BATCH, rows: RECORD_ROWS, millis: RECORD_MILLIS }
            }
            Self::Writes => Bounds { jobs: BATCH_WRITES, rows: BATCH_ROWS, millis: BATCH_MILLIS },
        }
    }
}

impl Bounds {
    /// Whether a batch that is as large as this takes another job.
    pub(super) const fn have_room(self, jobs: usize, rows: u64, millis: u64) -> bool {
        jobs < self.jobs && rows < self.rows && millis < self.millis
    }
}

impl Queue {
    pub(super) fn push(&mut self, lane: Lane, waiting: Waiting) -> Result<(), StoreError> {
        if self.stopping {
            return Err(StoreError::Stopped);
        }
        let lane = self.lane(lane);
        if lane.len() >= QUEUE {
            return Err(StoreError::Busy);
        }
        if waiting.urgent {
            let ahead = lane.iter().take_while(|it| it.urgent).count();
            lane.insert(ahead, waiting);
        } else {
            lane.push_back(waiting);
        }
        Ok(())
    }

    pub(super) fn pop(&mut self, lane: Lane) -> Option<Waiting> {
        self.lane(lane).pop_front()
    }

    /// Whose turn it is: what is urgent first, then the two in turn.
    pub(super) fn turn(&mut self) -> Option<Lane> {
        let urgent = self.writes.front().is_some_and(|it| it.urgent);
        let patient = self.last == Some(Lane::Writes) && !self.records.is_empty();
        let turn = match (self.writes.is_empty(), self.records.is_empty()) {
            (true, true) => return None,
            (true, false) => Lane::Records,
            (false, _) if patient && !urgent => Lane::Records,
            (false, _) => Lane::Writes,
        };
        self.last = Some(turn);
        Some(turn)
    }

    const fn lane(&mut self, lane: Lane) -> &mut VecDeque<Waiting> {
        match lane {
            Lane::Records => &mut self.records,
            Lane::Writes => &mut self.writes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::job::job;

    /// Whose turn it is, one after another: `r` for what is recorded, `w` and `u` for writes.
    fn turns(waiting: &str) -> String {
        let mut queue = Queue::default();
        for kind in waiting.chars() {
            let (job, _) = job::<(), StoreError, _>(None, |_, _| Ok(((), 0)));
            let lane = if kind == 'r' { Lane::Records } else { Lane::Writes };
            queue.push(lane, Waiting { job, urgent: kind == 'u', since: 0 }).unwrap();
        }
        let mut turns = String::new();
        while let Some(lane) = queue.turn() {
            turns.push(match (lane, queue.pop(lane).unwrap().urgent) {
                (Lane::Records, _) => 'r',
                (Lane::Writes, false) => 'w',
                (Lane::Writes, true) => 'u',
            });
        }
        turns
    }

    #[test]
    fn what_is_urgent_goes_first_and_then_both_lanes_in_turn() {
        for (waiting, expected) in [
            ("", ""),
            ("rr", "rr"),
            ("ww", "ww"),
            ("rw", "wr"),
            ("rrrww", "wrwrr"),
            ("rrwwuu", "uurwrw"),
            ("wwrru", "urwrw"),
        ] {
            let told = turns(waiting);
            assert_eq!(told.len(), waiting.len(), "{waiting}");
            assert_eq!(told, expected, "{waiting}");
        }
    }

    #[test]
    fn a_full_lane_takes_no_more_and_leaves_the_other_alone() {
        let mut queue = Queue::default();
        let mut push = |lane| {
            let (job, _) = job::<(), StoreError, _>(None, |_, _| Ok(((), 0)));
            queue.push(lane, Waiting { job, urgent: false, since: 0 })
        };
        for _ in 0..QUEUE {
            push(Lane::Records).unwrap();
        }
        assert!(matches!(push(Lane::Records), Err(StoreError::Busy)));
        assert!(push(Lane::Writes).is_ok());
    }
}
