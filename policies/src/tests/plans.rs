//! Policies of a host that read what the plan of a request says.

use placet_core::authz::{Action, Authorizer as _, PlanFacts, Scope};
use placet_core::error::Code;
use placet_core::id::EnvironmentId;
use placet_core::org::Interval;
use placet_core::runner::{Lock, Risk};

use super::world::{Case, FITS, OTHER, fitting};
use crate::CedarAuthorizer;

/// A plan that changes one table's definition, and keeps everybody away meanwhile.
pub(super) fn plan() -> PlanFacts {
    let one = |word: &str| [word.to_owned()].into();
    PlanFacts {
        risk: Risk::High,
        lock: Lock::Exclusive,
        rewrites: true,
        rows: Some(1_000),
        kinds: one("ddl"),
        irreversible: true,
        needs_person: false,
        findings: one("sql.rewrites_table"),
        objects: one("shop.orders"),
        objects_known: true,
    }
}

fn under(text: &str) -> CedarAuthorizer {
    CedarAuthorizer::builder().host_policies("house.cedar", text).build().unwrap()
}

/// Which policies forbid that, with such a plan.
fn forbids(by: &CedarAuthorizer, action: &Action, shape: impl Fn(&mut PlanFacts)) -> Vec<String> {
    let mut case = fitting(action);
    let mut plan = plan();
    shape(&mut plan);
    case.facts.plan = Some(plan);
    forbids_case(by, &case)
}

fn forbids_case(by: &CedarAuthorizer, case: &Case) -> Vec<String> {
    let verdict = by.decide(&case.question, &case.facts).unwrap();
    assert!(verdict.errors.is_empty(), "{verdict:?}");
    verdict.forbidden_by.into_iter().map(|hit| hit.id).collect()
}

const LOCKS: &str = r#"
    @id("locks-at-the-weekend")
    forbid (principal, action in [Action::"approve", Action::"execute"], resource)
    when { context has environment && context.environment == Environment::"PROD" }
    when { context has plan && context.plan.lock == "exclusive" }
    unless { context.weekday >= 6 };
"#;

#[test]
fn what_keeps_readers_away_in_production_waits_for_the_weekend() {
    let production = EnvironmentId::from_u128(FITS);
    let by = under(&LOCKS.replace("PROD", &production.to_string()));
    let asked = |action: &Action, lock: Lock, at: &str, environment: u128| {
        let mut case = fitting(action);
        // A permission for any environment, so that the place decides nothing else.
        case.project_wide();
        case.question.at = at.parse().unwrap();
        let valid = Interval::starting(case.question.at);
        case.member().membership.valid = valid;
        case.grant().grant.valid = valid;
        if let Scope::Project { environment: place, .. } = &mut case.question.scope {
            *place = Some(EnvironmentId::from_u128(environment));
        }
        case.facts.plan = Some(PlanFacts { lock, ..plan() });
        let is_allowed = case.is_allowed(&by);
        assert_eq!(is_allowed, forbids_case(&by, &case).is_empty());
        is_allowed
    };
    let (friday, saturday) = ("2026-02-06T12:00:00Z", "2026-02-07T12:00:00Z");
    for action in [Action::APPROVE, Action::EXECUTE] {
        assert!(!asked(&action, Lock::Exclusive, friday, FITS));
        assert!(asked(&action, Lock::Exclusive, saturday, FITS), "the rule says when");
        assert!(asked(&action, Lock::Share, friday, FITS), "a lesser lock");
        assert!(asked(&action, Lock::Exclusive, friday, OTHER), "another environment");
    }
    assert!(asked(&Action::REQUEST, Lock::Exclusive, friday, FITS), "who asks may ask");
}

