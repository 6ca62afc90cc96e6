//! Rows that were kept are put back by a request of its own: previewed, in the same place, row for row.

use std::sync::Arc;

use placet_core::error::{Code, Error};
use placet_core::id::RequestId;
use placet_core::org::Slug;
use placet_core::runner::{Job, JobId, Outcome, Place, Plan, Runner as _};
use placet_runners::WasmRunner;

use crate::bench::{Link, failure, job, plugins};
use crate::fake::{Fake, Lie};

fn shop() -> (Fake, WasmRunner) {
    let fake = Fake::new();
    fake.world().keeps = true;
    let runner = plugins(WasmRunner::builder())
        .target("orders".parse().unwrap(), Arc::new(fake.clone()))
        .target("other".parse().unwrap(), Arc::new(fake.clone()))
        .build()
        .unwrap();
    let first = job("sql", r#"{"sql": "INSERT INTO a VALUES (1); INSERT INTO a VALUES (2)"}"#);
    let plan = runner.plan(&first, &Link::default()).unwrap();
    let outcome = runner.execute(&first, &plan, &Link::default());
    assert!(matches!(outcome, Outcome::Succeeded(_)), "{outcome:?}");
    (fake, runner)
}

fn revert() -> Job {
    let of = RequestId::from_u128(7);
    let payload = serde_json::json!({ "revert": { "request": of, "revision": 1, "attempt": 1 } });
    let job = job("sql", &payload.to_string());
    Job { id: JobId { request: RequestId::from_u128(9), ..job.id }, ..job }
}

fn here() -> (Place, Slug) {
    let job = revert();
    (job.place, job.target)
}

fn link(ran: Option<(Place, Slug)>) -> Link {
    let link = Link::default();
    *link.ran.lock().unwrap() = ran;
    link
}

fn planned(runner: &WasmRunner) -> (Job, Result<Plan, Error>) {
    let job = revert();
    let plan = runner.plan(&job, &link(Some(here())));
    (job, plan)
}

#[test]
fn a_revert_is_previewed_and_needs_a_second_person() {
    let (fake, runner) = shop();
    let (job, plan) = planned(&runner);
    let plan = plan.unwrap();
    let bodies: Vec<_> = plan.steps.iter().map(|step| step.body.as_str()).collect();
    assert_eq!(bodies, ["REPLACE INTO a VALUES (2)", "REPLACE INTO a VALUES (1)"]);
    let told = plan.findings.iter().find(|finding| finding.code == "sql.revert").unwrap();
    assert!(told.needs_person && plan.needs_person());

    let outcome = runner.execute(&job, &plan, &Link::default());
    assert!(matches!(outcome, Outcome::Succeeded(_)), "{outcome:?}");
    assert_eq!(fake.world().applied.len(), 4);
}

#[test]
fn what_ran_elsewhere_is_not_put_back_from_here() {
    let (_, runner) = shop();
    let (place, target) = here();
    let slug = |word: &str| word.parse::<Slug>().unwrap();
    let other = |change: fn(&mut Place, Slug), word| {
        let mut place = place.clone();
        change(&mut place, slug(word));
        Some((place, target.clone()))
    };
    for ran in [
        None,
        other(|place, word| place.project = word, "other"),
        other(|place, word| place.module = word, "other"),
        other(|place, word| place.environment = word, "dev"),
        Some((place.clone(), slug("other"))),
    ] {
        let refused = runner.plan(&revert(), &link(ran.clone())).unwrap_err();
        assert_eq!(refused.code(), Code::InvalidPayload, "{ran:?}");
        assert_eq!(refused.to_string(), "no attempt of that name ended here, at this target");
    }
}

#[test]
fn a_plugin_learns_no_rows_that_its_payload_does_not_name() {
    let (_, runner) = shop();
    let request = RequestId::from_u128(7);
    for sql in [format!("/*inverse-{request} 1*/ SELECT 1"), "/*inverse-x 1*/ SELECT 1".to_owned()]
    {
        let payload = serde_json::json!({ "sql": sql }).to_string();
        let refused = runner.plan(&job("unruly", &payload), &link(Some(here()))).unwrap_err();
        assert_eq!(refused.to_string(), "the payload does not ask to put this attempt back");
    }
}

#[test]
fn nothing_kept_is_said_plainly() {
    let (fake, runner) = shop();
    fake.world().kept.clear();
    let refused = planned(&runner).1.unwrap_err();
    assert_eq!(refused.to_string(), "nothing was kept of what this attempt changed");
}

#[test]
fn a_row_that_changed_meanwhile_undoes_the_whole_revert() {
    let (fake, runner) = shop();
    let (job, plan) = planned(&runner);
    let plan = plan.unwrap();
    fake.world().lie = Lie::OneMore;
    let (word, failed) = failure(runner.execute(&job, &plan, &Link::default()));
    assert_eq!((word, failed.code.as_str()), ("failed", "row_changed"));
    assert_eq!(fake.world().applied.len(), 2);
}
