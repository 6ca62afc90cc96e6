//! A proof speaks about the questions that are asked, and about all of them.

use core::cell::Cell;
use core::hash::{BuildHasher as _, Hasher as _};
use std::collections::BTreeSet;
use std::hash::RandomState;

use cedar_policy::{Authorizer as Engine, Context, Decision, Request};
use placet_core::authz::Scope;
use placet_core::org::GlobalRole;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::json;

use super::plans::plan;
use super::property::cases;
use super::world::{Case, action, fitting};
use crate::CedarAuthorizer;
use crate::action::{CedarAction, Level};
use crate::proofs::joined::Joined;
use crate::proofs::prove::kinds_of_questions;

/// A host whose policies read all that there is, permits among them.
fn authorizer() -> CedarAuthorizer {
    let house = r#"
        @id("clock") forbid (principal, action, resource)
        when { context.weekday == 6 && context.minute < 700 };
        @id("place") forbid (principal, action, resource)
        when { context.level == "project" && context has module && !(context has environment) };
        @id("deploy") permit (principal, action == Action::"operate", resource)
        when { context.action like "de*" && context has module };
        @id("locks") forbid (principal, action, resource)
        when { context has plan && context.plan.lock == "exclusive" && context.minute < 720 };
        @id("leaders") forbid (principal, action == Action::"approve", resource)
        unless { context.team_roles.contains("LEADER_PRIMARY") };
        @id("rows") forbid (principal, action, resource) when { context has grant || context.at < 1 };
    "#;
    let builder = CedarAuthorizer::builder().host_policies("house.cedar", house);
    builder.allow_host_permits(true).build().unwrap()
}

/// Whether it is a question that is asked with a plan.
fn goes_on(case: &Case) -> bool {
    let has_place =
        matches!(case.question.scope, Scope::Project { module: Some(_), environment: Some(_), .. });
    has_place && ["request", "approve", "execute"].contains(&case.question.action.as_str())
}

/// The question of `case`, as a proof sees it.
fn request(authorizer: &CedarAuthorizer, joined: &Joined, case: &Case) -> Request {
    const MINUTE: i64 = 60_000_000;
    let base = authorizer.names.base_request(&case.question, &case.facts).unwrap();
    let host = authorizer.names.host_request(&case.question, &case.facts).unwrap();
    let side = |request: &Request| request.context().unwrap().to_json_value().unwrap();
    let at = case.question.at.as_micros();
    let day = at / MINUTE / 1_440;
    let context = json!({
        "base": side(&base), "host": side(&host),
        "day": day, "week": (day + 3) / 7, "rest": at % MINUTE,
    });
    let action = base.action().unwrap().clone();
    let context = Context::from_json_value(context, Some((&joined.schema, &action))).unwrap();
    let (user, resource) = (base.principal().unwrap().clone(), base.resource().unwrap().clone());
    Request::new(user, action, resource, context, Some(&joined.schema)).unwrap()
}

fn decide(authorizer: &CedarAuthorizer, joined: &Joined, case: &Case) -> (bool, bool) {
    let request = request(authorizer, joined, case);
    let entities = authorizer.names.entities(&case.facts.user).unwrap();
    let is_allowed = |set| {
        let response = Engine::new().is_authorized(&request, set, &entities);
        assert_eq!(response.diagnostics().errors().count(), 0, "{case:?}");
        response.decision() == Decision::Allow
    };
    (is_allowed(&joined.asked), is_allowed(&joined.allowed))
}

#[test]
fn every_question_fits_the_premises_and_is_decided_alike() {
    // To repeat a failure, put the seed that it printed into `PLACET_SEED`.
    let given = std::env::var_os("PLACET_SEED").map(|seed| seed.to_str().unwrap().parse().unwrap());
    let seed: u64 = given.unwrap_or_else(|| RandomState::new().build_hasher().finish());
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let config = Config { failure_persistence: None, ..Config::default() };
    let least = config.cases / 10;
    let authorizer = authorizer();
    let joined = Joined::new(&authorizer).unwrap();
    let (allowed, denied) = (Cell::new(0_u32), Cell::new(0_u32));
    let outcome = TestRunner::new_with_rng(config, rng).run(&cases(), |mut case| {
        // A proof speaks about users with a row of their own.
        case.facts.user.id = case.question.user;
        if goes_on(&case) && case.question.at.as_micros() % 2 == 0 {
            case.facts.plan = Some(plan());
        }
        let place = (CedarAction::of(&case.question.action), Level::of(&case.question.scope));
        if authorizer.base.at(place.0, place.1).is_none() {
            // The schema has no such action at this level, and nothing permits it.
            proptest::prop_assert!(!case.is_allowed(&authorizer));
            return Ok(());
        }
        let (can_be_asked, says_yes) = decide(&authorizer, &joined, &case);
        proptest::prop_assert!(can_be_asked, "a premise does not hold");
        proptest::prop_assert_eq!(says_yes, case.is_allowed(&authorizer));
        let count = if says_yes { &allowed } else { &denied };
        count.set(count.get() + 1);
        Ok(())
    });
    assert!(outcome.is_ok(), "seed {seed}: {outcome:?}");
    assert!(allowed.get() > least && denied.get() > least, "{allowed:?} {denied:?}, seed {seed}");
}

#[test]
fn a_set_that_reads_the_wrong_context_is_noticed() {
    let case = fitting(&action("deploy"));
    let authorizer = authorizer();
    let mut joined = Joined::new(&authorizer).unwrap();
    assert_eq!(decide(&authorizer, &joined, &case), (true, true));
    // Without its permits the host's forbids are all that is left of it.
    joined = Joined::new(&CedarAuthorizer::new().unwrap()).unwrap();
    assert_eq!(decide(&authorizer, &joined, &case), (true, true));
    let mut none = case;
    none.facts.grant = None;
    assert_eq!(decide(&authorizer, &joined, &none), (true, false));
}

#[test]
fn a_proof_speaks_about_every_kind_of_question() {
    let authorizer = CedarAuthorizer::new().unwrap();
    let joined = Joined::new(&authorizer).unwrap();
    let mut kinds = BTreeSet::new();
    let names = [
        "request",
        "approve",
        "execute",
        "operate",
        "deploy",
        "read",
        "manage",
        "audit",
        "administer",
    ];
    for name in names {
        for on_platform in [false, true] {
            let mut case = fitting(&action(name));
            case.with_global_role(GlobalRole::PlatformAdmin);
            if on_platform {
                case.question.scope = Scope::Platform;
            }
            let place = (CedarAction::of(&case.question.action), Level::of(&case.question.scope));
            if authorizer.base.at(place.0, place.1).is_some() {
                assert_eq!(decide(&authorizer, &joined, &case), (true, true), "{case:?}");
                kinds.insert(place);
            }
        }
    }
    // Each of them can be allowed, so none is proven because nothing can be asked.
    assert_eq!(kinds.len(), kinds_of_questions(&joined).len());
}
