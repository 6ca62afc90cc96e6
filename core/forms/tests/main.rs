//! What the reader of forms takes, refuses, and never does.
#![expect(
    clippy::unwrap_used,
    clippy::tests_outside_test_module,
    reason = "this whole file is a test"
)]

mod forms;
