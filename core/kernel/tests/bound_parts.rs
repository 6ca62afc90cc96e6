//! Whatever an approval is bound to, changed behind the gate's back at each moment of a request: nothing of it runs.

use placet_core::digest::Digest;
use placet_core::gate::Promotion;
use placet_core::id::RequestId;
use placet_core::org::command::SetQuorum;
use placet_core::request::Quorum;
use placet_core::runner::{Failure, Outcome};
use placet_core::store::{Batch, Key};
use placet_core::testing::Seen;
use serde_json::Value;

use crate::world::World;

/// When it is changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Moment {
    Submitted,
    Approved,
    Failed,
    AfterTheCanary,
    Promoted,
}

/// What is changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Part {
    Payload,
    Target,
    NextTarget,
    Plan,
    Plugin,
    Runner,
    Environment,
    Revision,
    Nonce,
    Source,
    Nothing,
}

const MOMENTS: [Moment; 5] =
    [Moment::Submitted, Moment::Approved, Moment::Failed, Moment::AfterTheCanary, Moment::Promoted];

const PARTS: [Part; 11] = [
    Part::Payload,
    Part::Target,
    Part::NextTarget,
    Part::Plan,
    Part::Plugin,
    Part::Runner,
    Part::Environment,
    Part::Revision,
    Part::Nonce,
    Part::Source,
    Part::Nothing,
];

/// A batch of two targets at that moment, and its id.
fn at(world: &World, moment: Moment) -> RequestId {
    let (ana, bo, cy) = (world.caller("ana"), world.caller("bo"), world.caller("cy"));
    let agree = |id| world.gate.approve(&bo, id, world.digest(id), None).unwrap();
    let run = |id| {
        let ticket = world.gate.execute(&cy, id).unwrap();
        world.gate.drive(ticket, &Seen::default()).unwrap()
    };
    let mut new = world.new_request(world.dev);
    let second = ["second".parse().unwrap()];
    new.change = new.change.and_then_at(second, world.gate.limits()).unwrap();
    let id = world.gate.draft_and_submit(&ana, &new).unwrap().header.id;
    match moment {
        Moment::Submitted => {}
        Moment::Approved => drop(agree(id)),
        Moment::Failed => {
            agree(id);
            world.bench.runner.ends_with(Outcome::Failed(Failure::new("sql.1", "it says")));
            run(id);
        }
        Moment::AfterTheCanary => {
            agree(id);
            run(id);
        }
        Moment::Promoted => {
            agree(id);
            run(id);
            run(id);
            let (project, environment) = (world.project, world.prod);
            let quorum = Quorum::n_of(1, None).unwrap();
            let root = world.caller("root");
            world.gate.manage(&root, &SetQuorum { project, environment, quorum }).unwrap();
            let to = Promotion { environment, targets: Vec::new() };
            let next = world.gate.promote(&ana, id, &to).unwrap().header.id;
            world.gate.submit(&ana, next).unwrap();
            agree(next);
            return next;
        }
    }
    id
}

/// Writes `to` wherever the record says `from`, also in its texts, and has it commit to those.
fn forge(world: &World, key: &Key, from: &str, to: &str) {
    let store = &world.bench.parts.store;
    let stored = store.get(key).unwrap().unwrap();
    let text = String::from_utf8(stored.value).unwrap();
    let mut json: Value = serde_json::from_str(&text).unwrap();
    let mut renamed = Vec::new();
    if let Some(texts) = json["texts"].as_object_mut() {
        let all = std::mem::take(texts);
        for (commitment, mut kept) in all {
            // Quotes inside a text are escaped there: what is changed has none.
            let text = kept["text"].as_str().map(|text| text.replace(from, to));
            let forged: Value = match text {
                Some(text) => text.into(),
                None => serde_json::from_str(&kept["text"].to_string().replace(from, to)).unwrap(),
            };
            let salt = kept["salt"].as_str().unwrap().as_bytes();
            let now = match forged.as_str() {
                _ if forged == kept["text"] => commitment.clone(),
                Some(text) => Digest::of_parts(&[salt, b"t", text.as_bytes()]).to_string(),
                None => {
                    let bytes = serde_json_canonicalizer::to_vec(&forged).unwrap();
                    Digest::of_parts(&[salt, b"j", &bytes]).to_string()
                }
            };
            kept["text"] = forged;
            renamed.push((commitment, now.clone()));
            texts.insert(now, kept);
        }
    }
    let mut forged = json.to_string().replace(from, to);
    for (commitment, now) in renamed {
        forged = forged.replace(&commitment, &now);
    }
    store.commit(Batch::default().put(key.clone(), forged.into_bytes())).unwrap();
}

