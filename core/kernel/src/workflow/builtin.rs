//! The two workflows that every project has.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use super::code::{ActionCode, StateCode};
use super::definition::{Definition, Requirement, StateDef, Transition};
use super::verb::Verb;
use crate::org::{Name, Slug};
use crate::request::StateName;

static CHANGE: LazyLock<Arc<Definition>> = LazyLock::new(|| Arc::new(change()));
static ARTIFACT: LazyLock<Arc<Definition>> = LazyLock::new(|| Arc::new(artifact()));

/// The version of both.
pub(crate) const BUILT_IN_VERSION: u32 = 1;

impl Definition {
    /// The workflow `change`, for SQL and deployments: each phase of the typed core is a state of that name.
    pub fn change() -> Self {
        Self::clone(&CHANGE)
    }

    /// The workflow `artifact`, for what is published: a requirement, a test case, a document. Its roles are the
    /// project roles ADMIN, EDITOR and REVIEWER.
    pub fn artifact() -> Self {
        Self::clone(&ARTIFACT)
    }

    /// Whether `name` is that of the workflow whose states are the phases.
    pub(crate) fn is_change(name: &Slug) -> bool {
        *name == CHANGE.name
    }

    /// The built-in workflow of that name.
    pub(crate) fn built_in(name: &str) -> Option<&'static Arc<Self>> {
        [&*CHANGE, &*ARTIFACT].into_iter().find(|built_in| built_in.name.as_str() == name)
    }
}

/// `(code, label, phases, where an edit leads to, whether it is syncable)`.
type StateLine = (&'static str, &'static str, &'static [StateName], Option<&'static str>, bool);

/// `(from, action, verb, to, roles, requirements)`.
type WayLine = (
    &'static str,
    &'static str,
    Verb,
    &'static str,
    &'static [&'static str],
    &'static [Requirement],
);

const ADMIN: &[&str] = &["ADMIN"];
const WRITERS: &[&str] = &["ADMIN", "EDITOR"];
const JUDGES: &[&str] = &["ADMIN", "REVIEWER"];
const ANYBODY: &[&str] = &[];

fn artifact() -> Definition {
    use Requirement::{Author, Comment, Complete, Copy, NoDependants, Quorum, ValidTarget};
    use StateName::{
        Approved, Cancelled, ChangesRequested, Draft, Executing, Failed, PendingApproval, Rejected,
        Succeeded, Unknown,
    };
    // What runs, or ran and did not arrive, is approved all the same.
    const SYNCING: &[StateName] = &[Approved, Executing, Failed, Unknown];
    let states: &[StateLine] = &[
        ("DRAFT", "Draft", &[Draft], Some("DRAFT"), false),
        ("PENDING_REVIEW", "In review", &[PendingApproval], None, false),
        ("APPROVED", "Approved", SYNCING, None, true),
        (
            "CHANGES_REQUESTED",
            "Changes requested",
            &[ChangesRequested],
            Some("CHANGES_REQUESTED"),
            false,
        ),
        ("REJECTED", "Rejected", &[Rejected], None, false),
        ("SYNCED", "Synced", &[Succeeded], None, true),
        ("DELETED", "Deleted", &[Cancelled], None, false),
    ];
    let ways: &[WayLine] = &[
        ("DRAFT", "SUBMIT", Verb::Submit, "PENDING_REVIEW", WRITERS, &[Complete]),
        ("DRAFT", "DELETE", Verb::Delete, "DELETED", WRITERS, &[NoDependants]),
        ("PENDING_REVIEW", "APPROVE", Verb::Approve, "APPROVED", JUDGES, &[Quorum]),
        (
            "PENDING_REVIEW",
            "REQUEST_CHANGES",
            Verb::RequestChanges,
            "CHANGES_REQUESTED",
            JUDGES,
            &[Comment],
        ),
        ("PENDING_REVIEW", "REJECT", Verb::Reject, "REJECTED", JUDGES, &[Comment]),
        ("PENDING_REVIEW", "CANCEL_REVIEW", Verb::Withdraw, "DRAFT", WRITERS, &[Author]),
        ("CHANGES_REQUESTED", "RESUBMIT", Verb::Submit, "PENDING_REVIEW", WRITERS, &[]),
        ("CHANGES_REQUESTED", "EDIT", Verb::Reopen, "DRAFT", WRITERS, &[]),
        ("APPROVED", "SYNC", Verb::Execute, "SYNCED", WRITERS, &[ValidTarget]),
        ("APPROVED", "REVERT", Verb::Revert, "DRAFT", ADMIN, &[]),
        ("REJECTED", "RESTORE", Verb::Restore, "DRAFT", ADMIN, &[]),
        ("SYNCED", "NEW_VERSION", Verb::NewVersion, "DRAFT", WRITERS, &[Copy]),
    ];
    definition("artifact", states, ways)
}

