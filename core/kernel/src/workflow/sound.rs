//! Whether a definition is sound: what is stored can be trusted to end, and never to run what nobody approved.

use std::collections::BTreeSet;

use super::code::StateCode;
use super::definition::{Definition, Requirement, Transition};
use super::explore::{Explored, Node};
use super::flaw::{Flaw, Move, Step, Unsound};
use super::verb::Verb;
use crate::error::{Code, Error};
use crate::request::StateName;

/// The most states, transitions, and bytes in JSON of one definition.
const STATES_MAX: usize = 64;
const WAYS_MAX: usize = 512;
const BYTES_MAX: usize = 64 * 1024;

impl Definition {
    /// Looks whether it is sound: every state can be reached, an end can be reached from everywhere, nothing runs
    /// and nothing is handed on that was not approved as it is then, and every way is one that its verb does. Which roles the project has is
    /// looked at when it is stored.
    ///
    /// Fails with the flaw and the path that proves it.
    ///
    /// ```
    /// use placet_core::workflow::Definition;
    /// assert!(Definition::change().check().is_ok());
    /// assert!(Definition::artifact().check().is_ok());
    /// ```
    pub fn check(&self) -> Result<(), Unsound> {
        self.check_shape()?;
        let explored = Explored::of(self);
        let refuse = |flaw, node: &Node| Err(Unsound { flaw, path: explored.path_to(node) });
        for node in &explored.nodes {
            if matches!(node.phase, StateName::Executing | StateName::Succeeded)
                && !node.is_approved
            {
                return refuse(Flaw::RunsUnapproved, node);
            }
        }
        for node in &explored.nodes {
            for arc in explored.arcs.get(node).into_iter().flatten() {
                if !arc.is_of_core {
                    let mut path = explored.path_to(node);
                    path.push(Step { from: node.step.clone(), by: arc.by.clone() });
                    return Err(Unsound { flaw: Flaw::NotInCore, path });
                }
                if let (None, Move::Run { phase, .. }) = (&arc.to, &arc.by) {
                    return refuse(Flaw::RunLeadsNowhere { phase: *phase }, node);
                }
            }
        }
        let hands_on = |node: &&Node| self.state(&node.step).is_some_and(|it| it.is_syncable);
        if let Some(node) = explored.nodes.iter().filter(hands_on).find(|node| !node.is_approved) {
            return refuse(Flaw::HandsOnUnapproved, node);
        }
        let reached: BTreeSet<&StateCode> = explored.nodes.iter().map(|node| &node.step).collect();
        if let Some(state) = self.states.iter().find(|state| !reached.contains(&state.code)) {
            return Err(Unsound::at_once(Flaw::Unreachable { state: state.code.clone() }));
        }
        let ending = explored.ending();
        if let Some(node) = explored.nodes.iter().find(|node| !ending.contains(node)) {
            return refuse(Flaw::Endless, node);
        }
        self.check_ways(&explored)
    }

    /// What can be said of each state and way by itself, and must hold before anything is followed.
    fn check_shape(&self) -> Result<(), Unsound> {
        let mut codes = BTreeSet::new();
        for state in &self.states {
            if !codes.insert(&state.code) {
                return Err(Unsound::at_once(Flaw::SameState { state: state.code.clone() }));
            }
            if state.phases.is_empty() {
                return Err(Unsound::at_once(Flaw::NoPhase { state: state.code.clone() }));
            }
        }
        let ends = self.transitions.iter().flat_map(|way| [&way.from, &way.to]);
        let edits = self.states.iter().filter_map(|state| state.edit_to.as_ref());
        for named in ends.chain(edits).chain([&self.initial]) {
            if !codes.contains(named) {
                return Err(Unsound::at_once(Flaw::UnknownState { state: named.clone() }));
            }
        }
        let begins = self.state(&self.initial);
        if !begins.is_some_and(|state| state.phases.contains(&StateName::Draft)) {
            return Err(Unsound::at_once(Flaw::BeginsElsewhere));
        }
        let mut seen: Vec<&Transition> = Vec::new();
        for way in &self.transitions {
            if seen.iter().any(|other| self.is_same(other, way)) {
                let (from, action) = (way.from.clone(), way.action.clone());
                return Err(Unsound::at_once(Flaw::SameWay { from, action }));
            }
            seen.push(way);
        }
        Ok(())
    }

