//! How an approved plan is executed. The host says so, by what people approved, and no plugin has a say in it.

use placet_core::digest::Digest;
use placet_core::runner::{Effect, Plan, Risk, Step};

use crate::asked::Asked;

/// How an approved plan is executed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Mode {
    /// All steps in one transaction, with the marker.
    #[default]
    Together,
    /// Each step takes effect by itself, and is marked.
    OneByOne,
    /// Every step only reads, and the host keeps what it answers.
    Answers,
    /// Each step is one call to another system, sent once.
    Calls,
}

impl Mode {
    /// For a plan of a database. Plans of deploy targets are [`Self::Calls`].
    pub(crate) fn of(plan: &Plan, asked: &Asked) -> Self {
        let all = |holds: fn(&Step) -> bool| plan.steps.iter().all(holds);
        if all(|step| step.kind == "read") {
            Self::Answers
        } else if asked.by_steps() || !all(|step| step.effect == Effect::Transactional) {
            Self::OneByOne
        } else {
            Self::Together
        }
    }
}

/// A step that people approved.
#[derive(Clone, Debug)]
pub(crate) struct Approved {
    pub(crate) id: String,
    pub(crate) body: String,
    pub(crate) digest: Digest,
    /// Whether it runs outside a transaction: nothing can undo it.
    pub(crate) is_alone: bool,
    /// Whether the rows that it changes are kept before.
    pub(crate) is_kept: bool,
    /// The most rows that it may change: its environment has a limit, and the plan said that it stays below.
    pub(crate) rows_max: Option<u64>,
    /// What it does, and what it names.
    pub(crate) kind: String,
    pub(crate) objects: Vec<String>,
}

impl Approved {
    /// `rows_max` is the limit of the environment.
    pub(crate) fn of(step: &Step, rows_max: Option<u64>) -> Self {
        // Where the plan told more rows, or none, people were told of it and agreed.
        let is_below = |limit: &u64| {
            changes_rows(step) && step.estimated_rows.is_some_and(|rows| rows <= *limit)
        };
        Self {
            rows_max: rows_max.filter(is_below),
            id: step.id.clone(),
            body: step.body.clone(),
            digest: step.body_digest,
            is_alone: step.effect != Effect::Transactional,
            // The host itself said of each writing step whether it can be put back.
            is_kept: changes_rows(step) && step.reversible,
            kind: step.kind.clone(),
            objects: step.impact.objects.clone(),
        }
    }
}

/// Whether a step changes rows, or may: it neither only reads nor changes the schema.
pub(crate) fn changes_rows(step: &Step) -> bool {
    step.kind != "read" && step.kind != "ddl"
}

/// Whether a step takes rows with it that no statement puts back: TRUNCATE, DROP TABLE, DROP COLUMN. The review calls no
/// other change of the schema critical.
pub(crate) fn loses_rows(step: &Step) -> bool {
    step.kind == "ddl" && step.risk == Risk::Critical
}
