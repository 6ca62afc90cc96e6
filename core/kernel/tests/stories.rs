//! Requests, told step by step.

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use placet_core::runner::{Failure, Outcome};

use crate::world::{World, assert_invariants};

/// Plays `script` and compares what each step answered.
fn check(script: &str, expected: &Expect) {
    play(&World::new(), script, expected);
}

fn play(world: &World, script: &str, expected: &Expect) {
    let mut id = None;
    let mut told = String::new();
    for step in script.split(", ") {
        let line = match world.step(&mut id, step) {
            Ok(request) => request.state.name().as_str().to_lowercase().replace('_', " "),
            Err(error) => world.named(&format!("{}: {error}", error.code())),
        };
        writeln!(told, "{step}: {line}").unwrap();
    }
    expected.assert_eq(&told);
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn from_drafting_to_a_verified_outcome() {
    check(
        "draft ana, submit ana, approve bo, execute bo, verify bo",
        &expect![[r"
        draft ana: draft
        submit ana: pending approval
        approve bo: approved
        execute bo: succeeded
        verify bo: succeeded
    "]],
    );
}

#[test]
fn nobody_approves_what_they_wrote() {
    check(
        "draft bo, submit bo, approve bo, approve cy",
        &expect![[r"
        draft bo: draft
        submit bo: pending approval
        approve bo: refused: `bo` wrote `it` and cannot approve it
        approve cy: approved
    "]],
    );
}

#[test]
fn whoever_edited_it_wrote_it_too() {
    check(
        "draft ana, edit bo, submit ana, approve bo, approve cy",
        &expect![[r"
        draft ana: draft
        edit bo: draft
        submit ana: pending approval
        approve bo: refused: `bo` wrote `it` and cannot approve it
        approve cy: approved
    "]],
    );
}

#[test]
fn an_outsider_is_told_why_and_a_stranger_is_told_nothing() {
    check(
        "draft ana, submit ana, approve dora, approve ana, approve eve, approve aud",
        &expect![[r"
        draft ana: draft
        submit ana: pending approval
        approve dora: denied: `dora` may not approve here: not a member of any team that looks after `shop/pagos`
        approve ana: denied: `ana` may not approve here: no role with the permission `approve` in `shop/pagos/dev`
        approve eve: not_found: there is no request `it`, or you may not see it
        approve aud: not_found: there is no request `it`, or you may not see it
    "]],
    );
}

#[test]
fn an_agent_may_ask_and_never_agrees() {
    check(
        "draft robot, submit robot, approve robot, approve bo",
        &expect![[r"
        draft robot: draft
        submit robot: pending approval
        approve robot: denied: `robot` may not approve here: an agent never approves
        approve bo: approved
    "]],
    );
    check(
        "draft ana, submit ana, approve robot",
        &expect![[r"
        draft ana: draft
        submit ana: pending approval
        approve robot: denied: `robot` may not approve here: an agent never approves
    "]],
    );
}

#[test]
fn nothing_runs_before_its_approvals() {
    check(
        "draft ana, execute bo, submit ana, execute bo, approve bo, execute bo",
        &expect![[r"
        draft ana: draft
        execute bo: wrong_state: `it` is DRAFT and cannot be executed
        submit ana: pending approval
        execute bo: wrong_state: `it` is PENDING_APPROVAL and cannot be executed
        approve bo: approved
        execute bo: succeeded
    "]],
    );
}

#[test]
fn prod_takes_two_different_leads() {
    check(
        "draft ana prod, submit ana, approve bo, approve bo, execute bo, approve cy, execute ana, execute cy",
        &expect![[r"
            draft ana prod: draft
            submit ana: pending approval
            approve bo: pending approval
            approve bo: already_exists: `bo` approved `it` before
            execute bo: wrong_state: `it` is PENDING_APPROVAL and cannot be executed
            approve cy: approved
            execute ana: denied: `ana` may not execute here: no role with the permission `execute` in `shop/pagos/prod`
            execute cy: succeeded
        "]],
    );
}

#[test]
fn an_edit_voids_the_approvals() {
    check(
        "draft ana, submit ana, approve bo, edit ana, execute bo, submit ana, execute bo, approve bo, execute bo",
        &expect![[r"
            draft ana: draft
            submit ana: pending approval
            approve bo: approved
            edit ana: draft
            execute bo: wrong_state: `it` is DRAFT and cannot be executed
            submit ana: pending approval
            execute bo: wrong_state: `it` is PENDING_APPROVAL and cannot be executed
            approve bo: approved
            execute bo: succeeded
        "]],
    );
}

#[test]
fn a_reviewer_sends_back_or_says_no_and_says_why() {
    check(
        "draft ana, submit ana, return bo, return bo use a smaller batch, comment ana done, submit ana, reject cy no, submit ana",
        &expect![[r"
            draft ana: draft
            submit ana: pending approval
            return bo: invalid_input: this step needs a comment
            return bo use a smaller batch: changes requested
            comment ana done: changes requested
            submit ana: pending approval
            reject cy no: rejected
            submit ana: wrong_state: `it` is REJECTED and cannot be submitted
        "]],
    );
}

#[test]
fn an_author_withdraws_and_others_do_not() {
    check(
        "draft ana, submit ana, cancel bo, cancel ana, approve bo, submit ana",
        &expect![[r"
        draft ana: draft
        submit ana: pending approval
        cancel bo: refused: `bo` did not write `it`
        cancel ana: cancelled
        approve bo: wrong_state: `it` is CANCELLED and cannot be approved
        submit ana: wrong_state: `it` is CANCELLED and cannot be submitted
    "]],
    );
}

#[test]
fn a_run_that_failed_or_succeeded_does_not_run_again() {
    check(
        "draft ana, submit ana, approve bo, execute bo, execute bo, edit ana",
        &expect![[r"
        draft ana: draft
        submit ana: pending approval
        approve bo: approved
        execute bo: succeeded
        execute bo: wrong_state: `it` is SUCCEEDED and cannot be executed
        edit ana: wrong_state: `it` is SUCCEEDED and cannot be edited
    "]],
    );
    let world = World::new();
    world.bench.runner.ends_with(Outcome::Failed(Failure::new("sql.1", "no such table")));
    play(
        &world,
        "draft ana, submit ana, approve bo, execute bo, execute bo",
        &expect![[r"
        draft ana: draft
        submit ana: pending approval
        approve bo: approved
        execute bo: failed
        execute bo: wrong_state: `it` is FAILED and cannot be executed
    "]],
    );
    assert_eq!(world.bench.runner.entered().len(), 1);
}

#[test]
fn a_lost_run_is_unknown_and_only_reading_the_target_resolves_it() {
    let world = World::new();
    world.bench.runner.reads(Outcome::Unknown(Failure::new("busy", "the target is locked")));
    play(
        &world,
        "draft ana, submit ana, approve bo, crash bo, recover, wait 30000, recover, execute bo, edit ana, verify bo, verify bo",
        &expect![[r"
            draft ana: draft
            submit ana: pending approval
            approve bo: approved
            crash bo: executing
            recover: executing
            wait 30000: executing
            recover: unknown
            execute bo: wrong_state: `it` is UNKNOWN and cannot be executed
            edit ana: wrong_state: `it` is UNKNOWN and cannot be edited
            verify bo: unknown
            verify bo: succeeded
        "]],
    );
    assert_eq!(world.bench.runner.entered(), []);
}

#[test]
fn a_run_can_be_stopped_while_it_runs() {
    check(
        "draft ana, submit ana, approve bo, stop bo, crash bo, stop ana, stop bo, stop cy",
        &expect![[r"
        draft ana: draft
        submit ana: pending approval
        approve bo: approved
        stop bo: wrong_state: `it` is APPROVED and cannot be stopped
        crash bo: executing
        stop ana: executing
        stop bo: executing
        stop cy: executing
    "]],
    );
}
