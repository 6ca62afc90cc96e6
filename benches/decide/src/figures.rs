//! What one world told.

use crate::measure::Spread;
use crate::world::Size;

/// One way to decide.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) name: &'static str,
    /// How many questions, each in every round.
    pub(crate) questions: usize,
    /// CPU time of a decision, the median of the rounds.
    pub(crate) mean_ns: f64,
    pub(crate) allocations: f64,
    /// What it was built in, and what it holds; none where it is built from nothing.
    pub(crate) built: Option<(f64, i64)>,
}

#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) size: Size,
    pub(crate) rows: usize,
    /// How many of a hundred questions are a yes.
    pub(crate) yes_percent: f64,
    pub(crate) engines: Vec<Engine>,
    /// What the index says of itself.
    pub(crate) heap_by_itself: usize,
    pub(crate) spreads: Vec<(&'static str, Spread)>,
}

pub(crate) const PACKED: &str = "hand-packed";
pub(crate) const HANDLES: &str = "index, handles";
pub(crate) const IDS: &str = "index, ids";
pub(crate) const TEXTS: &str = "index, ids as text";
pub(crate) const DECIDE: &str = "authorize: slice and Cedar";
pub(crate) const CEDAR: &str = "raw Cedar, slice made before";
pub(crate) const CEDAR_WHOLE: &str = "raw Cedar, making the slice";
pub(crate) const CASBIN: &str = "casbin-rs, sharded";
pub(crate) const REGORUS: &str = "regorus, indexed";

pub(crate) const WHO: &str = "who can";
pub(crate) const WHERE: &str = "where can they";
pub(crate) const EXPLAIN: &str = "explanation";
pub(crate) const CHANGE: &str = "a membership changes, and is seen";

impl Figures {
    pub(crate) fn engine(&self, name: &str) -> Option<&Engine> {
        self.engines.iter().find(|engine| engine.name == name)
    }

    pub(crate) fn ratio(&self, of: &str, to: &str) -> f64 {
        let mean = |name| self.engine(name).map_or(f64::NAN, |engine| engine.mean_ns);
        mean(of) / mean(to)
    }

    pub(crate) fn spread(&self, name: &str) -> Spread {
        self.spreads.iter().find(|(of, _)| *of == name).map_or_else(Spread::default, |(_, it)| *it)
    }
}
