//! Organisations made by chance, and the permission model read word by word over their rows.

use core::fmt;
use std::collections::BTreeMap;

use crate::authz::{Action, Index, IndexBuilder, Question, Scope};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::id::{
    EnvironmentId, GrantId, MembershipId, ModuleId, PermissionId, ProjectId, RoleId, TeamId, UserId,
};
use crate::org::book::ProjectRow;
use crate::org::{
    Criticality, Environment, GlobalRole, GlobalRoleGrant, Grant, Interval, Membership, Module,
    Permission, Project, Role, RolePermission, Row, Team, TeamModule, TeamRole, User, UserKind,
};
use crate::store::records;

/// Numbers by chance that a seed repeats: `SplitMix64` (Steele, Lea and Flood, OOPSLA 2014).
///
/// ```
/// use placet_core::testing::Chance;
/// let (mut one, mut other) = (Chance::new(7), Chance::new(7));
/// assert_eq!(one.below(100), other.below(100));
/// ```
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// The numbers of a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn next_bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    /// A number below `bound`; 0 where there is none.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next_bits().checked_rem(bound).unwrap_or_default()
    }

    /// Yes, `percent` times of a hundred.
    pub fn is(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of `items`.
    pub fn one_of<T: Copy>(&mut self, items: &[T]) -> Option<T> {
        let at = self.below(u64::try_from(items.len()).unwrap_or(u64::MAX));
        items.get(usize::try_from(at).ok()?).copied()
    }
}

/// An organisation as rows, some of which fit nothing: of users, teams and projects that do not exist, or of
/// another project.
///
/// Time runs from 0 to [`Self::TICKS`] microseconds, so that questions often fall on the ends of intervals.
///
/// ```
/// use placet_core::testing::{Chance, RandomOrganisation};
/// let mut chance = Chance::new(1);
/// let organisation = RandomOrganisation::new(&mut chance)?;
/// let question = organisation.question(&mut chance);
/// let index = organisation.index();
/// let (user, at) = (question.user, question.at);
/// assert_eq!(index.can(user, &question.action, question.scope, at), organisation.permits(&question));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RandomOrganisation {
    /// Everybody.
    pub users: Vec<User>,
    /// Their global roles.
    pub global_roles: Vec<GlobalRoleGrant>,
    /// The projects.
    pub projects: Vec<Project>,
    /// Rows, with the project that each is stored under.
    pub rows: Vec<(ProjectId, Row)>,
    /// Intervals that hold no instant: no row can carry one.
    pub refused_intervals: u64,
}

/// Where rows are stored. Their ids are small, and now and then those of another project, or of nothing.
#[derive(Clone, Copy, Debug)]
struct Home {
    project: ProjectId,
    number: u64,
}

impl Home {
    fn id(self, chance: &mut Chance, count: u64) -> u128 {
        let number = if chance.is(95) { self.number } else { chance.below(4) };
        u128::from(number.wrapping_mul(100).wrapping_add(chance.below(count)))
    }

    fn owner(self, chance: &mut Chance) -> ProjectId {
        if chance.is(97) { self.project } else { ProjectId::from_u128(chance.below(4).into()) }
    }
}

const ACTIONS: [&str; 8] =
    ["request", "approve", "execute", "read", "manage", "deploy", "administer", "audit"];

impl RandomOrganisation {
    /// The last instant that intervals and questions go to, in microseconds.
    pub const TICKS: i64 = 12;

    /// A small one: a handful of everything.
    pub fn new(chance: &mut Chance) -> Result<Self, Error> {
        let mut made = Self::default();
        for number in 1..=chance.below(6).saturating_add(2) {
            let id = UserId::from_u128(number.into());
            let kind = if chance.is(80) { UserKind::Person } else { UserKind::Agent };
            let email = format!("u{number}@example.org").parse()?;
            let (display_name, is_active) = (format!("u{number}").parse()?, chance.is(90));
            made.users.push(User { id, kind, email, display_name, is_active });
            for role in [GlobalRole::PlatformAdmin, GlobalRole::Auditor] {
                if chance.is(8) {
                    made.global_roles.push(GlobalRoleGrant { user_id: id, role });
                }
            }
        }
        for number in 1..=chance.below(3).saturating_add(1) {
            let id = ProjectId::from_u128(number.into());
            let (code, name) = (format!("p{number}").parse()?, format!("p{number}").parse()?);
            made.projects.push(Project { id, code, name });
            let home = Home { project: id, number };
            made.add_places(chance, home)?;
            made.add_rules(chance, home)?;
            made.add_staff(chance, home);
        }
        made.keep_last_of_each_key();
        Ok(made)
    }

