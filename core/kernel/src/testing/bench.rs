//! A gate's parts, wired for a test.

use std::sync::Arc;

use super::doubles::{
    CountingEntropy, CountingIds, ManualClock, ScriptedAuthorizer, ScriptedRunner,
};
use super::forms::RequiredFields;
use crate::audit::Ed25519Signer;
use crate::error::Error;
use crate::gate::Parts;
use crate::limits::Limits;
use crate::store::Store;

/// A gate's parts, all under the test's control, on `store`.
///
/// ```
/// use std::sync::Arc;
/// use placet_core::gate::Gate;
/// use placet_core::store::MemoryStore;
/// use placet_core::testing::{Bench, Office};
///
/// let bench = Bench::on(Arc::new(MemoryStore::default()))?;
/// let gate = Gate::new(bench.parts);
/// let office = Office::found(&gate)?;
/// let request = office.approved(&gate)?.header.id;
/// drop(gate.execute(&office.bo, request)?); // started, and nobody drives it
///
/// bench.clock.advance_ms(gate.limits().lease_ms);
/// assert_eq!(gate.tick()?, [request]); // its lease ended
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Bench {
    /// The clock.
    pub clock: Arc<ManualClock>,
    /// The policy engine.
    pub authorizer: Arc<ScriptedAuthorizer>,
    /// The runner.
    pub runner: Arc<ScriptedRunner>,
    /// The parts, ready for a gate.
    pub parts: Parts,
}

impl Bench {
    /// Everything that a gate needs, on `store`.
    pub fn on(store: Arc<dyn Store>) -> Result<Self, Error> {
        let clock = Arc::new(ManualClock::at("2026-02-07T12:00:00Z".parse()?));
        let authorizer = Arc::new(ScriptedAuthorizer::agreeing());
        let runner = Arc::new(ScriptedRunner::default());
        let signer = Ed25519Signer::from_seed("placet.test/log", &[7; 32])?;
        let parts = Parts {
            store,
            clock: Arc::<ManualClock>::clone(&clock),
            ids: Arc::new(CountingIds::default()),
            entropy: Arc::new(CountingEntropy::default()),
            authorizer: Arc::<ScriptedAuthorizer>::clone(&authorizer),
            runner: Arc::<ScriptedRunner>::clone(&runner),
            signer: Arc::new(signer),
            forms: Arc::new(RequiredFields),
            limits: Limits::default(),
        };
        Ok(Self { clock, authorizer, runner, parts })
    }
}
