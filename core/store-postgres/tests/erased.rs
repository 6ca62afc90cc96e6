//! What was erased is in no file of the database, once its administrator did what the crate's page says.

use std::sync::Arc;

use crate::server::{Server, fresh};

#[path = "../../store-sled/tests/erased_story.rs"]
mod erased_story;

#[test]
fn a_thousand_texts_are_in_no_file_then() {
    let Some(server) = Server::begin(&["wal_recycle=off", "min_wal_size=32MB"]) else { return };
    let schema = fresh("erased");
    let sweep = || {
        let db = server.db();
        for statement in [
            format!("VACUUM (FULL, ANALYZE) {schema}.records"),
            "VACUUM FULL pg_catalog.pg_statistic".to_owned(),
            "CHECKPOINT".to_owned(),
            "SELECT pg_switch_wal()".to_owned(),
            "CHECKPOINT".to_owned(),
            "SELECT pg_switch_wal()".to_owned(),
            "CHECKPOINT".to_owned(),
        ] {
            db.run(&statement);
        }
    };
    erased_story::a_thousand_texts_go(&server.data(), &|| Arc::new(server.store(&schema)), &sweep);
}
