//! Questions with one thing wrong, thousands of them: never a yes. Each begins as a question that is a yes by
//! one row of each kind, so that whatever is broken makes it a no, whoever decides.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use placet_core::authz::{Action, Index, IndexBuilder, Question, Scope};
use placet_core::clock::Timestamp;
use placet_core::gate::Gate;
use placet_core::id::{
    EnvironmentId, GrantId, MembershipId, ModuleId, PermissionId, ProjectId, RoleId, TeamId, UserId,
};
use placet_core::org::command::EndGrant;
use placet_core::org::{
    Criticality, Environment, GlobalRole, GlobalRoleGrant, Grant, Interval, Membership, Module,
    Permission, Project, Role, RolePermission, Row, Team, TeamModule, TeamRole, User, UserKind,
};
use placet_core::store::MemoryStore;
use placet_core::testing::{Bench, Chance, ManualClock, Office};

/// One way to be allowed something: a row of each kind.
#[derive(Clone, Debug)]
struct Holding {
    user: User,
    project: Project,
    module: Module,
    environment: Environment,
    team: Team,
    team_module: TeamModule,
    membership: Membership,
    role: Role,
    permission: Permission,
    role_permission: RolePermission,
    grant: Grant,
}

#[derive(Clone, Debug)]
struct Case {
    asker: Holding,
    // Somebody else, who may do the same in another project.
    other: Holding,
    question: Question,
    // Rows that are left out, by their position in `rows`.
    lost: Option<usize>,
}

fn id(chance: &mut Chance) -> u128 {
    u128::from(chance.next_bits()) << 64 | u128::from(chance.next_bits())
}

fn micros(chance: &mut Chance, from: i64, below: i64) -> i64 {
    from + i64::try_from(chance.below(u64::try_from(below - from).unwrap())).unwrap()
}

const ACTIONS: [&str; 6] = ["request", "approve", "execute", "read", "deploy", "manage"];

impl Holding {
    /// `at` lies inside both intervals, and both end.
    fn new(chance: &mut Chance, action: &Action, at: i64) -> Self {
        let (user_id, project_id) =
            (UserId::from_u128(id(chance)), ProjectId::from_u128(id(chance)));
        let (module_id, environment_id) =
            (ModuleId::from_u128(id(chance)), EnvironmentId::from_u128(id(chance)));
        let (team_id, role_id) = (TeamId::from_u128(id(chance)), RoleId::from_u128(id(chance)));
        let permission_id = PermissionId::from_u128(id(chance));
        // Managing takes the whole project.
        let is_manage = action.as_str() == "manage";
        let place = |chance: &mut Chance| !is_manage && chance.is(70);
        let (in_module, in_environment) = (place(chance), place(chance));
        let mut valid = || {
            let (from, until) = (micros(chance, 1, at + 1), micros(chance, at + 1, at + 1_000_000));
            Interval::new(Timestamp::from_micros(from), Some(Timestamp::from_micros(until)))
        };
        let (member, granted) = (valid().unwrap(), valid().unwrap());
        let code = || "it".parse().unwrap();
        let name = || "It".parse().unwrap();
        Self {
            user: User {
                id: user_id,
                kind: UserKind::Person,
                email: "it@example.org".parse().unwrap(),
                display_name: "It".parse().unwrap(),
                is_active: true,
            },
            project: Project { id: project_id, code: code(), name: name() },
            module: Module { id: module_id, project_id, code: code(), name: name() },
            environment: Environment {
                id: environment_id,
                project_id,
                code: code(),
                name: name(),
                priority: 1,
                criticality: Criticality::Low,
            },
            team: Team { id: team_id, project_id, name: name() },
            team_module: TeamModule { team_id, module_id },
            membership: Membership {
                id: MembershipId::from_u128(id(chance)),
                team_id,
                user_id,
                role: TeamRole::Member,
                valid: member,
            },
            role: Role { id: role_id, project_id, name: name() },
            permission: Permission {
                id: permission_id,
                project_id,
                module_id: in_module.then_some(module_id),
                environment_id: in_environment.then_some(environment_id),
                action: action.clone(),
            },
            role_permission: RolePermission { role_id, permission_id },
            grant: Grant {
                id: GrantId::from_u128(id(chance)),
                project_id,
                user_id,
                role_id,
                valid: granted,
            },
        }
    }

