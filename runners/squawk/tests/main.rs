//! The rules of squawk, as findings.
#![expect(clippy::tests_outside_test_module, reason = "this whole file is a test")]

use placet_review_squawk::lint;

fn codes(script: &str) -> Vec<String> {
    lint(script).into_iter().map(|found| found.code).collect()
}

#[test]
fn findings_carry_code_place_and_help() {
    let found = lint("SELECT 'ñ';\n  CREATE INDEX a ON b (c);");
    let index = found.iter().find(|found| found.code == "squawk.require-concurrent-index-creation");
    let index = index.expect("an index that locks writers out is found");
    assert_eq!((index.statement, index.line, index.position), (Some(2), Some(2), Some(15)));
    assert!(index.help.is_some());
}

#[test]
fn a_comment_does_not_switch_a_rule_off() {
    let script = "-- squawk-ignore ban-drop-column\nALTER TABLE a DROP COLUMN b;";
    assert!(codes(script).contains(&"squawk.ban-drop-column".to_owned()));
    let script = "-- squawk-ignore-file\nALTER TABLE a DROP COLUMN b;";
    assert!(codes(script).contains(&"squawk.ban-drop-column".to_owned()));
}

#[test]
fn what_it_cannot_read_needs_a_person() {
    let deep = format!("SELECT {}1{}", "(".repeat(50_000), ")".repeat(50_000));
    for script in ["SELECT 'a", "FROBNICATE (((", deep.as_str()] {
        let found = lint(script);
        let unread = found.iter().any(|found| found.code == "squawk.unread" && found.needs_person);
        assert!(unread, "{found:?}");
    }
    assert_eq!(codes("SELECT 1;"), Vec::<String>::new());
}

#[test]
fn the_version_is_the_one_that_is_linked() {
    let workspace = include_str!("../../../Cargo.toml");
    let linked = format!("squawk-linter = \"={}\"", placet_review_squawk::VERSION);
    assert!(workspace.lines().any(|line| line == linked), "{linked}");
}
