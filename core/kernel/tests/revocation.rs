//! What was taken away is gone: no check that begins after a revocation was acknowledged says yes.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use placet_core::authz::{Action, ActionHandle, Index, Paging, PlaceHandle, Scope};
use placet_core::clock::Clock as _;
use placet_core::id::{GrantId, MembershipId, PermissionId, RoleId, UserId};
use placet_core::identity::Caller;
use placet_core::org::command::{
    AddMember, AllowRole, AssignModule, AssignRole, CreatePermission, CreateRole, DisallowRole,
    EndGrant, EndMembership, GrantGlobalRole, RevokeGlobalRole, SetUserActive, UnassignModule,
};
use placet_core::org::{GlobalRole, Interval, TeamRole};

use crate::world::{World, user};

/// What is taken away and given back. Each is somebody's only way to a yes.
#[derive(Clone, Copy, Debug)]
enum Way {
    Grant,
    Membership,
    Activity,
    GlobalRole,
    Permission,
    Module,
}

const WAYS: [Way; 6] =
    [Way::Grant, Way::Membership, Way::Activity, Way::GlobalRole, Way::Permission, Way::Module];

/// One way, and who goes it.
#[derive(Debug)]
struct Path {
    way: Way,
    user: UserId,
    action: Action,
    place: Scope,
    // The role made for it, and what that may. A path by a global role has none.
    role: Option<RoleId>,
    permission: Option<PermissionId>,
    // Counts the moments of this path: four for each round of taking and giving. At 0 of 4 it is closed and
    // that was acknowledged, at 1 it is being opened, at 2 it is open, at 3 it is being closed.
    moment: AtomicU64,
}

/// The row that was given, where it has a name of its own.
#[derive(Clone, Copy, Debug)]
enum Given {
    Grant(GrantId),
    Membership(MembershipId),
    Nameless,
}

const CLOSED: u64 = 0;
const OPEN: u64 = 2;

/// How somebody asks whether the user of a path may go it.
trait Asks: Sync {
    fn can(&self, stage: &Stage, path: usize) -> bool;

    /// Once for each change, after it was acknowledged and announced.
    fn after(&self, _stage: &Stage) {}
}

/// A gate, somebody who takes and gives, and those who ask without pause.
struct Stage {
    world: World,
    paths: Vec<Path>,
    // How many checks each of those who ask has made.
    asked: Vec<AtomicU64>,
    rounds: AtomicU64,
    is_over: AtomicBool,
}

/// What was seen.
#[derive(Debug, Default)]
struct Tally {
    checks: u64,
    // Between an acknowledged revocation and the next grant of it.
    closed: u64,
    // Those of them that said yes.
    stale: u64,
    // Between an acknowledged grant and the next revocation of it.
    open: u64,
    // Those of them that said no.
    missing: u64,
    rounds: u64,
}

/// How many threads ask.
const ASKING: usize = 2;

/// Whoever takes and gives waits for them in one round of so many.
const WAITS_EVERY: u64 = 8;

/// They ask at least until each way was opened and closed so often.
const fn rounds_for(checks: u64) -> u64 {
    30 + checks / 50_000
}

