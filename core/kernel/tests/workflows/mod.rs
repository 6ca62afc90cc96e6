//! Workflows as data: what is sound, what is stored, and what it lets people do.

mod reference;
mod sound;
mod refused;
pub(crate) mod stories;
mod diagrams;
