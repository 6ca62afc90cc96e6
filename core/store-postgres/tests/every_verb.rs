//! Every verb of the gate, in every state, by everybody, on this store: the model of the kernel's tests.

use std::sync::Arc;

use placet_core::store::Store;

use crate::model::replay::replay;
use crate::model::rules::model;
use crate::server::{fresh, server};

/// `PLACET_MODEL` asks for all situations and not only one of each state.
#[test]
fn no_verb_reaches_what_the_model_forbids() {
    let Some(server) = server() else { return };
    let mut ground = || -> Arc<dyn Store> { Arc::new(server.store(&fresh("model"))) };
    let tally = replay(model, &mut ground, 11);
    println!("{tally}");
    assert!(tally.wrong.is_empty(), "\n{}\n", tally.wrong.join("\n"));
}
