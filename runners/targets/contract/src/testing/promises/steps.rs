//! Steps that are committed one by one, and statements that run alone.

use placet_core::runner::JobId;

use super::Check;
use crate::testing::exam::{
    Checked, Exam, INSERT, committed, done, ensure, fresh_id, mark, run, same,
};
use crate::{Access, CommitFailure, SqlFailure, StepSeen, StepState};

pub(super) const CHECKS: &[Check] = &[
    ("a step and its mark are committed together", together),
    ("a step that was not committed has neither effect nor mark", neither),
    ("a step is marked once, and without its mark it has no effect", once),
    ("the marks of one attempt say nothing of another", of_one_attempt),
    ("while a step can still be committed, no mark is denied", is_not_denied),
    ("a step is not committed without a transaction", inside_alone),
    ("a statement that runs alone is marked as done", alone_is_marked),
    (
        "a statement that failed alone leaves no mark, or one that tells that nobody knows",
        alone_fails,
    ),
];

fn steps_of(exam: &Exam<'_>, id: &JobId) -> Result<Option<Vec<StepSeen>>, String> {
    let mut steps = done("reading the steps", exam.reader()?.steps(id))?;
    if let Some(steps) = &mut steps {
        steps.sort_by(|one, other| one.step.cmp(&other.step));
    }
    Ok(steps)
}

fn seen(step: &str, state: StepState) -> StepSeen {
    StepSeen { step: step.to_owned(), state }
}

fn together(exam: &Exam<'_>) -> Checked {
    let id = fresh_id();
    let mut session = exam.writer(id)?;
    let _one = run(&mut *session, INSERT)?;
    committed("committing a step", session.commit_step(&mark(id, "s1")))?;
    same("rows after the first step", exam.rows().len(), 4)?;
    done("beginning again", session.begin())?;
    let _one = run(&mut *session, "DELETE FROM exam_orders WHERE id = 1")?;
    committed("committing a second step", session.commit_step(&mark(id, "s2 \"é'")))?;
    drop(session);
    same("rows after the second step", exam.rows().len(), 3)?;
    let wanted = vec![seen("s1", StepState::Done), seen("s2 \"é'", StepState::Done)];
    same("the steps", steps_of(exam, &id)?, Some(wanted))
}

fn neither(exam: &Exam<'_>) -> Checked {
    let id = fresh_id();
    same("the steps before", steps_of(exam, &id)?, Some(Vec::new()))?;
    let mut session = exam.writer(id)?;
    let _one = run(&mut *session, INSERT)?;
    drop(session);
    same("rows", exam.rows().len(), 3)?;
    same("the steps", steps_of(exam, &id)?, Some(Vec::new()))
}

fn once(exam: &Exam<'_>) -> Checked {
    let id = fresh_id();
    let mut session = exam.writer(id)?;
    committed("committing a step", session.commit_step(&mark(id, "s1")))?;
    drop(session);
    let before = exam.rows();
    let mut again = exam.writer(id)?;
    let _one = run(&mut *again, INSERT)?;
    let answer = again.commit_step(&mark(id, "s1"));
    ensure(matches!(answer, Err(CommitFailure::NotCommitted(_))), || {
        format!("the second commit of a step answered {answer:?}")
    })?;
    drop(again);
    same("rows", exam.rows(), before)
}

fn of_one_attempt(exam: &Exam<'_>) -> Checked {
    let id = fresh_id();
    let mut session = exam.writer(id)?;
    committed("committing a step", session.commit_step(&mark(id, "s1")))?;
    drop(session);
    let JobId { revision, attempt, .. } = id;
    for other in [
        JobId { attempt: attempt.saturating_add(1), ..id },
        JobId { revision: revision.saturating_add(1), ..id },
        fresh_id(),
    ] {
        same("the steps of another attempt", steps_of(exam, &other)?, Some(Vec::new()))?;
    }
    same("the marker of an attempt of which a step is done", exam.marker_of(&id)?, Some(false))
}

fn is_not_denied(exam: &Exam<'_>) -> Checked {
    let id = fresh_id();
    let mut session = exam.writer(id)?;
    same("the steps while a transaction is open", steps_of(exam, &id)?, None)?;
    committed("committing a step", session.commit_step(&mark(id, "s1")))?;
    done("beginning again", session.begin())?;
    same("the steps while a second transaction is open", steps_of(exam, &id)?, None)?;
    done("rolling back", session.rollback())?;
    drop(session);
    same("the steps", steps_of(exam, &id)?, Some(vec![seen("s1", StepState::Done)]))
}

fn inside_alone(exam: &Exam<'_>) -> Checked {
    let id = fresh_id();
    let mut session = exam.open(Access::ReadWrite(id))?;
    let answer = session.commit_step(&mark(id, "s1"));
    ensure(matches!(answer, Err(CommitFailure::NotCommitted(_))), || {
        format!("answered {answer:?}")
    })?;
    drop(session);
    same("the steps", steps_of(exam, &id)?, Some(Vec::new()))
}

fn alone_is_marked(exam: &Exam<'_>) -> Checked {
    let id = fresh_id();
    let mut session = exam.open(Access::ReadWrite(id))?;
    let Some(alone) = exam.of.dialect().alone() else {
        let before = exam.rows();
        let answer = session.execute_alone(INSERT, &mark(id, "s1"));
        ensure(matches!(answer, Err(CommitFailure::NotCommitted(SqlFailure::Refused(_)))), || {
            format!("a driver that runs nothing alone answered {answer:?}")
        })?;
        drop(session);
        same("rows", exam.rows(), before)?;
        return same("the steps", steps_of(exam, &id)?, Some(Vec::new()));
    };
    let _rows = committed(alone.works, session.execute_alone(alone.works, &mark(id, "s1")))?;
    drop(session);
    same("the steps", steps_of(exam, &id)?, Some(vec![seen("s1", StepState::Done)]))
}

fn alone_fails(exam: &Exam<'_>) -> Checked {
    let Some(alone) = exam.of.dialect().alone() else { return Ok(()) };
    let id = fresh_id();
    let mut session = exam.open(Access::ReadWrite(id))?;
    for sql in ["COMMIT", "DELETE FROM placet_marker", "SELECT 1; SELECT 2"] {
        let answer = session.execute_alone(sql, &mark(id, "s0"));
        ensure(matches!(answer, Err(CommitFailure::NotCommitted(_))), || {
            format!("`{sql}` answered {answer:?}")
        })?;
    }
    let wanted = match session.execute_alone(alone.fails, &mark(id, "s1")) {
        Ok(rows) => return Err(format!("`{}` changed {rows} rows", alone.fails)),
        Err(CommitFailure::NotCommitted(_)) => Vec::new(),
        Err(CommitFailure::Lost(_)) => vec![seen("s1", StepState::Intended)],
    };
    drop(session);
    same("the steps", steps_of(exam, &id)?, Some(wanted))
}
