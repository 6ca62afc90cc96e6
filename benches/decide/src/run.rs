//! One world, asked in every way.

use placet_core::authz::{
    Action, ActionHandle, Authorizer as _, Index, IndexBuilder, Paging, PlaceHandle, Scope,
};
use placet_core::clock::Timestamp;
use placet_core::id::{EnvironmentId, MembershipId, ModuleId, ProjectId, UserId};
use placet_core::org::Interval;
use placet_policies::CedarAuthorizer;

use crate::chance::Chance;
use crate::figures::{self, Engine, Figures};
use crate::measure::{Built, Spread, allocations, build, mean_ns, median, spread};
use crate::packed::Packed;
use crate::peers::casbin::Casbin;
use crate::peers::cedar::Cedar;
use crate::peers::regorus::Regorus;
use crate::rows::{self, Rows};
use crate::world::{ACTIONS, NOW, Question, Size, World};

/// How many questions are asked in a round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counts {
    pub(crate) fast: usize,
    pub(crate) slow: usize,
    pub(crate) with_peers: bool,
}

const ROUNDS: usize = 5;
const AT: Timestamp = Timestamp::from_micros(NOW);

/// Everything that the ways to ask have in common.
struct Run {
    world: World,
    questions: Vec<Question>,
    expected: Vec<bool>,
    engines: Vec<Engine>,
    differences: usize,
}

impl Run {
    /// Asks once to compare, counts allocations, then takes the time in rounds.
    fn ask<Q>(
        &mut self,
        name: &'static str,
        prepared: &[Q],
        built: Option<(f64, i64)>,
        mut ask: impl FnMut(&Q) -> bool,
    ) {
        let rounds = if prepared.len() < self.questions.len() { 3 } else { ROUNDS };
        let pairs = prepared.iter().zip(&self.expected);
        let different = pairs.filter(|(asked, expected)| ask(asked) != **expected).count();
        let few = &prepared[..prepared.len().min(1_000)];
        let many = allocations(|| {
            let _yes = mean_ns(few, &mut ask);
        });
        let mean = median((0..rounds).map(|_| mean_ns(prepared, &mut ask).0).collect());
        self.note(Engine {
            name,
            questions: prepared.len(),
            mean_ns: mean,
            allocations: many as f64 / few.len() as f64,
            built,
        });
        if different > 0 {
            say(&format!("{name}: {different} of {} answers are different", prepared.len()));
        }
        self.differences += different;
    }

    /// Puts the median of other rounds in the place of the first ones.
    fn settle(&mut self, name: &str, rounds: Vec<f64>) {
        let mean = median(rounds);
        for engine in self.engines.iter_mut().filter(|engine| engine.name == name) {
            engine.mean_ns = mean;
        }
        say(&format!("{name}, in turns: {mean:.0} ns"));
    }

    fn note(&mut self, engine: Engine) {
        let (ns, count) = (engine.mean_ns, engine.allocations);
        let built = engine.built.map_or_else(String::new, |(seconds, bytes)| {
            format!("; built in {seconds:.2} s, holds {:.1} MB", bytes as f64 / 1e6)
        });
        say(&format!("{}: {ns:.0} ns, {count:.1} allocations{built}", engine.name));
        self.engines.push(engine);
    }
}

/// Progress, for whoever waits.
pub(crate) fn say(text: &str) {
    eprintln!("  {text}");
}

fn size_of_built<T>(built: &Built<T>) -> Option<(f64, i64)> {
    Some((built.cpu_seconds, built.heap_bytes))
}

pub(crate) fn run(size: Size, seed: u64, counts: Counts) -> Result<Figures, String> {
    let mut chance = Chance::new(seed);
    eprintln!("{}: {} users, {} projects", size.name, size.users, size.projects);
    let world = World::new(size, &mut chance);
    let questions = world.questions(counts.fast, &mut chance);
    let expected: Vec<bool> = questions.iter().map(|asked| world.permits(asked)).collect();
    let yes = expected.iter().filter(|yes| **yes).count();
    let yes_percent = 100.0 * yes as f64 / questions.len() as f64;
    say(&format!("{} questions, {yes_percent:.1} % of them a yes", questions.len()));
    let rows = world.memberships.len() + world.grants.len();
    let mut run = Run { world, questions, expected, engines: Vec::new(), differences: 0 };

    let packed = build(|| Packed::new(&run.world));
    let index = index(&run.world);
    let prepared = run.questions.clone();
    run.ask(figures::PACKED, &prepared, size_of_built(&packed), |asked| packed.made.can(asked));
    ask_index(&mut run, &index, &packed.made);
    let spreads = ends(&run, &index.made, &mut chance);
    let heap_by_itself = index.made.heap_bytes();
    drop((packed, index));

    if counts.with_peers {
        ask_cedar(&mut run, counts.slow);
        ask_regorus(&mut run, counts.slow);
        ask_casbin(&mut run, counts.slow);
    }
    if run.differences > 0 {
        return Err(format!("{} answers are different (seed {seed})", run.differences));
    }
    Ok(Figures { size, rows, yes_percent, engines: run.engines, heap_by_itself, spreads })
}

