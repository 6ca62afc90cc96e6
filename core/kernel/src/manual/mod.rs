//! Long texts, kept beside the code, so that their links are checked when the code is.

#[doc = include_str!("architecture.md")]
pub mod architecture {}
