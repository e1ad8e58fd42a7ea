//! Lines meet a writer that stands still until it is told to go on.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use super::*;

/// Says what it is given, and takes it when it is let.
struct Held {
    given: Sender<String>,
    go_on: Receiver<()>,
}

impl Write for Held {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.given.send(String::from_utf8(text.to_vec()).unwrap()).unwrap();
        self.go_on.recv().unwrap();
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Lines that a thread of their own writes `rounds` times, what it writes, and what lets it.
fn held(rounds: usize) -> (Arc<Lines>, Receiver<String>, Sender<()>) {
    let lines = Arc::new(Lines::new());
    let ((given, taken), (let_go, go_on)) = (channel(), channel());
    let (writing, mut to) = (Arc::clone(&lines), Held { given, go_on });
    thread::spawn(move || {
        (0..rounds).try_for_each(|_| writing.write_on(&mut to, LogFormat::Human)).unwrap();
    });
    (lines, taken, let_go)
}

#[test]
fn a_writer_that_stands_still_delays_nobody_and_what_finds_no_room_is_counted() {
    let (lines, taken, let_go) = held(3);
    lines.leave(b"first\n");
    assert_eq!(taken.recv().unwrap(), "first\n");
    // From here on nothing is written until it is let; every line must still come back at once.
    let line = [b'x'; 1 << 10];
    for _ in 0..ROOM / line.len() {
        lines.leave(&line);
    }
    for _ in 0..7 {
        lines.leave(b"lost\n");
    }
    assert_eq!(lines.waiting().text.len(), ROOM);
    let_go.send(()).unwrap();
    assert_eq!(taken.recv().unwrap().len(), ROOM);
    let_go.send(()).unwrap();
    let told = taken.recv().unwrap();
    assert!(told.contains("WARN") && told.ends_with("lines=7\n"), "{told}");
    let_go.send(()).unwrap();
    lines.leave(b"last\n");
    assert_eq!(taken.recv().unwrap(), "last\n");
}

#[test]
fn the_end_waits_for_the_last_line_but_not_for_a_reader_that_has_gone() {
    let (lines, taken, let_go) = held(1);
    lines.leave(b"last\n");
    assert_eq!(taken.recv().unwrap(), "last\n");
    lines.flush_within(Duration::ZERO);
    assert!(lines.waiting().writing);
    let_go.send(()).unwrap();
    lines.flush_within(Duration::MAX);
    assert!(!lines.waiting().writing && lines.waiting().text.is_empty());
}

#[test]
fn what_was_lost_is_told_in_the_form_of_the_other_lines() {
    let line: serde_json::Value = serde_json::from_str(&note(3, LogFormat::Json)).unwrap();
    assert_eq!((&line["level"], &line["fields"]["lines"]), (&"WARN".into(), &3.into()));
    assert!(line["timestamp"].is_string());
    assert!(note(3, LogFormat::Human).ends_with("read lines=3\n"));
}

#[test]
fn every_event_is_one_line() {
    let lines: &'static Lines = Box::leak(Box::new(Lines::new()));
    let subscriber = tracing_subscriber::fmt().json().with_writer(move || lines).finish();
    tracing::subscriber::with_default(subscriber, || {
        tracing::info!(one = 1, "first");
        tracing::info!("second\nhalf");
    });
    let text = String::from_utf8(lines.waiting().text.clone()).unwrap();
    assert_eq!(text.lines().count(), 2, "{text}");
}
