//! How long a plugin takes.

use core::time::Duration;
use std::time::Instant;

use placet_core::clock::Timestamp;
use placet_core::error::{Code, Error};
use serde::Serialize;

use super::Candidate;
use super::room::{Room, When};
use super::world::World;
use crate::call::{self, Host};

/// How long one thing took, over many rounds, in nanoseconds.
///
/// ```
/// use placet_runners::conformance::{Candidate, SqlWorld, pace};
/// use placet_runners::shipped;
///
/// let sql = shipped::sql();
/// let candidate = Candidate::new(sql.component, sql.manifest)?;
/// let payload = r#"{"sql": "DELETE FROM orders WHERE id = 1"}"#;
/// let pace = pace(&candidate, payload, 5, &SqlWorld::new("sqlite"))?;
/// assert!(pace.parts.iter().all(|part| part.p50_ns <= part.p95_ns && part.rounds == 5));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Paced {
    /// What was done: `instantiate`, `describe`, `validate` or `plan`. Each begins with a fresh sandbox.
    pub what: &'static str,
    /// How often.
    pub rounds: usize,
    /// Half of the rounds took no longer.
    pub p50_ns: u64,
    /// Nineteen of twenty rounds took no longer.
    pub p95_ns: u64,
    /// No round took longer.
    pub max_ns: u64,
}

/// How long everything took.
///
/// ```
/// use placet_runners::conformance::{Candidate, SqlWorld, pace};
/// use placet_runners::shipped;
///
/// let sql = shipped::sql();
/// let candidate = Candidate::new(sql.component, sql.manifest)?;
/// let pace = pace(&candidate, r#"{"sql": "SELECT 1"}"#, 1, &SqlWorld::new("sqlite"))?;
/// assert!(pace.component_bytes > 1_000_000 && pace.ready_ns > 0);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Pace {
    /// The component, in bytes.
    pub component_bytes: usize,
    /// Until it was ready for its first call: read, compiled, linked. In nanoseconds, once.
    pub ready_ns: u64,
    /// What was done many times.
    pub parts: Vec<Paced>,
}

/// Measures a plugin with one payload.
///
/// Fails where it cannot be installed, or refuses the payload.
///
/// ```
/// use placet_runners::conformance::{Candidate, SqlWorld, pace};
/// use placet_runners::shipped;
///
/// let sql = shipped::sql();
/// let candidate = Candidate::new(sql.component, sql.manifest)?;
/// let pace = pace(&candidate, r#"{"sql": "SELECT 1"}"#, 3, &SqlWorld::new("sqlite"))?;
/// let names: Vec<&str> = pace.parts.iter().map(|part| part.what).collect();
/// assert_eq!(names, ["instantiate", "describe", "validate", "plan"]);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
pub fn pace(
    candidate: &Candidate,
    payload: &str,
    rounds: usize,
    world: &dyn World,
) -> Result<Pace, Error> {
    let begun = now();
    let room = Room::new(candidate, world)?;
    let ready_ns = since(begun);
    let Room { runner, name, .. } = &room;
    let gone = || Error::new(Code::Internal, "the plugin is not where it was put");
    let plugin = runner.plugins.get(name).ok_or_else(gone)?;
    let compiled = plugin.compiled(&runner.sandbox, &runner.source)?;
    let (limits, plugin) = (&runner.limits, name);
    let host = Host { sandbox: &runner.sandbox, compiled: &compiled, limits, plugin, usage: None };
    let at = Timestamp::MIN;
    let parts = vec![
        measured("instantiate", rounds, || call::pure(host, at, |_, _| Ok(())))?,
        measured("describe", rounds, || {
            call::pure(host, at, |guest, store| guest.describe(store).map(drop))
        })?,
        measured("validate", rounds, || {
            call::pure(host, at, |guest, store| guest.validate(store, payload).map(drop))
        })?,
        measured("plan", rounds, || room.plan(payload, When::default()).map(drop))?,
    ];
    Ok(Pace { component_bytes: candidate.component.len(), ready_ns, parts })
}

fn measured(
    what: &'static str,
    rounds: usize,
    mut work: impl FnMut() -> Result<(), Error>,
) -> Result<Paced, Error> {
    // The first round pays for what is kept.
    work()?;
    let rounds = rounds.max(1);
    let mut took = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let begun = now();
        work()?;
        took.push(since(begun));
    }
    took.sort_unstable();
    let part = |hundredths: usize| {
        let at = rounds.saturating_mul(hundredths).div_ceil(100).saturating_sub(1);
        took.get(at).copied().unwrap_or_default()
    };
    Ok(Paced { what, rounds, p50_ns: part(50), p95_ns: part(95), max_ns: part(100) })
}

#[expect(clippy::disallowed_methods, reason = "it measures; nothing is decided by it")]
fn now() -> Instant {
    Instant::now()
}

fn since(begun: Instant) -> u64 {
    let took: Duration = begun.elapsed();
    u64::try_from(took.as_nanos()).unwrap_or(u64::MAX)
}
