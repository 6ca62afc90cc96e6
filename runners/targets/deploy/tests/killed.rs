//! Processes that do not end, and what they leave behind.

use core::time::Duration;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use placet_target::{StopReason, StopSignal};
use placet_target_deploy::{CommandFailure, CommandFailureKind, Exchange};
use tempfile::TempDir;

use crate::commands::script;
use crate::story::{LONG, SHORT, reading, until, writing};

/// Whether a process is there, and not only its number that nobody has asked about.
fn is_alive(number: &str) -> bool {
    let line = std::fs::read_to_string(format!("/proc/{}/stat", number.trim())).unwrap_or_default();
    let state = line.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    state.is_some_and(|state| !['Z', 'X'].contains(&state))
}

fn written(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn begun(folder: &TempDir, name: &str) -> String {
    until("the process wrote its number", || written(&folder.path().join(name)).ends_with('\n'));
    written(&folder.path().join(name))
}

/// Two processes that ignore every polite word.
const STUBBORN: &str = "trap '' TERM; sh -c 'trap \"\" TERM; echo $$ > child; while :; do sleep 1; done' & echo $$ > leader; wait; wait";

fn stopped(text: &str, reads_only: bool, reason: StopReason) -> (TempDir, CommandFailure) {
    let folder = tempfile::tempdir().unwrap();
    let template = script(&folder, text).grace(Duration::from_millis(50));
    let template = if reads_only { template.reads_only() } else { template };
    let template = template.build().unwrap();
    let stop = StopSignal::new();
    let failure = thread::scope(|scope| {
        let ran = scope.spawn(|| template.run(&[], b"", &Exchange::writing(LONG, &stop)));
        let (leader, child) = (begun(&folder, "leader"), begun(&folder, "child"));
        assert!(is_alive(&leader) && is_alive(&child));
        stop.raise(reason);
        ran.join().unwrap().unwrap_err()
    });
    (folder, failure)
}

#[test]
fn a_stop_ends_the_whole_group_and_the_outcome_is_unknown() {
    for (reason, code) in [(StopReason::Cancelled, "cancelled"), (StopReason::Timeout, "timeout")] {
        let (folder, failure) = stopped(STUBBORN, false, reason);
        assert_eq!((failure.kind(), failure.code()), (CommandFailureKind::Unknown, code));
        for name in ["leader", "child"] {
            let number = begun(&folder, name);
            until("the process is gone", || !is_alive(&number));
        }
    }
}

#[test]
fn what_only_reads_is_stopped_and_nothing_is_unknown() {
    for (reason, kind) in [
        (StopReason::Cancelled, CommandFailureKind::Cancelled),
        (StopReason::LeaseLost, CommandFailureKind::Cancelled),
        (StopReason::Timeout, CommandFailureKind::Timeout),
    ] {
        let (_folder, failure) = stopped(STUBBORN, true, reason);
        assert_eq!((failure.kind(), failure.code()), (kind, reason.code()));
    }
}

#[test]
fn a_command_is_told_to_stop_before_it_is_killed() {
    let text = "trap 'echo tidied > tidied; exit 0' TERM; echo $$ > child; echo $$ > leader; \
                while :; do sleep 0.01; done";
    let folder = tempfile::tempdir().unwrap();
    let template = script(&folder, text).grace(LONG).build().unwrap();
    let stop = StopSignal::new();
    let failure = thread::scope(|scope| {
        let ran = scope.spawn(|| template.run(&[], b"", &Exchange::writing(LONG, &stop)));
        begun(&folder, "leader");
        stop.raise(StopReason::Cancelled);
        ran.join().unwrap().unwrap_err()
    });
    // That it ended well does not say that it did what it was asked for.
    assert_eq!(failure.kind(), CommandFailureKind::Unknown);
    assert_eq!(written(&folder.path().join("tidied")), "tidied\n");
}

/// Notes each polite word, and goes on.
const GOES_ON: &str =
    "trap 'echo told >> told' TERM; echo $$ > leader; while :; do sleep 0.01; done";

#[test]
fn a_command_whose_run_is_somebody_elses_has_no_time_to_tidy_up() {
    for reason in [StopReason::LeaseLost, StopReason::Unavailable, StopReason::Timeout] {
        let folder = tempfile::tempdir().unwrap();
        let template = script(&folder, GOES_ON).grace(Duration::from_secs(1)).build().unwrap();
        let stop = StopSignal::new();
        let failure = thread::scope(|scope| {
            let ran = scope.spawn(|| template.run(&[], b"", &Exchange::writing(LONG, &stop)));
            begun(&folder, "leader");
            stop.raise(reason);
            ran.join().unwrap().unwrap_err()
        });
        assert_eq!((failure.kind(), failure.code()), (CommandFailureKind::Unknown, reason.code()));
        assert!(!is_alive(&begun(&folder, "leader")));
        assert_eq!(written(&folder.path().join("told")), "", "{reason:?}");
    }
}

#[test]
fn a_command_is_told_before_its_time_is_over_and_gone_when_it_is() {
    let call = Exchange::writing(crate::story::HURRIED * 4, &StopSignal::new());
    let told = crate::story::reached(|| {
        let folder = tempfile::tempdir().unwrap();
        // So long that a call which waited for all of it would not come back while the test waits.
        let template = script(&folder, GOES_ON).grace(LONG * 5).build().unwrap();
        thread::scope(|scope| {
            let ran = scope.spawn(|| template.run(&[], b"", &call));
            until("the call is over", || ran.is_finished());
            assert_eq!(ran.join().unwrap().unwrap_err().code(), "timeout");
        });
        let leader = written(&folder.path().join("leader"));
        // Who had not begun when its time was over could not be told.
        if leader.is_empty() {
            return None;
        }
        until("the process is gone", || !is_alive(&leader));
        Some(written(&folder.path().join("told")))
    });
    assert_eq!(told, "told\n");
}

#[test]
fn a_command_without_time_ends() {
    let folder = tempfile::tempdir().unwrap();
    let template =
        script(&folder, "while :; do echo x; done").grace(Duration::ZERO).build().unwrap();
    let call = Exchange::writing(SHORT, &StopSignal::new());
    let failure = template.run(&[], b"", &call).unwrap_err();
    assert_eq!((failure.kind(), failure.code()), (CommandFailureKind::Unknown, "timeout"));
    assert!(failure.may_have_taken_effect());
}

#[test]
fn a_command_that_somebody_else_kills_is_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let template = script(&folder, "kill -9 $$").build().unwrap();
    let failure = template.run(&[], b"", &writing()).unwrap_err();
    assert_eq!((failure.kind(), failure.code()), (CommandFailureKind::Unknown, "command.killed"));
    // Unless it only reads: then there is nothing to find out.
    let look = script(&folder, "kill -9 $$").reads_only().build().unwrap();
    let failure = look.run(&[], b"", &reading()).unwrap_err();
    assert_eq!((failure.kind(), failure.code()), (CommandFailureKind::Cancelled, "command.killed"));
    assert!(!failure.may_have_taken_effect());
}

