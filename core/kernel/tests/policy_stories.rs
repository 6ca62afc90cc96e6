//! Hosts test their organisation and policies: stories as a table, the table of a project, and what was decided asked
//! again.

use std::sync::Arc;

use expect_test::expect;
use placet_core::authz::{
    Action, Answer, Authorizer, Facts, PolicyHit, Question, Reason, Scope, Verdict,
};
use placet_core::digest::Digest;
use placet_core::error::{Code, Error};
use placet_core::gate::{Gate, Replay, ReplayCause, ReplayDifference, StoryOutcome};
use placet_core::org::GlobalRole;
use placet_core::org::command::{
    CreatePermission, EndGrant, GrantGlobalRole, SetUserActive, UnassignModule,
};
use placet_core::testing::ScriptedAuthorizer;

use crate::world::World;

/// Permits what the index allows, and forbids what a test says.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) name: &'static str,
    pub(crate) forbids: fn(&Question, &Facts) -> bool,
}

impl Authorizer for House {
    fn decide(&self, question: &Question, facts: &Facts) -> Result<Verdict, Error> {
        let hit = || vec![PolicyHit::new(self.name.to_owned(), "house:1".to_owned())];
        let forbidden_by = if (self.forbids)(question, facts) { hit() } else { Vec::new() };
        Ok(Verdict::new(hit(), forbidden_by, Vec::new()))
    }

    fn policy_set_digest(&self) -> Digest {
        Digest::of(self.name.as_bytes())
    }
}

const NOTHING: House = House { name: "nothing", forbids: |_, _| false };
const NO_APPROVALS: House =
    House { name: "no-approvals", forbids: |asked, _| asked.action == Action::APPROVE };

/// The world, under other policies from now on.
fn under(world: &World, house: House) -> Gate {
    let mut parts = world.bench.parts.clone();
    parts.authorizer = Arc::new(house);
    Gate::new(parts)
}

fn check(gate: &Gate, world: &World, name: &str, text: &str) -> String {
    match gate.check_stories(&world.caller(name), text) {
        Err(error) => format!("{}: {error}", error.code()),
        Ok(outcomes) => {
            let lines: Vec<String> = outcomes.iter().map(ToString::to_string).collect();
            lines.join("\n")
        }
    }
}

