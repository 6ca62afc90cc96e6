//! The compiled index.