impl Stage {
    /// One team, role and permission for each path, so that none helps another.
    fn new() -> Self {
        let world = World::new();
        let (root, project) = (world.caller("root"), world.project);
        let paths = WAYS.map(|way| {
            let name = format!("{way:?}").to_lowercase();
            let user = world.gate.administer(&root, &user(&name)).unwrap();
            let is_global = matches!(way, Way::GlobalRole);
            let own = || format!("go-by-{name}").parse().unwrap();
            let action = if is_global { Action::AUDIT } else { own() };
            let is_module = matches!(way, Way::Module);
            let module = if is_module { world.logistica } else { world.pagos };
            let place = Scope::module(project, module, world.dev);
            let place = if is_global { Scope::Platform } else { place };
            let moment = AtomicU64::new(CLOSED);
            Path { way, user, action, place, role: None, permission: None, moment }
        });
        let asked = (0..ASKING).map(|_| AtomicU64::new(0)).collect();
        let (rounds, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
        let paths = paths.map(|path| prepared(&world, path)).into();
        Self { world, paths, asked, rounds, is_over }
    }

    fn give(&self, path: &Path) -> Given {
        let World { gate, project, checkout, .. } = &self.world;
        let (root, project, user) = (self.world.caller("root"), *project, path.user);
        let (team, valid) = (*checkout, Interval::starting(gate.now()));
        match path.way {
            Way::Grant => {
                let role = path.role.unwrap();
                let command = AssignRole { project, user, role, valid };
                return Given::Grant(gate.manage(&root, &command).unwrap());
            }
            Way::Membership => {
                let role = TeamRole::Member;
                let command = AddMember { project, team, user, role, valid };
                return Given::Membership(gate.manage(&root, &command).unwrap());
            }
            Way::Activity => gate.administer(&root, &SetUserActive { user, active: true }),
            Way::GlobalRole => {
                gate.administer(&root, &GrantGlobalRole { user, role: GlobalRole::Auditor })
            }
            Way::Permission => {
                let (role, permission) = (path.role.unwrap(), path.permission.unwrap());
                gate.manage(&root, &AllowRole { project, role, permission })
            }
            Way::Module => {
                let module = self.world.logistica;
                gate.manage(&root, &AssignModule { project, team, module })
            }
        }
        .unwrap();
        Given::Nameless
    }

    fn take(&self, path: &Path, given: Given) {
        let World { gate, project, checkout, .. } = &self.world;
        let (root, project, user) = (self.world.caller("root"), *project, path.user);
        match (path.way, given) {
            (Way::Grant, Given::Grant(grant)) => {
                gate.manage(&root, &EndGrant { project, grant, at: None })
            }
            (Way::Membership, Given::Membership(membership)) => {
                gate.manage(&root, &EndMembership { project, membership, at: None })
            }
            (Way::Activity, _) => gate.administer(&root, &SetUserActive { user, active: false }),
            (Way::GlobalRole, _) => {
                gate.administer(&root, &RevokeGlobalRole { user, role: GlobalRole::Auditor })
            }
            (Way::Permission, _) => {
                let (role, permission) = (path.role.unwrap(), path.permission.unwrap());
                gate.manage(&root, &DisallowRole { project, role, permission })
            }
            (Way::Module, _) => {
                let (team, module) = (*checkout, self.world.logistica);
                gate.manage(&root, &UnassignModule { project, team, module })
            }
            (Way::Grant | Way::Membership, _) => panic!("{given:?} is not what was given"),
        }
        .unwrap();
    }

    /// Takes and gives, one path after the other, until those who ask are done.
    fn take_and_give(&self, asks: &impl Asks) -> Tally {
        let _ends = EndsAll(&self.is_over);
        let mut tally = Tally::default();
        while !self.is_over.load(Ordering::SeqCst) {
            for (number, path) in self.paths.iter().enumerate() {
                path.moment.fetch_add(1, Ordering::SeqCst);
                let given = self.give(path);
                path.moment.fetch_add(1, Ordering::SeqCst);
                asks.after(self);
                // Whoever took or gave asks first.
                tally.check(self, asks, number);
                self.let_them_ask();
                if self.rounds.load(Ordering::SeqCst) % 4 == 1 {
                    // A row that held for a while is cut and stays; one that held for no instant is removed. Now and
                    // then the gate also looks at what others wrote.
                    self.world.bench.clock.advance_ms(400);
                }
                path.moment.fetch_add(1, Ordering::SeqCst);
                self.take(path, given);
                path.moment.fetch_add(1, Ordering::SeqCst);
                tally.check(self, asks, number);
                self.let_them_ask();
                asks.after(self);
            }
            tally.rounds = self.rounds.fetch_add(1, Ordering::SeqCst) + 1;
        }
        tally
    }

    /// Waits, in one round of [`WAITS_EVERY`], until each of those who ask has asked about every path, or is done.
    fn let_them_ask(&self) {
        if !self.rounds.load(Ordering::SeqCst).is_multiple_of(WAITS_EVERY) {
            return;
        }
        let count = u64::try_from(2 * WAYS.len()).unwrap();
        for asked in &self.asked {
            let before = asked.load(Ordering::SeqCst);
            while asked.load(Ordering::SeqCst) < before + count
                && !self.is_over.load(Ordering::SeqCst)
            {
                thread::yield_now();
            }
        }
    }

    fn ask(&self, asks: &impl Asks, number: usize, checks: u64) -> Tally {
        let (mut tally, rounds) = (Tally::default(), rounds_for(checks));
        let _ends = EndsAll(&self.is_over);
        let is_over = || self.is_over.load(Ordering::SeqCst);
        while (tally.checks < checks || self.rounds.load(Ordering::SeqCst) < rounds) && !is_over() {
            for path in 0..self.paths.len() {
                tally.check(self, asks, path);
            }
            self.asked[number].store(tally.checks, Ordering::SeqCst);
            if tally.checks >= checks {
                // All that is waited for is the other thread.
                thread::yield_now();
            }
        }
        tally
    }

    /// At least `checks` checks in all, while another thread takes and gives.
    fn play(&self, asks: &impl Asks, checks: u64) -> Tally {
        let each = checks.div_ceil(u64::try_from(ASKING).unwrap());
        thread::scope(|scope| {
            let writer = scope.spawn(|| self.take_and_give(asks));
            let asking: Vec<_> = (0..ASKING)
                .map(|number| scope.spawn(move || self.ask(asks, number, each)))
                .collect();
            let mut sum = Tally::default();
            for one in asking.into_iter().map(|one| one.join().unwrap()) {
                sum.add(&one);
            }
            self.is_over.store(true, Ordering::SeqCst);
            sum.add(&writer.join().unwrap());
            sum
        })
    }
}

/// Whoever takes and gives waits for those who ask, and they for it: when one of them panics all is over, and the test
/// fails instead of waiting for ever.
struct EndsAll<'a>(&'a AtomicBool);