    fn rows(&self) -> [Row; 9] {
        [
            self.module.clone().into(),
            self.environment.clone().into(),
            self.role.clone().into(),
            self.permission.clone().into(),
            self.role_permission.into(),
            self.grant.clone().into(),
            self.team.clone().into(),
            self.team_module.into(),
            self.membership.clone().into(),
        ]
    }

    fn scope(&self) -> Scope {
        Scope::module(self.project.id, self.module.id, self.environment.id)
    }
}

impl Case {
    fn new(chance: &mut Chance) -> Self {
        let action: Action = chance.one_of(&ACTIONS).unwrap().parse().unwrap();
        let at = micros(chance, 2, 4_000_000_000_000_000);
        let (asker, other) = (Holding::new(chance, &action, at), Holding::new(chance, &action, at));
        let (user, scope, at) = (asker.user.id, asker.scope(), Timestamp::from_micros(at));
        Self { question: Question { user, action, scope, at }, asker, other, lost: None }
    }

    /// Whether the rule for the action looks at teams.
    fn takes_team(&self) -> bool {
        !["read", "manage"].contains(&self.question.action.as_str())
    }

    fn index(&self) -> Index {
        let mut builder = IndexBuilder::default();
        for (number, holding) in [&self.asker, &self.other].into_iter().enumerate() {
            builder.user(&holding.user);
            builder.project(&holding.project);
            for (at, row) in holding.rows().into_iter().enumerate() {
                if number == 1 || self.lost != Some(at) {
                    builder.row(holding.project.id, row);
                }
            }
        }
        // Whoever reviews may look, and nothing else.
        builder.global_role(&GlobalRoleGrant {
            user_id: self.other.user.id,
            role: GlobalRole::Auditor,
        });
        builder.build()
    }

    fn is_allowed(&self) -> bool {
        let (index, Question { user, action, scope, at }) = (self.index(), &self.question);
        let can = index.can(*user, action, *scope, *at);
        if let Some(place) = index.place(*scope) {
            assert_eq!(index.can_at(*user, &index.action(action), &place, *at), can);
        }
        can
    }

    /// Breaks one thing of what the rule looks at, and says what.
    fn break_one(&mut self, chance: &mut Chance) -> &'static str {
        let count = WRONG.len() - if self.takes_team() { 0 } else { WRONG_WITH_TEAMS };
        let at = usize::try_from(chance.below(u64::try_from(count).unwrap())).unwrap();
        let (what, spoil) = WRONG[at];
        spoil(self, chance);
        what
    }

    /// Asks at one of `instants`.
    fn ask_at(&mut self, chance: &mut Chance, instants: &[i64]) {
        self.question.at = Timestamp::from_micros(chance.one_of(instants).unwrap());
    }
}

/// How many of what can be wrong are only looked at where a rule takes a team: the last ones.
const WRONG_WITH_TEAMS: usize = 8;

/// Makes one thing wrong.
type Spoil = fn(&mut Case, &mut Chance);