    /// Whether it could not be told which of two ways is meant.
    fn is_same(&self, one: &Transition, other: &Transition) -> bool {
        if one.from != other.from {
            return false;
        }
        let is_one_verb = one.verb == other.verb && one.verb != Verb::Advance;
        if !(one.verb.is_of_run() && other.verb.is_of_run() && one.verb == other.verb) {
            return is_one_verb || one.action == other.action;
        }
        // A run's outcome tells, where the ends have no phase in common.
        let phases = |code| self.state(code).map(|state| &state.phases);
        match (phases(&one.to), phases(&other.to)) {
            (Some(one), Some(other)) => !one.is_disjoint(other),
            _ => true,
        }
    }

    /// What each way takes, and whether those of a run are its verb's.
    fn check_ways(&self, explored: &Explored) -> Result<(), Unsound> {
        let is_own = Self::built_in(self.name.as_str()).is_none();
        for way in &self.transitions {
            let (from, action) = (way.from.clone(), way.action.clone());
            if way.verb.is_of_run() && !self.is_of_run(way) {
                let at = explored.nodes.iter().find(|node| node.step == from);
                let mut path = at.map_or_else(Vec::new, |node| explored.path_to(node));
                path.push(Step { from, by: Move::Way(action) });
                return Err(Unsound { flaw: Flaw::NotInCore, path });
            }
            if way.verb == Verb::Approve && !way.requires.contains(&Requirement::Quorum) {
                return Err(Unsound::at_once(Flaw::NoQuorum { from, action }));
            }
            // Only artifacts have versions, and no artifact goes through a workflow of a project.
            if is_own && way.verb == Verb::NewVersion {
                return Err(Unsound::at_once(Flaw::OnlyArtifacts { from, action }));
            }
            if is_own && self.form.is_none() && way.requires.contains(&Requirement::Complete) {
                return Err(Unsound::at_once(Flaw::NoForm { from, action }));
            }
            let is_ours = matches!(way.verb, Verb::Finish | Verb::Lose);
            let fits = |requirement: &Requirement| can_require(way.verb, *requirement);
            if !way.requires.iter().all(fits) || is_ours && !way.roles.is_empty() {
                return Err(Unsound::at_once(Flaw::MisplacedRequirement { from, action }));
            }
        }
        Ok(())
    }

    fn is_of_run(&self, way: &Transition) -> bool {
        let (Some(from), Some(to)) = (self.state(&way.from), self.state(&way.to)) else {
            return false;
        };
        let fits = |(before, after): &(StateName, StateName)| {
            from.phases.contains(before) && to.phases.contains(after)
        };
        way.verb.phases().iter().any(fits) && (way.verb != Verb::Stop || way.from == way.to)
    }

    /// Refuses a definition that is too large to be kept, before anything else is looked at.
    ///
    /// Fails with [`Code::TooLarge`].
    pub(crate) fn check_size(&self) -> Result<(), Error> {
        let bytes = serde_json::to_vec(self).map_or(usize::MAX, |text| text.len());
        let sizes = [
            ("states", self.states.len(), STATES_MAX),
            ("transitions", self.transitions.len(), WAYS_MAX),
            ("bytes", bytes, BYTES_MAX),
        ];
        let large = sizes.into_iter().find(|(_, size, max)| size > max);
        large.map_or(Ok(()), |(what, size, max)| {
            Err(Error::new(
                Code::TooLarge,
                format!("the workflow has {size} {what}; the limit is {max}"),
            )
            .with_help("split it into several workflows, or use shorter texts"))
        })
    }
}

/// Whether `verb` looks at `requirement`, and somebody who may do it could fulfil it.
const fn can_require(verb: Verb, requirement: Requirement) -> bool {
    match requirement {
        // These verbs take no comment.
        Requirement::Comment => !matches!(
            verb,
            Verb::Submit
                | Verb::Execute
                | Verb::Rerun
                | Verb::Stop
                | Verb::Finish
                | Verb::Lose
                | Verb::Verify
        ),
        Requirement::Complete => !verb.is_of_run(),
        // No author approves.
        Requirement::Author => !matches!(verb, Verb::Approve | Verb::Finish | Verb::Lose),
        Requirement::NoDependants => matches!(verb, Verb::Delete),
        Requirement::ValidTarget => matches!(verb, Verb::Execute | Verb::Rerun),
        Requirement::Quorum => matches!(verb, Verb::Approve),
        Requirement::Copy => matches!(verb, Verb::NewVersion),
    }
}
