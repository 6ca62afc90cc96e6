//! Every verb of the gate, in every state, by everybody, on this store: the model of the kernel's tests.

use std::sync::Arc;

use placet_core::store::Store;
use placet_store_sled::SledStore;

use crate::images::quick_folder;
use crate::model::replay::replay;
use crate::model::rules::model;

/// `PLACET_MODEL` asks for all situations and not only one of each state.
#[test]
fn no_verb_reaches_what_the_model_forbids() {
    let mut folders = Vec::new();
    let mut ground = || -> Arc<dyn Store> {
        let folder = quick_folder();
        let store = Arc::new(SledStore::open(folder.path()).unwrap());
        folders.push(folder);
        store
    };
    let tally = replay(model, &mut ground, 5);
    println!("{tally}");
    assert!(tally.wrong.is_empty(), "\n{}\n", tally.wrong.join("\n"));
}
