//! The log against others: published cases, other people's libraries and programs, and whoever tampers with it.

mod folder;
mod vectors;
mod differential;
mod mutations;
mod memory;
mod tiles;
mod others;
