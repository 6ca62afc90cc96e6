//! Time that a test makes: ticks of the sandbox, by hand.

use std::sync::Arc;

use placet_core::error::Error;

use crate::engine::Sandbox;
use crate::runner::WasmRunner;

/// The ticks of one host. Plugins see no others.
///
/// ```
/// use placet_core::error::Code;
/// use placet_core::runner::Runner;
/// use placet_runners::testing::Ticks;
/// use placet_runners::{Grant, WasmRunner, shipped};
///
/// let (sql, grant) = (shipped::sql(), Grant::none().with("sql"));
/// let runner =
///     WasmRunner::builder().plugin("sql".parse()?, sql.component, sql.manifest, grant).build()?;
/// let (runner, ticks) = Ticks::of(runner)?;
/// runner.validate(&"sql".parse()?, r#"{"sql": "SELECT 1"}"#)?;
/// // It took no tick, and this is the first.
/// ticks.tick();
/// assert_eq!(ticks.count(), 1);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Ticks(Arc<Sandbox>);

impl Ticks {
    /// Gives a host that nobody called yet a sandbox of its own, whose ticks are made by hand.
    pub fn of(mut runner: WasmRunner) -> Result<(WasmRunner, Self), Error> {
        runner.sandbox = Arc::new(Sandbox::ticked_by_hand()?);
        let ticks = Self(Arc::clone(&runner.sandbox));
        Ok((runner, ticks))
    }

    /// Makes one tick. Whoever must stop does so at the next one.
    pub fn tick(&self) {
        self.0.tick();
    }

    /// How many were made.
    pub fn count(&self) -> u64 {
        self.0.ticks()
    }
}
