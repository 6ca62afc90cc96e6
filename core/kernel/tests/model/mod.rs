//! Every public verb of the gate, in every state, for every kind of caller: what the tests of all stores share, by path.
//!
//! A small model (`rules.rs`) says what each verb does to one request: from which state, for whom, and what it
//! leaves. All situations that the model can reach are visited; in each of them every verb (`verbs.rs`) is called by
//! everybody (`stage.rs`), and what the gate made of the request must be what the model says. A verb that the model
//! does not know changes nothing about the request. One that is in no row of the table fails a test.
//!
//! In memory a moment can be copied and gone back to (`model_walk.rs`). A store on a disk is led to each situation
//! anew, by a request of its own (`replay.rs`).
//!
//! To add a verb: a line in `verbs.rs`, and an arm in `rules.rs` where it moves a request.

pub(crate) mod promises; // what must hold of any request
pub(crate) mod replay; // the model on any store
pub(crate) mod rules; // the model
pub(crate) mod stage; // the organisation
pub(crate) mod verbs; // the verbs