impl Drop for EndsAll<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.store(true, Ordering::SeqCst);
        }
    }
}

impl Tally {
    /// Asks once, and looks whether the path stood still meanwhile.
    fn check(&mut self, stage: &Stage, asks: &impl Asks, path: usize) {
        let moment = &stage.paths[path].moment;
        let before = moment.load(Ordering::SeqCst);
        let allowed = asks.can(stage, path);
        let is_steady = moment.load(Ordering::SeqCst) == before;
        self.checks += 1;
        match before % 4 {
            CLOSED if is_steady => {
                self.closed += 1;
                self.stale += u64::from(allowed);
            }
            OPEN if is_steady => {
                self.open += 1;
                self.missing += u64::from(!allowed);
            }
            _ => {}
        }
    }

    /// How many checks there are at least of a way that is closed, and as many of one that is open, however busy the
    /// machine is: one by whoever took or gave, and in the rounds in which it waits one by each of those who ask. It may
    /// not wait any more in the last one.
    fn least(&self) -> u64 {
        let (ways, asking) = (u64::try_from(WAYS.len()).unwrap(), u64::try_from(ASKING).unwrap());
        ways * (self.rounds + asking * (self.rounds - 1).div_ceil(WAITS_EVERY))
    }

    const fn add(&mut self, other: &Self) {
        self.checks += other.checks;
        self.closed += other.closed;
        self.stale += other.stale;
        self.open += other.open;
        self.missing += other.missing;
        self.rounds += other.rounds;
    }
}

/// Gives everything but what the path is about.
fn prepared(world: &World, path: Path) -> Path {
    let World { gate, project, checkout, .. } = world;
    let (root, project, user) = (world.caller("root"), *project, path.user);
    let (team, valid) = (*checkout, Interval::starting(gate.now()));
    if matches!(path.way, Way::GlobalRole) {
        return path;
    }
    let role = CreateRole { project, name: format!("{:?}", path.way).parse().unwrap() };
    let role = gate.manage(&root, &role).unwrap();
    let (module, environment, action) = (None, None, path.action.clone());
    let permission = CreatePermission { project, module, environment, action };
    let permission = gate.manage(&root, &permission).unwrap();
    if !matches!(path.way, Way::Permission) {
        gate.manage(&root, &AllowRole { project, role, permission }).unwrap();
    }
    if !matches!(path.way, Way::Grant) {
        gate.manage(&root, &AssignRole { project, user, role, valid }).unwrap();
    }
    if !matches!(path.way, Way::Membership) {
        let role = TeamRole::Member;
        gate.manage(&root, &AddMember { project, team, user, role, valid }).unwrap();
    }
    if matches!(path.way, Way::Activity) {
        gate.administer(&root, &SetUserActive { user, active: false }).unwrap();
    }
    Path { role: Some(role), permission: Some(permission), ..path }
}

