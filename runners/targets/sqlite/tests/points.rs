//! Every labelled point is reached by what a session does.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use placet_core::clock::Timestamp;
use placet_core::digest::Digest;
use placet_target::{
    Access, Marker, SqlTarget as _, StepMark, StopSignal, Touch, TouchKind, points,
};
use placet_target_sqlite::{POINTS, SqliteTarget};

use crate::bench::Bench;
use crate::{WRITE, session};

static SEEN: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

fn note(label: &'static str) {
    SEEN.lock().unwrap_or_else(PoisonError::into_inner).insert(label);
}

#[test]
fn every_point_is_reached_and_listed() {
    points::listen(note);
    let Access::ReadWrite(id) = WRITE else { panic!("it writes") };
    let bench = Bench::new();
    let touch = Touch {
        kind: TouchKind::Delete,
        table: vec!["orders".to_owned()],
        alias: None,
        columns: Vec::new(),
        condition: None,
    };
    let mut writer = session(&bench, WRITE);
    writer.execute("UPDATE orders SET state = 'x'", &[]).unwrap();
    writer.rollback().unwrap();
    writer.begin().unwrap();
    let mark = StepMark { id, step: "s1".to_owned(), digest: Digest::of(b""), at: Timestamp::MIN };
    writer.execute_kept("DELETE FROM orders", (&touch, &mark), 10).unwrap();
    writer.commit_step(&mark).unwrap();
    writer.begin().unwrap();
    writer.commit(&Marker { id, digest: Digest::of(b""), at: Timestamp::MIN }).unwrap();
    drop(writer);
    let mut reader =
        SqliteTarget::new(bench.path()).open(Access::ReadOnly, &StopSignal::new()).unwrap();
    assert!(reader.steps(&id).unwrap().is_some());
    let seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert_eq!(seen, POINTS.iter().copied().collect());
    assert!(POINTS.len() >= 10);
}
