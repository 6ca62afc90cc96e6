//! A database in memory that keeps a diary, and has trouble at the call that the exam names.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use placet_core::digest::Digest;
use placet_core::org::Slug;
use placet_core::runner::JobId;
use placet_target::{
    Access, Attempt, CommitFailure, Keepable, Marker, SqlFailure, SqlRows, SqlSession, SqlTarget,
    SqlValue, StepMark, StepSeen, StepState, StopSignal, Touch,
};

use super::world::{Trouble, World};
use crate::builder::Builder;

/// A database in memory. It understands no statement: each changes one row, and a query answers none.
///
/// ```
/// use placet_runners::conformance::{Candidate, SqlWorld, examine};
/// use placet_runners::shipped;
///
/// let sql = shipped::sql();
/// let candidate = Candidate::new(sql.component, sql.manifest)?;
/// // One statement after the other, each with effect at once: another way through the same calls.
/// let payload = r#"{"sql": "DELETE FROM a WHERE id = 1", "mode": "steps"}"#;
/// let report = examine(&candidate, &[payload], &SqlWorld::new("postgresql"))?;
/// assert!(report.passes(), "{report}");
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SqlWorld {
    dialect: String,
    diary: Arc<Mutex<Diary>>,
}

#[derive(Debug, Default)]
struct Diary {
    applied: Vec<String>,
    tried: Vec<String>,
    kept: Vec<String>,
    marks: BTreeMap<String, StepState>,
    committed: Vec<(u32, u32)>,
    calls: Vec<String>,
    trouble: Option<(usize, Trouble)>,
    is_dead: bool,
    writers: usize,
}

impl SqlWorld {
    /// A database of this dialect: `sqlite`, `postgresql`, `mysql`.
    pub fn new(dialect: impl Into<String>) -> Self {
        Self { dialect: dialect.into(), diary: Arc::default() }
    }

    fn diary(&self) -> MutexGuard<'_, Diary> {
        self.diary.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl World for SqlWorld {
    fn install(&self, builder: Builder, target: Slug) -> Builder {
        builder.target(target, Arc::new(self.clone()))
    }

    fn reset(&self, trouble: Option<(usize, Trouble)>) {
        *self.diary() = Diary { trouble, ..Diary::default() };
    }

    fn revive(&self) {
        let mut diary = self.diary();
        diary.is_dead = false;
        diary.trouble = None;
        diary.writers = 0;
    }

    fn calls(&self) -> Vec<String> {
        self.diary().calls.clone()
    }

    fn applied(&self) -> Vec<String> {
        self.diary().applied.clone()
    }

    fn tried(&self) -> Vec<String> {
        self.diary().tried.clone()
    }

    fn is_in_doubt(&self) -> bool {
        self.diary().marks.values().any(|mark| *mark == StepState::Intended)
    }
}

impl SqlTarget for SqlWorld {
    fn dialect(&self) -> &str {
        &self.dialect
    }

