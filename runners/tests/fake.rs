//! A target in memory that keeps a diary, and fails or loses its answer at the call that a test names.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use placet_core::digest::Digest;
use placet_core::runner::{JobId, Plan};
use placet_runners::{
    Access, Attempt, CommitFailure, Keepable, Marker, Origin, SqlFailure, SqlRows, SqlSession,
    SqlTarget, SqlValue, StepMark, StepSeen, StepState, StopSignal, Touch,
};

/// What goes wrong, once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    /// The call fails, and nothing of it happens.
    Fails,
    /// It happens, and its answer is lost.
    LostAfter,
    /// It does not happen, and nobody says so.
    LostBefore,
}

pub(crate) const FAULTS: [Fault; 3] = [Fault::Fails, Fault::LostAfter, Fault::LostBefore];

/// How the target breaks its own promises.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Lie {
    #[default]
    None,
    /// What was committed is said to be rolled back.
    NotCommitted,
    /// Rows are not kept, and the statement runs all the same.
    KeepsNothing,
    /// One row more is said to have changed.
    OneMore,
}

#[derive(Debug, Default)]
pub(crate) struct World {
    /// Statements that took effect, in order.
    pub(crate) applied: Vec<String>,
    /// Statements whose rows were kept.
    pub(crate) kept: Vec<String>,
    pub(crate) marks: BTreeMap<String, StepState>,
    pub(crate) committed: Vec<u32>,
    /// The calls that could go wrong, so far.
    pub(crate) calls: Vec<&'static str>,
    pub(crate) fault: Option<(usize, Fault)>,
    pub(crate) lie: Lie,
    pub(crate) schema: u32,
    /// Whether it does not tell how its tables are made.
    pub(crate) hides_schema: bool,
    pub(crate) keeps: bool,
    pub(crate) tells_steps: bool,
    /// What a query answers.
    pub(crate) rows: SqlRows,
    /// How many statements, and bytes of them, a revert was read up to.
    pub(crate) asked_for: Option<(u64, u64)>,
    /// What it expects of a statement; of others it cannot explain anything.
    pub(crate) estimates: BTreeMap<String, u64>,
    /// What it speaks; SQLite's dialect where nothing is said.
    pub(crate) dialect: Option<&'static str>,
    writers: usize,
    /// How many sessions are open, and how many were at most.
    pub(crate) sessions: (usize, usize),
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Fake(Arc<Mutex<World>>);

impl Fake {
    pub(crate) fn new() -> Self {
        let fake = Self::default();
        fake.world().tells_steps = true;
        fake
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }

    /// The ids of the steps that took effect; each statement is another one.
    pub(crate) fn truth(&self, plan: &Plan) -> Vec<String> {
        let world = self.world();
        let done = |body: &String| world.applied.iter().filter(|applied| *applied == body).count();
        for step in &plan.steps {
            assert!(done(&step.body) <= 1, "`{}` ran twice: {:?}", step.body, world.calls);
        }
        plan.steps.iter().filter(|step| done(&step.body) == 1).map(|step| step.id.clone()).collect()
    }
}

impl SqlTarget for Fake {
    fn dialect(&self) -> &'static str {
        self.world().dialect.unwrap_or("sqlite")
    }

    fn open(&self, access: Access, _stop: &StopSignal) -> Result<Box<dyn SqlSession>, SqlFailure> {
        let writes = matches!(access, Access::ReadWrite(id) if id.attempt > 0);
        if writes {
            let mut world = self.world();
            if world.next("open").is_some() {
                return Err(broken());
            }
            world.writers = world.writers.saturating_add(1);
        }
        let mut world = self.world();
        let (open, most) = world.sessions;
        let open = open.saturating_add(1);
        world.sessions = (open, most.max(open));
        drop(world);
        Ok(Box::new(Session { fake: self.clone(), writes, open: None }))
    }
}

fn broken() -> SqlFailure {
    let (code, message) = ("sql.fake".to_owned(), "it broke".to_owned());
    SqlFailure::Database { code, message, position: None, retryable: false }
}

impl World {
    /// Notes a call, and says what goes wrong with it.
    fn next(&mut self, call: &'static str) -> Option<Fault> {
        let number = self.calls.len();
        self.calls.push(call);
        self.fault.filter(|(at, _)| *at == number).map(|(_, fault)| fault)
    }

    fn ended(&self, fault: Option<Fault>) -> Result<(), CommitFailure> {
        match fault {
            None if self.lie == Lie::NotCommitted => Err(CommitFailure::NotCommitted(broken())),
            None => Ok(()),
            Some(Fault::Fails) => Err(CommitFailure::NotCommitted(broken())),
            Some(_) => Err(CommitFailure::Lost("the connection broke".to_owned())),
        }
    }
}

fn happens(fault: Option<Fault>) -> bool {
    matches!(fault, None | Some(Fault::LostAfter))
}

#[derive(Debug)]
struct Session {
    fake: Fake,
    writes: bool,
    open: Option<Vec<String>>,
}

impl Drop for Session {
    fn drop(&mut self) {
        let mut world = self.fake.world();
        world.sessions.0 = world.sessions.0.saturating_sub(1);
        if self.writes {
            world.writers = world.writers.saturating_sub(1);
        }
    }
}

impl SqlSession for Session {
    fn begin(&mut self) -> Result<(), SqlFailure> {
        let fault = self.writes.then(|| self.fake.world().next("begin")).flatten();
        if happens(fault) {
            self.open = Some(Vec::new());
        }
        fault.map_or(Ok(()), |_| Err(broken()))
    }

