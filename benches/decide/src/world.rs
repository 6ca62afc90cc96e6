//! Organisations made from a seed, as plain numbers: every decider is built from the same one.

use crate::chance::Chance;

/// The actions that are asked about.
pub(crate) const ACTIONS: [&str; 6] = ["request", "approve", "execute", "deploy", "read", "manage"];
const REQUEST: u8 = 0;
pub(crate) const APPROVE: u8 = 1;
const EXECUTE: u8 = 2;
const DEPLOY: u8 = 3;
pub(crate) const READ: u8 = 4;
pub(crate) const MANAGE: u8 = 5;

/// The instant of all questions, in microseconds since 1970: 2026-11-01T00:00:00Z.
pub(crate) const NOW: i64 = 1_793_491_200_000_000;
const DAY: i64 = 86_400_000_000;
/// The end of what has none.
pub(crate) const OPEN: i64 = i64::MAX;

pub(crate) const MODULES: u8 = 10;
pub(crate) const ENVIRONMENTS: u8 = 4;
const TEAMS: u8 = 5;

/// How large a world is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) name: &'static str,
    pub(crate) users: u32,
    pub(crate) projects: u32,
}

pub(crate) const SIZES: [Size; 3] = [
    Size { name: "small", users: 50, projects: 5 },
    Size { name: "middle", users: 10_000, projects: 200 },
    Size { name: "large", users: 1_000_000, projects: 10_000 },
];

#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) id: u128,
    pub(crate) is_active: bool,
    pub(crate) is_agent: bool,
    /// Where this user's rows begin in `memberships` and in `grants`.
    pub(crate) first: [u32; 2],
}

#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) id: u128,
    pub(crate) modules: Vec<u128>,
    pub(crate) environments: Vec<u128>,
    pub(crate) teams: Vec<Team>,
    pub(crate) roles: Vec<Role>,
}

#[derive(Debug)]
pub(crate) struct Team {
    pub(crate) id: u128,
    /// Bit 0 for the project as a whole, bit n for module n, counted from 1.
    pub(crate) modules: u16,
}

#[derive(Debug)]
pub(crate) struct Role {
    pub(crate) id: u128,
    pub(crate) permissions: Vec<Permission>,
}

/// 0 is any module or any environment; others are counted from 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Permission {
    pub(crate) id: u128,
    pub(crate) action: u8,
    pub(crate) module: u8,
    pub(crate) environment: u8,
}

impl Permission {
    pub(crate) const fn fits(&self, asked: &Question) -> bool {
        self.action == asked.action
            && (self.module == 0 || self.module == asked.module)
            && (self.environment == 0 || self.environment == asked.environment)
    }
}

/// A membership, where `what` is a team, or a grant, where it is a role.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) id: u128,
    pub(crate) user: u32,
    pub(crate) project: u32,
    pub(crate) what: u8,
    pub(crate) from: i64,
    pub(crate) until: i64,
}

impl Row {
    pub(crate) const fn is_live(&self) -> bool {
        self.from <= NOW && NOW < self.until
    }
}

/// A module and an environment are counted from 1; 0 is none in particular.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question {
    pub(crate) user: u32,
    pub(crate) project: u32,
    pub(crate) action: u8,
    pub(crate) module: u8,
    pub(crate) environment: u8,
}

impl Question {
    /// Managing is of the whole project, wherever in it one asks.
    pub(crate) const fn widened(&self) -> Self {
        if self.action == MANAGE { Self { module: 0, environment: 0, ..*self } } else { *self }
    }

    /// Whether it takes no membership.
    pub(crate) const fn takes_grant_only(&self) -> bool {
        self.action == READ || self.action == MANAGE
    }

    /// Whether it takes a person.
    pub(crate) const fn takes_person(&self) -> bool {
        self.action == APPROVE || self.action == MANAGE
    }
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) users: Vec<Person>,
    pub(crate) projects: Vec<Place>,
    /// In ascending order of their users.
    pub(crate) memberships: Vec<Row>,
    /// In ascending order of their users.
    pub(crate) grants: Vec<Row>,
}

