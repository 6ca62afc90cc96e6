#![cfg_attr(docsrs, feature(doc_cfg))]
//! Reads the forms of workflows: JSON Schema, draft 2020-12.
//!
//! Nothing outside a schema is ever read: a reference leads to a place in the same schema, or is refused. And
//! no schema takes more steps than its text and the payload allow: one that refers to itself, or grows when its
//! references are followed, is refused before it is used. A payload of which it would say too much is refused before it is
//! judged: each thing that does not fit takes memory.

mod bounds; // what of a schema is refused before it is read
mod work; // how much judging a payload would take
mod schema; // the reader itself

pub use schema::JsonSchemaForms;
