//! Each public verb of the gate is in some story, so that each of its store calls fails once.

use std::collections::BTreeSet;
use std::path::Path;

use crate::model::verbs::VERBS;

/// Verbs that no story needs, each with its reason.
const NEEDS_NO_STORY: &[(&str, &str)] = &[
    ("new", "a gate that is made touches no store"),
    ("limits", "says what the host said"),
    ("steady_ms", "reads the clock"),
    ("origin", "says what the signer says"),
    ("verifier_key", "says what the signer says"),
    ("disagreements", "counts in memory"),
    ("can", "answers no to whatever goes wrong: it takes the index, which `rights-index` reads"),
    ("draft_and_submit", "two verbs, one after the other, each of which is in stories"),
];

fn source(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults").join(name);
    std::fs::read_to_string(path).unwrap()
}

/// The public verbs that the language of the stories calls.
fn called(sources: &str) -> BTreeSet<&'static str> {
    let names = VERBS.iter().map(|verb| verb.name.split(':').next().unwrap());
    let flat: String = sources.split_whitespace().collect();
    let calls = |name: &&str| {
        ["gate", "gate()"].iter().any(|gate| flat.contains(&format!("{gate}.{name}(")))
    };
    names.filter(calls).collect()
}

/// The words of that language: what stands before an arm.
fn words(sources: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in sources.lines().map(str::trim_start) {
        let arm = line.split("=>").next().unwrap_or_default();
        let is_arm = (line.starts_with('"') || line.starts_with("| \"")) && line.contains("=>");
        if is_arm {
            found.extend(arm.split('"').skip(1).step_by(2).map(str::to_owned));
        }
    }
    found
}

/// The words that stories play, what is given aside.
fn played(stories: &str) -> BTreeSet<&str> {
    let texts = stories.split('"').skip(1).step_by(2);
    let steps = texts.flat_map(|text| text.split(','));
    steps.filter_map(|step| step.split_whitespace().next()).collect()
}

#[test]
fn every_public_verb_is_in_a_story() {
    let language = ["verbs.rs", "commands.rs", "questions.rs"].map(source).concat();
    let (called, excused) = (called(&language), NEEDS_NO_STORY.iter().map(|(name, _)| *name));
    let excused: BTreeSet<&str> = excused.collect();
    let names: BTreeSet<&str> =
        VERBS.iter().map(|verb| verb.name.split(':').next().unwrap()).collect();
    let missing: Vec<_> = names.iter().filter(|name| !called.contains(*name)).collect();
    let missing: Vec<_> = missing.into_iter().filter(|name| !excused.contains(*name)).collect();
    assert!(missing.is_empty(), "no story calls: {missing:?}");
    let idle: Vec<_> = excused.intersection(&called).collect();
    assert!(idle.is_empty(), "called, and excused: {idle:?}");
    let gone: Vec<_> = excused.difference(&names).collect();
    assert!(gone.is_empty(), "the gate has no such verb: {gone:?}");
    // And each word is in a story: a word that nobody says calls nothing.
    let stories = source("stories.rs");
    let silent: Vec<_> = words(&language)
        .into_iter()
        .filter(|word| !played(&stories).contains(word.as_str()))
        .collect();
    assert!(silent.is_empty(), "no story says: {silent:?}");
}

/// The check is checked.
#[test]
fn a_verb_and_a_word_that_are_missing_are_told() {
    assert_eq!(called("gate.execute(by, id)"), BTreeSet::from(["execute"]));
    assert_eq!(
        words("    \"skip\" => gate.skip(),\n    let x = \"no\";\n"),
        BTreeSet::from(["skip".to_owned()])
    );
    assert_eq!(
        played("a on Shop, given \"draft ana it\": \"submit ana it\";"),
        BTreeSet::from(["draft", "submit"])
    );
}
