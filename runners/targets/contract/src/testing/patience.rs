//! What a test waits for, and what it leaves out.

use core::time::Duration;
use std::ffi::OsStr;
use std::io::Write as _;
use std::thread;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(1);

/// So often is looked: for two minutes at least.
const LOOKS: u32 = 120_000;

/// Waits until something is so, for as long as a busy machine may take.
///
/// # Panics
///
/// If it is not so after two minutes: then it never will be.
///
/// ```
/// use placet_target::testing::until;
///
/// let mut looks = 0;
/// until("the third look", || {
///     looks += 1;
///     looks == 3
/// });
/// ```
#[expect(clippy::panic, reason = "a test that waits in vain has failed")]
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..LOOKS {
        if is_so() {
            return;
        }
        thread::park_timeout(PAUSE);
    }
    panic!("it never happened: {what}");
}

/// Says loudly that a test did nothing.
///
/// # Panics
///
/// In CI, where nothing may be left out.
///
/// ```
/// # if std::env::var_os("CI").is_none() {
/// placet_target::testing::skip("`openssl` is not installed");
/// # }
/// ```
pub fn skip(why: &str) {
    let is_ci = std::env::var_os("CI").is_some_and(|it| it == OsStr::new("true"));
    assert!(!is_ci, "skipped in CI: {why}");
    // Not by `eprintln!`: the harness would show it only where the test fails.
    drop(writeln!(std::io::stderr(), "SKIPPED: {why}"));
}
