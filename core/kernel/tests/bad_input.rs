//! What nobody can mean is refused by each verb with a code, a sentence and a next step, and nothing is written.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;

use placet_core::audit::Leaf;
use placet_core::digest::Digest;
use placet_core::error::{Code, Error};
use placet_core::gate::{CheckReport, Finding, Gate, NewArtifact, Promotion};
use placet_core::id::{EnvironmentId, ModuleId, RequestId, RoleId, RuleId, TeamId, UserId};
use placet_core::identity::Caller;
use placet_core::org::command::{
    CommandKind, CreateEnvironment, CreateRole, CreateTeam, OrgCommand, PutBlockingRule,
    PutQuorumRule, RemoveModule, RemoveRule, RetireWorkflow, SetAutoApproveAi, SetExecution,
    SetGovernance, SetPlatformGovernance, SetPromotion, SetQuorum, SetRunnerSettings, SetWorkflow,
};
use placet_core::org::{
    Block, Conditions, Criticality, Email, ExecutionMode, FindingIs, Name, Slug,
};
use placet_core::request::{
    ArtifactName, ArtifactType, CheckStatus, Quorum, RevisionRef, ThreadPlace,
};
use placet_core::store::{Key, MemoryStore, Store as _};
use placet_core::testing::{Bench, Office};
use placet_core::workflow::{ActionCode, Definition, Form, StateCode, StateDef};
use serde_json::{Value, json};

/// An office in which everything there is to refuse stands ready.
struct Ground {
    store: Arc<MemoryStore>,
    gate: Gate,
    office: Office,
    ci: Caller,
    prod: EnvironmentId,
    /// Waits for Bo's yes, with one open thread.
    pending: RequestId,
    /// Is a draft.
    draft: RequestId,
    /// A user story that is a draft.
    story: RequestId,
}

/// What went wrong, over all of a table: one run shows all of it.
#[derive(Default)]
struct Wrong(Vec<String>);

impl Drop for Wrong {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(self.0.is_empty(), "\n{}\n", self.0.join("\n"));
        }
    }
}

impl Ground {
    fn new() -> Self {
        let store = Arc::new(MemoryStore::default());
        let gate = Gate::new(Bench::on(Arc::<MemoryStore>::clone(&store)).unwrap().parts);
        let office = Office::found(&gate).unwrap();
        office.let_all_manage(&gate).unwrap();
        let ci = office.with_check(&gate).unwrap();
        let prod = CreateEnvironment {
            project: office.project,
            code: "prod".parse().unwrap(),
            name: "Production".parse().unwrap(),
            priority: 2,
            criticality: Criticality::Critical,
        };
        let prod = gate.manage(&office.root, &prod).unwrap();
        let pending = office.pending(&gate).unwrap().header.id;
        gate.open_thread(&office.ana, pending, ThreadPlace::Request, "who pays?").unwrap();
        let new = office.request(office.change("1").unwrap());
        let draft = gate.draft(&office.ana, &new).unwrap().header.id;
        let story = office.artifact(&gate, 7).unwrap().header.id;
        Self { store, gate, office, ci, prod, pending, draft, story }
    }

    /// The same, where removing a module is proposed and not done.
    fn governed() -> Self {
        let ground = Self::new();
        let Office { project, module, environment, root, .. } = ground.office;
        let commands = BTreeSet::from([CommandKind::RemoveModule]);
        let govern = SetGovernance { project, module, environment, commands };
        ground.gate.manage(&root, &govern).unwrap();
        ground
    }

    /// All records, and all events of the log. Of somebody who is refused the log has a note.
    fn content(&self) -> (Vec<(Key, Vec<u8>)>, Vec<String>) {
        let rows = self.store.scan(&Key::from_bytes(Vec::new()), None, usize::MAX).unwrap();
        let note = Key::from_segments(&["denial"]);
        let rows = rows.into_iter().filter(|(key, _)| !key.starts_with(&note));
        let log = self.store.log_read(0, usize::MAX).unwrap();
        let events = log.iter().map(|entry| Leaf::from_bytes(entry).unwrap().event);
        (
            rows.map(|(key, stored)| (key, stored.value)).collect(),
            events.filter(|event| event != "refused").collect(),
        )
    }

