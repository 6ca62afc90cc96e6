//! Bad input and broken surroundings: a code and a next step each, nothing lost, the host alive.

use placet::error::{Code, Error};
use placet::limits::Limits;
use placet::org::UserKind;
use placet::org::command::CreateUser;
use placet::request::{Change, State};
use placet::runner::{Failure, Outcome};
use placet::{Gate, SigningKeyFile, SystemEntropy};
use rusqlite::Connection;

use crate::shop::{Shop, builder, payload};

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, Error>, code: Code) -> Error {
    let error = result.unwrap_err();
    assert_eq!(error.code(), code, "{error:?}");
    assert!(error.help().is_some_and(|help| !help.is_empty()), "{error:?} has no next step");
    error
}

#[track_caller]
fn failed(state: State) -> Failure {
    let State::Failed(failed) = state else { panic!("not failed: {state:?}") };
    let Outcome::Failed(failure) = failed.ended.outcome else { panic!("a failed run failed") };
    failure
}

/// After whatever went wrong, the same gate still takes a change all the way.
#[track_caller]
fn alive(shop: &Shop) {
    let sql = payload("UPDATE orders SET cents = cents + 1 WHERE id = 1");
    let before = shop.cents();
    let request = shop.run(shop.change(&sql).unwrap()).unwrap();
    assert!(matches!(request.state, State::Succeeded(_)), "{:?}", request.state);
    assert_eq!(shop.cents(), before + 1);
}

#[test]
fn payloads_runners_and_targets_that_cannot_be() {
    let shop = Shop::new();
    let draft = |change: Change| shop.gate.draft(&shop.office.ana, &shop.office.request(change));
    refused(draft(shop.change_for("nope", "orders", "1").unwrap()), Code::UnknownRunner);
    refused(draft(shop.change("{}").unwrap()), Code::InvalidPayload);
    refused(draft(shop.change(&payload("")).unwrap()), Code::InvalidPayload);
    let huge = payload(&"x".repeat(10 << 20));
    refused(shop.change(&huge), Code::TooLarge);
    let wide = Limits::default().with_payload_bytes_max(64 << 20);
    let smuggled = Change::new("sql".parse().unwrap(), "orders".parse().unwrap(), huge, &wide);
    refused(draft(smuggled.unwrap()), Code::TooLarge);
    let nowhere = shop.change_for("sql", "nowhere", &payload("SELECT 1")).unwrap();
    refused(shop.approved(nowhere), Code::UnknownTarget);
    alive(&shop);
}

#[test]
fn sql_that_does_not_parse_needs_a_person_or_is_refused_by_the_target() {
    let shop = Shop::new();
    let change = shop.change(&payload("UPDTAE orders SET cents = 0")).unwrap();
    let id = shop.gate.draft(&shop.office.ana, &shop.office.request(change)).unwrap().header.id;
    let plan = shop.gate.plan(&shop.office.ana, id).unwrap();
    assert!(plan.findings.iter().any(|finding| finding.code == "sql.unparsed"), "{plan:?}");
    assert!(plan.risk() >= placet::runner::Risk::High);
    refused(shop.gate.submit(&shop.office.ana, id), Code::InvalidPayload);
    assert_eq!(shop.cents(), 600);
    alive(&shop);
}

#[test]
fn a_statement_that_fails_half_way_is_rolled_back_with_its_place() {
    let shop = Shop::new();
    // Good when it is planned; by the time it runs, an order stands in the way.
    let sql = "UPDATE orders SET cents = cents - 50;\nINSERT INTO orders VALUES (4, 1);";
    let id = shop.approved(shop.change(&payload(sql)).unwrap()).unwrap();
    Connection::open(&shop.database)
        .unwrap()
        .execute("INSERT INTO orders VALUES (4, 70)", ())
        .unwrap();
    let request = shop.gate.execute(&shop.office.bo, id).unwrap().wait().unwrap();
    let failure = failed(request.state);
    assert!(failure.message.contains("UNIQUE constraint failed"), "{failure:?}");
    assert!(failure.code.starts_with("sql."), "{failure:?}");
    assert_eq!(failure.step.as_deref(), Some("s2"), "{failure:?}");
    assert!(failure.applied.is_empty(), "{failure:?}");
    assert_eq!(shop.cents(), 670, "the first statement was undone");
    alive(&shop);
}