    /// A later row of the same key replaces an earlier one, as in a store.
    pub fn keep_last_of_each_key(&mut self) {
        let rows = core::mem::take(&mut self.rows).into_iter();
        let keyed = rows.map(|(project, row)| {
            let stored = ProjectRow { project, row };
            (records::key_for(&stored), stored)
        });
        let last: BTreeMap<_, _> = keyed.collect();
        self.rows = last.into_values().map(|stored| (stored.project, stored.row)).collect();
    }

    /// Modules, environments and teams.
    fn add_places(&mut self, chance: &mut Chance, home: Home) -> Result<(), Error> {
        let named = |what: &str, id: u128| format!("{what}{id}");
        for _ in 0..chance.below(5) {
            let module = ModuleId::from_u128(home.id(chance, 3));
            let (code, name) = (named("m", module.as_u128()), named("m", module.as_u128()));
            let project_id = home.owner(chance);
            let row = Module { id: module, project_id, code: code.parse()?, name: name.parse()? };
            self.push(home.project, row);
        }
        for _ in 0..chance.below(5) {
            let environment = EnvironmentId::from_u128(home.id(chance, 3));
            let (code, name) =
                (named("e", environment.as_u128()), named("e", environment.as_u128()));
            self.push(
                home.project,
                Environment {
                    id: environment,
                    project_id: home.owner(chance),
                    code: code.parse()?,
                    name: name.parse()?,
                    priority: 1,
                    criticality: Criticality::Low,
                },
            );
        }
        for _ in 0..chance.below(5) {
            let team = TeamId::from_u128(home.id(chance, 3));
            let row = Team { id: team, project_id: home.owner(chance), name: "team".parse()? };
            self.push(home.project, row);
        }
        for _ in 0..chance.below(9) {
            let team_id = TeamId::from_u128(home.id(chance, 3));
            self.push(
                home.project,
                TeamModule { team_id, module_id: ModuleId::from_u128(home.id(chance, 3)) },
            );
        }
        Ok(())
    }

    /// Roles and what they may.
    fn add_rules(&mut self, chance: &mut Chance, home: Home) -> Result<(), Error> {
        for _ in 0..chance.below(5) {
            let role = RoleId::from_u128(home.id(chance, 3));
            let row = Role { id: role, project_id: home.owner(chance), name: "role".parse()? };
            self.push(home.project, row);
        }
        for _ in 0..chance.below(24) {
            let permission = PermissionId::from_u128(home.id(chance, 8));
            let module_id = chance.is(35).then(|| ModuleId::from_u128(home.id(chance, 3)));
            let environment_id =
                chance.is(35).then(|| EnvironmentId::from_u128(home.id(chance, 3)));
            let action = chance.one_of(&ACTIONS).unwrap_or("read").parse()?;
            let project_id = home.owner(chance);
            let row = Permission { id: permission, project_id, module_id, environment_id, action };
            self.push(home.project, row);
        }
        for _ in 0..chance.below(30) {
            let role_id = RoleId::from_u128(home.id(chance, 3));
            let permission_id = PermissionId::from_u128(home.id(chance, 8));
            self.push(home.project, RolePermission { role_id, permission_id });
        }
        Ok(())
    }

