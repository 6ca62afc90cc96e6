//! The tests of the review, in one binary.
#![expect(clippy::tests_outside_test_module, reason = "this whole file is a test")]

#[test]
fn statements_are_cut() {
    let statements = placet_sql_review::split("SELECT 1; SELECT 2", "sqlite").unwrap();
    assert_eq!(statements.len(), 2);
}
