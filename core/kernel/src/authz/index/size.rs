//! How much of the index the rights of a project take: what a limit is set on before anything is written.

use std::collections::BTreeSet;

use super::rules::Shape;
use crate::org::Row;
use crate::org::book::Book;

/// How many bytes the rights of the project take in the index once `put` is written; every action of its
/// permissions counts, whether a role has it yet or not.
pub(crate) fn rights_bytes(book: &Book, put: &[Row]) -> usize {
    let mut actions: BTreeSet<_> = book.permissions.values().map(|row| &row.action).collect();
    let mut shape = Shape {
        modules: book.modules.len(),
        environments: book.environments.len(),
        teams: book.teams.len(),
        roles: book.roles.len(),
    };
    for row in put {
        let (count, is_new) = match row {
            Row::Module(row) => (&mut shape.modules, !book.modules.contains_key(&row.id)),
            Row::Environment(row) => {
                (&mut shape.environments, !book.environments.contains_key(&row.id))
            }
            Row::Team(row) => (&mut shape.teams, !book.teams.contains_key(&row.id)),
            Row::Role(row) => (&mut shape.roles, !book.roles.contains_key(&row.id)),
            Row::Permission(row) => {
                actions.insert(&row.action);
                continue;
            }
            Row::TeamModule(_)
            | Row::Membership(_)
            | Row::RolePermission(_)
            | Row::Grant(_)
            | Row::Quorum(_)
            | Row::AutoApproval(_)
            | Row::Workflow(_)
            | Row::AllowedWorkflows(_)
            | Row::ArtifactForm(_)
            | Row::QuorumRule(_)
            | Row::BlockingRule(_)
            | Row::Governance(_)
            | Row::Promotion(_)
            | Row::Execution(_)
            | Row::RunnerSettings(_) => continue,
        };
        *count = count.saturating_add(usize::from(is_new));
    }
    shape.bytes(actions.len())
}