/// What can be wrong, and how it becomes so.
const WRONG: [(&str, Spoil); 31] = [
    // Rows. All but the three rows of the team; a place that is not there is a no as well.
    ("a row is missing", |case, chance| {
        case.lost = Some(usize::try_from(chance.below(6)).unwrap());
    }),
    ("the grant is another's", |case, _| case.asker.grant.user_id = case.other.user.id),
    ("the grant is nobody's", |case, chance| {
        case.asker.grant.user_id = UserId::from_u128(id(chance));
    }),
    ("the grant is of another project", |case, _| {
        case.asker.grant.project_id = case.other.project.id;
    }),
    ("the grant is of another project's role", |case, _| {
        case.asker.grant.role_id = case.other.role.id;
    }),
    ("the role has another project's permission", |case, _| {
        case.asker.role_permission.permission_id = case.other.permission.id;
    }),
    ("the permission is of a role that is not there", |case, chance| {
        case.asker.role_permission.role_id = RoleId::from_u128(id(chance));
    }),
    ("the permission is of another project", |case, _| {
        case.asker.permission.project_id = case.other.project.id;
    }),
    ("the permission is for another action", |case, chance| {
        case.asker.permission.action = unheard_of(chance);
    }),
    ("the permission is for another module", |case, chance| {
        case.asker.permission.module_id = Some(ModuleId::from_u128(id(chance)));
    }),
    ("the permission is for another project's environment", |case, _| {
        case.asker.permission.environment_id = Some(case.other.environment.id);
    }),
    ("the role is of another project", |case, _| {
        case.asker.role.project_id = case.other.project.id;
    }),
    ("the user is not active", |case, _| case.asker.user.is_active = false),
    // The question.
    ("nobody asks", |case, chance| case.question.user = UserId::from_u128(id(chance))),
    ("the level is the platform", |case, _| case.question.scope = Scope::Platform),
    ("it is about another project", |case, _| case.question.scope = case.other.scope()),
    ("it is about no project", |case, chance| {
        let project = ProjectId::from_u128(id(chance));
        case.question.scope =
            Scope::module(project, case.asker.module.id, case.asker.environment.id);
    }),
    ("the module is another project's", |case, _| {
        let Case { asker, other, .. } = case;
        case.question.scope =
            Scope::module(asker.project.id, other.module.id, asker.environment.id);
    }),
    ("the environment is not there", |case, chance| {
        let anywhere = EnvironmentId::from_u128(id(chance));
        case.question.scope = Scope::module(case.asker.project.id, case.asker.module.id, anywhere);
    }),
    ("no role has the action", |case, chance| case.question.action = unheard_of(chance)),
    ("the action is the platform's", |case, _| case.question.action = Action::ADMINISTER),
    ("it is before everything", |case, chance| {
        let from = case.asker.grant.valid.from().as_micros();
        case.ask_at(chance, &[i64::MIN, -1, 0, from - 1]);
    }),
    ("it is after everything", |case, chance| {
        let until = case.asker.grant.valid.until().unwrap().as_micros();
        case.ask_at(chance, &[i64::MAX, until, until + 1, Timestamp::MAX.as_micros()]);
    }),
    // The team.
    ("a row of the team is missing", |case, chance| {
        case.lost = Some(6 + usize::try_from(chance.below(3)).unwrap());
    }),
    ("the membership is another's", |case, _| case.asker.membership.user_id = case.other.user.id),
    ("the team is another project's", |case, _| {
        case.asker.membership.team_id = case.other.team.id;
    }),
    ("the team says that it is another project's", |case, _| {
        case.asker.team.project_id = case.other.project.id;
    }),
    ("the team looks after another project's module", |case, _| {
        case.asker.team_module.module_id = case.other.module.id;
    }),
    ("another team looks after the module", |case, _| {
        case.asker.team_module.team_id = case.other.team.id;
    }),
    ("the membership ends at that instant", |case, _| {
        let until = Some(case.question.at);
        case.asker.membership.valid = Interval::new(Timestamp::MIN, until).unwrap();
    }),
    ("the membership begins after it", |case, _| {
        let from = Timestamp::from_micros(case.question.at.as_micros() + 1);
        case.asker.membership.valid = Interval::starting(from);
    }),
];

/// An action that nobody has.
fn unheard_of(chance: &mut Chance) -> Action {
    format!("x{}", chance.below(1_000)).parse().unwrap()
}

#[expect(clippy::disallowed_methods, reason = "a test takes its length and its seed from outside")]
pub(crate) fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().map_or(usual, |text| text.parse().unwrap())
}

/// `PLACET_SEED` asks for the cases of one run again, `PLACET_CASES` for more.
pub(crate) fn seed() -> u64 {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    let seed = number("PLACET_SEED", u64::try_from(now.as_nanos() % (1 << 40)).unwrap());
    eprintln!("PLACET_SEED={seed}");
    seed
}

/// The same one for each run, unless asked for: for what chance must show, and not only may.
fn fixed_seed() -> u64 {
    let seed = number("PLACET_SEED", 7);
    eprintln!("PLACET_SEED={seed}");
    seed
}

