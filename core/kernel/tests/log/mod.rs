//! The log against whoever tampers with it.

mod tiles;