#[test]
fn a_database_that_is_locked_read_only_or_gone() {
    let shop = Shop::with(|builder| builder.sqlite_target("gone", "no/such/place.db"));
    let sql = payload("DELETE FROM orders WHERE id = 1");
    let gone = shop.change_for("sql", "gone", &sql).unwrap();
    refused(shop.approved(gone), Code::TargetUnavailable);
    assert!(!std::path::Path::new("no/such/place.db").exists());

    let id = shop.approved(shop.change(&sql).unwrap()).unwrap();
    let holder = Connection::open(&shop.database).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let request = shop.gate.execute(&shop.office.bo, id).unwrap().wait().unwrap();
    let failure = failed(request.state);
    assert!(failure.retryable, "{failure:?}");
    assert!(failure.applied.is_empty(), "{failure:?}");
    holder.execute_batch("ROLLBACK").unwrap();
    assert_eq!(shop.cents(), 600);
    alive(&shop);
}

#[test]
fn a_folder_that_is_taken_or_is_no_folder() {
    let shop = Shop::new();
    refused(builder(shop.folder.path()).open(), Code::StoreLocked);
    alive(&shop);
    let file = shop.folder.path().join("a-file");
    std::fs::write(&file, "x").unwrap();
    refused(Gate::open(&file), Code::StoreUnavailable);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "x");
}

#[test]
fn a_lost_signing_key_is_not_replaced_by_another() {
    let Shop { gate, folder, .. } = Shop::new();
    drop(gate);
    let key = folder.path().join("placet").join("log.key");
    let kept = std::fs::read_to_string(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    refused(builder(folder.path()).open(), Code::SignerUnavailable);
    assert!(!key.exists());
    std::fs::write(&key, kept).unwrap();
    drop(builder(folder.path()).open().unwrap());
    SigningKeyFile::at(&key).open_or_create("x", &SystemEntropy::default()).unwrap();
}

#[test]
fn a_store_that_was_lost_is_not_taken_for_a_first_opening() {
    // It was opened once only, and nothing but its founding was acknowledged.
    let folder = tempfile::tempdir().unwrap();
    let gate = builder(folder.path()).open().unwrap();
    let note = folder.path().join("placet").join("log.begun");
    assert!(!note.exists());
    let (email, display_name) = ("root@example.org".parse().unwrap(), "Root".parse().unwrap());
    let root = CreateUser { kind: UserKind::Person, email, display_name };
    // A founding whose note cannot be left is not acknowledged; once it can, it is, and is the same.
    let in_the_way = folder.path().join("placet").join("log.begun.partial");
    std::fs::create_dir(&in_the_way).unwrap();
    refused(gate.bootstrap(&root), Code::StoreUnavailable);
    std::fs::remove_dir(&in_the_way).unwrap();
    gate.bootstrap(&root).unwrap();
    assert!(note.exists());
    drop(gate);
    std::fs::remove_dir_all(folder.path().join("placet").join("store")).unwrap();
    refused(builder(folder.path()).open(), Code::StoreDamaged);
}

#[test]
fn a_policy_that_does_not_load_says_where() {
    let folder = tempfile::tempdir().unwrap();
    for text in ["permit (principal, action, resource);", "@id(\"x\")\nforbid (", "nonsense"] {
        let opened = Gate::builder(folder.path()).host_policies("mine.cedar", text).open();
        let error = refused(opened, Code::InvalidPolicy);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was left behind");
        assert_eq!(
            error.details().get("file").map(String::as_str),
            Some("mine.cedar"),
            "{error:?}"
        );
    }
}
