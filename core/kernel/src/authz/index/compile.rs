//! From the rows of a project to its index.

use core::mem;
use core::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;

use super::actions::Actions;
use super::block::Block;
use super::members::Members;
use super::outline::Outline;
use super::project::{Back, Held, Names, ProjectIndex, number};
use super::rows::Line;
use super::rules::{Grid, Making, Shape};

static SHAPES: AtomicU32 = AtomicU32::new(1);

impl ProjectIndex {
    /// The project, and the rows in it with its number. Actions that are new are added to `actions`.
    pub(super) fn compile(
        mut outline: Outline,
        project: u32,
        actions: &mut Actions,
    ) -> (Self, Vec<Line>) {
        outline.settle();
        let (teams, roles) = (mem::take(&mut outline.teams), mem::take(&mut outline.roles));
        let mut names = Names { teams: teams.into(), roles: roles.into(), held: Box::from([]) };
        names.held = held(&names, &outline, actions);
        let rules = rules(&names, &outline);
        let block = Block::new(outline.id, &outline.modules, &outline.environments, rules);
        let shape = SHAPES.fetch_add(1, Ordering::Relaxed);
        let back = Back { names: Arc::new(names), ..Back::default() };
        let made = Self { block, shape, back: Arc::new(back) };
        let memberships = outline.memberships.iter().filter_map(|row| made.membership(row));
        let grants = outline.grants.iter().filter_map(|row| made.grant(row));
        let lines = memberships.chain(grants).map(|line| line.in_project(project));
        let lines: Vec<Line> = lines.collect();
        (made.with_members(Members::of(&lines)), lines)
    }
}

/// Which role has which permission, as numbers.
fn held(names: &Names, outline: &Outline, actions: &mut Actions) -> Box<[Held]> {
    let one_more = |at: u32| at.saturating_add(1);
    let mut held = Vec::with_capacity(outline.role_permissions.len());
    for (role, permission) in &outline.role_permissions {
        let found = outline.permissions.binary_search_by_key(permission, |row| row.id).ok();
        let found = found.and_then(|at| outline.permissions.get(at));
        let (Some(role), Some(row)) = (number(&names.roles, role), found) else { continue };
        // 0 is any; a module or an environment of another project is no place of this one.
        let module = row.module.map_or(Some(0), |id| number(&outline.modules, &id).map(one_more));
        let find = |id| number(&outline.environments, &id).map(one_more);
        let environment = row.environment.map_or(Some(0), find);
        let (Some(module), Some(environment)) = (module, environment) else { continue };
        let Some(action) = actions.add(&row.action) else { continue };
        held.push(Held { role, action, spot: (module, environment), permission: row.id });
    }
    held.sort_unstable();
    held.into()
}

fn rules(names: &Names, outline: &Outline) -> (Vec<u32>, Grid) {
    let mut numbers: Vec<u16> = names.held.iter().map(|held| held.action).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let shape = Shape {
        modules: outline.modules.len(),
        environments: outline.environments.len(),
        teams: names.teams.len(),
        roles: names.roles.len(),
    };
    let mut making = Making::new(shape, &numbers);
    for (team, module) in &outline.team_modules {
        if let (Some(team), Some(module)) =
            (number(&names.teams, team), number(&outline.modules, module))
        {
            making.assign(team, module.saturating_add(1));
        }
    }
    for Held { role, action, spot, .. } in &names.held {
        making.allow(*role, *action, *spot);
    }
    making.finish()
}
