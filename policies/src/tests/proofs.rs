//! What is proven of the shipped policies, and that each proof would notice a hole.

#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]

use std::collections::BTreeSet;

use placet_core::authz::{Action, Authorizer as _, Scope};
use placet_core::clock::Timestamp;
use placet_core::id::UserId;
use placet_core::org::{GlobalRole, GlobalRoleGrant};

use super::mutants::mutants;
use super::world::{Case, OTHER, action, fitting, span};
use crate::CedarAuthorizer;
use crate::action::{CedarAction, Level};
use crate::builder::base_texts;
use crate::proofs::{Counterexample, Proof, Property, Prover};
use crate::source::Source;

/// The solver, where there is one.
pub(super) fn solver() -> Option<Prover> {
    let prover = Prover::find();
    if prover.is_installed() {
        return Some(prover.limit_ms(600_000));
    }
    assert_ne!(std::env::var_os("CI"), Some("true".into()), "the solver cvc5 is not installed");
    eprintln!(
        "SKIPPED: the solver cvc5 is not installed, so nothing is proven here; apt-get install cvc5"
    );
    None
}

fn prove(prover: &Prover, authorizer: &CedarAuthorizer, property: Property) -> Proof {
    prover.prove(authorizer, property).unwrap()
}

/// What the property is refuted by. The policies have to allow it, asked as they are always asked.
fn refuted(prover: &Prover, authorizer: &CedarAuthorizer, property: Property) -> Counterexample {
    match prove(prover, authorizer, property) {
        Proof::Refuted(example) => {
            let Counterexample { question, facts, .. } = &*example;
            assert!(authorizer.decide(question, facts).unwrap().is_allowed(), "{example}");
            *example
        }
        other @ (Proof::Proven { .. } | Proof::Undecided(_) | Proof::Unavailable(_)) => {
            panic!("{property}: {other}")
        }
    }
}

/// The base policies with one text changed, by file name.
fn base(file: &str, change: impl Fn(&str) -> String) -> CedarAuthorizer {
    let sources = base_texts().iter().map(|(name, text)| Source {
        file: (*name).to_owned(),
        text: if name.ends_with(file) { change(text) } else { (*text).to_owned() },
    });
    CedarAuthorizer::builder().build_over(sources.collect()).unwrap()
}

/// Without the policy whose id ends so.
fn without(id: &str, text: &str) -> String {
    let kept = text.split_inclusive(";\n").filter(|policy| !policy.contains(&format!(":{id}\")")));
    let kept: String = kept.collect();
    assert_ne!(kept, text);
    kept
}

fn house(text: &str) -> CedarAuthorizer {
    CedarAuthorizer::builder()
        .allow_host_permits(true)
        .host_policies("house.cedar", text)
        .build()
        .unwrap()
}

/// Policies of hosts as they are: freezes, clocks, agents, single users, single projects, custom actions.
const HOUSES: &[&str] = &[
    r#"@id("freeze") forbid (principal, action == Action::"execute", resource)
       when { context.at < 1790000000000000 };"#,
    r#"@id("no-weekend-changes")
       forbid (principal, action in [Action::"manage", Action::"execute"], resource)
       when { context.weekday >= 6 };
       @id("quiet-nights")
       forbid (principal, action, resource)
       when { context.minute < 5 && context.weekday == 7 };"#,
    r#"@id("agents") forbid (principal, action == Action::"operate", resource)
       when { principal.kind == "agent" && context.action like "deploy*" };
       @id("one-user") forbid (principal == User::"usr_00000000000000000000000000000001", action, resource);
       @id("until") forbid (principal, action, resource is Project)
       when { context has module && context.at < 1800000000000000 && context.level == "project" };
       @id("sees-no-rows") forbid (principal, action, resource)
       when { context has grant || context.at < 1 };"#,
];

