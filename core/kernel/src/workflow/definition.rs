//! A workflow: its states, and the transitions between them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::code::{ActionCode, StateCode};
use super::form::Form;
use super::verb::Verb;
use crate::org::{Name, Slug};
use crate::request::StateName;

/// A workflow as data.
///
/// ```
/// use placet_core::workflow::Definition;
///
/// let artifact = Definition::artifact();
/// assert_eq!((artifact.states.len(), artifact.transitions.len()), (7, 12));
/// let from = &"PENDING_REVIEW".parse()?;
/// let approve = artifact.transition(from, &"APPROVE".parse()?);
/// assert!(approve.is_some_and(|way| way.to.as_str() == "APPROVED"));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a definition is written out by its author")]
pub struct Definition {
    /// Its name within the project.
    pub name: Slug,
    /// Which text of it this is, from 1. 0 is the one that comes next.
    #[serde(default)]
    pub version: u32,
    /// Where a request begins.
    pub initial: StateCode,
    /// Its states. Where several have a phase that a run enters, the first is entered.
    pub states: Vec<StateDef>,
    /// Its transitions.
    pub transitions: Vec<Transition>,
    /// Which fields the payload must have where a transition requires it complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<Form>,
}

/// A state of a workflow: what people see of where a request is.
///
/// ```
/// use placet_core::workflow::Definition;
///
/// let artifact = Definition::artifact();
/// let is_frozen = artifact.state(&"PENDING_REVIEW".parse()?).is_some_and(|state| state.edit_to.is_none());
/// assert!(is_frozen);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a definition is written out by its author")]
pub struct StateDef {
    /// Its code, unique within the workflow.
    pub code: StateCode,
    /// What people see.
    pub label: Name,
    /// The phases of the typed core that look like this.
    pub phases: BTreeSet<StateName>,
    /// Where an edit leads to; nothing: what it asks for cannot be edited here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edit_to: Option<StateCode>,
    /// Whether what it holds may be handed on to other systems.
    #[serde(default)]
    pub is_syncable: bool,
}

/// A way from one state to another.
///
/// ```
/// use placet_core::workflow::{Definition, Requirement, Transition, Verb};
///
/// let change = Definition::change();
/// let commented = |way: &&Transition| way.requires.contains(&Requirement::Comment);
/// let verbs: Vec<_> = change.transitions.iter().filter(commented).map(|way| way.verb).collect();
/// assert_eq!(verbs, [Verb::RequestChanges, Verb::Reject, Verb::Reconcile, Verb::Reconcile]);
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a definition is written out by its author")]
pub struct Transition {
    /// What the workflow calls it. From one state there is one of each, but where a run's outcome tells.
    pub action: ActionCode,
    /// What it does. From one state there is one of each, but to advance, and where a run's outcome tells.
    pub verb: Verb,
    /// Where it begins.
    pub from: StateCode,
    /// Where it leads.
    pub to: StateCode,
    /// The project roles, by name, one of which whoever takes it must hold; none: no role in particular. Whoever
    /// takes it needs the permission of the verb besides.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub roles: BTreeSet<Name>,
    /// What it takes beyond a role.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub requires: BTreeSet<Requirement>,
}

/// What a transition takes beyond a role.
///
/// ```
/// use placet_core::workflow::Requirement;
/// let listed: Vec<Requirement> = vec![Requirement::Comment, Requirement::Author];
/// assert!(listed.contains(&Requirement::Author));
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Requirement {
    /// A comment that says why.
    Comment,
    /// A payload that fits the form: of the workflow, and of an artifact that of its type, where the project set one.
    /// Without one an artifact has to say something.
    Complete,
    /// Only somebody who asked for it, wrote it or submitted it.
    Author,
    /// Nothing depends on it.
    NoDependants,
    /// A runner that knows the target.
    ValidTarget,
    /// Enough approvals of exactly this content.
    Quorum,
    /// It makes a copy with the next version; the old one stays.
    Copy,
}

impl Definition {
    /// The state of that code.
    pub fn state(&self, code: &StateCode) -> Option<&StateDef> {
        self.states.iter().find(|state| state.code == *code)
    }

    /// The first way from there that is called so.
    pub fn transition(&self, from: &StateCode, action: &ActionCode) -> Option<&Transition> {
        self.ways_from(from).find(|way| way.action == *action)
    }

    /// The first way from there by that verb.
    pub fn way(&self, from: &StateCode, verb: Verb) -> Option<&Transition> {
        self.ways_from(from).find(|way| way.verb == verb)
    }

    /// Every way from there.
    pub fn ways_from(&self, from: &StateCode) -> impl Iterator<Item = &Transition> + use<'_> {
        let from = from.clone();
        self.transitions.iter().filter(move |way| way.from == from)
    }

    /// Where a run leads to that `verb` took from `step` to `phase`: by a listed way whose end has the phase, else as
    /// [`Self::state_of_phase`] says.
    pub(crate) fn arrival(
        &self,
        step: &StateCode,
        verb: Verb,
        phase: StateName,
    ) -> Option<&StateDef> {
        let ways = self.ways_from(step).filter(|way| way.verb == verb);
        let ends = ways.filter_map(|way| self.state(&way.to));
        let listed = ends.into_iter().find(|state| state.phases.contains(&phase));
        listed.or_else(|| self.state_of_phase(step, phase))
    }

    /// The state of a request in `phase` that was at `step`: it stays where that state has the phase; else it is in
    /// the first state that has it.
    ///
    /// ```
    /// use placet_core::request::StateName;
    /// use placet_core::workflow::Definition;
    ///
    /// let artifact = Definition::artifact();
    /// let code = |step: &str, phase| {
    ///     Ok::<_, placet_core::error::Error>(artifact.state_of_phase(&step.parse()?, phase).map(|it| it.code.as_str()))
    /// };
    /// // What runs, or ran and failed, is approved; what succeeded is synced.
    /// assert_eq!(code("APPROVED", StateName::Executing)?, Some("APPROVED"));
    /// assert_eq!(code("APPROVED", StateName::Succeeded)?, Some("SYNCED"));
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn state_of_phase(&self, step: &StateCode, phase: StateName) -> Option<&StateDef> {
        let here = self.state(step).filter(|state| state.phases.contains(&phase));
        here.or_else(|| self.states.iter().find(|state| state.phases.contains(&phase)))
    }
}
