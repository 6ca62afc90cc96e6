//! The program, run as a person or a script runs it: words in, words and an exit code out.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::tests_outside_test_module,
    clippy::disallowed_methods,
    clippy::needless_raw_string_hashes,
    clippy::too_many_lines,
    reason = "this whole file is a test, and `UPDATE_EXPECT` writes raw strings with hashes"
)]

mod tool;
mod whole;
mod stages;
mod workflow;
mod rules;
mod settings;
mod governed;
mod artifact;
mod shapes;
mod log;
mod locked;
mod hostile;
mod policy;
mod plugin;
mod doctor;
mod authors;
mod signed;
mod templates;
