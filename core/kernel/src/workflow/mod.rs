//! Workflows as data: the states that people see, the transitions between them, and who may take each.
//!
//! The typed core of [`crate::request`] says what can happen at all: its states are *phases* here. A
//! definition gives names to places within the phases and narrows who may go where. It opens no way that the
//! core does not have.

mod code;
mod verb;
mod definition;
mod form;
mod builtin;
mod flaw;
mod explore;
mod sound;
mod diagram;

pub use code::{ActionCode, StateCode};
pub use definition::{Definition, Requirement, StateDef, Transition};
pub use flaw::{Flaw, Move, Step, Unsound};
pub use form::{Form, FormChecker, FormFault, NoForms};
pub use verb::Verb;