/// The time goes from the first row handed over to the index; making the rows is not part of it.
fn index(world: &World) -> Built<Index> {
    say("making rows");
    let mut rows = Rows::new(world);
    let mut built = build(|| {
        let mut builder = IndexBuilder::default();
        rows.hand_over(&mut builder);
        builder.build()
    });
    drop(rows);
    // Once more for the memory: here all that was allocated for rows is also given back inside.
    let again = build(|| {
        let mut builder = IndexBuilder::default();
        Rows::new(world).hand_over(&mut builder);
        builder.build()
    });
    built.heap_bytes = again.heap_bytes;
    built
}

fn ask_index(run: &mut Run, index: &Built<Index>, packed: &Packed) {
    let built = size_of_built(index);
    let index = &index.made;
    let actions: Vec<Action> = (0..6).map(rows::action).collect();
    let handles: Vec<ActionHandle> = actions.iter().map(|action| index.action(action)).collect();
    let user = |asked: &Question| UserId::from_u128(run.world.users[asked.user as usize].id);
    let scope = |asked: &Question| rows::scope(&run.world, asked);
    let all: Vec<(UserId, Scope, u8)> =
        run.questions.iter().map(|asked| (user(asked), scope(asked), asked.action)).collect();
    let placed: Vec<(UserId, PlaceHandle, u8)> = all
        .iter()
        .filter_map(|(user, scope, action)| Some((*user, index.place(*scope)?, *action)))
        .collect();
    assert_eq!(placed.len(), all.len(), "every place of the world is there");
    run.ask(figures::HANDLES, &placed, built, |(user, place, action)| {
        index.can_at(*user, &handles[usize::from(*action)], place, AT)
    });
    // These two are compared with each other: in turns, so that whoever else is at work disturbs both alike.
    let rounds: Vec<(f64, f64)> = (0..2 * ROUNDS)
        .map(|_| {
            let limit = mean_ns(&run.questions, |asked| packed.can(asked)).0;
            let ours = mean_ns(&placed, |(user, place, action)| {
                index.can_at(*user, &handles[usize::from(*action)], place, AT)
            });
            (limit, ours.0)
        })
        .collect();
    drop(placed);
    run.settle(figures::PACKED, rounds.iter().map(|round| round.0).collect());
    run.settle(figures::HANDLES, rounds.iter().map(|round| round.1).collect());
    run.ask(figures::IDS, &all, None, |(user, scope, action)| {
        index.can(*user, &actions[usize::from(*action)], *scope, AT)
    });
    let texts = Texts::new(&all);
    drop(all);
    run.ask(figures::TEXTS, &texts.ends, None, |ends| texts.can(index, ends).unwrap_or(false));
}

/// Questions as text, one behind the other, as a host that has just read them has them at hand.
struct Texts {
    all: String,
    /// Where each one begins, and where its user, project, module, environment and action end.
    ends: Vec<[usize; 6]>,
}

impl Texts {
    fn new(questions: &[(UserId, Scope, u8)]) -> Self {
        let mut texts = Self { all: String::new(), ends: Vec::with_capacity(questions.len()) };
        for (user, scope, action) in questions {
            let Scope::Project { project, module, environment } = scope else { continue };
            let none = String::new;
            let parts = [
                user.to_string(),
                project.to_string(),
                module.map_or_else(none, |id| id.to_string()),
                environment.map_or_else(none, |id| id.to_string()),
                ACTIONS[usize::from(*action)].to_owned(),
            ];
            let mut ends = [texts.all.len(); 6];
            for (end, part) in ends.iter_mut().skip(1).zip(parts) {
                texts.all.push_str(&part);
                *end = texts.all.len();
            }
            texts.ends.push(ends);
        }
        texts
    }

    fn can(&self, index: &Index, ends: &[usize; 6]) -> Option<bool> {
        let text = |at: usize| self.all.get(ends[at]..ends[at + 1]).filter(|text| !text.is_empty());
        let user: UserId = text(0)?.parse().ok()?;
        let project: ProjectId = text(1)?.parse().ok()?;
        let module: Option<ModuleId> = text(2).map(str::parse).transpose().ok()?;
        let environment: Option<EnvironmentId> = text(3).map(str::parse).transpose().ok()?;
        let action: Action = text(4)?.parse().ok()?;
        Some(index.can(user, &action, Scope::Project { project, module, environment }, AT))
    }
}

