//! From drafting to a verified outcome, with every part real.

use placet::RunEvent;
use placet::request::StateName;
use placet::runner::Outcome;

use crate::shop::{Shop, payload, verify_log};

#[test]
fn a_change_is_drafted_approved_run_verified_and_proven() {
    let shop = Shop::new();
    let change = shop.change(&payload("UPDATE orders SET cents = cents + 1 WHERE id < 3")).unwrap();
    let id = shop.approved(change).unwrap();
    let plan = shop.gate.view(&shop.office.ana, id).unwrap().plan.unwrap();
    assert_eq!(plan.steps.len(), 1);
    assert_eq!(plan.steps.first().unwrap().estimated_rows, Some(2));
    assert_eq!(shop.cents(), 600, "planning changes nothing");

    let run = shop.gate.execute(&shop.office.bo, id).unwrap();
    let told: Vec<RunEvent> = run.events().collect();
    assert!(told.iter().any(|event| matches!(event, RunEvent::Progress(_))), "{told:?}");
    let request = run.wait().unwrap();
    assert_eq!(request.state.name(), StateName::Succeeded, "{:?}", request.state);
    assert_eq!(shop.cents(), 602);
    let (_, read) = shop.gate.verify(&shop.office.bo, id).unwrap();
    assert!(matches!(read, Outcome::Succeeded(_)), "{read:?}");

    verify_log(&shop.gate, &shop.office.root);
    assert_eq!(shop.gate.disagreements(), 0);
}

#[test]
fn what_was_acknowledged_is_there_after_reopening() {
    let shop = Shop::new();
    let change = shop.change(&payload("DELETE FROM orders WHERE id = 1")).unwrap();
    let id = shop.approved(change).unwrap();
    let (key, leaves) = (shop.gate.verifier_key().to_string(), trail(&shop, id));
    let Shop { gate, office, database, folder } = shop;
    drop(gate);
    let gate = crate::shop::builder(folder.path()).open().unwrap();
    let shop = Shop { gate, office, database, folder };
    assert_eq!(shop.gate.verifier_key().to_string(), key);
    assert_eq!(trail(&shop, id), leaves);
    let request = shop.gate.execute(&shop.office.bo, id).unwrap().wait().unwrap();
    assert_eq!(request.state.name(), StateName::Succeeded);
    assert_eq!(shop.cents(), 500);
}

fn trail(shop: &Shop, id: placet::id::RequestId) -> usize {
    shop.gate.trail(&shop.office.ana, id).unwrap().len()
}

#[test]
fn a_host_policy_forbids_and_says_which() {
    let shop = Shop::with(|builder| {
        builder.host_policies(
            "freeze.cedar",
            "@id(\"freeze\")\nforbid (principal, action == Action::\"execute\", resource);",
        )
    });
    let change = shop.change(&payload("DELETE FROM orders WHERE id = 1")).unwrap();
    let id = shop.approved(change).unwrap();
    let error = shop.gate.execute(&shop.office.bo, id).unwrap_err();
    // bo may not read the project, so bo is told nothing; the log says it all.
    assert_eq!(error.code(), placet::error::Code::NotFound);
    let log = shop.gate.audit(&shop.office.root, 0).unwrap();
    let (_, leaf) = log.iter().rev().find(|(_, leaf)| leaf.event == "denied").unwrap();
    assert_eq!(leaf.decisions.first().unwrap().because, ["forbidden:freeze"]);
    assert_eq!(shop.cents(), 600);
}
