//! Heads of logs in a table of another database.

use std::sync::Arc;

use placet_core::error::Code;
use placet_core::gate::{Comparison, Gate};
use placet_core::store::MemoryStore;
use placet_core::testing::{Bench, Office, check_heads};
use placet_store_postgres::PostgresWitness;

use crate::certificates::Authority;
use crate::server::{Server, fresh, patient, server};
use crate::tls::encrypted;

fn witness(server: &Server, schema: &str) -> PostgresWitness {
    PostgresWitness::open_with(&server.url(), &patient(schema)).unwrap()
}

#[test]
fn a_table_passes_the_exam() {
    let Some(server) = server() else { return };
    check_heads(&witness(&server, &fresh("heads")));
}

#[test]
fn a_log_that_went_back_is_found_and_nodes_share_the_memory() {
    let Some(server) = server() else { return };
    let schema = fresh("heads");
    let (gate, office) = Office::in_memory().unwrap();
    // Nodes that start together make the table once.
    let [one, other] = std::thread::scope(|threads| {
        let open = || witness(&server, &schema);
        let both = [threads.spawn(open), threads.spawn(open)];
        both.map(|thread| thread.join().unwrap())
    });
    gate.anchor(&one).unwrap();
    office.pending(&gate).unwrap();
    let size = gate.anchor(&other).unwrap().size;
    let seen = gate.compare_with(&one).unwrap();
    assert!(matches!(seen, Comparison::Continues { size: seen } if seen == size), "{seen:?}");
    let empty = Gate::new(Bench::on(Arc::new(MemoryStore::default())).unwrap().parts);
    assert!(matches!(empty.compare_with(&one).unwrap(), Comparison::RolledBack(_)));
    assert_eq!(empty.anchor(&other).unwrap_err().code(), Code::RolledBack);
    let kept = server.db().rows(&format!("SELECT count(*), max(origin) FROM {schema}.heads"));
    assert_eq!(kept, [format!("1|{}", gate.origin())]);
}

#[test]
fn a_row_that_is_no_head_and_a_table_that_is_gone_are_errors() {
    let Some(server) = server() else { return };
    let schema = fresh("heads");
    let (gate, _) = Office::in_memory().unwrap();
    let witness = witness(&server, &schema);
    gate.anchor(&witness).unwrap();
    let db = server.db();
    db.run(&format!("UPDATE {schema}.heads SET note = 'by hand'"));
    assert_eq!(gate.compare_with(&witness).unwrap_err().code(), Code::WitnessRefused);
    assert_eq!(gate.anchor(&witness).unwrap_err().code(), Code::WitnessRefused);
    db.run(&format!("DROP TABLE {schema}.heads"));
    assert_eq!(gate.compare_with(&witness).unwrap_err().code(), Code::WitnessRefused);
}

#[test]
fn a_connection_that_was_ended_is_made_again_and_a_server_that_is_gone_is_not_reached() {
    // One of its own: others would lose their connections too.
    let Some(server) = Server::begin(&[]) else { return };
    let (gate, office) = Office::in_memory().unwrap();
    let witness = witness(&server, "heads");
    let first = gate.anchor(&witness).unwrap().size;
    let ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE application_name = 'placet witness'";
    assert_eq!(server.db().rows(ended), ["1"]);
    office.pending(&gate).unwrap();
    assert!(gate.anchor(&witness).unwrap().size > first);
    server.end();
    assert_eq!(gate.compare_with(&witness).unwrap_err().code(), Code::WitnessUnavailable);
    server.restart();
    assert!(gate.anchor(&witness).unwrap().size > first);
}

#[test]
fn its_connection_is_encrypted_where_the_url_says_so() {
    let Some((server, ours)) = encrypted() else { return };
    let (gate, _) = Office::in_memory().unwrap();
    let url = |root: &std::path::Path| {
        format!("{}?sslmode=verify-full&sslrootcert={}", server.url(), root.display())
    };
    let witness = PostgresWitness::open_with(&url(&ours.root()), &patient("heads")).unwrap();
    assert!(gate.anchor(&witness).unwrap().size > 0);
    let ssl = "SELECT ssl FROM pg_stat_activity JOIN pg_stat_ssl USING (pid)
        WHERE application_name = 'placet witness'";
    assert_eq!(server.db().rows(ssl), ["t"]);
    let Some(others) = Authority::found() else { return };
    let error = PostgresWitness::open_with(&url(&others.root()), &patient("heads")).unwrap_err();
    assert!(error.help().is_some(), "{error}");
}
