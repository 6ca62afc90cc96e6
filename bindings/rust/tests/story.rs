//! What tests that need a part of the machine say when it is not there.

use std::io::Write as _;

/// Says that a test cannot check anything here. Where everything must be checked, that is a failure.
pub(crate) fn skip(why: &str) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "CI must not skip this: {why}");
    // Past the harness, which swallows what a passed test prints.
    std::io::stderr()
        .write_all(format!("SKIPPED, NOTHING WAS CHECKED: {why}\n").as_bytes())
        .unwrap();
}