/// A question of each kind, at noon of a Wednesday in 2027, that the shipped policies allow.
fn one_of_each_kind() -> Vec<Case> {
    const AT: i64 = 1_800_446_400_000_000;
    let user = UserId::from_u128(OTHER);
    let mut cases: Vec<Case> = ["request", "approve", "execute", "deploy", "read", "manage"]
        .into_iter()
        .map(|name| fitting(&action(name)))
        .collect();
    let audit = fitting(&Action::AUDIT);
    let mut platform = [fitting(&Action::AUDIT), fitting(&Action::ADMINISTER)];
    for case in &mut platform {
        case.question.scope = Scope::Platform;
    }
    cases.extend(platform.into_iter().chain([audit]));
    for case in &mut cases {
        case.question.at = Timestamp::from_micros(AT);
        case.question.user = user;
        case.facts.user.id = user;
        case.member().membership.user_id = user;
        case.member().membership.valid = span(0, None);
        case.grant().grant.user_id = user;
        case.grant().grant.valid = span(0, None);
        case.project_wide();
        let role = GlobalRole::PlatformAdmin;
        case.facts.global_roles = vec![GlobalRoleGrant { user_id: user, role }];
    }
    cases
}

/// Of a house in which nobody may do anything, everything is proven.
#[test]
fn each_house_allows_something_of_each_kind() {
    let cases = one_of_each_kind();
    let kind =
        |case: &Case| (CedarAction::of(&case.question.action), Level::of(&case.question.scope));
    let kinds: BTreeSet<_> = cases.iter().map(kind).collect();
    assert_eq!(kinds.len(), 9);
    let shipped = CedarAuthorizer::new().unwrap();
    for authorizer in core::iter::once(shipped).chain(HOUSES.iter().map(|text| house(text))) {
        for case in &cases {
            assert!(case.is_allowed(&authorizer), "{authorizer:?}: {:?}", case.question);
        }
    }
    // The house that was proven for nothing: it has no question that it allows.
    let closed =
        house(r#"@id("closed") forbid (principal, action, resource) when { principal.active };"#);
    assert!(cases.iter().all(|case| !case.is_allowed(&closed)));
}

#[test]
fn the_shipped_policies_and_each_house_are_proven() {
    let Some(prover) = solver() else { return };
    let shipped = CedarAuthorizer::new().unwrap();
    let mut asked = 0;
    let houses = HOUSES.iter().map(|text| house(text));
    for authorizer in core::iter::once(shipped).chain(houses) {
        for (property, proof) in prover.prove_all(&authorizer).unwrap() {
            let Proof::Proven { kinds, solved } = proof else { panic!("{property}: {proof}") };
            assert_eq!(kinds, 9, "{property}");
            asked += solved;
        }
    }
    assert!((100..=216).contains(&asked), "asked {asked} times");
}

#[test]
fn each_property_is_refuted_where_it_does_not_hold() {
    let Some(prover) = solver() else { return };
    let broken = base("never.cedar", |text| without("nobody-approves-their-own", text));
    let example = refuted(&prover, &broken, Property::NotTheirOwn);
    assert!(example.to_string().contains("who wrote it"), "{example}");
    assert_eq!(example.question.action, Action::APPROVE);

    let extra = |role: &str, action: &str| {
        let text = format!(
            "@id(\"placet:hole\") permit (principal is User, action == Action::\"{action}\", resource)\n\
             when {{ context.global_roles.contains({{ user: principal, role: \"{role}\" }}) }};\n"
        );
        base("platform.cedar", move |base| format!("{base}\n{text}"))
    };
    let example = refuted(&prover, &extra("PLATFORM_ADMIN", "execute"), Property::AdminAlone);
    assert!(example.to_string().contains("PLATFORM_ADMIN ("), "{example}");
    assert_eq!(example.question.action, Action::EXECUTE);
    let example = refuted(&prover, &extra("AUDITOR", "manage"), Property::AuditorAlone);
    assert!(example.to_string().contains("AUDITOR ("), "{example}");
    assert_eq!(example.question.action, Action::MANAGE);
    // One project's own action is as good as any.
    let example = refuted(&prover, &extra("AUDITOR", "operate"), Property::AuditorAlone);
    assert!(example.permitted_by.iter().any(|hit| hit.id == "placet:hole"), "{example}");

    let end =
        "when { if context.grant has until then context.at < context.grant.until else true }\n";
    let broken = base("two_legs.cedar", |text| text.replace(end, ""));
    let example = refuted(&prover, &broken, Property::LiveRows);
    let valid = example.facts.grant.as_ref().unwrap().grant.valid;
    assert!(valid.until().is_some_and(|until| until <= example.question.at), "{example}");
    assert!(example.to_string().contains("grant: of the user, over (from "), "{example}");
    assert_eq!(example.breaks.len(), 1);
    assert_eq!(example.breaks[0].id, "placet:proof-live-grant");

    let broken = base("never.cedar", |text| without("inactive-user", text));
    let example = refuted(&prover, &broken, Property::ActivePeople);
    assert!(!example.facts.user.is_active, "{example}");

    let night = r#"@id("night") permit (principal, action == Action::"approve", resource)
                   when { context.weekday == 2 && context.minute < 60 };"#;
    let example = refuted(&prover, &house(night), Property::HostAddsNothing);
    assert_eq!(example.permitted_by[0].id, "night");
    assert!(example.breaks.is_empty());
    // The real clock said so too: the instant is one in the first hour of a Tuesday.
    let minute = example.question.at.as_micros() / 60_000_000;
    assert_eq!((minute / 1_440 + 3) % 7, 1, "{example}");
    assert!(minute % 1_440 < 60, "{example}");
}

#[test]
fn a_permit_that_adds_nothing_is_proven_to_add_nothing() {
    let Some(prover) = solver() else { return };
    // The base forbids what this permits.
    let agents = r#"@id("agents") permit (principal, action == Action::"approve", resource)
                    when { principal.kind == "agent" };"#;
    let proof = prove(&prover, &house(agents), Property::HostAddsNothing);
    assert!(proof.is_proven(), "{proof}");
}

#[test]
fn every_lost_condition_of_a_permit_and_every_lost_forbid_is_refuted() {
    let Some(prover) = solver() else { return };
    // A `forbid` without its condition forbids more, which breaks no property.
    let conditions = mutants().into_iter().filter(|(name, _)| !name.contains("never.cedar"));
    let conditions = conditions.filter_map(|(name, sources)| {
        Some((name, CedarAuthorizer::builder().build_over(sources).ok()?))
    });
    let forbids = [
        "inactive-user",
        "only-persons-approve",
        "only-persons-manage",
        "nobody-approves-their-own",
    ];
    let forbids = forbids.map(|id| (id.to_owned(), base("never.cedar", |text| without(id, text))));
    // First those that most are refuted by.
    let order = [Property::LiveRows, Property::ActivePeople, Property::NotTheirOwn];
    let (mut count, mut missed) = (0, Vec::new());
    for (name, broken) in conditions.chain(forbids) {
        let mut proofs = order.iter().map(|property| prove(&prover, &broken, *property));
        if proofs.any(|proof| matches!(proof, Proof::Refuted(_))) {
            count += 1;
        } else {
            missed.push(name);
        }
    }
    assert_eq!(missed, Vec::<String>::new());
    assert!(count > 40, "{count} broken sets are too few");
}

#[test]
fn without_an_answer_nothing_is_proven() {
    let shipped = CedarAuthorizer::new().unwrap();
    let property = Property::LiveRows;
    let proof = prove(&Prover::at("/nowhere/cvc5"), &shipped, property);
    assert!(matches!(proof, Proof::Unavailable(_)), "{proof}");
    assert!(proof.to_string().contains("apt-get install cvc5"), "{proof}");
    // Programs that are no solver: one ends at once, one hands back what it is given.
    for program in ["/bin/true", "/bin/cat"] {
        let proof = prove(&Prover::at(program).limit_ms(200), &shipped, property);
        assert!(matches!(proof, Proof::Undecided(_)), "{program}: {proof}");
    }
    let Some(prover) = solver() else { return };
    let hard = house(
        "@id(\"hard\") forbid (principal, action, resource)
         when { context.at * 7919 == context.minute * context.weekday * 104729 * context.at + 17 };
         @id(\"p\") permit (principal, action, resource)
         when { context.at * context.at == 1000003 * context.minute * context.minute + context.weekday };",
    );
    let proof = prove(&prover.limit_ms(1), &hard, Property::HostAddsNothing);
    assert!(matches!(proof, Proof::Undecided(_)), "{proof}");
}
