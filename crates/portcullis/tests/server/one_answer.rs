//! One request, one answer: a corpus of requests goes through the proxy door in HTTP/1.1 and in
//! HTTP/2, and through each forward-auth door as a proxy states them. Every door decides the same,
//! by the log; and what an upstream gets is what was judged, byte for byte.

mod attacks;
mod claims;
mod decision;
mod generated;
mod heard;
mod row;
mod site;
mod written;

use std::collections::HashMap;
use std::thread;

use decision::{Decision, decisions};
use row::{ANY, Form, Is, Row};
use site::{Door, Sender, Site};

/// How many threads send the corpus.
const SENDERS: usize = 8;
/// The corpus has at least so many requests, and so many of them are let through and refused: it
/// would show nothing if all went one way.
const LEAST: (usize, usize, usize) = (2_400, 700, 1_500);

#[test]
fn every_door_gives_one_answer_and_upstreams_get_what_was_judged() {
    let mut rows = written::rows();
    rows.extend(generated::rows());
    let (allowed, refused) = judge(&rows);
    let enough = (rows.len(), allowed, refused);
    assert!(enough.0 >= LEAST.0 && enough.1 >= LEAST.1 && enough.2 >= LEAST.2, "{enough:?}");
}

#[test]
fn what_befell_others_befalls_no_door() {
    judge(&attacks::rows());
}

#[test]
fn every_attack_of_the_list_is_replayed_or_says_why_not() {
    attacks::assert_complete();
}

/// Sends every row through every door; how many were let through by the proxy door, and how many not.
#[track_caller]
fn judge(rows: &[Row]) -> (usize, usize) {
    let site = Site::new();
    thread::scope(|scope| {
        for share in 0..SENDERS {
            let (sender, numbered) = (&site.sender, rows.iter().enumerate());
            let mine = numbered.skip(share).step_by(SENDERS);
            scope.spawn(move || mine.for_each(|(number, row)| send(sender, row, number)));
        }
    });
    let (heard, callers, log) = site.end();
    let decisions = decisions(&log);
    let mut heard = heard::by_name(&heard);
    let (mut wrong, mut allowed) = (Vec::new(), 0);
    for (number, row) in rows.iter().enumerate() {
        let said = Door::ALL.map(|door| decisions.get(&door.names(number)));
        allowed += usize::from(said[0].is_some_and(Decision::is_allowed));
        let mut faults = row_faults(row, said);
        for door in Door::PROXY {
            let name = door.names(number);
            let told = heard.remove(&name).unwrap_or_default();
            faults.extend(heard::faults(row, &callers, decisions.get(&name), &told));
        }
        wrong.extend(faults.iter().map(|fault| format!("{row}\n  {fault}\n  {said:?}")));
    }
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(heard, HashMap::new(), "an upstream heard what nobody sent");
    (allowed, rows.len() - allowed)
}

/// Sends a row by every door that it can come to.
fn send(sender: &Sender, row: &Row, number: usize) {
    let doors = Door::ALL.iter().filter(|door| row.except != Some(**door));
    doors.for_each(|door| sender.send(row, number, *door));
}

/// What is wrong with what the doors said of `row`: by HTTP/1.1, by HTTP/2, and of proxies that ask.
fn row_faults(row: &Row, said: [Option<&Decision>; 4]) -> Vec<String> {
    let [one, two, nginx, forward] = said;
    let mut faults = Vec::new();
    let expected = match row.is {
        Is::Allowed(guard) => one.is_some_and(|it| it.is_allowed() && it.guard() == guard),
        Is::Refused(ANY) => one.is_none_or(|it| !it.is_allowed()),
        Is::Refused(reason) => match one {
            Some(one) => one.reason() == Some(reason),
            None => reason == decision::MALFORMED,
        },
        Is::Whatever => true,
    };
    if !expected {
        faults.push(format!("it is not {:?}", row.is));
    }
    if row.except != Some(Door::Http2) && !agree(one, two, row.in_http2()) {
        faults.push("HTTP/2 decides otherwise".to_owned());
    }
    for (door, asked) in [(Door::Nginx, nginx), (Door::Forward, forward)] {
        if row.except != Some(door) && !agree(one, asked, row.as_asked()) {
            faults.push(format!("{door:?} decides otherwise"));
        }
        let forwards = |it: &Decision| !it.is_allowed() || it.is_to(&row.target);
        if !asked.is_none_or(forwards) {
            faults.push(format!("{door:?} judged another target than is forwarded"));
        }
    }
    faults
}

/// Whether another door agrees with `one`. What a door never sees, HTTP itself has refused there;
/// where the `form` differs, a door may refuse what another one lets through, and never the other way.
fn agree(one: Option<&Decision>, other: Option<&Decision>, form: Form) -> bool {
    match (one, other) {
        (None, None) => true,
        (None, Some(other)) => !other.is_allowed(),
        (Some(one), None) => !one.is_allowed() && one.is_malformed() || form != Form::Same,
        (Some(one), Some(other)) => {
            one == other || form != Form::Same && !other.is_allowed() && other.is_for_form()
        }
    }
}