impl World {
    pub(crate) fn new(size: Size, chance: &mut Chance) -> Self {
        let projects: Vec<Place> = (0..size.projects).map(|_| place(chance)).collect();
        let mut world =
            Self { users: Vec::new(), projects, memberships: Vec::new(), grants: Vec::new() };
        let spread = 3 * 365 * DAY / i64::from(size.users);
        for user in 0..size.users {
            let born = NOW - 3 * 365 * DAY + i64::from(user) * spread;
            world.users.push(Person {
                id: chance.id(born),
                is_active: !chance.is(2),
                is_agent: chance.is(3),
                first: [count(world.memberships.len()), count(world.grants.len())],
            });
            world.rows_of(user, born, chance);
        }
        world
    }

    /// One project for six in ten, two for three, three for one; in each, one membership and one grant for
    /// three in four, two for the others.
    fn rows_of(&mut self, user: u32, born: i64, chance: &mut Chance) {
        let mut projects: Vec<u32> = Vec::new();
        let wanted = [1, 1, 1, 1, 1, 1, 2, 2, 2, 3].get(chance.below(10)).copied().unwrap_or(1);
        while projects.len() < wanted {
            let project = count(chance.below(self.projects.len()));
            if !projects.contains(&project) {
                projects.push(project);
            }
        }
        for project in projects {
            let roles = self.projects[project as usize].roles.len();
            for _ in 0..1 + usize::from(chance.is(25)) {
                self.memberships.push(row(user, project, usize::from(TEAMS), born, chance));
            }
            for _ in 0..1 + usize::from(chance.is(25)) {
                self.grants.push(row(user, project, roles, born, chance));
            }
        }
    }

    pub(crate) fn memberships_of(&self, user: u32) -> &[Row] {
        self.rows(&self.memberships, user, 0)
    }

    pub(crate) fn grants_of(&self, user: u32) -> &[Row] {
        self.rows(&self.grants, user, 1)
    }

    fn rows<'a>(&self, rows: &'a [Row], user: u32, kind: usize) -> &'a [Row] {
        let next = self.users.get(user as usize + 1);
        let end = next.map_or(rows.len(), |next| next.first[kind] as usize);
        &rows[self.users[user as usize].first[kind] as usize..end]
    }

    /// The answer, read off the rows word by word: what every decider must say.
    pub(crate) fn permits(&self, asked: &Question) -> bool {
        let person = &self.users[asked.user as usize];
        let may = person.is_active && !(person.is_agent && asked.takes_person());
        may && self.grant(asked).is_some_and(|(row, _)| row.is_live())
            && (asked.takes_grant_only() || self.membership(asked).is_some_and(Row::is_live))
    }

    /// The membership that fits best: a live one before any other.
    pub(crate) fn membership(&self, asked: &Question) -> Option<&Row> {
        let teams = &self.projects[asked.project as usize].teams;
        let fits = |row: &&Row| {
            row.project == asked.project
                && teams[row.what as usize].modules >> asked.module & 1 == 1
        };
        self.memberships_of(asked.user).iter().filter(fits).max_by_key(|row| row.is_live())
    }

    /// The grant that fits best, and its permission.
    pub(crate) fn grant(&self, asked: &Question) -> Option<(&Row, Permission)> {
        let (roles, wide) = (&self.projects[asked.project as usize].roles, asked.widened());
        let fitting = self.grants_of(asked.user).iter().filter_map(|row| {
            let mut permissions = roles.get(row.what as usize)?.permissions.iter();
            let permission = permissions.find(|permission| permission.fits(&wide))?;
            (row.project == asked.project).then_some((row, *permission))
        });
        fitting.max_by_key(|(row, _)| row.is_live())
    }

    /// Users at places of their projects, about half of them a yes, and one stranger in twenty.
    pub(crate) fn questions(&self, many: usize, chance: &mut Chance) -> Vec<Question> {
        (0..many).map(|_| self.question(chance)).collect()
    }

    fn question(&self, chance: &mut Chance) -> Question {
        let user = count(chance.below(self.users.len()));
        let (grants, memberships) = (self.grants_of(user), self.memberships_of(user));
        let is_stranger = chance.is(5);
        let picked = chance.pick(grants).copied();
        let Some(grant) = picked.filter(|_| !is_stranger) else {
            let project = count(chance.below(self.projects.len()));
            return anywhere(user, project, chance);
        };
        if chance.is(35) {
            return anywhere(user, grant.project, chance);
        }
        // Something that the role allows, in a module that a team of theirs looks after.
        let place = &self.projects[grant.project as usize];
        let here: Vec<&Row> =
            memberships.iter().filter(|row| row.project == grant.project).collect();
        let Some(permission) = chance.pick(&place.roles[grant.what as usize].permissions) else {
            return anywhere(user, grant.project, chance);
        };
        let team = chance.pick(&here).map_or(0, |row| place.teams[row.what as usize].modules);
        let modules: Vec<u8> = (1..=MODULES).filter(|module| team >> module & 1 == 1).collect();
        let module = chance.pick(&modules).copied().unwrap_or(0);
        Question {
            user,
            project: grant.project,
            action: permission.action,
            module: if permission.module == 0 { module } else { permission.module },
            environment: if permission.environment == 0 {
                narrow(chance.below(usize::from(ENVIRONMENTS) + 1))
            } else {
                permission.environment
            },
        }
    }
}