fn change() -> Definition {
    use Requirement::{Author, Comment, Quorum};
    use StateName::{
        Approved, Cancelled, ChangesRequested, Draft, Executing, Failed, PendingApproval, Rejected,
        Succeeded, Unknown,
    };
    let states: &[StateLine] = &[
        ("DRAFT", "Draft", &[Draft], Some("DRAFT"), false),
        ("PENDING_APPROVAL", "Waiting for approvals", &[PendingApproval], Some("DRAFT"), false),
        ("CHANGES_REQUESTED", "Changes requested", &[ChangesRequested], Some("DRAFT"), false),
        ("APPROVED", "Approved", &[Approved], Some("DRAFT"), true),
        ("REJECTED", "Rejected", &[Rejected], None, false),
        ("CANCELLED", "Withdrawn", &[Cancelled], None, false),
        ("EXECUTING", "Running", &[Executing], None, false),
        ("SUCCEEDED", "Done", &[Succeeded], None, true),
        ("FAILED", "Failed", &[Failed], None, false),
        ("UNKNOWN", "Nobody can tell", &[Unknown], None, false),
    ];
    let ways: &[WayLine] = &[
        ("DRAFT", "SUBMIT", Verb::Submit, "PENDING_APPROVAL", ANYBODY, &[]),
        ("DRAFT", "CANCEL", Verb::Cancel, "CANCELLED", ANYBODY, &[Author]),
        ("PENDING_APPROVAL", "APPROVE", Verb::Approve, "APPROVED", ANYBODY, &[Quorum]),
        (
            "PENDING_APPROVAL",
            "REQUEST_CHANGES",
            Verb::RequestChanges,
            "CHANGES_REQUESTED",
            ANYBODY,
            &[Comment],
        ),
        ("PENDING_APPROVAL", "REJECT", Verb::Reject, "REJECTED", ANYBODY, &[Comment]),
        ("PENDING_APPROVAL", "WITHDRAW", Verb::Withdraw, "DRAFT", ANYBODY, &[Author]),
        ("PENDING_APPROVAL", "CANCEL", Verb::Cancel, "CANCELLED", ANYBODY, &[Author]),
        ("CHANGES_REQUESTED", "SUBMIT", Verb::Submit, "PENDING_APPROVAL", ANYBODY, &[]),
        ("CHANGES_REQUESTED", "CANCEL", Verb::Cancel, "CANCELLED", ANYBODY, &[Author]),
        ("APPROVED", "EXECUTE", Verb::Execute, "EXECUTING", ANYBODY, &[]),
        ("APPROVED", "CANCEL", Verb::Cancel, "CANCELLED", ANYBODY, &[Author]),
        ("EXECUTING", "STOP", Verb::Stop, "EXECUTING", ANYBODY, &[]),
        ("EXECUTING", "FINISH", Verb::Finish, "SUCCEEDED", ANYBODY, &[]),
        ("EXECUTING", "FINISH", Verb::Finish, "FAILED", ANYBODY, &[]),
        ("EXECUTING", "FINISH", Verb::Finish, "UNKNOWN", ANYBODY, &[]),
        ("EXECUTING", "LOSE", Verb::Lose, "UNKNOWN", ANYBODY, &[]),
        ("FAILED", "RERUN", Verb::Rerun, "EXECUTING", ANYBODY, &[]),
        ("UNKNOWN", "VERIFY", Verb::Verify, "SUCCEEDED", ANYBODY, &[]),
        ("UNKNOWN", "VERIFY", Verb::Verify, "FAILED", ANYBODY, &[]),
        ("UNKNOWN", "VERIFY", Verb::Verify, "UNKNOWN", ANYBODY, &[]),
        ("SUCCEEDED", "VERIFY", Verb::Verify, "SUCCEEDED", ANYBODY, &[]),
        ("FAILED", "VERIFY", Verb::Verify, "FAILED", ANYBODY, &[]),
        ("UNKNOWN", "RECONCILE", Verb::Reconcile, "SUCCEEDED", ANYBODY, &[Comment]),
        ("UNKNOWN", "RECONCILE", Verb::Reconcile, "FAILED", ANYBODY, &[Comment]),
    ];
    definition("change", states, ways)
}

fn definition(name: &'static str, states: &[StateLine], ways: &[WayLine]) -> Definition {
    let state = |line: &StateLine| {
        let (code, label, phases, edit_to, is_syncable) = *line;
        StateDef {
            code: StateCode::known(code),
            label: Name::known(label),
            phases: phases.iter().copied().collect(),
            edit_to: edit_to.map(StateCode::known),
            is_syncable,
        }
    };
    let way = |line: &WayLine| {
        let (from, action, verb, to, roles, requires) = *line;
        Transition {
            action: ActionCode::known(action),
            verb,
            from: StateCode::known(from),
            to: StateCode::known(to),
            roles: roles.iter().copied().map(Name::known).collect(),
            requires: requires.iter().copied().collect::<BTreeSet<_>>(),
        }
    };
    Definition {
        name: Slug::known(name),
        version: BUILT_IN_VERSION,
        initial: StateCode::known("DRAFT"),
        states: states.iter().map(state).collect(),
        transitions: ways.iter().map(way).collect(),
        form: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_in_passes_the_door_that_everything_else_comes_through() {
        for built_in in [Definition::change(), Definition::artifact()] {
            let text = serde_json::to_string(&built_in).unwrap();
            assert_eq!(serde_json::from_str::<Definition>(&text).unwrap(), built_in);
        }
    }

    #[test]
    fn the_workflow_change_has_a_state_for_each_phase() {
        let change = Definition::change();
        let named = change.states.iter().map(|state| {
            assert_eq!(state.phases.len(), 1, "{}", state.code);
            state.code.as_str()
        });
        let named: BTreeSet<&str> = named.collect();
        assert_eq!(named, StateName::ALL.iter().map(|phase| phase.as_str()).collect());
    }

    #[test]
    fn no_built_in_goes_a_way_that_its_verb_does_not_have() {
        for built_in in [Definition::change(), Definition::artifact()] {
            for way in &built_in.transitions {
                let phases = |code| &built_in.state(code).unwrap().phases;
                let (from, to) = (phases(&way.from), phases(&way.to));
                let fits = way.verb.phases().iter().any(|(before, after)| {
                    let runs_on = *after == StateName::Executing
                        && from.contains(after)
                        && to.contains(&StateName::Succeeded);
                    from.contains(before) && (to.contains(after) || runs_on)
                });
                assert!(fits, "{way:?}");
            }
        }
    }
}
