//! The stories. `draft ana it dev` is: Ana drafts the request `it` for the environment dev.

use super::check;
use super::player::Story;
use super::stage::Ground;

macro_rules! stories {
    ($($(#[$doc:meta])* $name:ident on $ground:ident, given $given:literal: $steps:literal;)*) => {$(
        $(#[$doc])*
        #[test]
        fn $name() {
            let name = stringify!($name);
            check(&Story { name, ground: Ground::$ground, given: $given, steps: $steps });
        }
    )*};
}

stories! {
    founding on Nothing, given "":
        "found root, found root, found bo !already_bootstrapped, user root ana,
         found root !already_bootstrapped, auditor root ana,
         project root shop, projects root, users root, audit ana, checkpoint root, prove root";

    organising_people_and_rights on Nothing, given "found root, user root bo, user root cy":
        "project root shop, module root pagos, environment root dev, team root checkout,
         look-after root checkout, role root lead, permit root approve, allow root lead,
         member root bo, grant root bo, quorum root dev, can bo, can cy !denied,
         organisation root, revoke root bo, can bo !denied, deactivate root cy,
         who-and-where root";

    drafting_planning_submitting on Shop, given "":
        "draft ana it dev, plan ana it, comment ana it, submit ana it, view bo it,
         requests bo, history bo it, explain bo it";

    asking_and_answering on Shop, given "draft ana it dev, submit ana it":
        "ask ana it, reply bo it, resolve bo it, resolve bo it !wrong_state, ask-again ana it,
         threads bo it, edit ana it, threads ana it, ask ana it !not_found";

    editing_and_submitting_again on Shop, given "draft ana it dev, submit ana it":
        "edit ana it, submit ana it, approve bo it, edit ana it, submit ana it, approve bo it";

    two_who_agree on Shop, given "draft ana it prod, submit ana it":
        "approve bo it, approve bo it !already_exists, approve cy it";

    ruling_who_agrees on Nothing,
    given "found root, project root shop, role root lead":
        "rule root strict, rule root again !already_exists, block root tests, unrule root tests,
         unrule root tests !not_found";

    checking_before_an_approval on Shop,
    given "vouch root, draft ana it dev, submit ana it, block root tests":
        "approve cy it !blocked, check ana it !refused, check bo it, view bo it, approve cy it,
         check bo it, edit ana it, submit ana it, approve cy it !blocked, unrule root tests,
         approve cy it";

    sending_back_and_rejecting on Shop, given "draft ana it dev, submit ana it":
        "return bo it, submit ana it, reject cy it, approve bo it !wrong_state";

    withdrawing on Shop, given "draft ana it dev, submit ana it, approve bo it":
        "cancel bo it !refused, cancel ana it, submit ana it !wrong_state";

    running on Shop, given "draft ana it dev, submit ana it, approve bo it":
        "execute bo it, renew it, drive it, verify bo it, view bo it, trail bo it";

    running_in_vain on Shop, given "draft ana it dev, submit ana it, approve bo it":
        "fails, execute bo it, drive it, verify bo it";

    running_again on Shop, given "draft ana it dev, submit ana it, approve bo it":
        "fails, execute bo it, drive it, verify bo it, works, rerun bo it, drive it, verify bo it";

    a_batch on Shop, given "batch ana it dev, submit ana it, approve bo it":
        "execute bo it, drive it, settle bo it, execute bo it, drive it, settle bo it, view bo it";

    promoting on Shop,
    given "promotion root, draft ana it dev, submit ana it, approve bo it":
        "execute bo it, drive it, settle bo it, promote eve it !not_found, promote ana it,
         promote ana it, view bo it";

    running_by_itself on Shop,
    given "automatic root, draft ana it dev, submit ana it":
        "approve bo it, due it, drive it, verify bo it, due it";

    holding_back on Shop,
    given "automatic root, draft ana it dev, submit ana it, approve bo it":
        "revoke root ana, revoke root bo, due it, view cy it, due it";

    stopping_a_run on Shop, given "draft ana it dev, submit ana it, approve bo it":
        "execute bo it, stop bo it, drive it, verify bo it";

    losing_a_run on Shop, given "draft ana it dev, submit ana it, approve bo it":
        "execute bo it, drop it, tick, wait, tick, verify bo it";

    opening_again_after_a_run_was_lost on Shop,
    given "draft ana it dev, submit ana it, approve bo it, execute bo it, drop it":
        "recover, verify bo it, view bo it";

    saying_what_nobody_can_tell on Shop, given "draft ana it dev, submit ana it, approve bo it":
        "blind, execute bo it, drive it, verify bo it, reconcile robot it !refused, reconcile bo it,
         reconcile bo it !wrong_state";

    waiting_for_a_target on Shop,
    given "draft ana one dev, submit ana one, approve bo one,
           draft ana two dev, submit ana two, approve bo two":
        "execute bo one, execute bo two !target_busy, drive one, verify bo one,
         execute bo two, drive two, verify bo two";

    taking_a_right_away_before_the_start on Shop,
    given "draft ana it dev, submit ana it, approve bo it":
        "revoke root bo, execute bo it !not_found, execute cy it !refused, edit ana it, submit ana it,
         approve cy it, execute cy it, drive it, verify cy it";

    a_workflow_of_ones_own on Shop, given "":
        "workflow root purchase, draft ana it dev purchase, submit ana it, approve bo it !wrong_state,
         pass ana it !denied, pass bo it, workflow root purchase, retire root purchase,
         draft ana more dev purchase !not_found, approve cy it, execute cy it, drive it, verify cy it";

    asking_about_rights on Shop, given "":
        "who-can root, where-can root, only-by root, matrix-text root, check-stories root, global-roles root,
         platform-governance root, workflows root, workflow-of root, policy-set root, rights-index root";

    asking_again_what_was_decided on Shop, given "": "replay root";

    reading_the_log on Shop, given "index-log root":
        "refresh root, wait-for-log root, export-log root, export-to root, check-log-index root,
         prove-consistency root, log-key root, check-key root, years root, compare root, anchor root";

    verifying_deeply on Shop, given "": "verify-deep root";

    making_the_index_of_the_log on Shop, given "": "index-log root, rebuild-log-index root, seal-years root";

    asking_for_a_year_that_is_not_sealed on Shop, given "": "export-year root !not_found";

    the_next_key_of_the_log on Shop, given "": "rotate-key root, log-key root";

    the_policies_that_decide on Shop, given "": "adopt root, policy-set root, recover-policies root !wrong_state";

    the_evidence_of_a_request on Shop,
    given "draft ana it dev, submit ana it, approve bo it, execute bo it, drive it": "evidence bo it";

    erasing_what_people_said on Shop,
    given "draft ana it dev, comment ana it, cancel ana it":
        "erase root it, keep-nothing root, wait, erase-expired root";

    a_command_that_needs_approval on Shop, given "let-manage root":
        "govern root, propose ana it, submit ana it, approve bo it, execute bo it, lift root !wrong_state";

    saying_what_a_plugin_may_reach on Shop, given "draft ana it dev, submit ana it":
        "grant-plugin ana sql !denied, revoke-plugin root sql, approve bo it !plugin_not_granted,
         draft ana more dev !plugin_not_granted, grant-plugin root sql, approve bo it,
         revoke-plugin root sql, revoke-plugin root sql !wrong_state, execute bo it !plugin_not_granted,
         grant-plugin root sql, execute bo it, drive it, verify bo it, plugin-grants root";

    only_some_workflows on Shop, given "draft ana it dev":
        "settings root 10, form root USER_STORY, workflow root purchase, only root purchase, submit ana it !refused,
         draft ana more dev !refused, draft ana one dev purchase, only root change, submit ana it,
         submit ana one !refused";

    asking_the_log on Shop, given "draft ana it dev":
        "login bo, query root, query ana !denied, trail bo it, query root, export root";

    an_artifact_that_is_written_and_sent_back on Shop,
    given "template root, give root ana=EDITOR, give root bo=ADMIN":
        "artifact ana it, submit ana it, publish ana it !artifact_not_approved, withdraw bo it !refused,
         withdraw ana it, submit ana it, return bo it, edit ana it, reopen ana it, diff ana it";

    an_approval_that_is_undone on Shop,
    given "template root, give root ana=EDITOR, give root bo=ADMIN, artifact ana it, submit ana it":
        "actions bo it, approve bo it, publish ana it, revert ana it !denied, revert bo it, submit ana it";

    an_artifact_that_is_published on Shop,
    given "template root, give root ana=EDITOR, give root bo=ADMIN, artifact ana it, submit ana it,
           approve bo it":
        "execute bo it, drive it, verify bo it";

    the_next_version_of_an_artifact on Shop,
    given "template root, give root ana=EDITOR, give root bo=ADMIN, artifact ana it, submit ana it,
           approve bo it, execute bo it, drive it":
        "publish ana it, new-version ana it, new-version ana it !wrong_state";

    an_artifact_that_is_rejected_and_restored on Shop,
    given "template root, give root ana=EDITOR, give root bo=ADMIN, artifact ana it, submit ana it":
        "reject bo it, restore ana it !denied, restore bo it";

    an_artifact_that_is_needed_and_deleted on Shop,
    given "template root, give root ana=EDITOR, artifact ana it":
        "artifact ana other it, delete ana it !in_use, delete ana other, delete ana it, artifact ana it";

    an_artifact_of_an_agent_that_a_rule_approves on Shop,
    given "template root, give root robot=EDITOR, give root bo=ADMIN, artifact robot it":
        "by-rule root, submit robot it, execute bo it, drive it, verify bo it";

    an_artifact_of_an_agent_that_no_rule_approves on Shop,
    given "template root, give root robot=EDITOR, give root bo=ADMIN, by-rule root, artifact robot it":
        "unread, submit robot it, execute bo it !artifact_not_approved, approve bo it, execute bo it, drive it, verify bo it";

    noting_denials on Shop, given "draft ana it dev, submit ana it":
        "approve dora it !denied, approve dora it !denied, approve eve it !not_found,
         approve ana it !denied, wait, approve dora it !denied";
}

/// The checks are checked.
#[test]
#[should_panic(expected = "hush ana it came back well after an error")]
fn a_verb_that_hides_an_error_is_noticed() {
    let (name, given, steps) = ("hiding", "draft ana it dev", "hush ana it");
    check(&Story { name, ground: Ground::Shop, given, steps });
}