/// Asks the gate.
struct Gate;

impl Asks for Gate {
    fn can(&self, stage: &Stage, path: usize) -> bool {
        let Path { user, action, place, .. } = &stage.paths[path];
        stage.world.gate.can(*user, action, *place)
    }
}

/// Asks the gate's index, with what was looked up once, at the very beginning.
struct Handles(Vec<(ActionHandle, PlaceHandle)>);

impl Handles {
    fn of(stage: &Stage) -> Self {
        let index = stage.world.gate.index().unwrap();
        let handles = |path: &Path| (index.action(&path.action), index.place(path.place).unwrap());
        Self(stage.paths.iter().map(handles).collect())
    }
}

impl Asks for Handles {
    fn can(&self, stage: &Stage, path: usize) -> bool {
        let (gate, (action, place)) = (&stage.world.gate, &self.0[path]);
        gate.index().unwrap().can_at(stage.paths[path].user, action, place, gate.now())
    }
}

/// Asks where each user can go: the list must have the place, or name the role.
struct Lists;

impl Asks for Lists {
    fn can(&self, stage: &Stage, path: usize) -> bool {
        let (gate, Path { user, action, place, .. }) = (&stage.world.gate, &stage.paths[path]);
        let (caller, page) = (Caller::authenticated(*user), Paging::first(100));
        let found = gate.where_can(&caller, *user, action, gate.now(), page).unwrap();
        let by_role = *place == Scope::Platform && !found.global_roles.is_empty();
        by_role || found.items.contains(place)
    }
}

/// Asks an index that is brought up to date only after the verb has returned.
struct Late(Mutex<Arc<Index>>);

impl Asks for Late {
    fn can(&self, stage: &Stage, path: usize) -> bool {
        let Path { user, action, place, .. } = &stage.paths[path];
        let index = Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner));
        // The wall clock does not hide it: a row that was cut is another matter than one that is gone.
        index.can(*user, action, *place, stage.world.bench.clock.now())
    }

    fn after(&self, stage: &Stage) {
        let fresh = stage.world.gate.index().unwrap();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
    }
}

#[expect(clippy::disallowed_methods, reason = "a test takes its length from outside")]
fn checks() -> u64 {
    let asked_for = std::env::var("PLACET_CHECKS").ok().map(|text| text.parse().unwrap());
    asked_for.unwrap_or(2_000_000)
}

fn assert_nothing_outlives_its_end(name: &str, stage: &Stage, asks: &impl Asks, checks: u64) {
    let tally = stage.play(asks, checks);
    eprintln!("{name}: {tally:?}");
    assert_eq!(tally.stale, 0, "a check that began after a revocation said yes: {tally:?}");
    assert_eq!(tally.missing, 0, "a check that began after a grant said no: {tally:?}");
    let least = tally.least();
    assert!(tally.closed >= least && tally.open >= least, "at least {least} of each: {tally:?}");
    assert_eq!(stage.world.gate.disagreements(), 0);
}

/// `PLACET_CHECKS` asks for more.
#[test]
fn no_check_that_begins_after_a_revocation_says_yes() {
    let stage = Stage::new();
    assert_nothing_outlives_its_end("the gate", &stage, &Gate, checks() / 2);
    let stage = Stage::new();
    assert_nothing_outlives_its_end(
        "handles on its index",
        &stage,
        &Handles::of(&stage),
        checks() / 2,
    );
    let stage = Stage::new();
    assert_nothing_outlives_its_end("lists of places", &stage, &Lists, checks() / 20);
}

#[test]
fn an_index_that_is_brought_up_to_date_after_the_verb_returned_is_noticed() {
    let stage = Stage::new();
    let late = Late(Mutex::new(stage.world.gate.index().unwrap()));
    let tally = stage.play(&late, 20_000);
    assert!(tally.stale > 0, "{tally:?}");
}
