//! What policies are told of a request's plan.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::runner::{Lock, Plan, Risk, Step};

/// What the plan of a request says, for policies. Of a batch, it is what all of its plans say together.
///
/// What a plan does not tell counts as the worst, as it does for [`Conditions`](crate::org::Conditions).
///
/// ```
/// use std::sync::Arc;
/// use placet_core::authz::{Action, Authorizer, Facts, PolicyHit, Question, Verdict};
/// use placet_core::digest::Digest;
/// use placet_core::error::{Code, Error};
/// use placet_core::runner::Lock;
/// # use placet_core::gate::Gate;
/// # use placet_core::store::MemoryStore;
/// # use placet_core::testing::{Bench, Office};
///
/// /// Nobody approves what keeps readers away.
/// #[derive(Debug)]
/// struct OpenDoors;
///
/// impl Authorizer for OpenDoors {
///     fn decide(&self, question: &Question, facts: &Facts) -> Result<Verdict, Error> {
///         let hit = |id: &str| vec![PolicyHit::new(id.to_owned(), "doors.rs:8".to_owned())];
///         let locks = facts.plan.as_ref().is_some_and(|plan| plan.lock == Lock::Exclusive);
///         let forbids = question.action == Action::APPROVE && locks;
///         let forbidden_by = if forbids { hit("open-doors") } else { Vec::new() };
///         Ok(Verdict::new(hit("as-the-index-says"), forbidden_by, Vec::new()))
///     }
///
///     fn policy_set_digest(&self) -> Digest {
///         Digest::of(b"open doors")
///     }
/// }
/// # let bench = Bench::on(Arc::new(MemoryStore::default()))?;
/// # let mut parts = bench.parts.clone();
///
/// parts.authorizer = Arc::new(OpenDoors);
/// let gate = Gate::new(parts);
/// # let office = Office::found(&gate)?;
/// office.approved(&gate)?; // it locks nothing
/// bench.runner.plans_as(|_, plan| plan.steps[0].impact.lock = Lock::Exclusive);
/// // Nobody could approve this: told when it is submitted.
/// assert_eq!(office.pending(&gate).unwrap_err().code(), Code::QuorumUnsatisfiable);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "every decider must look at every part")]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct PlanFacts {
    /// The greatest risk of any step.
    pub risk: Risk,
    /// The strongest lock that a step takes.
    pub lock: Lock,
    /// Whether a step writes a whole table anew.
    pub rewrites: bool,
    /// The rows of all steps that change something, as estimated; nothing where one of them has no estimate.
    pub rows: Option<u64>,
    /// What kinds of steps there are, such as `ddl`. Where nobody can tell what a step does, or whether there are more of
    /// them, `unknown` is one of them, and so is each of `read`, `write`, `ddl` and `deploy`.
    pub kinds: BTreeSet<String>,
    /// Whether a step that changes something cannot be undone.
    pub irreversible: bool,
    /// Whether a finding asks for a person.
    pub needs_person: bool,
    /// The codes of what was found.
    pub findings: BTreeSet<String>,
    /// What the steps touch.
    pub objects: BTreeSet<String>,
    /// Whether these are all: no step that changes something touches what is not known.
    pub objects_known: bool,
}

/// The kinds that every step of an unknown kind may be of, and the word for it.
const KINDS: [&str; 5] = ["read", "write", "ddl", "deploy", "unknown"];

impl PlanFacts {
    /// What these plans say. Where there is none any more, nobody knows.
    pub(crate) fn of(plans: &[&Plan]) -> Self {
        let steps = || plans.iter().flat_map(|plan| &plan.steps);
        let is_whole = !plans.is_empty() && plans.iter().all(|plan| !plan.steps.is_empty());
        let findings = || plans.iter().flat_map(|plan| &plan.findings);
        let any = |is: fn(&Step) -> bool| !is_whole || steps().any(is);
        // A policy asks for one of these words, or that there is no other: either way the worst is that all are there.
        let untold = if any(Step::is_unknown) { KINDS.as_slice() } else { &[] };
        let told = steps().map(|step| step.kind.as_str());
        let lock = steps().map(Step::lock).max().filter(|_| is_whole);
        Self {
            risk: plans.iter().map(|plan| plan.risk()).max().unwrap_or(Risk::High),
            lock: lock.unwrap_or(Lock::Exclusive),
            rewrites: any(Step::rewrites),
            rows: Plan::rows(plans).filter(|_| is_whole),
            kinds: told.chain(untold.iter().copied()).map(str::to_owned).collect(),
            irreversible: any(Step::is_irreversible),
            needs_person: plans.is_empty() || plans.iter().any(|plan| plan.needs_person()),
            findings: findings().map(|finding| finding.code.clone()).collect(),
            objects: steps().flat_map(|step| step.impact.objects.iter().cloned()).collect(),
            objects_known: is_whole && steps().all(Step::has_known_objects),
        }
    }
}
