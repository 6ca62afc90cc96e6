//! The physical limit: flat arrays by dense numbers. It has no ids, takes no change, and names no rows.

use crate::world::{ACTIONS, ENVIRONMENTS, MODULES, NOW, Permission, Question, World};

/// All that a question about one user can touch stands in one run of rows, which is one or two lines of
/// cache; a team's modules are folded into each membership.
#[derive(Debug)]
pub(crate) struct Packed {
    /// Where each user's rows begin, and one more at the end; the two highest bits are flags.
    first: Box<[u32]>,
    rows: Box<[Row]>,
    /// For each project, role and action, a bit for each place.
    allowed: Box<[u64]>,
}

#[derive(Debug)]
struct Row {
    from: i64,
    until: i64,
    project: u32,
    /// A membership: the modules. A grant: the highest bit, and the first of its role's `allowed`.
    what: u32,
}

const ROLES: usize = 6;
const GRANT: u32 = 1 << 31;
const INACTIVE: u32 = 1 << 31;
const AGENT: u32 = 1 << 30;
const START: u32 = AGENT - 1;
const COLUMNS: u8 = ENVIRONMENTS + 1;

impl Packed {
    pub(crate) fn new(world: &World) -> Self {
        let mut allowed = vec![0_u64; world.projects.len() * ROLES * ACTIONS.len()];
        for (project, place) in world.projects.iter().enumerate() {
            for (role, held) in place.roles.iter().enumerate() {
                let first = (project * ROLES + role) * ACTIONS.len();
                for permission in &held.permissions {
                    allowed[first + usize::from(permission.action)] |= places(permission);
                }
            }
        }
        let many = world.memberships.len() + world.grants.len();
        let (mut first, mut rows) =
            (Vec::with_capacity(world.users.len() + 1), Vec::with_capacity(many));
        for (user, person) in (0_u32..).zip(&world.users) {
            let flags =
                (u32::from(!person.is_active) * INACTIVE) | (u32::from(person.is_agent) * AGENT);
            first.push(rows.len() as u32 | flags);
            rows.extend(world.memberships_of(user).iter().map(|row| {
                let modules = world.projects[row.project as usize].teams[row.what as usize].modules;
                Row { from: row.from, until: row.until, project: row.project, what: modules.into() }
            }));
            rows.extend(world.grants_of(user).iter().map(|row| {
                let field = (row.project as usize * ROLES + row.what as usize) * ACTIONS.len();
                Row {
                    from: row.from,
                    until: row.until,
                    project: row.project,
                    what: GRANT | field as u32,
                }
            }));
        }
        first.push(rows.len() as u32);
        Self { first: first.into(), rows: rows.into(), allowed: allowed.into() }
    }

    #[inline]
    pub(crate) fn can(&self, asked: &Question) -> bool {
        let first = self.first[asked.user as usize];
        if first & INACTIVE != 0 || (first & AGENT != 0 && asked.takes_person()) {
            return false;
        }
        let end = self.first[asked.user as usize + 1] & START;
        let (mut member, mut granted) = (asked.takes_grant_only(), false);
        for row in &self.rows[(first & START) as usize..end as usize] {
            if row.project != asked.project || NOW < row.from || row.until <= NOW {
                continue;
            }
            if row.what & GRANT == 0 {
                member |= row.what >> asked.module & 1 == 1;
            } else {
                let field = (row.what & !GRANT) as usize + usize::from(asked.action);
                granted |= self.allowed[field] >> bit(asked) & 1 == 1;
            }
        }
        member && granted
    }
}

/// The bits of all places that a permission is for.
fn places(permission: &Permission) -> u64 {
    let spots = (0..=MODULES).flat_map(|module| (0..=ENVIRONMENTS).map(move |at| (module, at)));
    let asked = spots.map(|(module, environment)| Question {
        user: 0,
        project: 0,
        action: permission.action,
        module,
        environment,
    });
    asked
        .filter(|asked| permission.fits(&asked.widened()))
        .fold(0, |bits, asked| bits | 1 << bit(&asked))
}

#[inline]
const fn bit(asked: &Question) -> u32 {
    (asked.module * COLUMNS + asked.environment) as u32
}