    fn open(&self, access: Access, _stop: &StopSignal) -> Result<Box<dyn SqlSession>, SqlFailure> {
        let role = match access {
            Access::ReadOnly => Role::Reads,
            // A dry run is no attempt.
            Access::ReadWrite(id) if id.attempt == 0 => Role::Tries,
            Access::ReadWrite(_) => Role::Writes,
        };
        let mut diary = self.diary();
        if role == Role::Writes {
            if diary.next("open").is_some() {
                return Err(broken());
            }
            diary.writers = diary.writers.saturating_add(1);
        } else if diary.is_dead {
            return Err(broken());
        }
        drop(diary);
        Ok(Box::new(Session { world: self.clone(), role, open: None }))
    }
}

fn broken() -> SqlFailure {
    let (code, message) = ("sql.trouble".to_owned(), "the exam let it fail".to_owned());
    SqlFailure::Database { code, message, position: None, retryable: false }
}

fn lost() -> CommitFailure {
    CommitFailure::Lost("the exam let the answer be lost".to_owned())
}

/// Whether a call with this trouble has its effect.
const fn happens(trouble: Option<Trouble>) -> bool {
    match trouble {
        None => true,
        Some(trouble) => trouble.has_happened(),
    }
}

impl Diary {
    /// Notes a call, and says what goes wrong with it.
    fn next(&mut self, call: &str) -> Option<Trouble> {
        if self.is_dead {
            return Some(Trouble::DiesBefore);
        }
        let number = self.calls.len();
        self.calls.push(call.to_owned());
        let trouble = self.trouble.filter(|(at, _)| *at == number).map(|(_, trouble)| trouble);
        self.is_dead = trouble.is_some_and(Trouble::is_death);
        trouble
    }
}

fn ended(trouble: Option<Trouble>) -> Result<(), CommitFailure> {
    match trouble {
        None => Ok(()),
        Some(Trouble::Fails) => Err(CommitFailure::NotCommitted(broken())),
        Some(_) => Err(lost()),
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Role {
    Reads,
    Tries,
    Writes,
}

#[derive(Debug)]
struct Session {
    world: SqlWorld,
    role: Role,
    open: Option<Vec<String>>,
}

impl Session {
    /// Notes a call of a session that writes.
    fn next(&self, call: &str) -> Option<Trouble> {
        if self.role == Role::Writes { self.world.diary().next(call) } else { None }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.role == Role::Writes {
            let mut diary = self.world.diary();
            diary.writers = diary.writers.saturating_sub(1);
        }
    }
}

impl SqlSession for Session {
    fn begin(&mut self) -> Result<(), SqlFailure> {
        let trouble = self.next("begin");
        if happens(trouble) {
            self.open = Some(Vec::new());
        }
        trouble.map_or(Ok(()), |_| Err(broken()))
    }

    fn execute(&mut self, statement: &str, _: &[SqlValue]) -> Result<u64, SqlFailure> {
        let trouble = self.next("execute");
        let Some(open) = &mut self.open else { return Err(broken()) };
        if self.role == Role::Tries {
            self.world.diary().tried.push(statement.to_owned());
        } else if happens(trouble) {
            open.push(statement.to_owned());
        }
        trouble.map_or(Ok(1), |_| Err(broken()))
    }

    fn query(&mut self, _: &str, _: &[SqlValue], _: u64, _: u64) -> Result<SqlRows, SqlFailure> {
        let (columns, origins) = (vec!["id".to_owned()], Vec::new());
        self.world
            .diary()
            .next("query")
            .map_or_else(|| Ok(SqlRows { columns, origins, rows: Vec::new() }), |_| Err(broken()))
    }

    fn schema_digest(&mut self, objects: &[String]) -> Result<Option<Digest>, SqlFailure> {
        Ok(Some(Digest::of(objects.join("\n").as_bytes())))
    }

    fn commit(&mut self, marker: &Marker) -> Result<(), CommitFailure> {
        let mut diary = self.world.diary();
        let trouble = diary.next("commit");
        let Some(open) = self.open.take() else {
            return Err(CommitFailure::NotCommitted(broken()));
        };
        if happens(trouble) {
            diary.applied.extend(open);
            diary.committed.push((marker.id.revision, marker.id.attempt));
        }
        ended(trouble)
    }

    fn rollback(&mut self) -> Result<(), SqlFailure> {
        // Whatever goes wrong: the session is dropped next.
        self.open = None;
        self.next("rollback").map_or(Ok(()), |_| Err(broken()))
    }

    fn marker(&mut self, id: &JobId) -> Result<Option<bool>, SqlFailure> {
        let diary = self.world.diary();
        let is_there = diary.committed.contains(&(id.revision, id.attempt));
        Ok(if is_there { Some(true) } else { (diary.writers == 0).then_some(false) })
    }

    fn commit_step(&mut self, mark: &StepMark) -> Result<(), CommitFailure> {
        let mut diary = self.world.diary();
        let trouble = diary.next("commit_step");
        let Some(open) = self.open.take() else {
            return Err(CommitFailure::NotCommitted(broken()));
        };
        if happens(trouble) {
            diary.applied.extend(open);
            diary.marks.insert(mark.step.clone(), StepState::Done);
        }
        ended(trouble)
    }

    fn execute_alone(&mut self, statement: &str, mark: &StepMark) -> Result<u64, CommitFailure> {
        let mut diary = self.world.diary();
        for (call, state) in [
            ("intent", StepState::Intended),
            ("alone", StepState::Intended),
            ("done", StepState::Done),
        ] {
            let trouble = diary.next(call);
            if happens(trouble) {
                if call == "alone" {
                    diary.applied.push(statement.to_owned());
                }
                diary.marks.insert(mark.step.clone(), state);
            }
            match (call, trouble) {
                (_, None) => {}
                // The database said no: it had no effect, and the intent is taken away.
                ("intent" | "alone", Some(Trouble::Fails)) => {
                    diary.marks.remove(&mark.step);
                    return Err(CommitFailure::NotCommitted(broken()));
                }
                (_, Some(_)) => return Err(lost()),
            }
        }
        Ok(1)
    }

    fn steps(&mut self, _: &JobId) -> Result<Option<Vec<StepSeen>>, SqlFailure> {
        let diary = self.world.diary();
        let seen =
            |(step, state): (&String, &StepState)| StepSeen { step: step.clone(), state: *state };
        Ok((diary.writers == 0).then(|| diary.marks.iter().map(seen).collect()))
    }

    fn can_keep(&mut self, _: &Touch) -> Result<Keepable, SqlFailure> {
        Ok(Keepable::Yes)
    }

    fn execute_kept(
        &mut self,
        statement: &str,
        _: (&Touch, &StepMark),
        _: u64,
    ) -> Result<u64, SqlFailure> {
        // Lost or failed: what was not kept does not run.
        if self.next("keep").is_some() {
            return Err(broken());
        }
        self.world.diary().kept.push(statement.to_owned());
        self.execute(statement, &[])
    }

    fn inverse(&mut self, _: &Attempt, _: (u64, u64)) -> Result<Vec<String>, SqlFailure> {
        Ok(Vec::new())
    }
}
