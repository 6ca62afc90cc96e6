//! What one request changed, another puts back: the gate itself says where the first one ran.

use placet::error::Code;
use placet::id::RequestId;
use placet::request::Change;

use crate::shop::{Shop, payload};

fn revert(shop: &Shop, of: RequestId) -> Change {
    let revert = serde_json::json!({ "request": of, "revision": 1, "attempt": 1 });
    shop.change(&serde_json::json!({ "revert": revert }).to_string()).unwrap()
}

#[test]
fn a_change_is_put_back_by_a_request_of_its_own() {
    let shop = Shop::new();
    let first =
        shop.approved(shop.change(&payload("UPDATE orders SET cents = 0")).unwrap()).unwrap();
    // It was approved and has not run: there is nothing to put back yet.
    let draft = |of| {
        let id =
            shop.gate.draft(&shop.office.ana, &shop.office.request(revert(&shop, of)))?.header.id;
        shop.gate.plan(&shop.office.ana, id)
    };
    let early = draft(first).unwrap_err();
    assert_eq!(early.code(), Code::InvalidPayload);
    assert_eq!(early.to_string(), "no attempt of that name ended here, at this target");
    assert_eq!(draft(RequestId::from_u128(1)).unwrap_err().to_string(), early.to_string());

    shop.gate.execute(&shop.office.bo, first).unwrap().wait().unwrap();
    assert_eq!(shop.cents(), 0);
    let plan = draft(first).unwrap();
    assert_eq!(plan.steps.len(), 3);
    assert!(plan.findings.iter().any(|found| found.code == "sql.revert" && found.needs_person));
    let ended = shop.run(revert(&shop, first)).unwrap();
    assert_eq!(ended.state.name().as_str(), "SUCCEEDED");
    assert_eq!(shop.cents(), 600);
    // Twice is once too often: the preview says so, and nobody can submit it.
    assert_eq!(shop.approved(revert(&shop, first)).unwrap_err().code(), Code::InvalidPayload);
}

#[test]
fn a_query_leaves_its_answer_in_the_folder_of_the_gate() {
    let shop = Shop::new();
    let ended = shop
        .run(shop.change(&payload("SELECT id, cents FROM orders ORDER BY id")).unwrap())
        .unwrap();
    assert_eq!(ended.state.name().as_str(), "SUCCEEDED");
    let run = shop.gate.view(&shop.office.ana, ended.header.id).unwrap().runs.pop().unwrap();
    let Some(placet::runner::Outcome::Succeeded(report)) = run.outcome else { panic!("{run:?}") };
    let artifact = report.artifacts.first().unwrap();
    let kept = shop.folder.path().join("placet/results").join(&artifact.name);
    let text = std::fs::read_to_string(kept).unwrap();
    assert_eq!(text, "[\"id\",\"cents\"]\n[1,100]\n[2,200]\n[3,300]\n");
    assert_eq!(artifact.digest, placet::digest::Digest::of(text.as_bytes()));
}