/// The questions from the other end, and changes.
fn ends(run: &Run, index: &Index, chance: &mut Chance) -> Vec<(&'static str, Spread)> {
    let world = &run.world;
    let some = &run.questions[..run.questions.len().min(20_000)];
    let prepared: Vec<(UserId, Scope, Action)> = some
        .iter()
        .map(|asked| {
            let user = UserId::from_u128(world.users[asked.user as usize].id);
            (user, rows::scope(world, asked), rows::action(asked.action))
        })
        .collect();
    let who = spread(&prepared, |(_, scope, action)| {
        index.who_can(action, *scope, AT, Paging::first(1_000))
    });
    let all = Paging::first(usize::MAX);
    let places = spread(&prepared, |(user, _, action)| index.where_can(*user, action, AT, all));
    let why = spread(&prepared, |(user, scope, action)| index.explain(*user, action, *scope, AT));
    let free = allocations(|| {
        for (user, scope, action) in prepared.iter().take(1_000) {
            let _why = std::hint::black_box(index.explain(*user, action, *scope, AT));
        }
    });
    let cpu = mean_ns(&prepared, |(user, scope, action)| {
        index.explain(*user, action, *scope, AT).is_allowed
    });
    say(&format!("{}: {:.0} ns of CPU, {free} allocations in 1,000", figures::EXPLAIN, cpu.0));
    let cpu_places = mean_ns(&prepared, |(user, _, action)| {
        index.where_can(*user, action, AT, all).items.is_empty()
    });
    say(&format!("{}: {:.0} ns of CPU", figures::WHERE, cpu_places.0));
    let changes: Vec<_> = (0..2_000)
        .filter_map(|_| {
            let row = chance.pick(&world.memberships)?;
            let mut changed = rows::membership(world, row);
            changed.valid = Interval::starting(AT);
            let project = ProjectId::from_u128(world.projects[row.project as usize].id);
            Some((project, changed))
        })
        .collect();
    let changed = spread(&changes, |(project, row)| {
        let id: MembershipId = row.id;
        let next = index.with_membership(*project, id, Some(row));
        let seen = next.can(row.user_id, &Action::REQUEST, Scope::project(*project), AT);
        (next, seen)
    });
    let with_cpu = |spread: Spread, cpu: f64| Spread { cpu, ..spread };
    let (places, why) = (with_cpu(places, cpu_places.0), with_cpu(why, cpu.0));
    let found = vec![
        (figures::WHO, who),
        (figures::WHERE, places),
        (figures::EXPLAIN, why),
        (figures::CHANGE, changed),
    ];
    for (name, Spread { mean, p50, p99, .. }) in &found {
        say(&format!("{name}: mean {mean:.0} ns, p50 {p50:.0}, p99 {p99:.0}"));
    }
    found
}

fn ask_cedar(run: &mut Run, many: usize) {
    let ours = CedarAuthorizer::new().expect("the base policies are valid");
    let cedar = Cedar::new();
    let asked: Vec<_> =
        run.questions.iter().take(many).map(|asked| rows::facts(&run.world, asked)).collect();
    let prepared: Vec<_> =
        asked.iter().map(|(question, facts)| cedar.prepare(question, facts)).collect();
    run.ask(figures::CEDAR, &prepared, None, |prepared| cedar.can(prepared));
    run.ask(figures::CEDAR_WHOLE, &asked, None, |(question, facts)| {
        cedar.can(&cedar.prepare(question, facts))
    });
    run.ask(figures::DECIDE, &asked, None, |(question, facts)| {
        ours.decide(question, facts).is_ok_and(|verdict| verdict.is_allowed())
    });
}

fn ask_regorus(run: &mut Run, many: usize) {
    say("regorus: loading");
    let mut built = build(|| Regorus::new(&run.world));
    let asked = run.questions.iter().take(many);
    let prepared: Vec<_> = asked.map(|asked| Regorus::prepare(&run.world, asked)).collect();
    let size = size_of_built(&built);
    run.ask(figures::REGORUS, &prepared, size, |asked| built.made.can(asked));
}

fn ask_casbin(run: &mut Run, many: usize) {
    say("casbin-rs: loading");
    let mut progress = |done: usize| {
        if done.is_multiple_of(1_000) {
            say(&format!("casbin-rs: {done} shards"));
        }
    };
    let built = build(|| Casbin::new(&run.world, &mut progress));
    let asked = run.questions.iter().take(many);
    let prepared: Vec<_> = asked.map(|asked| Casbin::prepare(&run.world, asked)).collect();
    let size = size_of_built(&built);
    run.ask(figures::CASBIN, &prepared, size, |asked| built.made.can(asked));
}
