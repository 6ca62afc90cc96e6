//! The model of `model/`, in memory: a moment is copied, tried in every way, and gone back to. And that each rule of
//! the model and each verb of the gate has its place in it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use placet_core::store::MemoryStore;

use crate::model::replay::{Rule, replay};
use crate::model::rules::{Node, Who, model};
use crate::model::stage::Stage;
use crate::model::verbs::{VERBS, Verb};

/// How a walk ended.
#[derive(Debug, Default)]
struct Walk {
    nodes: BTreeSet<Node>,
    calls: u64,
    moves: u64,
    wrong: Vec<String>,
}

/// How far a walk goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Reach {
    /// Every verb in every situation.
    All,
    /// Every verb by everybody in one situation of each state, and in all of them those that move something, by those
    /// who have a part in it. Of two situations
    /// that differ only in the names of Bo and Cy, one is visited.
    Usual,
    /// Those that move something, until the first difference.
    UntilWrong,
}

/// Visits every situation.
fn walk(rule: Rule, reach: Reach) -> Walk {
    let mut walk = Walk::default();
    let root = Stage::on(Arc::new(MemoryStore::default()));
    let first = root.look();
    let mut open: VecDeque<(Node, Stage)> = VecDeque::from([(first.clone(), root)]);
    let mut represented = BTreeSet::new();
    let wrong_max = if reach == Reach::UntilWrong { 0 } else { 20 };
    walk.nodes.insert(first);
    while let Some((node, saved)) = open.pop_front() {
        let all = reach == Reach::All || represented.insert(node.state) && reach == Reach::Usual;
        let mut stage = saved.copied();
        for verb in VERBS.iter().filter(|verb| all || verb.moves) {
            for who in verb.callers(all) {
                walk.calls += 1;
                let answer = (verb.call)(&stage, who);
                let view = stage.view();
                let found = stage.node_of(&view);
                let (due, says_yes) = rule(&node, verb.name, *who);
                let told = answer.as_ref().map_or_else(|error| error.code().as_str(), |()| "ok");
                if found != due || says_yes.is_some_and(|yes| yes != answer.is_ok()) {
                    walk.wrong.push(format!(
                        "{} by {who:?} in {node:?}: {told}, {found:?}; the model says {due:?}, {says_yes:?}",
                        verb.name
                    ));
                }
                walk.wrong.extend(Stage::broken_promises(&view));
                if walk.wrong.len() > wrong_max {
                    return walk;
                }
                if found != node {
                    walk.moves += 1;
                    if (reach == Reach::All || !found.is_a_twin())
                        && walk.nodes.insert(found.clone())
                    {
                        open.push_back((found, stage.copied()));
                    }
                    stage = saved.copied();
                }
            }
        }
    }
    walk
}

#[test]
fn no_verb_reaches_what_the_model_forbids_and_each_reaches_what_it_allows() {
    let whole = std::env::var_os("PLACET_MODEL").is_some();
    let walk = walk(model, if whole { Reach::All } else { Reach::Usual });
    eprintln!("{} situations, {} calls, {} moves", walk.nodes.len(), walk.calls, walk.moves);
    assert!(walk.wrong.is_empty(), "\n{}\n", walk.wrong.join("\n"));
    let states: BTreeSet<_> = walk.nodes.iter().map(|node| node.state).collect();
    assert_eq!(states.len(), placet_core::request::StateName::ALL.len(), "{states:?}");
}