    /// Who is in which team, and who holds which role.
    fn add_staff(&mut self, chance: &mut Chance, home: Home) {
        for row in 0..chance.below(40) {
            let Some(valid) = self.interval(chance) else { continue };
            let user_id = UserId::from_u128(chance.below(7).into());
            let row_id = u128::from(home.number.wrapping_mul(100).wrapping_add(row));
            if chance.is(50) {
                let team_id = TeamId::from_u128(home.id(chance, 3));
                let (id, role) = (MembershipId::from_u128(row_id), TeamRole::Member);
                self.push(home.project, Membership { id, team_id, user_id, role, valid });
            } else {
                let role_id = RoleId::from_u128(home.id(chance, 3));
                let (id, project_id) = (GrantId::from_u128(row_id), home.owner(chance));
                self.push(home.project, Grant { id, project_id, user_id, role_id, valid });
            }
        }
    }

    fn push(&mut self, project: ProjectId, row: impl Into<Row>) {
        self.rows.push((project, row.into()));
    }

    fn interval(&mut self, chance: &mut Chance) -> Option<Interval> {
        let instant = |chance: &mut Chance| {
            Timestamp::from_micros(i64::try_from(chance.below(13)).unwrap_or_default())
        };
        let (from, until) = (instant(chance), chance.is(75).then(|| instant(chance)));
        let made = Interval::new(from, until).ok();
        self.refused_intervals = self.refused_intervals.saturating_add(u64::from(made.is_none()));
        made
    }

    /// A question, mostly about a user and places that there are.
    pub fn question(&self, chance: &mut Chance) -> Question {
        let number = chance.below(3).saturating_add(1);
        let mut user = UserId::from_u128(chance.below(7).saturating_add(1).into());
        let mut project = ProjectId::from_u128(number.into());
        let mut action = chance.one_of(&ACTIONS).and_then(|name| name.parse().ok());
        let random = |chance: &mut Chance| {
            chance
                .is(60)
                .then(|| u128::from(number.wrapping_mul(100).wrapping_add(chance.below(3))))
        };
        let (mut module, mut environment) = (random(chance), random(chance));
        if chance.is(85) {
            // Of the project that some row belongs to, and of what else is there.
            let at = chance.below(u64::try_from(self.rows.len()).unwrap_or_default());
            let row = usize::try_from(at).ok().and_then(|at| self.rows.get(at));
            project = row.map_or(project, |(project, _)| *project);
            for (_, row) in self.rows.iter().filter(|(of, _)| *of == project) {
                let picked = chance.is(35);
                if let Row::Module(row) = row {
                    let other = module.filter(|_| chance.is(50));
                    module = if picked { Some(row.id.as_u128()) } else { other };
                } else if let Row::Environment(row) = row {
                    let other = environment.filter(|_| chance.is(50));
                    environment = if picked { Some(row.id.as_u128()) } else { other };
                } else if let (Row::Permission(row), true) = (row, picked) {
                    action = Some(row.action.clone());
                } else if let (Row::Grant(row), true) = (row, picked) {
                    user = row.user_id;
                }
            }
        }
        let (module, environment) =
            (module.map(ModuleId::from_u128), environment.map(EnvironmentId::from_u128));
        let scope = Scope::Project { project, module, environment };
        let scope = if chance.is(4) { Scope::Platform } else { scope };
        let at = i64::try_from(chance.below(14)).unwrap_or_default();
        let at = Timestamp::from_micros(at);
        Question { user, action: action.unwrap_or(Action::READ), scope, at }
    }

    /// The compiled index of it.
    pub fn index(&self) -> Index {
        let mut builder = IndexBuilder::default();
        self.users.iter().for_each(|row| builder.user(row));
        self.global_roles.iter().for_each(|row| builder.global_role(row));
        self.projects.iter().for_each(|row| builder.project(row));
        self.rows.iter().for_each(|(project, row)| builder.row(*project, row.clone()));
        builder.build()
    }
}

impl fmt::Display for RandomOrganisation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for user in &self.users {
            writeln!(f, "{user:?}")?;
        }
        for role in &self.global_roles {
            writeln!(f, "{role:?}")?;
        }
        for (project, row) in &self.rows {
            writeln!(f, "{project}: {row:?}")?;
        }
        Ok(())
    }
}