#[test]
fn each_part_of_a_plan_can_be_read() {
    type Shape = fn(&mut PlanFacts);
    // The condition, and a plan of which it is not true. It is true of the one above.
    let parts: [(&str, Shape); 10] = [
        (r#"["high", "critical"].contains(context.plan.risk)"#, |plan| plan.risk = Risk::Medium),
        (r#"context.plan.lock == "exclusive""#, |plan| plan.lock = Lock::None),
        ("context.plan.rewrites", |plan| plan.rewrites = false),
        ("context.plan has rows && context.plan.rows >= 1000", |plan| plan.rows = Some(999)),
        (r#"context.plan.kinds.contains("ddl")"#, |plan| plan.kinds = ["write".to_owned()].into()),
        ("context.plan.irreversible", |plan| plan.irreversible = false),
        ("!context.plan.needs_person", |plan| plan.needs_person = true),
        (r#"context.plan.findings.contains("sql.rewrites_table")"#, |plan| plan.findings.clear()),
        (r#"context.plan.objects.contains("shop.orders")"#, |plan| plan.objects.clear()),
        ("context.plan.objects_known", |plan| plan.objects_known = false),
    ];
    for (condition, other) in parts {
        let by = under(&format!(
            "@id(\"a\") forbid (principal, action == Action::\"approve\", resource)
             when {{ context has plan && {condition} }};"
        ));
        assert_eq!(forbids(&by, &Action::APPROVE, |_| ()), ["a"], "{condition}");
        assert!(forbids(&by, &Action::APPROVE, other).is_empty(), "{condition}");
        // Without a plan, nothing is said of it.
        assert!(forbids_case(&by, &fitting(&Action::APPROVE)).is_empty(), "{condition}");
    }
}

#[test]
fn what_nobody_can_tell_is_no_small_number() {
    let by = under(
        "@id(\"small\") forbid (principal, action == Action::\"execute\", resource)
         unless { context has plan && context.plan has rows && context.plan.rows < 10 };",
    );
    assert!(forbids(&by, &Action::EXECUTE, |plan| plan.rows = Some(9)).is_empty());
    assert_eq!(forbids(&by, &Action::EXECUTE, |plan| plan.rows = Some(10)), ["small"]);
    assert_eq!(forbids(&by, &Action::EXECUTE, |plan| plan.rows = None), ["small"]);
    // More than can be written is as much as can be written, and not below nothing.
    assert_eq!(forbids(&by, &Action::EXECUTE, |plan| plan.rows = Some(u64::MAX)), ["small"]);
    assert_eq!(forbids_case(&by, &fitting(&Action::EXECUTE)), ["small"], "and so is no plan");
}

#[test]
fn a_rule_that_fails_on_a_plan_is_a_denial() {
    let by = under(
        "@id(\"broken\") forbid (principal, action == Action::\"approve\", resource)
         when { context has plan && context.plan has rows && context.plan.rows * 2 < 0 };",
    );
    let mut case = fitting(&Action::APPROVE);
    case.facts.plan = Some(PlanFacts { rows: Some(u64::MAX), ..plan() });
    let verdict = by.decide(&case.question, &case.facts).unwrap();
    assert_eq!(verdict.errors.len(), 1, "{verdict:?}");
    assert!(!verdict.is_allowed() && !verdict.confirms());
}

#[test]
fn a_rule_that_forgets_that_there_may_be_no_plan_is_refused() {
    let text = "@id(\"a\") forbid (principal, action == Action::\"approve\", resource)
         when { context.plan.irreversible };";
    let error = CedarAuthorizer::builder().host_policies("house.cedar", text).build().unwrap_err();
    assert_eq!(error.code(), Code::InvalidPolicy);
    assert!(error.to_string().contains("plan"), "{error}");
}

#[test]
fn a_plan_opens_nothing() {
    // Whatever it says, rows that do not fit are a no.
    let by = CedarAuthorizer::new().unwrap();
    let mut case = fitting(&Action::EXECUTE);
    case.facts.plan = Some(plan());
    assert!(case.is_allowed(&by));
    case.facts.grant = None;
    assert!(!case.is_allowed(&by));
}
