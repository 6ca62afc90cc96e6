//! A host with the measured plugin, and a target that takes the time whenever it is reached.

use core::time::Duration;
use std::borrow::Cow;
use std::error::Error;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Instant;

use placet::clock::Timestamp;
use placet::digest::Digest;
use placet::id::{RequestId, RunId};
use placet::org::Slug;
use placet::runner::{Job, JobId, Place, Runner as _};
use placet::runners::{
    Access, Builder, CommitFailure, Grant, Manifest, Marker, SqlFailure, SqlRows, SqlSession,
    SqlTarget, SqlValue, StopSignal, WasmRunner,
};
use placet_benches::Link;

pub(crate) static PACED: &[u8] = include_bytes!("../../../runners/plugins/built/tests-paced.wasm");

/// What is planned: three steps.
pub(crate) const PAYLOAD: &str = r#"{"orders": [3, 5, 8]}"#;

pub(crate) fn manifest(name: &str) -> Manifest {
    Manifest::new(name, "0.1.0").with_capability("sql").with_connection("target")
}

/// A host of one plugin, which may use databases.
pub(crate) fn sql_only(
    component: impl Into<Cow<'static, [u8]>>,
    manifest: Manifest,
) -> Result<Builder, Box<dyn Error>> {
    let name = manifest.name.parse()?;
    Ok(WasmRunner::builder().plugin(name, component, manifest, Grant::none().with("sql")))
}

/// What a plugin is to do.
pub(crate) fn job_of(runner: &str, payload: &str) -> Result<Job, Box<dyn Error>> {
    Ok(Job {
        id: JobId {
            request: RequestId::from_u128(7),
            revision: 1,
            attempt: 1,
            fence: 1,
            run: RunId::from_u128(8),
        },
        runner: runner.parse()?,
        target: "orders".parse()?,
        payload: payload.to_owned(),
        payload_digest: Digest::of(payload.as_bytes()),
        place: Place {
            project: "shop".parse()?,
            module: "pagos".parse()?,
            environment: "prod".parse()?,
        },
        deadline: Timestamp::from_micros(1_000_000_000_000),
        dry_run: false,
        settings: "{}".to_owned(),
    })
}

/// What the measured plugin is to do.
pub(crate) fn job(payload: &str) -> Result<Job, Box<dyn Error>> {
    job_of("paced", payload)
}

/// A host with the measured plugin, compiled.
pub(crate) struct Ground {
    pub(crate) name: Slug,
    pub(crate) runner: WasmRunner,
    pub(crate) target: Stamped,
}

impl Ground {
    pub(crate) fn new() -> Result<Self, Box<dyn Error>> {
        let target = Stamped::default();
        let runner = sql_only(PACED, manifest("paced"))?
            .target("orders".parse()?, Arc::new(target.clone()))
            .build()?;
        runner.warm_up()?;
        Ok(Self { name: "paced".parse()?, runner, target })
    }

    /// How long each of `times` calls to the host took, in one run: from when one reached the target until the next did.
    pub(crate) fn host_calls(
        &self,
        call: &str,
        times: usize,
    ) -> Result<Vec<Duration>, Box<dyn Error>> {
        let asked = times.saturating_add(1);
        let payload = format!(r#"{{"orders": [3], "call": "{call}", "times": {asked}}}"#);
        // One run before, so that what is made once is there.
        for _ in 0..2 {
            self.target.begin(call, asked);
            self.runner.plan(&job(&payload)?, &Link::default())?;
        }
        let stamps = self.target.end();
        let pairs = stamps.windows(2).filter_map(|pair| match pair {
            [from, to] => Some(to.duration_since(*from)),
            _ => None,
        });
        let took: Vec<Duration> = pairs.collect();
        assert_eq!(took.len(), times, "other calls than were asked for");
        Ok(took)
    }
}

/// What is noted of one kind of call.
#[derive(Debug, Default)]
struct Notes {
    call: String,
    most: usize,
    stamps: Vec<Instant>,
}

/// Lets calls in when there are enough of them.
#[derive(Debug, Default)]
struct Door {
    is_shut: bool,
    waiting: usize,
}

/// A target that takes the time whenever it is reached, and does nothing else.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stamped {
    notes: Arc<Mutex<Notes>>,
    door: Arc<(Mutex<Door>, Condvar)>,
}

impl Stamped {
    fn begin(&self, call: &str, most: usize) {
        let fresh = Notes { call: call.to_owned(), most, stamps: Vec::with_capacity(most) };
        *self.notes.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
    }

    fn end(&self) -> Vec<Instant> {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        core::mem::take(&mut *notes).stamps
    }

    #[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
    fn stamp(&self, call: &str) {
        let now = Instant::now();
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        if notes.call == call && notes.stamps.len() < notes.most {
            notes.stamps.push(now);
        }
    }

    /// Keeps whoever opens a session, until [`Self::let_in`].
    pub(crate) fn shut(&self) {
        self.door.0.lock().unwrap_or_else(PoisonError::into_inner).is_shut = true;
    }

    /// Waits until as many stand before the door, calls `look` and lets them in.
    pub(crate) fn let_in<T>(&self, wanted: usize, look: impl FnOnce() -> T) -> T {
        let (door, changed) = &*self.door;
        let mut held = door.lock().unwrap_or_else(PoisonError::into_inner);
        while held.waiting < wanted {
            held = changed.wait(held).unwrap_or_else(PoisonError::into_inner);
        }
        let seen = look();
        *held = Door::default();
        changed.notify_all();
        seen
    }

    fn pass(&self) {
        let (door, changed) = &*self.door;
        let mut held = door.lock().unwrap_or_else(PoisonError::into_inner);
        if held.is_shut {
            held.waiting = held.waiting.saturating_add(1);
            changed.notify_all();
        }
        while held.is_shut {
            held = changed.wait(held).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl SqlTarget for Stamped {
    fn dialect(&self) -> &'static str {
        self.stamp("dialect");
        "sqlite"
    }

    fn open(&self, _: Access, _: &StopSignal) -> Result<Box<dyn SqlSession>, SqlFailure> {
        self.stamp("open");
        self.pass();
        Ok(Box::new(Session(self.clone())))
    }
}

#[derive(Debug)]
struct Session(Stamped);

impl SqlSession for Session {
    fn begin(&mut self) -> Result<(), SqlFailure> {
        Ok(())
    }

    fn execute(&mut self, _: &str, _: &[SqlValue]) -> Result<u64, SqlFailure> {
        Ok(1)
    }

    fn query(&mut self, _: &str, _: &[SqlValue], _: u64, _: u64) -> Result<SqlRows, SqlFailure> {
        self.0.stamp("query");
        Ok(SqlRows::default())
    }

    fn commit(&mut self, _: &Marker) -> Result<(), CommitFailure> {
        Ok(())
    }

    fn rollback(&mut self) -> Result<(), SqlFailure> {
        Ok(())
    }

    fn marker(&mut self, _: &JobId) -> Result<Option<bool>, SqlFailure> {
        Ok(Some(true))
    }
}
