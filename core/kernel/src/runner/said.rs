//! What a run says while it goes on.

/// How far a run is.
///
/// ```
/// use placet_core::runner::Progress;
/// # use placet_core::testing::{Office, Seen};
/// # let (gate, office) = Office::in_memory()?;
/// # let ticket = gate.execute(&office.bo, office.approved(&gate)?.header.id)?;
/// # let seen = Seen::default();
/// # gate.drive(ticket, &seen)?;
/// # let told = seen.progress();
///
/// /// What a bar shows, where it can show anything.
/// fn percent(at: &Progress) -> Option<u64> {
///     at.done.saturating_mul(100).checked_div(at.total?)
/// }
/// assert_eq!(percent(&told[0]), Some(100));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "mirrors the plugin interface")]
pub struct Progress {
    /// The id of the step.
    pub step: String,
    /// How much of it is done, in the step's own unit.
    pub done: u64,
    /// How much there is, where known.
    pub total: Option<u64>,
    /// A few words.
    pub note: Option<String>,
}

/// One line of a run's log.
///
/// ```
/// use placet_core::runner::LogLine;
/// let fields = vec![("table".to_owned(), "prices".to_owned())];
/// let line = LogLine { level: "warn".to_owned(), message: "3 rows skipped".to_owned(), fields };
///
/// let mut shown = format!("{}: {}", line.level, line.message);
/// for (name, value) in &line.fields {
///     shown.push_str(&format!(" {name}={value}"));
/// }
/// assert_eq!(shown, "warn: 3 rows skipped table=prices");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "mirrors the plugin interface")]
pub struct LogLine {
    /// `trace`, `debug`, `info`, `warn` or `error`.
    pub level: String,
    /// The message, without control characters.
    pub message: String,
    /// Named values.
    pub fields: Vec<(String, String)>,
}
