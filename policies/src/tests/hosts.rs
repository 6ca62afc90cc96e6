//! Policies of a host: what is refused at loading, what fires, what fails.

use core::fmt::Write as _;

use expect_test::{Expect, expect};
use placet_core::authz::{Action, Authorizer as _, Scope};
use placet_core::error::{Code, Error};
use placet_core::id::ModuleId;
use placet_core::org::TeamRole;

use super::world::{Case, OTHER, action, fitting};
use crate::CedarAuthorizer;

fn load(text: &str) -> Result<CedarAuthorizer, Error> {
    CedarAuthorizer::builder().host_policies("house.cedar", text).build()
}

fn refused(text: &str, expected: &Expect) {
    let error = load(text).unwrap_err();
    let line = error.details().get("line").cloned().unwrap_or_default();
    expected.assert_eq(&format!(
        "{} {line}: {error}\nhelp: {}\n",
        error.code(),
        error.help().unwrap_or_default()
    ));
}

fn verdict(authorizer: &CedarAuthorizer, case: &Case) -> String {
    let verdict = authorizer.decide(&case.question, &case.facts).unwrap();
    let word = if verdict.is_allowed() { "allowed" } else { "denied" };
    let mut text = format!("{word}\n");
    for (name, hits) in [("permit", &verdict.permitted_by), ("forbid", &verdict.forbidden_by)] {
        for hit in hits {
            writeln!(text, "{name} {} {}", hit.id, hit.place).unwrap();
        }
    }
    for error in &verdict.errors {
        writeln!(text, "error {error}").unwrap();
    }
    text
}