    /// `act` is refused with `code`, clearly, and nothing is written.
    fn refuses<T: Debug>(
        &self,
        wrong: &mut Wrong,
        what: &str,
        code: Code,
        act: impl FnOnce(&Gate) -> Result<T, Error>,
    ) {
        let before = self.content();
        match act(&self.gate) {
            Ok(told) => wrong.0.push(format!("{what}: allowed: {told:?}")),
            Err(error) => wrong.0.extend(unclear(what, code, &error)),
        }
        if self.content() != before {
            wrong.0.push(format!("{what}: something was written"));
        }
    }

    fn manages<C>(&self, wrong: &mut Wrong, what: &str, code: Code, command: &C)
    where
        C: placet_core::org::command::ProjectCommand,
        C::Output: Debug,
    {
        let root = self.office.root;
        self.refuses(wrong, what, code, |gate| gate.manage(&root, command));
    }
}

/// What of an error is not as it should be.
fn unclear(what: &str, code: Code, error: &Error) -> Vec<String> {
    let (sentence, help) = (error.to_string(), error.help().unwrap_or_default());
    let mut wrong = Vec::new();
    if error.code() != code {
        wrong.push(format!("{what}: {} and not {code}: {sentence}", error.code()));
    }
    if sentence.trim().is_empty() || sentence.len() > 1_000 {
        wrong.push(format!("{what}: a sentence of {} bytes", sentence.len()));
    }
    if help.trim().is_empty() {
        wrong.push(format!("{what}: no next step: {sentence}"));
    }
    let hides = |letter: char| letter.is_control() || "\u{202e}\u{2066}".contains(letter);
    if sentence.chars().chain(help.chars()).any(hides) {
        wrong.push(format!("{what}: what is refused is shown as it is: {sentence:?}"));
    }
    wrong
}

/// Texts that no verb takes: too long, or such that who reads them does not see what is there.
fn bad_texts() -> Vec<(&'static str, String, Code)> {
    vec![
        ("10 MB", "x".repeat(10 << 20), Code::TooLarge),
        ("10 MB of emoji", "🎉".repeat((10 << 20) / 4), Code::TooLarge),
        ("a zero", "a\0b".to_owned(), Code::InvalidInput),
        ("an escape", "\u{1b}[2Jall is well".to_owned(), Code::InvalidInput),
        ("a backspace", "yes\u{8}\u{8}\u{8}no".to_owned(), Code::InvalidInput),
        ("an override of direction", "pay \u{202e}001$".to_owned(), Code::InvalidInput),
        ("an isolate", "a\u{2066}b\u{2069}".to_owned(), Code::InvalidInput),
    ]
}

/// Texts that are what they look like.
const GOOD_TEXTS: [&str; 6] = [
    "👩‍👩‍👧 looks fine 🎉",
    "مرحبا، هذا جيد",
    "שלום and 12 % more",
    "nai\u{308}ve",
    "漢字",
    "<b>bold</b> & 'quoted' {}",
];

/// A verb with a text in it.
type Says = fn(&Ground, &str) -> Result<(), Error>;

/// Those that need one that says something.
const NEEDS_A_TEXT: &[(&str, Says)] = &[
    ("comment", |g, text| g.gate.comment(&g.office.ana, g.pending, text).map(drop)),
    ("reject", |g, text| g.gate.reject(&g.office.bo, g.pending, text).map(drop)),
    ("request_changes", |g, text| g.gate.request_changes(&g.office.bo, g.pending, text).map(drop)),
    ("open_thread", |g, text| {
        g.gate.open_thread(&g.office.ana, g.pending, ThreadPlace::Request, text).map(drop)
    }),
    ("reply", |g, text| g.gate.reply(&g.office.bo, g.pending, 0, text).map(drop)),
    ("reconcile", |g, text| {
        g.gate.reconcile(&g.office.bo, g.pending, Finding::Done, text).map(drop)
    }),
    ("draft", |g, text| {
        let mut new = g.office.request(g.office.change("2")?);
        text.clone_into(&mut new.title);
        g.gate.draft(&g.office.ana, &new).map(drop)
    }),
    ("draft_in", |g, text| {
        let mut new = g.office.request(g.office.change("2")?);
        text.clone_into(&mut new.title);
        g.gate.draft_in(&g.office.ana, &new, &"change".parse()?).map(drop)
    }),
    ("draft_and_submit", |g, text| {
        let mut new = g.office.request(g.office.change("2")?);
        text.clone_into(&mut new.title);
        g.gate.draft_and_submit(&g.office.ana, &new).map(drop)
    }),
    ("edit", |g, text| g.gate.edit(&g.office.ana, g.draft, text, &g.office.change("3")?).map(drop)),
    ("draft_artifact", |g, text| {
        let new = NewArtifact { title: text.to_owned(), ..g.office.new_artifact(8)? };
        g.gate.draft_artifact(&g.office.ana, &new).map(drop)
    }),
    ("propose", |g, text| {
        let Office { project, module, .. } = g.office;
        let command = OrgCommand::from(RemoveModule { project, module });
        g.gate.propose(&g.office.ana, &command, text).map(drop)
    }),
];