fn anywhere(user: u32, project: u32, chance: &mut Chance) -> Question {
    Question {
        user,
        project,
        action: narrow(chance.below(ACTIONS.len())),
        module: narrow(chance.below(usize::from(MODULES) + 1)),
        environment: narrow(chance.below(usize::from(ENVIRONMENTS) + 1)),
    }
}

/// Most rows hold now, half of those without an end; some ended, some begin later.
fn row(user: u32, project: u32, end: usize, born: i64, chance: &mut Chance) -> Row {
    let micros = |days: usize, chance: &mut Chance| {
        i64::try_from(chance.below(days * 86_400)).unwrap_or(0) * 1_000_000 + 1
    };
    let past = (NOW - micros(1_000, chance)).max(born);
    let (from, until) = match chance.below(20) {
        0 | 1 => (past, NOW - micros(400, chance)),
        2 => (NOW + micros(90, chance), OPEN),
        3..=10 => (past, NOW + micros(400, chance)),
        _ => (past, OPEN),
    };
    let from = from.min(until - 1);
    Row {
        id: chance.id(from.min(NOW)),
        user,
        project,
        what: narrow(chance.below(end)),
        from,
        until,
    }
}

fn place(chance: &mut Chance) -> Place {
    let born = NOW - 3 * 365 * DAY + i64::try_from(chance.below(300)).unwrap_or(0) * DAY;
    let mut ids = |many: u8| (0..many).map(|_| chance.id(born)).collect::<Vec<u128>>();
    let (id, modules, environments) = (ids(1)[0], ids(MODULES), ids(ENVIRONMENTS));
    let teams = (0..TEAMS).map(|number| {
        // Each module is looked after by somebody, and some by more than one team.
        let own = 1 << (1 + number * 2) | 1 << (2 + number * 2);
        let more = 1 << (1 + chance.below(usize::from(MODULES)));
        Team { id: chance.id(born), modules: 1 | own | more }
    });
    let teams = teams.collect();
    let modules_of = |many: usize, chance: &mut Chance| -> Vec<u8> {
        (0..many).map(|_| 1 + narrow(chance.below(usize::from(MODULES)))).collect()
    };
    let mut operated = modules_of(3, chance);
    operated.sort_unstable();
    operated.dedup();
    let developer = vec![(REQUEST, 0, 0), (READ, 0, 0), (EXECUTE, 0, 1), (DEPLOY, 0, 1)];
    let reviewer = vec![(READ, 0, 0), (APPROVE, 0, 1), (APPROVE, 0, 2), (APPROVE, 0, 3)];
    let operator = operated.iter().flat_map(|module| [(EXECUTE, *module, 0), (DEPLOY, *module, 0)]);
    let operator = operator.chain([(READ, 0, 0)]).collect();
    let lead =
        vec![(REQUEST, 0, 0), (APPROVE, 0, 0), (EXECUTE, 0, 0), (DEPLOY, 0, 0), (READ, 0, 0)];
    let manager = vec![(MANAGE, 0, 0), (READ, 0, 0)];
    let guest = vec![(READ, modules_of(1, chance)[0], 0)];
    let roles = [developer, reviewer, operator, lead, manager, guest];
    let roles = roles.into_iter().map(|permissions: Vec<(u8, u8, u8)>| Role {
        id: chance.id(born),
        permissions: permissions
            .into_iter()
            .map(|(action, module, environment)| Permission {
                id: chance.id(born),
                action,
                module,
                environment,
            })
            .collect(),
    });
    let roles = roles.collect();
    Place { id, modules, environments, teams, roles }
}

fn count(many: usize) -> u32 {
    u32::try_from(many).unwrap_or(u32::MAX)
}

fn narrow(many: usize) -> u8 {
    u8::try_from(many).unwrap_or(u8::MAX)
}
