//! What can be wrong with a definition, and the path that proves it.

use core::fmt;

use super::code::{ActionCode, StateCode};
use super::verb::Verb;
use crate::error::{Code, Error};
use crate::org::Name;
use crate::request::StateName;

/// What is wrong with a definition.
///
/// ```
/// use placet_core::workflow::{Definition, Flaw};
///
/// let mut hasty = Definition::change();
/// hasty.transitions.retain(|way| way.to.as_str() != "SUCCEEDED");
/// hasty.states.retain(|state| state.code.as_str() != "SUCCEEDED");
/// let unsound = hasty.check().unwrap_err();
/// assert!(matches!(unsound.flaw, Flaw::RunLeadsNowhere { .. } | Flaw::UnknownState { .. }));
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Flaw {
    /// A state is named that is not among the states.
    UnknownState {
        /// What is named.
        state: StateCode,
    },
    /// Two states have one code.
    SameState {
        /// Their code.
        state: StateCode,
    },
    /// A state is in no phase.
    NoPhase {
        /// The state.
        state: StateCode,
    },
    /// The first state is not in phase `DRAFT`.
    BeginsElsewhere,
    /// From one state there are two ways of one action, or two of one verb.
    SameWay {
        /// Where they begin.
        from: StateCode,
        /// What the second is called.
        action: ActionCode,
    },
    /// A way takes what its verb never looks at, or what nobody could fulfil.
    MisplacedRequirement {
        /// Where it begins.
        from: StateCode,
        /// What it is called.
        action: ActionCode,
    },
    /// A way to approve does not require the quorum.
    NoQuorum {
        /// Where it begins.
        from: StateCode,
        /// What it is called.
        action: ActionCode,
    },
    /// A way takes a complete payload, and no form says what that is.
    NoForm {
        /// Where it begins.
        from: StateCode,
        /// What it is called.
        action: ActionCode,
    },
    /// A workflow of a project has a way that only artifacts have, and these go through `artifact`.
    OnlyArtifacts {
        /// Where it begins.
        from: StateCode,
        /// What it is called.
        action: ActionCode,
    },
    /// A role is named that the project does not have.
    UnknownRole {
        /// Its name.
        role: Name,
    },
    /// The path ends with something running, or done, that nobody approved as it is.
    RunsUnapproved,
    /// The path ends where things are handed on to other systems, and nobody approved what is there.
    HandsOnUnapproved,
    /// The last step of the path is one that no verb of the core does.
    NotInCore,
    /// After the path a run could enter a phase that no state has.
    RunLeadsNowhere {
        /// The phase.
        phase: StateName,
    },
    /// No path leads to a state.
    Unreachable {
        /// The state.
        state: StateCode,
    },
    /// After the path, no end can be reached.
    Endless,
}

impl Flaw {
    /// The stable word of it, for programs.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::UnknownState { .. } => "unknown_state",
            Self::SameState { .. } => "same_state",
            Self::NoPhase { .. } => "no_phase",
            Self::BeginsElsewhere => "begins_elsewhere",
            Self::SameWay { .. } => "same_way",
            Self::MisplacedRequirement { .. } => "misplaced_requirement",
            Self::NoQuorum { .. } => "no_quorum",
            Self::NoForm { .. } => "no_form",
            Self::OnlyArtifacts { .. } => "only_artifacts",
            Self::UnknownRole { .. } => "unknown_role",
            Self::RunsUnapproved => "runs_unapproved",
            Self::HandsOnUnapproved => "hands_on_unapproved",
            Self::NotInCore => "not_in_core",
            Self::RunLeadsNowhere { .. } => "run_leads_nowhere",
            Self::Unreachable { .. } => "unreachable",
            Self::Endless => "endless",
        }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownState { state } => write!(f, "there is no state `{state}`"),
            Self::SameState { state } => write!(f, "there are two states `{state}`"),
            Self::NoPhase { state } => write!(f, "the state `{state}` has no phase"),
            Self::BeginsElsewhere => f.write_str("the first state is not in phase DRAFT"),
            Self::SameWay { from, action } => {
                write!(f, "`{action}` from `{from}` repeats the action or the verb of another way")
            }
            Self::MisplacedRequirement { from, action } => {
                write!(f, "`{action}` from `{from}` requires what its verb does not look at")
            }
            Self::NoQuorum { from, action } => {
                write!(f, "`{action}` from `{from}` approves without the quorum")
            }
            Self::NoForm { from, action } => {
                write!(f, "`{action}` from `{from}` takes a complete payload, and there is no form")
            }
            Self::OnlyArtifacts { from, action } => {
                write!(f, "`{action}` from `{from}` is for artifacts, which go through `artifact`")
            }
            Self::UnknownRole { role } => write!(f, "the project has no role `{role}`"),
            Self::RunsUnapproved => f.write_str("something runs that nobody approved as it is"),
            Self::HandsOnUnapproved => {
                f.write_str("something may be handed on that nobody approved as it is")
            }
            Self::NotInCore => f.write_str("the last step is not one that its verb does"),
            Self::RunLeadsNowhere { phase } => {
                write!(f, "a run can become {phase}, and no state has that phase")
            }
            Self::Unreachable { state } => write!(f, "nothing leads to `{state}`"),
            Self::Endless => f.write_str("no end can be reached"),
        }
    }
}