/// Those that take one.
const TAKES_A_TEXT: &[(&str, Says)] = &[
    ("approve", |g, text| {
        let digest = g.gate.view(&g.office.bo, g.pending).unwrap().digest.unwrap();
        g.gate.approve(&g.office.bo, g.pending, digest, Some(text)).map(drop)
    }),
    ("cancel", |g, text| g.gate.cancel(&g.office.ana, g.pending, Some(text)).map(drop)),
    ("withdraw", |g, text| g.gate.withdraw(&g.office.ana, g.pending, Some(text)).map(drop)),
    ("delete", |g, text| g.gate.delete(&g.office.ana, g.story, Some(text)).map(drop)),
    ("reopen", |g, text| g.gate.reopen(&g.office.ana, g.story, Some(text)).map(drop)),
    ("revert", |g, text| g.gate.revert(&g.office.bo, g.story, Some(text)).map(drop)),
    ("restore", |g, text| g.gate.restore(&g.office.bo, g.story, Some(text)).map(drop)),
    ("advance", |g, text| {
        g.gate.advance(&g.office.bo, g.pending, &"PASS".parse()?, Some(text)).map(drop)
    }),
    ("report_check", |g, text| {
        let digest = g.gate.view(&g.office.ana, g.pending).unwrap().digest.unwrap();
        let (name, status, details) = ("tests".parse()?, CheckStatus::Passed, text.to_owned());
        let report = CheckReport { digest, name, status, details };
        g.gate.report_check(&g.ci, g.pending, &report).map(drop)
    }),
];

#[test]
fn a_text_that_is_too_long_or_hides_something_is_refused_by_each_verb() {
    let (ground, mut wrong) = (Ground::governed(), Wrong::default());
    for (verb, says) in NEEDS_A_TEXT.iter().chain(TAKES_A_TEXT) {
        for (kind, text, code) in bad_texts() {
            let what = format!("{verb} with {kind}");
            ground.refuses(&mut wrong, &what, code, |_| says(&ground, &text));
        }
    }
    for (verb, says) in NEEDS_A_TEXT {
        for text in ["", "   ", "\n\t "] {
            let what = format!("{verb} with {text:?}");
            ground.refuses(&mut wrong, &what, Code::InvalidInput, |_| says(&ground, text));
        }
    }
}

#[test]
fn a_text_is_kept_as_it_was_written_in_whatever_language() {
    let ground = Ground::new();
    let (gate, ana) = (&ground.gate, ground.office.ana);
    for text in GOOD_TEXTS {
        gate.comment(&ana, ground.pending, text).unwrap();
        let last = gate.history(&ana, ground.pending).unwrap().pop().unwrap();
        assert_eq!(last.comment.as_deref(), Some(text));
        gate.open_thread(&ana, ground.pending, ThreadPlace::Request, text).unwrap();
        gate.edit(&ana, ground.draft, text, &ground.office.change("3").unwrap()).unwrap();
        assert_eq!(gate.view(&ana, ground.draft).unwrap().header.title, text);
    }
    // Lines are for comments, and not for titles.
    gate.comment(&ana, ground.pending, "one\n\ttwo\r\n").unwrap();
    let change = ground.office.change("3").unwrap();
    let error = gate.edit(&ana, ground.draft, "one\ntwo", &change).unwrap_err();
    assert_eq!(error.code(), Code::InvalidInput);
}

fn parse<T: std::str::FromStr<Err = Error>>(text: &str) -> Option<Error> {
    text.parse::<T>().err()
}