/// Changes a part; answers whether there was something to change.
fn change(world: &World, id: RequestId, part: Part) -> bool {
    let header = world.look(id).header;
    let request = Key::from_segments(&["request", &id.to_string()]);
    let revision = Key::from_segments(&["revision", &id.to_string(), "0000000001"]);
    let both = |from: &str, to: &str| {
        forge(world, &request, from, to);
        forge(world, &revision, from, to);
    };
    match part {
        Part::Payload => forge(world, &revision, "SELECT 1", "SELECT 9"),
        Part::Target => both("orders", "others"),
        Part::NextTarget => both("second", "secund"),
        Part::Plan => forge(world, &revision, "the only step", "the only stop"),
        Part::Plugin => world.bench.runner.install(b"the next version"),
        Part::Runner => both("\"sql\"", "\"sqx\""),
        Part::Environment => {
            let (dev, prod) = (world.dev.to_string(), world.prod.to_string());
            let here = header.environment_id.to_string();
            forge(world, &request, &here, if here == dev { &prod } else { &dev });
        }
        Part::Revision => {
            let key = Key::from_segments(&["revision", &id.to_string(), "0000000002"]);
            let store = &world.bench.parts.store;
            let stored = store.get(&revision).unwrap().unwrap().value;
            store.commit(Batch::default().put(key, stored)).unwrap();
            forge(world, &request, "\"revision\":1", "\"revision\":2");
        }
        Part::Nonce => {
            let other = Digest::of(b"another").to_string();
            forge(world, &request, &header.nonce.to_string(), &other);
        }
        Part::Source => {
            let Some(source) = header.promoted_from else { return false };
            let other = RequestId::from_u128(99).to_string();
            forge(world, &request, &source.to_string(), &other);
        }
        Part::Nothing => {}
    }
    true
}

/// Tries everything that could make a run of it. Answers whether a runner was entered.
fn runs(world: &World, id: RequestId, seen: Digest) -> bool {
    let before = world.bench.runner.entered().len();
    let (bo, cy) = (world.caller("bo"), world.caller("cy"));
    // With the digest that the approver saw: what they would see now, they could approve.
    let _agreed = world.gate.approve(&bo, id, seen, None);
    for _ in 0..2 {
        let tickets = [world.gate.execute(&cy, id), world.gate.rerun(&cy, id)];
        for ticket in tickets.into_iter().flatten() {
            let _ended = world.gate.drive(ticket, &Seen::default());
        }
    }
    while let Ok(Some(ticket)) = world.gate.run_due() {
        let _ended = world.gate.drive(ticket, &Seen::default());
    }
    world.bench.runner.entered().len() > before
}

#[test]
fn whatever_is_bound_and_changed_at_any_moment_does_not_run() {
    let (mut refused, mut ran) = (0, 0);
    for moment in MOMENTS {
        for part in PARTS {
            let world = World::new();
            let id = at(&world, moment);
            let seen = world.digest(id);
            if !change(&world, id, part) {
                continue;
            }
            let is_run = runs(&world, id, seen);
            assert_eq!(is_run, part == Part::Nothing, "{part:?} changed at {moment:?}");
            ran += u32::from(is_run);
            refused += u32::from(!is_run);
        }
    }
    eprintln!("{refused} changes refused, {ran} without a change ran");
    assert_eq!((refused, ran), (46, 5));
}
