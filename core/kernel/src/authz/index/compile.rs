//! From the rows of a project to its index.

use core::mem;
use core::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;

use super::actions::Actions;
use super::outline::{Granted, Member, Outline};
use super::people::Flags;
use super::project::{Held, Names, ProjectIndex, number};
use super::rules::{Making, Rules, Shape};
use super::staff::{Line, Rows, Staff};
use crate::id::{ModuleId, TeamId, UserId};
use crate::org::book::Book;

static SHAPES: AtomicU32 = AtomicU32::new(1);

impl ProjectIndex {
    /// Compiles `book`. `flags` says who is active; actions that are new are added to `actions`.
    pub(crate) fn build(
        book: &Book,
        actions: &mut Actions,
        flags: &dyn Fn(UserId) -> Flags,
    ) -> Self {
        Self::compile(book.into(), actions, flags)
    }

    pub(super) fn compile(
        mut outline: Outline,
        actions: &mut Actions,
        flags: &dyn Fn(UserId) -> Flags,
    ) -> Self {
        outline.settle();
        let Outline { id, modules, environments, teams, roles, .. } = &mut outline;
        let (id, modules, teams) = (*id, mem::take(modules).into(), mem::take(teams).into());
        let (environments, roles) = (mem::take(environments).into(), mem::take(roles).into());
        let mut names = Names { modules, environments, teams, roles, held: Box::from([]) };
        names.held = held(&names, &outline, actions);
        let mut made = Self {
            id,
            shape: SHAPES.fetch_add(1, Ordering::Relaxed),
            rules: rules(&names, &outline.team_modules),
            staff: Staff::default(),
            names: Arc::new(names),
        };
        let memberships = outline.memberships.iter().filter_map(|row| made.membership(row));
        let grants = outline.grants.iter().filter_map(|row| made.grant(row));
        made.staff = Staff::pack(memberships.chain(grants).collect(), flags);
        made
    }

    pub(super) fn membership(&self, row: &Member) -> Option<Line> {
        let what = number(&self.names.teams, &row.team)?;
        Some(Line::new(row.user, row.id.as_u128(), row.valid, what, Rows::Memberships))
    }

    pub(super) fn grant(&self, row: &Granted) -> Option<Line> {
        let what = number(&self.names.roles, &row.role)?;
        Some(Line::new(row.user, row.id.as_u128(), row.valid, what, Rows::Grants))
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
        let module = row.module.map_or(Some(0), |id| number(&names.modules, &id).map(one_more));
        let find = |id| number(&names.environments, &id).map(one_more);
        let environment = row.environment.map_or(Some(0), find);
        let (Some(module), Some(environment)) = (module, environment) else { continue };
        let Some(action) = actions.add(&row.action) else { continue };
        held.push(Held { role, action, spot: (module, environment), permission: row.id });
    }
    held.sort_unstable();
    held.into()
}

fn rules(names: &Names, team_modules: &[(TeamId, ModuleId)]) -> Rules {
    let mut numbers: Vec<u16> = names.held.iter().map(|held| held.action).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let shape = Shape {
        modules: names.modules.len(),
        environments: names.environments.len(),
        teams: names.teams.len(),
        roles: names.roles.len(),
    };
    let mut making = Making::new(shape, &numbers);
    for (team, module) in team_modules {
        if let (Some(team), Some(module)) =
            (number(&names.teams, team), number(&names.modules, module))
        {
            making.assign(team, module.saturating_add(1));
        }
    }
    for Held { role, action, spot, .. } in &names.held {
        making.allow(*role, *action, *spot);
    }
    making.finish()
}
