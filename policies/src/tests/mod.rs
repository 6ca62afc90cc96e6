//! The policies put to the test: by a table, by swapped rows, by chance, and by breaking them.

mod world; // a question with rows that fit it
mod matrix; // the whole policy on one page
mod rows; // each row swapped, both ends of each interval
mod property; // against the rule restated in Rust
mod mutants; // each condition of the base policies removed
mod hosts; // policies of a host
mod limits; // texts that try to break the loader
