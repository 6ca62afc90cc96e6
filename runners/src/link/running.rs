//! Which step of the approved plan may run now, and how.

use placet_core::digest::Digest;
use placet_sql_review::Effect;
use placet_target::{Marker, SqlFailure, SqlSession, StepMark, Touch};

use crate::bindings::sql::{Error, Value};
use crate::ledger::Progress;
use crate::mode::{Approved, Mode};
use crate::review;
use crate::state::{Phase, State};

/// Some databases undo a statement that failed and go on; others do not. Nobody commits either.
pub(super) const BROKEN: &str =
    "a statement failed, so that the transaction can only be rolled back";

pub(super) const HALTED: &str = "a step failed, and none is begun after it";
const NOT_NEXT: &str = "the statement is not the next step of the approved plan";

impl State {
    /// How the approved plan is executed.
    pub(super) fn mode(&self) -> Mode {
        self.reach.as_ref().map_or(Mode::Together, |reach| reach.mode)
    }

    /// The next step of the approved plan.
    pub(super) fn next_step(&self) -> Option<&Approved> {
        self.reach.as_ref()?.approved.get(self.ledger.steps_done)
    }

    /// Whether a transaction may begin now, or why not.
    pub(super) fn may_begin(&self) -> Result<(), &'static str> {
        match self.phase {
            Phase::Plan { dry_run: true } => {}
            Phase::Plan { dry_run: false } => return Err("a dry run is not granted"),
            Phase::Pure | Phase::Verify => return Err("only a run begins a transaction"),
            Phase::Execute => match self.mode() {
                Mode::Answers => return Err("a plan that only reads has no transaction"),
                Mode::Calls => return Err("a plan of calls has no transaction"),
                Mode::OneByOne if self.ledger.halted => return Err(HALTED),
                Mode::OneByOne if self.next_step().is_some_and(|step| step.is_alone) => {
                    return Err("the next step runs outside a transaction");
                }
                Mode::Together | Mode::OneByOne => {}
            },
        }
        if self.ledger.progress != Progress::Nothing {
            return Err("a run has one transaction at a time, and one commit");
        }
        Ok(())
    }

    /// Whether `statement` may run in the open transaction, or why not.
    pub(super) fn may_run(
        &mut self,
        statement: &str,
        values: &[Value],
    ) -> Result<(), &'static str> {
        if !values.is_empty() {
            return Err(
                "a statement with values is not what approvers saw; write them into the text",
            );
        }
        match self.phase {
            Phase::Execute => {
                if self.mode() == Mode::OneByOne && self.ledger.awaits_commit.is_some() {
                    return Err("the step before it is not committed yet");
                }
                self.is_next(statement)
            }
            Phase::Plan { dry_run: true } => {
                let Some(reach) = &mut self.reach else { return Err("nothing can be reached") };
                if !reach.texts.take(statement) {
                    return Err("the statement is not part of the payload");
                }
                // It would take effect, and no rollback undoes it.
                if is_alone(statement, reach.target.dialect()) {
                    return Err(
                        "the statement runs outside a transaction, so that it is not tried",
                    );
                }
                Ok(())
            }
            Phase::Plan { .. } => Err("the statement is not part of the payload"),
            Phase::Pure | Phase::Verify => Err("only a run executes statements"),
        }
    }

    /// Whether `statement` may run now outside a transaction, or why not.
    pub(super) fn may_run_alone(
        &self,
        statement: &str,
        values: &[Value],
    ) -> Result<(), &'static str> {
        if self.phase != Phase::Execute {
            return Err("only a run executes statements");
        }
        if self.mode() != Mode::OneByOne || !self.next_step().is_some_and(|step| step.is_alone) {
            return Err("the next step of the approved plan runs in a transaction");
        }
        if self.is_revert() {
            // Each must change one row, and outside a transaction nobody could undo another number.
            return Err("what puts rows back runs in one transaction");
        }
        if self.ledger.halted {
            return Err(HALTED);
        }
        if self.next_step().is_some_and(|step| step.is_kept) {
            return Err("its rows are to be kept, and outside a transaction they cannot be");
        }
        if self.ledger.progress != Progress::Nothing {
            return Err("something else is under way");
        }
        if !values.is_empty() {
            return Err("a statement with values is not what approvers saw");
        }
        self.is_next(statement)
    }

    pub(super) fn is_next(&self, statement: &str) -> Result<(), &'static str> {
        if self.next_step().is_some_and(|step| step.body == statement) {
            Ok(())
        } else {
            Err(NOT_NEXT)
        }
    }

    /// Compares what the approved steps rest on with what people approved, once in a run and before anything is
    /// written. What is not as it was stops the run.
    pub(super) fn compare_basis(&mut self, session: &mut dyn SqlSession) -> Result<(), Error> {
        if self.phase != Phase::Execute || self.ledger.basis_holds {
            return Ok(());
        }
        let Some(reach) = &self.reach else { return Ok(()) };
        if let Some(basis) = reach.basis {
            let named: Vec<_> = reach
                .approved
                .iter()
                .map(|step| (step.kind.as_str(), step.body.as_str(), &*step.objects))
                .collect();
            let objects = crate::planning::objects(&named).unwrap_or_default();
            match session.schema_digest(&objects) {
                Ok(Some(found)) if found == basis => {}
                Ok(_) => {
                    let why = "what the plan rests on was changed after it was made; nothing ran";
                    return Err(self.fail_as("drift", why, None));
                }
                Err(failure) => return Err(self.fail(failure, None)),
            }
        }
        self.ledger.basis_holds = true;
        Ok(())
    }

    /// Runs a statement in the open transaction, as the plan says: where it says that its rows can be put back, they
    /// are kept before, or the statement does not run.
    pub(super) fn run_in(
        &mut self,
        session: &mut dyn SqlSession,
        statement: &str,
    ) -> wasmtime::Result<Result<u64, Error>> {
        let step = self.next_step_id();
        let is_kept =
            self.phase == Phase::Execute && self.next_step().is_some_and(|step| step.is_kept);
        let ran = if is_kept {
            let mark = self.step_mark()?;
            let dialect = self.reach.as_ref().map_or("", |reach| reach.target.dialect());
            match review::touch(statement, dialect) {
                Ok(touch) => self.keep_and_run(session, statement, (&touch, &mark)),
                Err(why) => Err(SqlFailure::Refused(format!("its rows cannot be kept: {why}"))),
            }
        } else {
            session.execute(statement, &[])
        };
        Ok(match ran {
            Ok(affected) if affected != 1 && self.is_revert() => {
                let why = "a row that it would put back is not as the attempt left it";
                Err(self.fail_as("row_changed", why, step))
            }
            Ok(affected) => match self.above_limit(affected) {
                Some(why) => Err(self.fail_as("rows_above_limit", &why, step)),
                None => Ok(affected),
            },
            Err(failure) => Err(self.fail(failure, step)),
        })
    }

    /// The plan said that the step stays below the limit of its environment, and it did not.
    fn above_limit(&self, affected: u64) -> Option<String> {
        if self.phase != Phase::Execute {
            return None;
        }
        let most = self.next_step()?.rows_max.filter(|most| affected > *most)?;
        Some(format!("it changed {affected} rows, and more than {most} are too many here"))
    }

    /// Keeps no more rows in one run than one revert puts back.
    fn keep_and_run(
        &mut self,
        session: &mut dyn SqlSession,
        statement: &str,
        what: (&Touch, &StepMark),
    ) -> Result<u64, SqlFailure> {
        let rows_max = self.limits.kept_rows_max;
        let left = rows_max.saturating_sub(self.ledger.kept_open);
        let before = self.ledger.kept_open;
        let too_many = |why: &str| {
            SqlFailure::Limit(format!(
                "{why}; one run keeps at most {rows_max} rows, and the steps before it keep {before}"
            ))
        };
        let rows = match session.execute_kept(statement, what, left) {
            Err(SqlFailure::Limit(why)) => return Err(too_many(&why)),
            ran => ran?,
        };
        if rows > left {
            return Err(too_many("the statement changes too many rows"));
        }
        self.ledger.kept_open = self.ledger.kept_open.saturating_add(rows);
        Ok(rows)
    }

    /// Whether the statements put back what an attempt changed: each changes one row, or all are undone.
    fn is_revert(&self) -> bool {
        self.reach.as_ref().is_some_and(|reach| reach.asked.revert.is_some())
    }

    /// Notes that a step took effect by itself, and was confirmed.
    pub(super) fn note_step(&mut self, id: String, rows: u64) {
        let steps = self.reach.as_ref().map_or(0, |reach| reach.approved.len());
        self.ledger.note_step(id, rows, steps);
    }

    /// Notes that the statement ran in the open transaction.
    pub(super) fn note_ran(&mut self, statement: &str, affected: u64) {
        if matches!(self.phase, Phase::Plan { .. }) {
            self.ledger.tried.push((Digest::of(statement.as_bytes()), affected));
        }
        if self.phase == Phase::Execute && self.mode() == Mode::OneByOne {
            self.ledger.awaits_commit = Some(affected);
        } else {
            self.ledger.steps_done = self.ledger.steps_done.saturating_add(1);
            self.ledger.rows = self.ledger.rows.saturating_add(affected);
        }
    }

    /// The mark of the next step. An error ends the plugin's call.
    pub(super) fn step_mark(&self) -> wasmtime::Result<StepMark> {
        let nothing = || wasmtime::Error::msg("there is no step to mark");
        let (Some(reach), Some(step)) = (&self.reach, self.next_step()) else {
            return Err(nothing());
        };
        let (step, digest) = (step.id.clone(), step.digest);
        Ok(StepMark { id: reach.id, step, digest, at: reach.lease.now() })
    }

    /// The marker of the whole plan. An error ends the plugin's call.
    pub(super) fn marker_row(&self) -> wasmtime::Result<Marker> {
        let reach = self.reach().map_err(|error| wasmtime::Error::msg(error.to_string()))?;
        Ok(Marker { id: reach.id, digest: reach.plan_digest, at: reach.lease.now() })
    }
}

/// Whether a statement takes effect by itself, whatever transaction is open.
fn is_alone(statement: &str, dialect: &str) -> bool {
    // Nothing in SQLite does, and a script may be long.
    dialect != "sqlite"
        && placet_sql_review::classify(statement, dialect).effect != Effect::Transactional
}