/// The test notices a gate that does otherwise than the model: here the model is the one that is wrong, one rule at a
/// time.
#[test]
fn each_rule_of_the_model_is_tested() {
    let broken: [(&str, Rule); 5] = [
        ("an author may approve", |node, verb, who| {
            let mut node = node.clone();
            let own = verb == "approve" && node.editors.contains(&who);
            if own {
                node.editors.remove(&who);
            }
            let (mut after, yes) = model(&node, verb, who);
            if own {
                after.editors.insert(who);
            }
            (after, yes)
        }),
        ("one person counts twice", |node, verb, who| {
            let mut node = node.clone();
            let twice = verb == "approve" && node.approvals.remove(&who);
            let (mut after, yes) = model(&node, verb, who);
            if twice {
                after.approvals.insert(who);
            }
            (after, yes)
        }),
        ("an edit keeps the approvals", |node, verb, who| {
            let (mut after, yes) = model(node, verb, who);
            if verb == "edit" && after != *node {
                after.approvals = node.approvals.clone();
            }
            (after, yes)
        }),
        ("an agent approves", |node, verb, who| {
            let who = if verb == "approve" && who == Who::Robot { Who::Bo } else { who };
            model(node, verb, who)
        }),
        ("it runs before its approval", |node, verb, who| {
            let mut node = node.clone();
            if verb == "execute" && node.state == placet_core::request::StateName::PendingApproval {
                node.state = placet_core::request::StateName::Approved;
            }
            model(&node, verb, who)
        }),
    ];
    for (what, rule) in broken {
        assert!(!walk(rule, Reach::UntilWrong).wrong.is_empty(), "nobody noticed: {what}");
    }
}

// The table of verbs, and the sources.

/// The public methods of the gate in `source`.
fn methods_in(source: &str) -> BTreeSet<String> {
    let (mut found, mut inside) = (BTreeSet::new(), false);
    for line in source.lines() {
        if line.starts_with("impl") {
            inside = line.starts_with("impl Gate {");
        }
        let name = ["    pub fn ", "    pub const fn "].iter().find_map(|it| line.strip_prefix(it));
        if let Some(name) = name.filter(|_| inside) {
            let ends = |letter: char| !letter.is_alphanumeric() && letter != '_';
            found.insert(name.split(ends).next().unwrap_or_default().to_owned());
        }
    }
    found
}

#[test]
fn a_verb_that_the_model_does_not_know_is_told() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/gate");
    let mut there = BTreeSet::new();
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                there.extend(methods_in(&fs::read_to_string(path).unwrap()));
            }
        }
    }
    let known: BTreeSet<String> =
        VERBS.iter().map(|verb| verb.name.split(':').next().unwrap().to_owned()).collect();
    assert!(there.len() > 70, "the sources were not read");
    let unknown: Vec<_> = there.difference(&known).collect();
    assert!(unknown.is_empty(), "add a line for each to `model/verbs.rs`: {unknown:?}");
    let gone: Vec<_> = known.difference(&there).collect();
    assert!(gone.is_empty(), "the gate has no such verb: {gone:?}");
    // It finds one in a source.
    let sample = "impl Gate {\n    pub fn skip_review(&self) {}\n}\nimpl Other {\n    pub fn no(&self) {}\n}\n";
    assert!(methods_in(sample).into_iter().eq(["skip_review".to_owned()]));
}

#[test]
fn the_table_has_each_verb_once() {
    let mut seen: BTreeMap<&str, &Verb> = BTreeMap::new();
    for verb in VERBS {
        assert!(seen.insert(verb.name, verb).is_none(), "{} stands there twice", verb.name);
    }
}

/// What the stores on disks are asked: here it is the quick way of the same.
#[test]
fn a_request_that_is_led_to_each_situation_finds_the_same() {
    let mut ground = || -> Arc<dyn placet_core::store::Store> { Arc::new(MemoryStore::default()) };
    let tally = replay(model, &mut ground, 5);
    eprintln!("{tally}");
    assert!(tally.wrong.is_empty(), "\n{}\n", tally.wrong.join("\n"));
    // And it notices a model that is wrong.
    let broken: Rule = |node, verb, who| {
        model(node, verb, if verb == "approve" && who == Who::Robot { Who::Bo } else { who })
    };
    assert!(!replay(broken, &mut ground, 5).wrong.is_empty(), "an agent may approve");
}