#[test]
fn names_and_codes_are_parsed_once_and_clearly() {
    type Parse = (&'static str, fn(&str) -> Option<Error>, &'static [&'static str]);
    let mut wrong = Wrong::default();
    let kinds: [Parse; 6] = [
        ("Slug", parse::<Slug>, &["Prod", "-a", "a b", "ñ", "🎉", "a/b", "a\0"]),
        ("Name", parse::<Name>, &[" a", "a ", "two\nlines", "a\u{202e}b", "\u{1b}[2J", " "]),
        ("Email", parse::<Email>, &["ana", "a b@example.org", "@", "ana@\u{202e}example.org"]),
        ("StateCode", parse::<StateCode>, &["draft", "1A", "_A", "A_", "A B", "Ä", "🎉"]),
        ("ActionCode", parse::<ActionCode>, &["approve", "A-B", "A\0", "\u{202e}A"]),
        ("ArtifactType", parse::<ArtifactType>, &["story", "USER STORY", "1", "É"]),
    ];
    for (kind, parse, texts) in kinds {
        let long = "A".repeat(10 << 20);
        for text in texts.iter().copied().chain(["", long.as_str()]) {
            let shown: String = text.chars().take(20).collect();
            let what = format!("{kind} {shown:?}");
            match parse(text) {
                None => wrong.0.push(format!("{what} is one")),
                Some(error) => wrong.0.extend(unclear(&what, Code::InvalidInput, &error)),
            }
        }
    }
    for number in [-1, 1 << 53, i64::MAX, i64::MIN] {
        let project = Ground::new().office.project;
        let error = ArtifactName::new(project, "STORY".parse().unwrap(), number).unwrap_err();
        wrong.0.extend(unclear("the number of an artifact", Code::InvalidInput, &error));
    }
}

/// A quorum as a host would send it, with nothing checked before the gate does.
fn quorum(need: &Value) -> Quorum {
    staged(std::slice::from_ref(need))
}

fn staged(needs: &[Value]) -> Quorum {
    let stages: Vec<Value> =
        needs.iter().map(|need| json!({ "name": "one", "need": need })).collect();
    let exclude = json!({ "executor": false, "same_team": false });
    let json = json!({ "stages": stages, "order": "sequence", "exclude": exclude });
    serde_json::from_value(json).unwrap()
}

fn n_of(n: u8, of: &[Value]) -> Value {
    json!({ "n_of": { "n": n, "of": of } })
}

#[test]
fn a_quorum_that_nobody_could_meet_or_that_names_nobody_is_not_stored() {
    let (ground, mut wrong) = (Ground::new(), Wrong::default());
    let person = |user: UserId| json!({ "person": user });
    let (ana, bo) = (person(ground.office.ana.user()), person(ground.office.bo.user()));
    let (anyone, ci) = (json!("anyone"), person(ground.ci.user()));
    let one = n_of(1, std::slice::from_ref(&anyone));
    let mut deep = one.clone();
    for _ in 0..6 {
        deep = json!({ "all_of": [deep] });
    }
    let bad = Code::InvalidInput;
    let cases: Vec<(&str, Quorum, Code)> = vec![
        ("nobody", quorum(&n_of(0, std::slice::from_ref(&anyone))), bad),
        ("17 people", quorum(&n_of(17, std::slice::from_ref(&anyone))), bad),
        ("an empty list of groups", quorum(&n_of(1, &[])), bad),
        ("an empty list of all", quorum(&json!({ "all_of": [] })), bad),
        ("an empty list of some", quorum(&json!({ "any_of": [] })), bad),
        ("three of two", quorum(&json!({ "some_of": { "k": 3, "of": [one, one] } })), bad),
        ("none of two", quorum(&json!({ "some_of": { "k": 0, "of": [one, one] } })), bad),
        ("three of two named people", quorum(&n_of(3, &[ana, bo.clone()])), bad),
        ("two of one who is named twice", quorum(&n_of(2, &[bo.clone(), bo])), bad),
        ("no stage", staged(&[]), bad),
        ("nine stages", staged(&vec![one; 9]), bad),
        ("17 people over stages", staged(&vec![n_of(3, &[anyone]); 6]), bad),
        ("six levels", quorum(&deep), bad),
        ("an agent", quorum(&n_of(1, &[ci])), bad),
        ("an unknown role", role(RoleId::from_u128(77)), Code::NotFound),
        ("an unknown team", team(TeamId::from_u128(77)), Code::NotFound),
        (
            "an unknown person",
            quorum(&n_of(1, &[person(UserId::from_u128(7 << 64))])),
            Code::NotFound,
        ),
    ];
    let Office { project, environment, .. } = ground.office;
    for (what, quorum, code) in cases {
        let command = SetQuorum { project, environment, quorum: quorum.clone() };
        ground.manages(&mut wrong, &format!("SetQuorum: {what}"), code, &command);
        let (rule, position, name) = (None, 1, "a rule".parse().unwrap());
        let command =
            PutQuorumRule { project, rule, position, name, when: Conditions::default(), quorum };
        ground.manages(&mut wrong, &format!("PutQuorumRule: {what}"), code, &command);
    }
}

fn role(id: RoleId) -> Quorum {
    quorum(&n_of(1, &[json!({ "project_role": id })]))
}

fn team(id: TeamId) -> Quorum {
    quorum(&n_of(1, &[json!({ "team": id })]))
}

#[test]
fn rules_about_what_there_is_not_are_not_stored() {
    let (ground, mut wrong) = (Ground::new(), Wrong::default());
    let Office { project, environment, .. } = ground.office;
    let nowhere = EnvironmentId::from_u128(77);
    let named = |name: &str| -> Name { name.parse().unwrap() };
    let when = |json: Value| {
        let mut whole = serde_json::to_value(Conditions::default()).unwrap();
        whole.as_object_mut().unwrap().extend(json.as_object().unwrap().clone());
        serde_json::from_value::<Conditions>(whole).unwrap()
    };
    let rule = |position, name: &str, when: Conditions| PutQuorumRule {
        project,
        rule: None,
        position,
        name: named(name),
        when,
        quorum: Quorum::default(),
    };
    let (missing, there) = (Code::NotFound, Code::AlreadyExists);
    for (what, conditions) in [
        ("an unknown module", when(json!({ "modules": [ModuleId::from_u128(7)] }))),
        ("an unknown environment", when(json!({ "environments": [nowhere] }))),
    ] {
        ground.manages(&mut wrong, what, missing, &rule(1, "one", conditions.clone()));
        let (rule, name, block) = (None, named("one"), Block::OpenThreads);
        let block = PutBlockingRule { project, rule, name, when: conditions, block };
        ground.manages(&mut wrong, what, missing, &block);
    }
    ground.gate.manage(&ground.office.root, &rule(1, "one", Conditions::default())).unwrap();
    let again = rule(1, "two", Conditions::default());
    ground.manages(&mut wrong, "the same position", there, &again);
    let gone = PutQuorumRule { rule: Some(RuleId::from_u128(7)), ..again };
    ground.manages(&mut wrong, "a rule that is not there", missing, &gone);
    ground.manages(
        &mut wrong,
        "no rule",
        missing,
        &RemoveRule { project, rule: RuleId::from_u128(7) },
    );
    let block = Block::Finding(FindingIs::Code("\u{202e}\n".to_owned()));
    let (rule, name, when) = (None, named("a finding"), Conditions::default());
    let block = PutBlockingRule { project, rule, name, when, block };
    ground.manages(&mut wrong, "the code of a finding", Code::InvalidInput, &block);
    let name = named("bo");
    ground.manages(&mut wrong, "a role of that name", there, &CreateRole { project, name });
    let name = named("Checkout");
    ground.manages(&mut wrong, "a team of that name", there, &CreateTeam { project, name });
    for (what, code, environment, from) in [
        ("to nowhere", missing, nowhere, environment),
        ("from nowhere", missing, ground.prod, nowhere),
        ("backwards", Code::InvalidInput, environment, ground.prod),
        ("to itself", Code::InvalidInput, ground.prod, ground.prod),
    ] {
        let rule = SetPromotion { project, environment, from, soak_ms: 0, only_promoted: true };
        ground.manages(&mut wrong, &format!("a promotion {what}"), code, &rule);
    }
    let execution = |environment, attempts_max| {
        let mode = ExecutionMode::Automatic;
        SetExecution { project, environment, runner: None, mode, attempts_max }
    };
    ground.manages(&mut wrong, "runs nowhere", missing, &execution(nowhere, None));
    let none = execution(environment, Some(0));
    ground.manages(&mut wrong, "no attempt", Code::InvalidInput, &none);
    let by_rule = |environment| SetAutoApproveAi { project, environment, is_on: true };
    ground.manages(&mut wrong, "a rule in prod", Code::Refused, &by_rule(ground.prod));
    ground.manages(&mut wrong, "a rule nowhere", missing, &by_rule(nowhere));
}

#[test]
fn settings_that_two_readers_could_read_differently_are_not_stored() {
    let (ground, mut wrong) = (Ground::new(), Wrong::default());
    let Office { project, environment, .. } = ground.office;
    let (missing, nowhere) = (Code::NotFound, EnvironmentId::from_u128(77));
    let settings = |environment, runner: &str, settings: &str| {
        let (runner, settings) = (runner.parse().unwrap(), settings.to_owned());
        SetRunnerSettings { project, environment, runner, settings }
    };
    let (long, deep) = (format!("{{\"a\":\"{}\"}}", "x".repeat(16 << 10)), "[".repeat(10_000));
    for (what, code, set) in [
        ("nowhere", missing, settings(nowhere, "sql", "{}")),
        ("of the gate", Code::Refused, settings(environment, "placet", "{}")),
        ("too long", Code::TooLarge, settings(environment, "sql", &long)),
        ("too deep", Code::InvalidInput, settings(environment, "sql", &deep)),
        ("no JSON", Code::InvalidInput, settings(environment, "sql", "{")),
        ("no object", Code::InvalidInput, settings(environment, "sql", "[]")),
        ("two texts", Code::InvalidInput, settings(environment, "sql", "{} {}")),
        ("twice", Code::InvalidInput, settings(environment, "sql", r#"{"a":1,"a":2}"#)),
        (
            "twice inside",
            Code::InvalidInput,
            settings(environment, "sql", r#"{"b":[{"a":1,"a":2}]}"#),
        ),
        (
            "twice, written otherwise",
            Code::InvalidInput,
            settings(environment, "sql", r#"{"a":1,"\u0061":2}"#),
        ),
        (
            "a number that is rounded",
            Code::InvalidInput,
            settings(environment, "sql", r#"{"a":9007199254740993}"#),
        ),
        (
            "letters that turn",
            Code::InvalidInput,
            settings(environment, "sql", "{\"a\":\"\u{202e}\"}"),
        ),
        (
            "unknown to the runner",
            Code::InvalidInput,
            settings(environment, "sql", r#"{"refuse":1}"#),
        ),
    ] {
        ground.manages(&mut wrong, &format!("settings {what}"), code, &set);
    }
}

#[test]
fn a_governance_that_is_none_is_not_stored() {
    let (ground, mut wrong) = (Ground::new(), Wrong::default());
    let Office { project, module, environment, root, .. } = ground.office;
    let commands = |kind| BTreeSet::from([kind]);
    let team = commands(CommandKind::CreateTeam);
    let govern = SetGovernance { project, module, environment, commands: team };
    let nowhere = SetGovernance { module: ModuleId::from_u128(7), ..govern.clone() };
    ground.manages(&mut wrong, "reviewed in no module", Code::NotFound, &nowhere);
    let nowhere = SetGovernance { environment: EnvironmentId::from_u128(7), ..govern.clone() };
    ground.manages(&mut wrong, "reviewed in no environment", Code::NotFound, &nowhere);
    let other = commands(CommandKind::GrantGlobalRole);
    let other = SetGovernance { commands: other, ..govern };
    ground.manages(&mut wrong, "a command of the platform", Code::InvalidInput, &other);
    for (what, kind, code) in [
        ("ungoverned approvers", CommandKind::GrantGlobalRole, Code::Refused),
        ("a command of a project", CommandKind::CreateTeam, Code::InvalidInput),
    ] {
        let commands = commands(kind);
        let command = SetPlatformGovernance { project, module, environment, commands };
        ground.refuses(&mut wrong, what, code, |gate| gate.administer(&root, &command));
    }
    ground.refuses(&mut wrong, "nothing to lift", Code::NotFound, |gate| {
        gate.lift_governance(Some(project))
    });
    let proposed = CreateTeam { project, name: "Storage".parse().unwrap() };
    ground.refuses(&mut wrong, "what needs no approval", Code::Refused, |gate| {
        gate.propose(&ground.office.ana, &OrgCommand::from(proposed.clone()), "a team")
    });
}

fn own(change: impl FnOnce(&mut Definition)) -> Definition {
    let mut own = Definition { name: "own".parse().unwrap(), version: 0, ..Definition::change() };
    change(&mut own);
    own
}

#[test]
fn a_workflow_that_says_what_cannot_be_is_not_stored() {
    let (ground, mut wrong) = (Ground::new(), Wrong::default());
    let project = ground.office.project;
    let code = |text: &str| -> StateCode { text.parse().unwrap() };
    let form = |text: &str| Form::parse(text).unwrap();
    let (unsound, bad) = (Code::UnsoundWorkflow, Code::InvalidInput);
    let cases: Vec<(&str, Definition, Code)> = vec![
        ("no states", own(|it| it.states.clear()), unsound),
        ("no transitions", own(|it| it.transitions.clear()), unsound),
        ("an unknown first state", own(|it| it.initial = code("NOWHERE")), unsound),
        ("a way to nowhere", own(|it| it.transitions[0].to = code("NOWHERE")), unsound),
        ("a way from nowhere", own(|it| it.transitions[0].from = code("NOWHERE")), unsound),
        ("an edit to nowhere", own(|it| it.states[0].edit_to = Some(code("NOWHERE"))), unsound),
        ("the same state twice", own(|it| it.states.push(it.states[0].clone())), unsound),
        ("the same way twice", own(|it| it.transitions.push(it.transitions[0].clone())), unsound),
        ("a state without a phase", own(|it| it.states[0].phases.clear()), unsound),
        (
            "a role that is not there",
            own(|it| it.transitions[0].roles = BTreeSet::from(["Judge".parse().unwrap()])),
            unsound,
        ),
        ("a built-in name", Definition::change(), Code::AlreadyExists),
        ("the other built-in name", Definition::artifact(), Code::AlreadyExists),
        ("a version to come", own(|it| it.version = 7), Code::WrongState),
        ("a form that is no schema", own(|it| it.form = Some(form(r#"{"required":7}"#))), bad),
        ("65 states", own(|it| it.states.extend((0..60).map(another))), Code::TooLarge),
    ];
    for (what, definition, code) in cases {
        ground.manages(&mut wrong, what, code, &SetWorkflow { project, definition });
    }
    for (name, code) in
        [("nowhere", Code::NotFound), ("change", Code::Refused), ("artifact", Code::Refused)]
    {
        let command = RetireWorkflow { project, name: name.parse().unwrap() };
        ground.manages(&mut wrong, &format!("retiring `{name}`"), code, &command);
    }
    let deep = format!("{}{}{}", r#"{"a":"#.repeat(30), "1", "}".repeat(30));
    let long = format!(r#"{{"title":"{}"}}"#, "x".repeat(20 << 10));
    for (what, schema, code) in [
        ("no JSON", "{required", bad),
        ("half of it", r#"{"required": ["#, bad),
        ("a list", "[1]", bad),
        ("a word", r#""required""#, bad),
        ("nothing", "", bad),
        ("30 levels", deep.as_str(), Code::TooLarge),
        ("20 KiB", long.as_str(), Code::TooLarge),
    ] {
        let what = format!("a form: {what}");
        match Form::parse(schema) {
            Ok(form) => wrong.0.push(format!("{what} is {form:?}")),
            Err(error) => wrong.0.extend(unclear(&what, code, &error)),
        }
    }
}

/// A state that looks like drafts.
fn another(number: u32) -> StateDef {
    let mut state = Definition::change().states[0].clone();
    state.code = format!("MORE_{number}").parse().unwrap();
    state
}

#[test]
fn a_request_about_what_there_is_not_is_refused() {
    let (ground, mut wrong) = (Ground::new(), Wrong::default());
    let (office, w) = (ground.office, &mut wrong);
    let (ana, bo, id) = (office.ana, office.bo, ground.pending);
    let missing = Code::NotFound;
    let new = office.request(office.change("1").unwrap());
    let slug = |text: &str| -> Slug { text.parse().unwrap() };
    ground.refuses(w, "draft_in an unknown workflow", missing, |gate| {
        gate.draft_in(&ana, &new, &slug("nowhere"))
    });
    ground.refuses(w, "an unknown workflow", missing, |gate| {
        gate.workflow(&ana, office.project, &slug("nowhere"), None)
    });
    ground.refuses(w, "an unknown version of one", missing, |gate| {
        gate.workflow(&ana, office.project, &slug("change"), Some(9))
    });
    ground.refuses(w, "advance by an unknown action", Code::WrongState, |gate| {
        gate.advance(&bo, id, &"FLY".parse().unwrap(), None)
    });
    for (place, what) in [
        (ThreadPlace::Revision(0), "revision 0"),
        (ThreadPlace::Revision(9), "revision 9"),
        (ThreadPlace::Step(0), "step 0"),
        (ThreadPlace::Step(99), "step 99"),
    ] {
        ground.refuses(w, &format!("a thread at {what}"), missing, |gate| {
            gate.open_thread(&ana, id, place, "why?")
        });
    }
    ground.refuses(w, "a reply to nothing", missing, |gate| gate.reply(&ana, id, 77, "so"));
    ground.refuses(w, "nothing to resolve", missing, |gate| gate.resolve_thread(&ana, id, 77));
    ground.refuses(w, "nothing to reopen", missing, |gate| gate.reopen_thread(&ana, id, 77));
    ground.refuses(w, "an approval of something else", Code::DigestMismatch, |gate| {
        gate.approve(&bo, id, Digest::of(b"else"), None)
    });
    let report = CheckReport {
        digest: Digest::of(b"else"),
        name: slug("tests"),
        status: CheckStatus::Passed,
        details: String::new(),
    };
    ground.refuses(w, "a check of something else", Code::DigestMismatch, |gate| {
        gate.report_check(&ground.ci, id, &report)
    });
    let to = |environment| Promotion { environment, targets: Vec::new() };
    ground.refuses(w, "a promotion of what did not succeed", Code::WrongState, |gate| {
        gate.promote(&ana, id, &to(ground.prod))
    });
    let present = RevisionRef::present(id);
    ground.refuses(w, "a revision that is not there", missing, |gate| {
        gate.diff(&ana, present, RevisionRef::of(id, 9))
    });
}

#[test]
fn an_artifact_that_is_none_is_not_written() {
    let (ground, mut wrong) = (Ground::new(), Wrong::default());
    let (office, w) = (ground.office, &mut wrong);
    let artifact = |change: fn(&mut NewArtifact)| {
        let mut new = office.new_artifact(8).unwrap();
        change(&mut new);
        new
    };
    let (bad, missing) = (Code::InvalidInput, Code::NotFound);
    let cases: Vec<(&str, NewArtifact, Code)> = vec![
        ("a negative number", artifact(|it| it.artifact_id = -1), bad),
        ("too large a number", artifact(|it| it.artifact_id = 1 << 53), bad),
        ("a number that is taken", artifact(|it| it.artifact_id = 7), Code::AlreadyExists),
        (
            "a text that is no JSON",
            artifact(|it| it.body = "{i_want".to_owned()),
            Code::InvalidPayload,
        ),
        ("no text", artifact(|it| it.body = String::new()), Code::InvalidPayload),
        (
            "a megabyte",
            artifact(|it| it.body = format!("\"{}\"", "x".repeat(1 << 20))),
            Code::TooLarge,
        ),
        (
            "a runner that is not there",
            artifact(|it| it.runner = "lathe".parse().unwrap()),
            Code::UnknownRunner,
        ),
        (
            "what it needs is not there",
            artifact(|it| it.depends_on = BTreeSet::from([RequestId::from_u128(7)])),
            missing,
        ),
        (
            "too much that it needs",
            artifact(|it| it.depends_on = (0..17).map(RequestId::from_u128).collect()),
            Code::TooLarge,
        ),
        ("an unknown module", artifact(|it| it.module = ModuleId::from_u128(7)), missing),
    ];
    for (what, new, code) in cases {
        ground.refuses(w, what, code, |gate| gate.draft_artifact(&office.ana, &new));
    }
    let name = ArtifactName::new(office.project, "USER_STORY".parse().unwrap(), 99).unwrap();
    for (what, answer) in [
        ("is_approved", ground.gate.is_approved(&office.ana, &name).map(|_| ())),
        ("check_publishable", ground.gate.check_publishable(&office.ana, &name).map(|_| ())),
    ] {
        match answer {
            Ok(()) => w.0.push(format!("{what}: an artifact that is not there")),
            Err(error) => w.0.extend(unclear(what, missing, &error)),
        }
    }
}

/// The check is checked: what was written, and what an error does not say, is told.
#[test]
fn a_refusal_that_writes_or_says_little_is_noticed() {
    let (ground, mut wrong) = (Ground::new(), Wrong::default());
    let ana = ground.office.ana;
    ground.refuses(&mut wrong, "a comment", Code::InvalidInput, |gate| {
        gate.comment(&ana, ground.pending, "well")?;
        Err::<(), _>(Error::new(Code::TooLarge, "\u{1b}[2J"))
    });
    let told = std::mem::take(&mut wrong.0);
    for due in ["and not invalid_input", "no next step", "shown as it is", "was written"] {
        assert!(told.iter().any(|line| line.contains(due)), "{due}: {told:?}");
    }
}
