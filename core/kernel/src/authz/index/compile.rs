//! From the rows of a project to its index.

use core::mem;
use core::sync::atomic::{AtomicU32, Ordering};

use super::actions::Actions;
use super::outline::{Granted, Member, Outline};
use super::people::Flags;
use super::project::{Held, ProjectIndex, number, wide};
use super::staff::{Line, Rows, Staff};
use crate::id::{ModuleId, TeamId, UserId};
use crate::org::book::Book;

static SHAPES: AtomicU32 = AtomicU32::new(1);

fn set(words: &mut [u64], start: usize, at: usize) {
    if let Some(word) = words.get_mut(start.saturating_add(at / 64)) {
        *word |= 1 << (at % 64);
    }
}

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
        let mut made = Self {
            id: *id,
            shape: SHAPES.fetch_add(1, Ordering::Relaxed),
            module_words: modules.len().saturating_add(1).div_ceil(64),
            place_words: 0,
            modules: mem::take(modules).into(),
            environments: mem::take(environments).into(),
            teams: mem::take(teams).into(),
            roles: mem::take(roles).into(),
            actions: Box::from([]),
            team_modules: Box::from([]),
            role_places: Box::from([]),
            held: Box::from([]),
            staff: Staff::default(),
        };
        made.compile_teams(&outline.team_modules);
        made.compile_roles(&outline, actions);
        let memberships = outline.memberships.iter().filter_map(|row| made.membership(row));
        let grants = outline.grants.iter().filter_map(|row| made.grant(row));
        made.staff = Staff::pack(memberships.chain(grants).collect(), flags);
        made
    }

    fn compile_teams(&mut self, team_modules: &[(TeamId, ModuleId)]) {
        let mut bits = vec![0; self.teams.len().saturating_mul(self.module_words)];
        for at in 0..self.teams.len() {
            set(&mut bits, at.saturating_mul(self.module_words), 0);
        }
        for (team, module) in team_modules {
            if let (Some(team), Some(module)) =
                (number(&self.teams, team), number(&self.modules, module))
            {
                let start = wide(team).saturating_mul(self.module_words);
                set(&mut bits, start, wide(module).saturating_add(1));
            }
        }
        self.team_modules = bits.into();
    }

    fn compile_roles(&mut self, outline: &Outline, actions: &mut Actions) {
        let one_more = |at: u32| at.saturating_add(1);
        let mut held = Vec::new();
        for (role, permission) in &outline.role_permissions {
            let found = outline.permissions.binary_search_by_key(permission, |row| row.id).ok();
            let found = found.and_then(|at| outline.permissions.get(at));
            let (Some(role), Some(row)) = (number(&self.roles, role), found) else { continue };
            // 0 is any; a module or an environment of another project is no place of this one.
            let module = row.module.map_or(Some(0), |id| number(&self.modules, &id).map(one_more));
            let environment =
                row.environment.map_or(Some(0), |id| number(&self.environments, &id).map(one_more));
            let (Some(module), Some(environment)) = (module, environment) else { continue };
            let Some(action) = actions.add(&row.action) else { continue };
            held.push(Held { role, action, spot: (module, environment), permission: row.id });
        }
        held.sort_unstable();
        let mut numbers: Vec<u16> = held.iter().map(|held| held.action).collect();
        numbers.sort_unstable();
        numbers.dedup();
        self.actions = numbers.into();
        let (rows, columns) =
            (self.modules.len().saturating_add(1), self.environments.len().saturating_add(1));
        self.place_words = rows.saturating_mul(columns).div_ceil(64);
        let fields = self.roles.len().saturating_mul(self.actions.len());
        let mut bits = vec![0; fields.saturating_mul(self.place_words)];
        for Held { role, action, spot: (module, environment), .. } in &held {
            let Some(action) = self.local_action(*action) else { continue };
            let start = self.field(*role, action);
            for row in 0..rows {
                for column in 0..columns {
                    let fits = (*module == 0 || wide(*module) == row)
                        && (*environment == 0 || wide(*environment) == column);
                    if fits {
                        set(&mut bits, start, row.saturating_mul(columns).saturating_add(column));
                    }
                }
            }
        }
        self.role_places = bits.into();
        self.held = held.into();
    }

    pub(super) fn membership(&self, row: &Member) -> Option<Line> {
        let what = number(&self.teams, &row.team)?;
        Some(Line::new(row.user, row.id.as_u128(), row.valid, what, Rows::Memberships))
    }

    pub(super) fn grant(&self, row: &Granted) -> Option<Line> {
        let what = number(&self.roles, &row.role)?;
        Some(Line::new(row.user, row.id.as_u128(), row.valid, what, Rows::Grants))
    }
}
