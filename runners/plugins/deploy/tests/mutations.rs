//! Templates that nobody meant: planning sends nothing, and whatever is run ends in an outcome.

use placet_deploy::Deploy;
use placet_plugin_sdk::testing::{FakeHost, World};
use serde_json::{Value, json};

use crate::products::{Products, TEMPLATES, TWO_STEPS, shipped, two_steps};

/// A small generator of chance: the same seed gives the same templates.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

fn odd(chance: &mut Chance) -> Value {
    let texts = [
        "",
        "{",
        "}",
        "{{",
        "{}",
        "{id}",
        "{marker}",
        "{nobody}",
        "/",
        "//",
        "**",
        "/a/0/b",
        "*",
        "\u{0}",
        "é",
        "succeeded",
        "running",
        "failed",
        "marker",
        "not_begun",
        "{\"a\":1}",
        "..",
        "/../{id}",
    ];
    match chance.below(9) {
        0 => Value::Null,
        1 => json!(chance.below(2) == 0),
        2 => json!(-1),
        3 => json!(u64::MAX),
        4 => json!(1.5),
        5 => json!([]),
        6 => json!({}),
        7 => json!([["a", "b"], "c"]),
        _ => json!(texts[chance.below(texts.len())]),
    }
}

/// Changes one place somewhere.
fn mutate(value: &mut Value, chance: &mut Chance) {
    let goes_deeper = chance.below(20) > 0;
    match value {
        Value::Object(parts) if goes_deeper && !parts.is_empty() => {
            let name = parts.keys().nth(chance.below(parts.len())).unwrap().clone();
            match chance.below(24) {
                0 => drop(parts.remove(&name)),
                1 => {
                    let moved = parts.remove(&name).unwrap();
                    parts.insert(format!("{name}x"), moved);
                }
                _ => mutate(parts.get_mut(&name).unwrap(), chance),
            }
        }
        Value::Array(items) if goes_deeper && !items.is_empty() => {
            let at = chance.below(items.len());
            match chance.below(24) {
                0 => drop(items.remove(at)),
                1 => items.push(items[at].clone()),
                _ => mutate(&mut items[at], chance),
            }
        }
        Value::String(text) if goes_deeper && !text.is_empty() => {
            let letters: Vec<char> = text.chars().collect();
            let at = chance.below(letters.len());
            let other = ['{', '}', '/', '*', '.', ' ', '?', 'x'][chance.below(8)];
            *text =
                letters.iter().enumerate().map(|(n, c)| if n == at { other } else { *c }).collect();
        }
        _ => *value = odd(chance),
    }
}

#[expect(clippy::disallowed_methods, reason = "a seed to play again comes from outside")]
fn seed() -> u64 {
    std::env::var("PLACET_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0x5eed)
}

#[test]
fn no_template_makes_it_panic_or_send_while_planning_or_send_twice() {
    let seed = seed();
    println!("PLACET_SEED={seed}");
    let mut chance = Chance(seed.max(1));
    let mut jobs: Vec<_> =
        TEMPLATES.iter().map(|(name, text)| (*text, shipped(name, text))).collect();
    jobs.push((TWO_STEPS, two_steps()));
    let (mut planned, mut sent) = (0, 0);
    for number in 0..3_000 {
        let (text, job) = &jobs[number % jobs.len()];
        let mut template: Value = serde_json::from_str(text).unwrap();
        for _ in 0..=chance.below(3) {
            mutate(&mut template, &mut chance);
        }
        let settings = json!({"deployments": {"shop": template}}).to_string();
        let mut job = job.clone();
        job.settings = if chance.below(50) == 0 { settings[1..].to_owned() } else { settings };
        let plan = Deploy::plan(&job).unwrap();
        let is_refused = plan.findings.iter().any(|found| found.level == "error");
        assert_eq!(is_refused, plan.steps.is_empty(), "{}", job.settings);
        let world = World::of(Products::new());
        planned += usize::from(!is_refused);
        let _outcome = Deploy::execute(&FakeHost::writing(&world), &job, &plan);
        let begun = world.borrow().server.begun.len();
        // A template may well list a step twice, under two names.
        assert!(
            begun + world.borrow().server.switched.len() <= plan.steps.len(),
            "{}",
            job.settings
        );
        sent += usize::from(begun > 0);
        let _outcome = Deploy::verify(&FakeHost::reading(&world), &job, &plan);
        assert_eq!(world.borrow().forbidden, 0, "{}", job.settings);
    }
    println!("{planned} could be planned, {sent} began something");
    assert!(planned > 100 && sent > 100, "the mutations leave too little");
}
