//! The labelled points of a call.

macro_rules! points {
    ($($name:ident = $label:literal, $what:literal;)*) => {
        $(#[doc = $what] pub(crate) const $name: &str = $label;)*

        /// The labels of the points that a call reaches, for tests that kill a process at each.
        ///
        /// ```
        /// assert!(placet_target_deploy::POINTS.contains(&"http.request.begun"));
        /// ```
        pub const POINTS: &[&str] = &[$($name),*];
    };
}

points! {
    REQUEST_BEGUN = "http.request.begun", "The first byte of a request is about to be sent.";
    ANSWER_BEGUN = "http.answer.begun", "Status line and headers of the answer came.";
    ANSWER_WHOLE = "http.answer.whole", "The whole answer came.";
    COMMAND_BEGUN = "command.begun", "The program is about to be started.";
    COMMAND_STARTED = "command.started", "The program was started.";
    COMMAND_ENDED = "command.ended", "The program ended by itself.";
}