#[test]
fn what_does_not_parse_or_has_no_id_of_its_own_is_refused_with_its_line() {
    refused(
        "\n\nforbid (principal, action resource);",
        &expect![[r#"
        invalid_policy 3: the policy at `house.cedar:3` does not parse: unexpected token `resource`
        help: write it as a static Cedar policy
    "#]],
    );
    refused(
        "@id(\"a\")\nforbid (principal, action, resource)",
        &expect![[r#"
        invalid_policy 2: the policy at `house.cedar:2` does not parse: unexpected end of input
        help: write it as a static Cedar policy
    "#]],
    );
    refused(
        "// none\nforbid (principal, action, resource);",
        &expect![[r#"
        invalid_policy 2: the policy at `house.cedar:2` has no id
        help: write `@id("its-name")` in front of it
    "#]],
    );
    refused(
        "@id(\"a\") forbid (principal, action == Action::\"read\", resource);\n@id(\"a\") forbid (principal, action, resource);",
        &expect![[r#"
            invalid_policy 2: the id `a` at `house.cedar:2` is taken by `house.cedar:1`
            help: give each policy an `@id` of its own
        "#]],
    );
    refused(
        "@id(\"placet:two-legs\") forbid (principal, action, resource);",
        &expect![[r#"
        invalid_policy 1: `placet:two-legs` at `house.cedar:1` is not an id of a policy
        help: write 1 to 100 of: letters and digits of ASCII, `-`, `_`, `.`
    "#]],
    );
    refused(
        "@id forbid (principal, action, resource);",
        &expect![[r#"
            invalid_policy 1: the policy at `house.cedar:1` has no id
            help: write `@id("its-name")` in front of it
        "#]],
    );
    refused(
        "@id(\"a\") permit (principal, action, resource);",
        &expect![[r#"
        invalid_policy 1: the policy `a` at `house.cedar:1` permits, and policies of a host may only forbid
        help: turn it into a `forbid`, or opt in to permits with `allow_host_permits(true)`
    "#]],
    );
    refused(
        "@id(\"a\") forbid (principal == ?principal, action, resource);",
        &expect![[r#"
        invalid_policy 1: the policy at `house.cedar:1` does not parse: expected a static policy, got a template containing the slot ?principal
        help: try removing the template slot(s) from this policy
    "#]],
    );
}

#[test]
fn what_does_not_fit_the_schema_is_refused_with_its_line() {
    refused(
        "@id(\"a\")\nforbid (principal, action, resource)\nwhen { principal.knid == \"agent\" };",
        &expect![[r#"
            invalid_policy 3: the policy `a` at `house.cedar:3` is not valid: attribute `knid` on entity type `User` not found
            help: did you mean `kind`?
        "#]],
    );
    refused(
        "@id(\"a\") forbid (principal, action == Action::\"deploy\", resource);",
        &expect![[r#"
            invalid_policy 1: the policy `a` at `house.cedar:1` is not valid: unrecognized action `Action::"deploy"`
            help: a custom action is `Action::"operate"`, with its name in `context.action`
        "#]],
    );
    refused(
        "@id(\"a\") forbid (principal is Robot, action, resource);",
        &expect![[r#"
            invalid_policy 1: the policy `a` at `house.cedar:1` is not valid: unrecognized entity type `Robot`
            help: the types are `User`, `Platform`, `Project`, `Module` and `Environment`
        "#]],
    );
    refused(
        "@id(\"a\") forbid (principal, action == Action::\"administer\", resource is Project);",
        &expect![[r#"
            invalid_policy 1: the policy `a` at `house.cedar:1` is not valid: policy is impossible: the policy expression evaluates to false for all valid requests
            help: compare it with what policies can read, see `HOST_SCHEMA`
        "#]],
    );
    refused(
        "@id(\"a\") forbid (principal, action, resource) when { context.module == Module::\"m\" };",
        &expect![[r#"
            invalid_policy 1: the policy `a` at `house.cedar:1` is not valid: unable to guarantee safety of access to optional attribute `module` in context for Action::"administer"
            help: try testing for the attribute's presence with `context has module && ..`
        "#]],
    );
    refused(
        "@id(\"a\") forbid (principal, action, resource) when { context has grant };",
        &expect![[r#"
            invalid_policy 1: the policy `a` at `house.cedar:1` is not valid: policy is impossible: the policy expression evaluates to false for all valid requests
            help: compare it with what policies can read, see `HOST_SCHEMA`
        "#]],
    );
    refused(
        "@id(\"a\") forbid (principal, action, resource == Platform::\"moon\");",
        &expect![[r#"
            invalid_policy 1: the policy `a` at `house.cedar:1` is not valid: entity `Platform::"moon"` is of an enumerated entity type, but `"moon"` is not declared as a valid eid
            help: valid entity eids: "platform"
        "#]],
    );
}

#[test]
fn file_names_are_distinct_and_printable() {
    for names in [["a.cedar", "a.cedar"], ["", "b.cedar"], ["a\n.cedar", "b.cedar"]] {
        let builder = names
            .iter()
            .fold(CedarAuthorizer::builder(), |builder, name| builder.host_policies(*name, ""));
        assert_eq!(builder.build().unwrap_err().code(), Code::InvalidInput);
    }
}

#[test]
fn a_forbid_fires_with_its_id_and_place() {
    let authorizer = load(
        "// House rules.\n\
         @id(\"quiet-weekend\")\n\
         forbid (principal, action in [Action::\"execute\", Action::\"operate\"], resource)\n\
         when { context.weekday >= 6 && context.minute == 720 };\n\
         @id(\"no-rollback\")\n\
         forbid (principal, action == Action::\"operate\", resource)\n\
         when { context.action == \"rollback\" && context has module };\n",
    )
    .unwrap();
    expect![[r#"
        denied
        permit placet:two-legs policies/src/base/two_legs.cedar:4
        forbid quiet-weekend house.cedar:2
    "#]]
    .assert_eq(&verdict(&authorizer, &fitting(&Action::EXECUTE)));
    expect![[r#"
        denied
        permit placet:two-legs policies/src/base/two_legs.cedar:4
        forbid no-rollback house.cedar:5
        forbid quiet-weekend house.cedar:2
    "#]]
    .assert_eq(&verdict(&authorizer, &fitting(&action("rollback"))));
    expect![[r#"
        allowed
        permit placet:read-by-grant policies/src/base/read.cedar:3
    "#]]
    .assert_eq(&verdict(&authorizer, &fitting(&Action::READ)));
}

#[test]
fn the_clock_of_a_host_policy_is_utc() {
    let text = "@id(\"a\") forbid (principal, action, resource) when { context.weekday == DAY && context.minute == MINUTE };";
    let instants = [
        ("1970-01-01T00:00:00Z", 4, 0),
        ("2024-02-29T23:59:59.999999Z", 4, 1_439),
        ("2026-02-07T12:30:00Z", 6, 750),
        ("2026-02-08T00:00:00Z", 7, 0),
        ("2026-02-09T00:01:00Z", 1, 1),
        ("9999-12-31T23:59:00Z", 5, 1_439),
    ];
    for (at, day, minute) in instants {
        let text = text.replace("DAY", &format!("{day}")).replace("MINUTE", &format!("{minute}"));
        let mut case = fitting(&Action::READ);
        case.question.at = at.parse().unwrap();
        let verdict = load(&text).unwrap().decide(&case.question, &case.facts).unwrap();
        assert_eq!(verdict.forbidden_by.len(), 1, "{at}");
    }
}

#[test]
fn a_policy_that_fails_is_a_denial() {
    let authorizer = load(
        "@id(\"broken\")\n\
         forbid (principal, action == Action::\"read\", resource)\n\
         when { context.at * 9223372036854775807 > 0 };\n",
    )
    .unwrap();
    expect![[r#"
        denied
        permit placet:read-by-grant policies/src/base/read.cedar:3
        error the policy `broken` at `house.cedar:1` failed: integer overflow while attempting to multiply the values `1770465600000000` and `9223372036854775807`
    "#]].assert_eq(&verdict(&authorizer, &fitting(&Action::READ)));
    // It cannot apply to other actions, so it is not evaluated for them.
    expect![[r#"
        allowed
        permit placet:two-legs policies/src/base/two_legs.cedar:4
    "#]]
    .assert_eq(&verdict(&authorizer, &fitting(&Action::EXECUTE)));
}

#[test]
fn permits_of_a_host_count_after_opting_in_and_never_outweigh_a_forbid() {
    let text = "@id(\"open-house\") permit (principal, action, resource);";
    let builder = CedarAuthorizer::builder().host_policies("house.cedar", text);
    assert_eq!(builder.clone().build().unwrap_err().code(), Code::InvalidPolicy);
    let authorizer = builder.allow_host_permits(true).build().unwrap();

    let mut case = fitting(&Action::READ);
    case.facts.grant = None;
    expect![[r#"
        allowed
        permit open-house house.cedar:1
    "#]]
    .assert_eq(&verdict(&authorizer, &case));
    // A gate asks for more: nothing of ours looked at the rows and found them to fit.
    let said = authorizer.decide(&case.question, &case.facts).unwrap();
    assert!(said.is_allowed() && said.permitted_by[0].is_of_host && !said.confirms());
    let said = authorizer.decide(&case.question, &fitting(&Action::READ).facts).unwrap();
    assert!(said.confirms() && said.permitted_by.len() == 2, "{said:?}");
    case.facts.user.is_active = false;
    expect![[r#"
        denied
        permit open-house house.cedar:1
        forbid placet:inactive-user policies/src/base/never.cedar:4
    "#]]
    .assert_eq(&verdict(&authorizer, &case));

    // The schema has no such question, so not even this permit applies.
    let mut case = fitting(&Action::EXECUTE);
    case.question.scope = Scope::Platform;
    expect![[r#"
        denied
    "#]]
    .assert_eq(&verdict(&authorizer, &case));
}

#[test]
fn a_host_policy_does_not_see_which_rows_were_named() {
    let authorizer = load(
        "@id(\"elsewhere\") forbid (principal, action, resource)\n\
         when { context has module && context.module == Module::\"mod_00000000000000000000000000000002\" };",
    )
    .unwrap();
    let mut case = fitting(&Action::READ);
    case.project_wide();
    assert!(case.is_allowed(&authorizer));
    if let Scope::Project { module, .. } = &mut case.question.scope {
        *module = Some(ModuleId::from_u128(OTHER));
    }
    expect![[r#"
        denied
        permit placet:read-by-grant policies/src/base/read.cedar:3
        forbid elsewhere house.cedar:1
    "#]]
    .assert_eq(&verdict(&authorizer, &case));
}

#[test]
fn the_digest_covers_texts_and_names_and_not_the_order_of_calls() {
    let (a, b) = (
        "@id(\"a\") forbid (principal, action, resource) when { context.at < 0 };",
        "@id(\"b\") forbid (principal, action, resource) when { context.at < 0 };",
    );
    let digest = |files: &[(&str, &str)]| {
        let builder = files.iter().fold(CedarAuthorizer::builder(), |builder, (name, text)| {
            builder.host_policies(*name, *text)
        });
        builder.build().unwrap().policy_set_digest()
    };
    assert_eq!(digest(&[("1", a), ("2", b)]), digest(&[("2", b), ("1", a)]));
    let all = [
        digest(&[]),
        digest(&[("1", a)]),
        digest(&[("2", a)]),
        digest(&[("1", b)]),
        digest(&[("1", a), ("2", b)]),
        digest(&[("1", b), ("2", a)]),
        digest(&[("1", &format!("{a}\n{b}"))]),
    ];
    for (at, one) in all.iter().enumerate() {
        assert!(!all[..at].contains(one), "{at}");
    }
}

/// Team roles are for rules of a host: here only a leader approves.
#[test]
fn a_rule_can_ask_for_a_leader_of_the_team() {
    let rule = r#"
        @id("leaders-approve") forbid (principal, action == Action::"approve", resource)
        unless { ["LEADER_PRIMARY", "LEADER_TEMP"].containsAny(context.team_roles) };
    "#;
    let authorizer = load(rule).unwrap();
    let mut case = fitting(&action("approve"));
    for (roles, expected) in [
        (vec![], false),
        (vec![TeamRole::Member], false),
        (vec![TeamRole::Member, TeamRole::LeaderTemp], true),
        (vec![TeamRole::LeaderPrimary], true),
    ] {
        case.facts.team_roles = roles.into_iter().collect();
        let verdict = authorizer.decide(&case.question, &case.facts).unwrap();
        assert_eq!(verdict.is_allowed(), expected, "{verdict:?}");
    }
}