/// Ends at once, and leaves a process behind that holds its pipes.
const LEAVES_ONE: &str = "sleep 3000 & echo $! > child; echo done";

#[test]
fn what_a_command_leaves_behind_is_ended_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let output = script(&folder, LEAVES_ONE).build().unwrap().run(&[], b"", &writing()).unwrap();
    assert_eq!((output.exit_code, output.truncated, &*output.stdout), (0, false, &b"done\n"[..]));
    let number = begun(&folder, "child");
    until("the process is gone", || !is_alive(&number));
}

#[test]
fn the_look_finds_a_process_that_was_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    // A host that waits for the program alone.
    let ended = Command::new("/bin/sh")
        .args(["-c", LEAVES_ONE])
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(ended.success());
    let number = begun(&folder, "child");
    assert!(is_alive(&number), "the look would not have found it");
    assert!(Command::new("kill").args(["-9", number.trim()]).status().unwrap().success());
}

#[test]
fn who_left_the_group_does_not_hang_the_call() {
    let folder = tempfile::tempdir().unwrap();
    let text = "setsid sh -c 'echo $$ > child; exec sleep 3000' & \
                while [ ! -s child ]; do sleep 0.01; done; echo done";
    let output = script(&folder, text).build().unwrap().run(&[], b"", &writing()).unwrap();
    // Its end was never seen, so nobody can say that this is all.
    assert_eq!((output.exit_code, output.truncated, &*output.stdout), (0, true, &b"done\n"[..]));
    let number = begun(&folder, "child");
    assert!(is_alive(&number));
    assert!(Command::new("kill").args(["-9", number.trim()]).status().unwrap().success());
}
