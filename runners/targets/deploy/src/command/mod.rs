//! Named commands.

mod hole; // what a plugin may fill in
mod failure; // why there is no output
mod template; // a command with holes
mod pipes; // what goes in and comes out
mod child; // one process and its group

pub use failure::{CommandFailure, CommandFailureKind};
pub use hole::{Characters, Hole};
pub use template::{CommandTemplate, CommandTemplateBuilder, Output};