    fn execute(&mut self, statement: &str, _: &[SqlValue]) -> Result<u64, SqlFailure> {
        let mut world = self.fake.world();
        let fault = self.writes.then(|| world.next("execute")).flatten();
        let Some(open) = &mut self.open else { return Err(broken()) };
        if happens(fault) {
            open.push(statement.to_owned());
        }
        fault.map_or(Ok(if world.lie == Lie::OneMore { 2 } else { 1 }), |_| Err(broken()))
    }

    fn query(
        &mut self,
        _: &str,
        _: &[SqlValue],
        rows_max: u64,
        _: u64,
    ) -> Result<SqlRows, SqlFailure> {
        let mut world = self.fake.world();
        if world.next("query").is_some() {
            return Err(broken());
        }
        if u64::try_from(world.rows.rows.len()).unwrap() > rows_max {
            return Err(SqlFailure::Limit(format!("more than {rows_max} rows")));
        }
        Ok(world.rows.clone())
    }

    fn estimate(&mut self, statement: &str) -> Result<Option<u64>, SqlFailure> {
        self.fake.world().estimates.get(statement).copied().map(Some).ok_or_else(broken)
    }

    fn schema_digest(&mut self, objects: &[String]) -> Result<Option<Digest>, SqlFailure> {
        let world = self.fake.world();
        if world.hides_schema {
            return Ok(None);
        }
        Ok(Some(Digest::of(format!("{} {objects:?}", world.schema).as_bytes())))
    }

    fn commit(&mut self, marker: &Marker) -> Result<(), CommitFailure> {
        let mut world = self.fake.world();
        let fault = world.next("commit");
        let open = self.open.take().unwrap();
        if happens(fault) {
            world.applied.extend(open);
            world.committed.push(marker.id.attempt);
        }
        world.ended(fault)
    }

    fn rollback(&mut self) -> Result<(), SqlFailure> {
        let fault = self.writes.then(|| self.fake.world().next("rollback")).flatten();
        // Whatever goes wrong: the session is dropped next.
        self.open = None;
        fault.map_or(Ok(()), |_| Err(broken()))
    }

    fn marker(&mut self, id: &JobId) -> Result<Option<bool>, SqlFailure> {
        let world = self.fake.world();
        let is_there = world.committed.contains(&id.attempt);
        Ok(if is_there { Some(true) } else { (world.writers == 0).then_some(false) })
    }

    fn commit_step(&mut self, mark: &StepMark) -> Result<(), CommitFailure> {
        let mut world = self.fake.world();
        let fault = world.next("commit_step");
        let open = self.open.take().unwrap();
        if happens(fault) {
            world.applied.extend(open);
            world.marks.insert(mark.step.clone(), StepState::Done);
        }
        world.ended(fault)
    }

    fn execute_alone(&mut self, statement: &str, mark: &StepMark) -> Result<u64, CommitFailure> {
        let mut world = self.fake.world();
        for (call, state) in [
            ("intent", StepState::Intended),
            ("alone", StepState::Intended),
            ("done", StepState::Done),
        ] {
            let fault = world.next(call);
            if happens(fault) {
                if call == "alone" {
                    world.applied.push(statement.to_owned());
                }
                world.marks.insert(mark.step.clone(), state);
            }
            match (call, fault) {
                (_, None) => {}
                // The database said no: it had no effect, and the intent is taken away.
                ("intent" | "alone", Some(Fault::Fails)) => {
                    world.marks.remove(&mark.step);
                    return Err(CommitFailure::NotCommitted(broken()));
                }
                _ => return Err(CommitFailure::Lost("the connection broke".to_owned())),
            }
        }
        world.ended(None).map(|()| 1)
    }

    fn steps(&mut self, _: &JobId) -> Result<Option<Vec<StepSeen>>, SqlFailure> {
        let world = self.fake.world();
        if world.writers > 0 || !world.tells_steps {
            return Ok(None);
        }
        let marks = world.marks.iter();
        Ok(Some(
            marks.map(|(step, state)| StepSeen { step: step.clone(), state: *state }).collect(),
        ))
    }

    fn can_keep(&mut self, _: &Touch) -> Result<Keepable, SqlFailure> {
        let keeps = self.fake.world().keeps;
        Ok(if keeps { Keepable::Yes } else { Keepable::No("the fake has no key".to_owned()) })
    }

    fn execute_kept(
        &mut self,
        statement: &str,
        _: (&Touch, &StepMark),
        _: u64,
    ) -> Result<u64, SqlFailure> {
        let mut world = self.fake.world();
        match world.next("keep") {
            // Lost or failed: what was not kept does not run.
            Some(_) => return Err(broken()),
            None if world.lie == Lie::KeepsNothing => {}
            None => world.kept.push(statement.to_owned()),
        }
        drop(world);
        self.execute(statement, &[])
    }

    fn inverse(&mut self, _: &Attempt, most: (u64, u64)) -> Result<Vec<String>, SqlFailure> {
        self.fake.world().asked_for = Some(most);
        let world = self.fake.world();
        Ok(world.kept.iter().rev().map(|kept| kept.replace("INSERT", "REPLACE")).collect())
    }
}

/// Rows of people, with where their columns come from.
pub(crate) fn people(origins: Vec<Option<Origin>>) -> SqlRows {
    let columns = vec!["id".to_owned(), "email".to_owned()];
    let row = |id: i64| vec![SqlValue::Int64(id), SqlValue::Text(format!("p{id}@shop.test"))];
    SqlRows { columns, origins, rows: (1..=3).map(row).collect() }
}

pub(crate) fn from(table: &str, column: &str) -> Origin {
    Origin { table: table.to_owned(), column: column.to_owned() }
}
