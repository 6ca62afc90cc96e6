//! The log that anyone can verify.
