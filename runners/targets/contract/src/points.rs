//! Labelled points of a run, at which a test can kill the process.
//!
//! Without the feature `testing` nothing happens at them, and nothing can be installed.
//!
//! ```
//! placet_target::points::reached("sqlite.commit.sent"); // nobody listens
//! ```

#[cfg(feature = "testing")]
static LISTENER: std::sync::OnceLock<fn(&'static str)> = std::sync::OnceLock::new();

/// Calls `listener` at every point from here on. The first listener of a process stays.
///
/// ```
/// use placet_target::points;
///
/// fn quits_there(label: &'static str) {
///     if label == "sqlite.commit.sent" {
///         std::process::exit(0);
///     }
/// }
/// points::listen(quits_there);
/// points::reached("sqlite.commit.confirmed");
/// points::reached("sqlite.commit.sent");
/// unreachable!("the process is gone");
/// ```
#[cfg(feature = "testing")]
pub fn listen(listener: fn(&'static str)) {
    let _first = LISTENER.set(listener);
}

/// Says that a run reached the point `label`: driver, act, and how far it is.
///
/// ```
/// placet_target::points::reached("sqlite.commit.sent");
/// ```
#[inline]
pub fn reached(label: &'static str) {
    #[cfg(feature = "testing")]
    if let Some(listener) = LISTENER.get() {
        listener(label);
    }
    #[cfg(not(feature = "testing"))]
    let _ = label;
}