const STORIES: &str = "
    # The example of the permission model, and who keeps it.
    who              | action  | where               | expected
    ana@example.org  | request | shop/pagos/prod     | yes
    ana@example.org  | request | shop/logistica/prod | no  # her team does not look after it
    ana@example.org  | execute | shop/pagos/dev      | yes
    ana@example.org  | execute | shop/pagos/prod     | no
    BO@example.org   | approve | shop/pagos/prod     | yes # addresses have no case
    bo@example.org   | read    | shop/*/dev          | yes
    bo@example.org   | manage  | shop                | no
    robot@example.org| approve | shop/pagos/dev      | no
    root@example.org | manage  | shop/-/-            | yes
    root@example.org | execute | shop/pagos/dev      | no
    root@example.org | administer | platform         | yes
    eve@example.org  | audit   | platform            | no
";

#[test]
fn stories_that_are_true_pass() {
    let world = World::new();
    let entries = world.gate.audit(&world.caller("root"), 0).unwrap().len();
    let outcomes = world.gate.check_stories(&world.caller("root"), STORIES).unwrap();
    assert_eq!(outcomes.len(), 12);
    let wrong: Vec<String> =
        outcomes.iter().filter(|one| !one.passed()).map(ToString::to_string).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    // The same answers as verbs would get, one by one.
    let place = Scope::module(world.project, world.pagos, world.prod);
    let alone = world.gate.authorize(world.people["ana"], &Action::REQUEST, place);
    assert_eq!(outcomes[0].answer, alone);
    // The other way around, each of them fails: no story passes by itself.
    let turned = STORIES.replace("| yes", "| NO").replace("| no", "| yes").replace("| NO", "| no");
    let turned = world.gate.check_stories(&world.caller("root"), &turned).unwrap();
    assert_eq!(turned.iter().filter(|one| one.passed()).count(), 0);
    // Looking left no trace.
    assert_eq!(world.gate.audit(&world.caller("root"), 0).unwrap().len(), entries);
}

#[test]
fn a_story_that_is_not_true_says_why() {
    let world = World::new();
    let text = "ana@example.org | approve | shop/pagos/dev | yes\n\
        bo@example.org | approve | shop/pagos/dev | no\n\
        cy@example.org | approve | shop/pagos/dev | yes";
    let told = check(&world.gate, &world, "root", text);
    expect![[r"
        line 1: ana@example.org approve shop/pagos/dev: expected yes; denied: no role with the permission `approve` in `shop/pagos/dev`
        line 2: bo@example.org approve shop/pagos/dev: expected no; allowed
        line 3: cy@example.org approve shop/pagos/dev: yes, as expected"]]
    .assert_eq(&told);
    // The policies have a word in it.
    let told = check(&under(&world, NO_APPROVALS), &world, "root", text);
    expect![[r"
        line 1: ana@example.org approve shop/pagos/dev: expected yes; denied: no role with the permission `approve` in `shop/pagos/dev`
        line 2: bo@example.org approve shop/pagos/dev: no, as expected
        line 3: cy@example.org approve shop/pagos/dev: expected yes; denied: the policy `no-approvals` (house:1) forbids it"]]
    .assert_eq(&told);
}

#[test]
fn a_no_that_nobody_decided_passes_no_story() {
    let world = World::new();
    let text = "bo@example.org | approve | shop/pagos/dev | no";
    // Bo's rights make the gate let him ask about himself; so the policies fail for others only.
    world.bench.authorizer.answer_with(Err(Code::Internal));
    assert_eq!(
        check(&world.gate, &world, "bo", text),
        "not_found: line 1: there is no such person or place, or you may not see it"
    );
    let house = House {
        name: "panics",
        forbids: |asked, _| {
            assert!(asked.action != Action::APPROVE, "this policy is broken");
            false
        },
    };
    let outcomes = under(&world, house).check_stories(&world.caller("root"), text).unwrap();
    let Answer::Denied(denial) = &outcomes[0].answer else { panic!("{outcomes:?}") };
    assert_eq!(denial.reasons, [Reason::PolicyFailed]);
    assert!(!outcomes[0].passed());
}

#[test]
fn a_mistake_in_a_story_names_its_line() {
    let world = World::new();
    for (line, told) in [
        (
            "bob@example.org | read | shop | no",
            "not_found: line 2: nobody has the e-mail address `bob@example.org`",
        ),
        (
            "bo@example.org | read | shop/cocina | no",
            "not_found: line 2: project `shop` has no module `cocina`",
        ),
        (
            "bo@example.org | read | shop/-/moon | no",
            "not_found: line 2: project `shop` has no environment `moon`",
        ),
        (
            "bo@example.org | read | bank | no",
            "not_found: line 2: there is no such person or place, or you may not see it",
        ),
        (
            "bo@example.org | read | shop | maybe",
            "invalid_input: line 2: `maybe` is not an expected answer",
        ),
    ] {
        assert_eq!(check(&world.gate, &world, "root", &format!("# one line\n{line}")), told);
    }
}

#[test]
fn whoever_may_not_ask_learns_nothing() {
    let world = World::new();
    let unseen = "not_found: line 1: there is no such person or place, or you may not see it";
    for (name, line) in [
        ("ana", "bo@example.org | approve | shop/pagos/dev | yes"),
        ("ana", "nobody@example.org | approve | shop/pagos/dev | yes"),
        ("ana", "bo@example.org | approve | bank/pagos/dev | yes"),
        ("ana", "bo@example.org | approve | shop/cocina/dev | yes"),
        ("ana", "root@example.org | administer | platform | yes"),
        // Not even about oneself, where one reads nothing.
        ("eve", "eve@example.org | read | shop | no"),
    ] {
        assert_eq!(check(&world.gate, &world, name, line), unseen, "{name}: {line}");
    }
    // About oneself, and everything as AUDITOR.
    let own = "ana@example.org | approve | shop/pagos/dev | no";
    assert_eq!(world.gate.check_stories(&world.caller("ana"), own).unwrap().len(), 1);
    let (user, role) = (world.people["aud"], GlobalRole::Auditor);
    world.gate.administer(&world.caller("root"), &GrantGlobalRole { user, role }).unwrap();
    let outcomes = world.gate.check_stories(&world.caller("aud"), STORIES).unwrap();
    assert!(outcomes.iter().all(StoryOutcome::passed));
    assert!(world.gate.matrix_text(&world.caller("aud"), world.project).is_ok());
    for name in ["ana", "bo", "eve"] {
        let error = world.gate.matrix_text(&world.caller(name), world.project).unwrap_err();
        assert_eq!(error.code(), Code::NotFound, "{name}");
        let error = world.gate.replay(&world.caller(name), &NOTHING, 0).unwrap_err();
        assert_eq!(error.code(), Code::Denied, "{name}");
    }
}

#[test]
fn the_table_of_a_project_shows_which_marks_moved() {
    let world = World::new();
    let (root, project) = (world.caller("root"), world.project);
    let deploy = CreatePermission {
        project,
        module: None,
        environment: None,
        action: "deploy".parse().unwrap(),
    };
    world.gate.manage(&root, &deploy).unwrap();
    let before = world.gate.matrix_text(&root, project).unwrap();
    expect![[r"
        shop                 approve  deploy  execute  manage  read  request
          ana@example.org    ✘        ✘       ✘        ✘       ✔     ✔
          bo@example.org     ✔        ✘       ✔        ✘       ✔     ✔
          cy@example.org     ✔        ✘       ✔        ✘       ✔     ✔
          dora@example.org   ✔        ✘       ✔        ✘       ✔     ✔
          robot@example.org  ✘        ✘       ✔        ✘       ✔     ✔
        shop/logistica/dev   approve  deploy  execute  manage  read  request
          ana@example.org    ✘        ✘       ✘        ✘       ✔     ✘
          bo@example.org     ✘        ✘       ✘        ✘       ✔     ✘
          cy@example.org     ✘        ✘       ✘        ✘       ✔     ✘
          dora@example.org   ✔        ✘       ✔        ✘       ✔     ✔
          robot@example.org  ✘        ✘       ✘        ✘       ✔     ✘
        shop/logistica/prod  approve  deploy  execute  manage  read  request
          ana@example.org    ✘        ✘       ✘        ✘       ✔     ✘
          bo@example.org     ✘        ✘       ✘        ✘       ✔     ✘
          cy@example.org     ✘        ✘       ✘        ✘       ✔     ✘
          dora@example.org   ✔        ✘       ✔        ✘       ✔     ✔
          robot@example.org  ✘        ✘       ✘        ✘       ✔     ✘
        shop/pagos/dev       approve  deploy  execute  manage  read  request
          ana@example.org    ✘        ✘       ✔        ✘       ✔     ✔
          bo@example.org     ✔        ✘       ✔        ✘       ✔     ✔
          cy@example.org     ✔        ✘       ✔        ✘       ✔     ✔
          dora@example.org   ✘        ✘       ✘        ✘       ✔     ✘
          robot@example.org  ✘        ✘       ✔        ✘       ✔     ✔
        shop/pagos/prod      approve  deploy  execute  manage  read  request
          ana@example.org    ✘        ✘       ✘        ✘       ✔     ✔
          bo@example.org     ✔        ✘       ✔        ✘       ✔     ✔
          cy@example.org     ✔        ✘       ✔        ✘       ✔     ✔
          dora@example.org   ✘        ✘       ✘        ✘       ✔     ✘
          robot@example.org  ✘        ✘       ✔        ✘       ✔     ✔
    "]]
    .assert_eq(&before);

    // A policy moves its marks and no other; one that fails is seen.
    let moved = |house| -> Vec<(String, String)> {
        let after = under(&world, house).matrix_text(&root, project).unwrap();
        assert_eq!(before.lines().count(), after.lines().count());
        let pairs = before.lines().zip(after.lines()).filter(|(old, new)| old != new);
        pairs.map(|(old, new)| (old.to_owned(), new.to_owned())).collect()
    };
    assert!(moved(NOTHING).is_empty());
    let lines = moved(NO_APPROVALS);
    assert_eq!(lines.len(), 3 + 1 + 1 + 2 + 2);
    assert!(lines.iter().all(|(old, new)| old.replacen('✔', "✘", 1) == *new));
    let house = House {
        name: "panics",
        forbids: |asked, _| {
            assert!(asked.action != Action::APPROVE, "this policy is broken");
            false
        },
    };
    assert!(moved(house).iter().all(|(old, new)| old.replacen('✔', "?", 1) == *new));
}

/// All pages of a replay, from the start.
pub(crate) fn replayed(
    gate: &Gate,
    world: &World,
    policies: &dyn Authorizer,
) -> (Vec<ReplayDifference>, u64) {
    let (mut differences, mut asked, mut from) = (Vec::new(), 0, Some(0));
    while let Some(entry) = from {
        let page: Replay = gate.replay(&world.caller("root"), policies, entry).unwrap();
        assert!(page.next.is_none_or(|next| next > entry));
        differences.extend(page.differences);
        (from, asked) = (page.next, asked + page.asked);
    }
    (differences, asked)
}

pub(crate) fn told(world: &World, differences: &[ReplayDifference]) -> String {
    let line = |one: &ReplayDifference| {
        let Question { user, action, .. } = &one.question;
        let was = if one.recorded.allowed { "yes" } else { "no" };
        format!("{user} {action}: {was}, now {}; {:?}", one.answer, one.cause)
    };
    let lines: Vec<String> = differences.iter().map(line).collect();
    world.named(&lines.join("\n"))
}

/// A request that was run, a denial, and a run that Bo's lost approval kept from starting.
fn played() -> World {
    let world = World::new();
    let mut id = None;
    for step in ["draft ana prod", "submit ana", "approve bo", "approve cy", "execute cy"] {
        world.step(&mut id, step).unwrap();
    }
    let mut id = None;
    for step in ["draft ana", "submit ana"] {
        world.step(&mut id, step).unwrap();
    }
    assert_eq!(world.step(&mut id, "approve ana").unwrap_err().code(), Code::Denied);
    world
}

fn decisions(world: &World) -> u64 {
    let leaves = world.gate.audit(&world.caller("root"), 0).unwrap();
    leaves.iter().map(|(_, leaf)| u64::try_from(leaf.decisions.len()).unwrap()).sum()
}

#[test]
fn the_same_policies_over_the_same_rows_would_decide_all_the_same() {
    let world = played();
    let recorded = decisions(&world);
    let (differences, asked) = replayed(&world.gate, &world, &ScriptedAuthorizer::agreeing());
    assert_eq!(told(&world, &differences), "");
    assert_eq!(asked, recorded, "every decision of the log is asked again");
    assert_eq!(decisions(&world), recorded, "and asking leaves no trace");

    // In pages of one entry, the same.
    let mut parts = world.bench.parts.clone();
    parts.limits.page_rows_max = 1;
    let small = Gate::new(parts);
    assert_eq!(small.replay(&world.caller("root"), &NOTHING, 0).unwrap().next, Some(1));
    let (differences, asked) = replayed(&small, &world, &NO_APPROVALS);
    assert_eq!((differences.len(), asked), (4, recorded));
}

#[test]
fn other_policies_show_what_they_would_have_changed() {
    let world = played();
    // Approved twice, and counted again before the run. Ana's own try stays a no.
    let (differences, _) = replayed(&world.gate, &world, &NO_APPROVALS);
    expect![[r"
        bo approve: yes, now denied: the policy `no-approvals` (house:1) forbids it; Policies
        cy approve: yes, now denied: the policy `no-approvals` (house:1) forbids it; Policies
        bo approve: yes, now denied: the policy `no-approvals` (house:1) forbids it; Policies
        cy approve: yes, now denied: the policy `no-approvals` (house:1) forbids it; Policies"]]
    .assert_eq(&told(&world, &differences));
    assert!(differences.iter().all(|one| one.present.is_allowed()));
    // Policies that permit nothing are seen as that, and raise no alarm of this gate.
    let silent = ScriptedAuthorizer::agreeing();
    silent.answer_with(Ok(Verdict::default()));
    let (differences, _) = replayed(&world.gate, &world, &silent);
    let yes = |one: &ReplayDifference| one.recorded.allowed && one.cause == ReplayCause::Policies;
    assert!(differences.len() > 20 && differences.iter().all(yes));
    assert_eq!(world.gate.disagreements(), 0);
    // Policies are asked at the instant of the decision, and told who wrote the request.
    let house = House {
        name: "asks",
        forbids: |asked, facts| {
            let year = asked.at.to_string();
            asked.action == Action::APPROVE && (facts.authors.len() != 1 || !year.starts_with("20"))
        },
    };
    assert_eq!(told(&world, &replayed(&world.gate, &world, &house).0), "");
}

#[test]
fn rows_that_changed_since_are_told_from_policies() {
    let world = played();
    let (root, project) = (world.caller("root"), world.project);
    // A grant that ends after the decision changes nothing about it.
    world.bench.clock.advance_ms(60_000);
    let grants = world.gate.organisation(&root, project).unwrap().grants;
    for row in grants.iter().filter(|row| row.user_id == world.people["bo"]) {
        let command = EndGrant { project, grant: row.id, at: Some(world.now()) };
        world.gate.manage(&root, &command).unwrap();
    }
    assert_eq!(told(&world, &replayed(&world.gate, &world, &NOTHING).0), "");

    let stop = SetUserActive { user: world.people["cy"], active: false };
    world.gate.administer(&root, &stop).unwrap();
    let (differences, _) = replayed(&world.gate, &world, &NOTHING);
    expect![[r"
        cy approve: yes, now denied: the user is not active; Rows
        cy execute: yes, now denied: the user is not active; Rows
        cy approve: yes, now denied: the user is not active; Rows"]]
    .assert_eq(&told(&world, &differences));
    // Both at once: each decision has its own cause.
    let (differences, _) = replayed(&world.gate, &world, &NO_APPROVALS);
    let of = |name: &str| -> Vec<ReplayCause> {
        let mine = differences.iter().filter(|one| one.question.user == world.people[name]);
        mine.map(|one| one.cause).collect()
    };
    assert_eq!(of("bo"), [ReplayCause::Policies; 2]);
    assert_eq!(of("cy"), [ReplayCause::Rows; 3]);

    // Where the policies are not those that decided, it is not said which of the two it was.
    let (differences, _) = replayed(&under(&world, NO_APPROVALS), &world, &NO_APPROVALS);
    assert!(differences.iter().all(|one| one.cause == ReplayCause::Since), "{differences:?}");
    // A row that went away takes a yes with it, too.
    let command = UnassignModule { project, team: world.checkout, module: world.pagos };
    world.gate.manage(&root, &command).unwrap();
    let (differences, _) = replayed(&world.gate, &world, &NOTHING);
    assert!(told(&world, &differences).contains("ana request: yes, now denied: not a member of"));
}

#[test]
fn whoever_turned_down_their_own_request_was_no_approver() {
    let world = World::new();
    let mut id = None;
    for step in ["draft bo", "submit bo", "return bo not yet", "submit bo", "reject bo no more"] {
        world.step(&mut id, step).unwrap();
    }
    let house = House {
        name: "no-authors",
        forbids: |asked, facts| {
            asked.action == Action::APPROVE && facts.authors.contains(&asked.user)
        },
    };
    assert_eq!(told(&world, &replayed(&world.gate, &world, &house).0), "");
    // Their approval is another matter: the scripted policies let it pass, and the request did not.
    let mut id = None;
    for step in ["draft bo", "submit bo"] {
        world.step(&mut id, step).unwrap();
    }
    assert_eq!(world.step(&mut id, "approve bo").unwrap_err().code(), Code::Refused);
    expect![[
        r"bo approve: yes, now denied: the policy `no-authors` (house:1) forbids it; Policies"
    ]]
    .assert_eq(&told(&world, &replayed(&world.gate, &world, &house).0));
}

/// Bo approved what Ana wrote; that he wrote the next revision himself makes the approval no self-approval.
#[test]
fn a_replay_goes_by_who_had_written_it_then() {
    let world = World::new();
    let mut id = None;
    for step in ["draft ana", "submit ana", "approve bo", "edit bo", "submit bo", "approve cy"] {
        world.step(&mut id, step).unwrap();
    }
    let house = House {
        name: "no-authors",
        forbids: |asked, facts| {
            asked.action == Action::APPROVE && facts.authors.contains(&asked.user)
        },
    };
    assert_eq!(told(&world, &replayed(&world.gate, &world, &house).0), "");
    // They are told somebody: those who had written it by then.
    let house = House {
        name: "by-two",
        forbids: |asked, facts| asked.action == Action::APPROVE && facts.authors.len() == 2,
    };
    expect![[r"cy approve: yes, now denied: the policy `by-two` (house:1) forbids it; Policies"]]
        .assert_eq(&told(&world, &replayed(&world.gate, &world, &house).0));
}