/// How a request moves.
/// ```
/// use placet_core::workflow::Move;
/// assert_eq!(Move::Way("SUBMIT".parse()?).to_string(), "SUBMIT");
/// assert_eq!(Move::Edit.to_string(), "(edit)");
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "whoever replays a path must know every move")]
pub enum Move {
    /// By a listed way of this action.
    Way(ActionCode),
    /// By an edit.
    Edit,
    /// By what becomes of a run.
    Run {
        /// Who says it.
        verb: Verb,
        /// The phase that it enters.
        phase: StateName,
    },
}

impl fmt::Display for Move {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Way(action) => write!(f, "{action}"),
            Self::Edit => f.write_str("(edit)"),
            Self::Run { verb, phase } => write!(f, "({verb}: {phase})"),
        }
    }
}

/// One step of a path: from where, and by which move.
/// ```
/// use placet_core::workflow::{Move, Step};
/// let step = Step { from: "DRAFT".parse()?, by: Move::Way("SUBMIT".parse()?) };
/// assert_eq!(step.to_string(), "DRAFT SUBMIT");
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "whoever replays a path needs both")]
pub struct Step {
    /// Where it begins.
    pub from: StateCode,
    /// What is done there.
    pub by: Move,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.from, self.by)
    }
}

/// Why a definition is refused, and the path that proves it.
///
/// ```
/// use placet_core::workflow::{Definition, Flaw, Requirement, Verb};
///
/// let mut hasty = Definition::change();
/// for way in hasty.transitions.iter_mut().filter(|way| way.verb == Verb::Approve) {
///     way.requires.remove(&Requirement::Quorum);
/// }
/// let unsound = hasty.check().unwrap_err();
/// assert_eq!(unsound.flaw, Flaw::RunsUnapproved);
/// assert_eq!(unsound.path_text(), "DRAFT SUBMIT, PENDING_APPROVAL APPROVE, APPROVED EXECUTE");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Unsound {
    /// What is wrong.
    pub flaw: Flaw,
    /// From the first state on, the steps to where it shows; empty where none is needed or there is none.
    pub path: Vec<Step>,
}

impl Unsound {
    /// A verdict.
    pub fn new(flaw: Flaw, path: Vec<Step>) -> Self {
        Self { flaw, path }
    }

    /// A flaw that needs no path.
    pub(crate) fn at_once(flaw: Flaw) -> Self {
        Self::new(flaw, Vec::new())
    }

    /// The path in one line.
    pub fn path_text(&self) -> String {
        self.path.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Unsound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.flaw)?;
        if self.path.is_empty() { Ok(()) } else { write!(f, ", after: {}", self.path_text()) }
    }
}

impl std::error::Error for Unsound {}

impl From<Unsound> for Error {
    fn from(unsound: Unsound) -> Self {
        Self::new(Code::UnsoundWorkflow, format!("the workflow is not sound: {unsound}"))
            .with_help(
                "change its states or transitions so that this path is closed, and store it again",
            )
            .with_detail("flaw", unsound.flaw.as_str())
            .with_detail("path", unsound.path_text())
            .with_source(unsound)
    }
}
