//! The marker of an attempt tells the truth, or that nobody knows.

use placet_core::runner::JobId;

use super::Check;
use crate::testing::exam::{
    Checked, Exam, INSERT, committed, done, ensure, fresh_id, mark, marker, run, same,
};
use crate::{Access, CommitFailure, StepState};

pub(super) const CHECKS: &[Check] = &[
    ("the marker of a committed attempt is there", is_there),
    ("no marker is there before anything was committed", is_not_there),
    ("the marker of one attempt says nothing of another", is_of_one_attempt),
    ("while a session can still commit, no marker is denied", is_not_denied),
    ("the marker reads the same from the session that committed", reads_in_its_session),
    ("an attempt is committed once", once),
    ("a session commits for its own attempt and no other", is_its_own),
    ("a dry run commits nothing", dry),
    ("a commit that fails leaves neither rows nor marker", fails_whole),
];

fn is_there(exam: &Exam<'_>) -> Checked {
    let id = fresh_id();
    let mut session = exam.writer(id)?;
    let _one = run(&mut *session, INSERT)?;
    committed("committing", session.commit(&marker(id)))?;
    drop(session);
    same("the marker", exam.marker_of(&id)?, Some(true))?;
    same("rows", exam.rows().len(), 4)
}

fn is_not_there(exam: &Exam<'_>) -> Checked {
    let id = fresh_id();
    same("the marker of an attempt without a session", exam.marker_of(&id)?, Some(false))?;
    let mut session = exam.writer(id)?;
    let _one = run(&mut *session, INSERT)?;
    drop(session);
    same("the marker after the session ended", exam.marker_of(&id)?, Some(false))
}

fn is_of_one_attempt(exam: &Exam<'_>) -> Checked {
    let id = fresh_id();
    let mut session = exam.writer(id)?;
    committed("committing", session.commit(&marker(id)))?;
    drop(session);
    let JobId { revision, attempt, .. } = id;
    let others = [
        JobId { attempt: attempt.saturating_add(1), ..id },
        JobId { revision: revision.saturating_add(1), ..id },
        JobId { request: fresh_id().request, ..id },
    ];
    for other in others {
        same("the marker of another attempt", exam.marker_of(&other)?, Some(false))?;
    }
    let later_fence = JobId { fence: 9, run: fresh_id().run, ..id };
    same("the marker, asked with a later fence", exam.marker_of(&later_fence)?, Some(true))
}

fn is_not_denied(exam: &Exam<'_>) -> Checked {
    let id = fresh_id();
    let mut session = exam.writer(id)?;
    same("the marker while a transaction is open", exam.marker_of(&id)?, None)?;
    let _one = run(&mut *session, INSERT)?;
    same("the marker after a statement", exam.marker_of(&id)?, None)?;
    let steps = done("reading the steps", exam.reader()?.steps(&id))?;
    same("the steps after a statement", steps, None)?;
    committed("committing", session.commit(&marker(id)))?;
    let seen = exam.marker_of(&id)?;
    ensure(seen != Some(false), || "a committed marker was denied".to_owned())?;
    drop(session);
    same("the marker after the session ended", exam.marker_of(&id)?, Some(true))
}

fn reads_in_its_session(exam: &Exam<'_>) -> Checked {
    let id = fresh_id();
    let mut session = exam.writer(id)?;
    committed("committing", session.commit(&marker(id)))?;
    same("the marker", done("reading the marker", session.marker(&id))?, Some(true))
}

fn once(exam: &Exam<'_>) -> Checked {
    let id = fresh_id();
    let mut session = exam.writer(id)?;
    committed("committing", session.commit(&marker(id)))?;
    drop(session);
    let before = exam.rows();
    let mut again = exam.writer(id)?;
    let _one = run(&mut *again, INSERT)?;
    let answer = again.commit(&marker(id));
    ensure(matches!(answer, Err(CommitFailure::NotCommitted(_))), || {
        format!("the second commit answered {answer:?}")
    })?;
    drop(again);
    same("rows", exam.rows(), before)?;
    same("the marker", exam.marker_of(&id)?, Some(true))
}

fn is_its_own(exam: &Exam<'_>) -> Checked {
    let (own, before) = (fresh_id(), exam.rows());
    let JobId { revision, attempt, .. } = own;
    let others = [
        JobId { attempt: attempt.saturating_add(1), ..own },
        JobId { revision: revision.saturating_add(1), ..own },
        fresh_id(),
    ];
    for other in others {
        commits_neither(exam, own, &other)?;
        same("rows", exam.rows(), before.clone())?;
        let seen = exam.marker_of(&other)?;
        ensure(seen != Some(true), || "an attempt without a session has a marker".to_owned())?;
    }
    same("the marker of its own", exam.marker_of(&own)?, Some(false))
}

fn dry(exam: &Exam<'_>) -> Checked {
    let (id, before) = (JobId { attempt: 0, ..fresh_id() }, exam.rows());
    commits_neither(exam, id, &id)?;
    same("rows", exam.rows(), before)
}

/// The session of `own` is to commit for `id`, as a whole and as a step.
fn commits_neither(exam: &Exam<'_>, own: JobId, id: &JobId) -> Checked {
    for as_step in [false, true] {
        let mut session = exam.writer(own)?;
        let _one = run(&mut *session, INSERT)?;
        let answer = if as_step {
            session.commit_step(&mark(*id, "s1"))
        } else {
            session.commit(&marker(*id))
        };
        ensure(matches!(answer, Err(CommitFailure::NotCommitted(_))), || {
            format!("committing (a step: {as_step}) answered {answer:?}")
        })?;
    }
    Ok(())
}

fn fails_whole(exam: &Exam<'_>) -> Checked {
    let (first, second) = (fresh_id(), fresh_id());
    // The second transaction of a session must not be made of the first one's rest.
    let mut session = exam.writer(first)?;
    committed("committing", session.commit(&marker(first)))?;
    drop(session);
    let before = exam.rows();
    let mut session = exam.open(Access::ReadWrite(second))?;
    done("beginning", session.begin())?;
    let _one = run(&mut *session, INSERT)?;
    // The marker of the first attempt is there already, so this commit must fail as a whole.
    let answer = session.commit(&marker(first));
    ensure(matches!(answer, Err(CommitFailure::NotCommitted(_))), || {
        format!("the commit answered {answer:?}")
    })?;
    drop(session);
    same("rows", exam.rows(), before)?;
    same("the marker", exam.marker_of(&second)?, Some(false))?;
    let steps = done("reading the steps", exam.reader()?.steps(&second))?;
    let is_done = |steps: &Vec<crate::StepSeen>| steps.iter().any(|s| s.state == StepState::Done);
    ensure(!steps.as_ref().is_some_and(is_done), || format!("steps are marked: {steps:?}"))
}
