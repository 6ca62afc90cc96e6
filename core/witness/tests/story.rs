//! What the tests have in common.

use std::io::Write as _;
use std::sync::Arc;

use placet_core::gate::Gate;
use placet_core::store::Store;
use placet_core::testing::Bench;

/// A gate of the same log on whatever store.
pub(crate) fn gate_on(store: Arc<dyn Store>) -> Gate {
    Gate::new(Bench::on(store).unwrap().parts)
}

pub(crate) fn say(line: &str) {
    // Past the harness, which swallows what a passed test prints.
    std::io::stderr().write_all(format!("{line}\n").as_bytes()).unwrap();
}

pub(crate) fn skip(why: &str) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "CI must not skip this: {why}");
    say(&format!("SKIPPED, NOTHING WAS CHECKED: {why}"));
}

/// A number of the environment.
pub(crate) fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}