#[test]
fn one_thing_wrong_is_a_no_of_the_index() {
    let count = number("PLACET_CASES", 10_000);
    // Whether each kind came up is asked where it is the same each time.
    let mut chance = Chance::new(fixed_seed());
    let mut kinds = std::collections::BTreeMap::new();
    for case in 0..count {
        if case == count / 2 {
            assert_eq!(kinds.len(), WRONG.len(), "{kinds:?}");
            chance = Chance::new(seed());
        }
        let mut case = Case::new(&mut chance);
        assert!(case.is_allowed(), "{case:?}");
        let what = case.break_one(&mut chance);
        let answer = catch_unwind(AssertUnwindSafe(|| case.is_allowed()));
        assert!(answer.is_ok_and(|allowed| !allowed), "{what}: {case:?}");
        *kinds.entry(what).or_insert(0_u64) += 1;
    }
    eprintln!("{count} cases, 0 allowed, 0 panics: {kinds:?}");
}

/// An office in which bo could approve and run for a minute, until every grant of his was ended.
struct Dismissed {
    bench: Bench,
    gate: Gate,
    bo: UserId,
    place: Scope,
}

impl Dismissed {
    /// `before` sees it while bo still may.
    fn new(before: impl FnOnce(&Bench, UserId, Scope)) -> Self {
        let bench = Bench::on(Arc::new(MemoryStore::default())).unwrap();
        let gate = Gate::new(bench.parts.clone());
        let office = Office::found(&gate).unwrap();
        let (bo, project) = (office.bo.user(), office.project);
        let place = Scope::module(project, office.module, office.environment);
        assert!(gate.can(bo, &Action::APPROVE, place));
        before(&bench, bo, place);
        bench.clock.advance_ms(60_000);
        let grants = gate.organisation(&office.root, project).unwrap().grants;
        for grant in grants.iter().filter(|row| row.user_id == bo).map(|row| row.id) {
            gate.manage(&office.root, &EndGrant { project, grant, at: None }).unwrap();
        }
        Self { bench, gate, bo, place }
    }
}

#[test]
fn a_clock_that_steps_back_brings_no_grant_back() {
    let (mut chance, count) = (Chance::new(seed()), number("PLACET_CASES", 10_000));
    let Dismissed { bench, gate, bo, place } = Dismissed::new(|_, _, _| ());
    let ended = gate.now().as_micros();
    for case in 0..count {
        let back = match chance.below(4) {
            0 => chance.one_of(&[i64::MIN, 0, ended - 1, ended]).unwrap(),
            _ => ended - micros(&mut chance, 0, 120_000_000),
        };
        bench.clock.set(Timestamp::from_micros(back));
        // A gate that is opened anew has not seen the later instant.
        let anew = (case % 10 == 0).then(|| Gate::new(bench.parts.clone()));
        let gate = anew.as_ref().unwrap_or(&gate);
        let action = if chance.is(50) { Action::APPROVE } else { Action::EXECUTE };
        assert!(!gate.can(bo, &action, place), "{case}: the clock says {back}");
        let index = gate.index().unwrap();
        assert!(!index.can(bo, &action, place, gate.now()), "{case}: the clock says {back}");
        assert!(!gate.authorize(bo, &action, place).is_allowed(), "{case}: {back}");
    }
}

#[test]
fn a_node_whose_clock_is_behind_brings_no_grant_back() {
    let mut node = None;
    let Dismissed { gate: there, bo, place, .. } = Dismissed::new(|bench, bo, place| {
        let behind = Arc::new(ManualClock::at(bench.parts.clock.now()));
        let mut parts = bench.parts.clone();
        parts.clock = Arc::<ManualClock>::clone(&behind);
        let here = Gate::new(parts);
        assert!(here.can(bo, &Action::APPROVE, place));
        node = Some((here, behind));
    });
    let (here, behind) = node.unwrap();
    // After a second at most it has heard of it, and its own clock is still far behind.
    behind.advance_ms(2_000);
    assert!(!here.can(bo, &Action::APPROVE, place));
    assert_eq!(here.now(), there.now());
}
