//! Every store call of every story fails once, in turn; afterwards what must always hold is checked, and the story
//! is played to its end from where it stands.

mod stage; // a gate on a store that fails once
mod verbs; // what the words of a story mean
mod questions; // what those mean that ask, and that a host says by itself
mod commands; // what those mean that change a project
mod player; // playing one with a failure
mod stories; // the stories
mod every_verb; // that none is missing

use placet_core::testing::Failure;

use player::{Manner, Story};

/// Verbs that come back well although a store call failed inside them, each with its reason.
const WELL_ALL_THE_SAME: &[(&str, &str)] = &[(
    "drive",
    "the run's own look at its lease failed: it touched nothing, ended as FAILED, and that is written down",
)];

/// Plays `story` with each of its store calls failing, in each way, and going on in each manner.
fn check(story: &Story) {
    let plain = story.plain();
    let (mut failures, mut plays, mut well) = (0, 0, 0);
    for (nth, is_commit) in (0..).zip(&plain.calls) {
        // A call that reads fails the same way with either, and a process that ends there leaves what the commit
        // before it left.
        let (ways, manners) = if *is_commit {
            (&Failure::ALL[..], &[Manner::SameGate, Manner::Restart][..])
        } else {
            (&[Failure::BeforeApplied][..], &[Manner::SameGate][..])
        };
        for failure in ways {
            failures += 1;
            for manner in manners {
                plays += 1;
                well += u32::from(story.disturbed(&plain, (nth, *failure), *manner));
            }
        }
    }
    let (name, calls) = (story.name, plain.calls.len());
    eprintln!(
        "{name}: {failures} failures at {calls} store calls, {plays} plays, {well} came back well"
    );
    assert!(calls > 0);
    // Each run that is driven looks at its lease, before it begins and in the middle.
    assert_eq!(well > 0, story.steps.contains("drive"), "{WELL_ALL_THE_SAME:?}");
}
