//! A plugin that calls what nobody approved, twice, too early, or while it may only look; and one that lies about it.

use placet_core::error::Code;
use placet_core::runner::{Effect, Job, Level, Outcome, Risk, Runner as _};
use placet_exchange::{HttpCall, RUN};
use placet_runners::deploy::testing::{Fault, Product, Scope};
use serde_json::{Value, json};

use super::ground::{Ground, Held, Slip, Then, command, http, job, text};
use crate::bench::{failure, until};

/// The approved call.
fn run(number: u32) -> HttpCall {
    HttpCall {
        headers: vec![("accept".into(), "application/json".into())],
        body: format!(r#"{{"options":{{"placet_run":"{RUN}"}}}}"#).into_bytes(),
        ..http("POST", &format!("/api/41/job/{number}/run"))
    }
}

fn look() -> String {
    text(HttpCall {
        headers: vec![("accept".into(), "application/json".into())],
        ..http("GET", "/api/41/job/7/executions")
    })
}

/// A plan of job 7 that is executed so.
fn story(execute: &[&str], says: &str) -> Job {
    job("caller", &json!({ "steps": [text(run(7))], "execute": execute, "says": says }))
}

fn two(execute: &[&str], says: &str) -> Job {
    let steps = [text(run(7)), text(run(8))];
    job("caller", &json!({ "steps": steps, "execute": execute, "says": says }))
}

/// How it ended: the word, the code, and what took effect.
fn ended(outcome: Outcome) -> (&'static str, String, Vec<String>) {
    match outcome {
        Outcome::Succeeded(_) => ("succeeded", String::new(), Vec::new()),
        other => {
            let (word, failure) = failure(other);
            (word, failure.code, failure.applied)
        }
    }
}

fn told(word: &'static str, code: &str, applied: &[&str]) -> (&'static str, String, Vec<String>) {
    (word, code.to_owned(), applied.iter().map(|&id| id.to_owned()).collect())
}

fn played(job: &Job) -> (Ground, (&'static str, String, Vec<String>)) {
    let ground = Ground::of(Product::Rundeck);
    let plan = ground.plan(job);
    let outcome = ended(ground.execute(job, &plan));
    (ground, outcome)
}

#[test]
fn what_differs_from_the_approved_call_in_one_byte_is_not_sent() {
    let approved = run(7);
    let with = |change: &dyn Fn(&mut HttpCall)| {
        let mut call = approved.clone();
        change(&mut call);
        text(call)
    };
    let others = [
        with(&|call| call.method = "PUT".into()),
        with(&|call| call.method = "post".into()),
        with(&|call| call.endpoint = "Rundeck".into()),
        with(&|call| call.path_and_query = "/api/41/job/8/run".into()),
        with(&|call| call.path_and_query.push('?')),
        with(&|call| call.path_and_query.push_str("?x=1")),
        with(&|call| call.path_and_query = "/api/41/job/7/%72un".into()),
        with(&|call| call.path_and_query = "/api/41/job/7/../7/run".into()),
        with(&|call| call.path_and_query = "//api/41/job/7/run".into()),
        with(&|call| call.headers.clear()),
        with(&|call| call.headers[0].0 = "Accept".into()),
        with(&|call| call.headers.push(("x-more".into(), "1".into()))),
        with(&|call| call.headers.push(("idempotency-key".into(), "mine".into()))),
        with(&|call| call.headers[0].1 = "a\r\nx-injected: 1".into()),
        with(&|call| call.body.push(b' ')),
        with(&|call| call.body.clear()),
        with(&|call| call.body = br#"{"options":{"placet_run":"run_of_another"}}"#.to_vec()),
        command("true", &[("run", RUN)]),
        command("say", &[("word", RUN)]),
    ];
    for other in others {
        let (ground, outcome) = played(&story(&[&other], "succeeded"));
        assert_eq!((outcome.0, outcome.2.len()), ("failed", 0), "{other}: {outcome:?}");
        assert_eq!(ground.server.begun(), 0, "{other}");
        assert!(ground.server.seen().iter().all(|seen| seen.method == "GET"), "{other}");
        assert!(!ground.link.noted.lock().unwrap().iter().any(|(key, _)| key.contains("s0")));
    }
}

#[test]
fn each_approved_call_is_sent_once_and_in_its_order() {
    let (ground, outcome) = played(&story(&["step 0", "step 0", "step 0"], "succeeded"));
    assert_eq!((outcome, ground.server.begun()), (told("succeeded", "", &[]), 1));
    assert_eq!(ground.log().matches("not the next step").count(), 2);

    let (ground, outcome) = played(&two(&["step 1", "step 0"], "succeeded"));
    assert_eq!((outcome, ground.server.begun()), (told("failed", "denied", &["s0"]), 1));

    let (ground, outcome) = played(&two(&["step 0", "step 1"], "succeeded"));
    assert_eq!((outcome, ground.server.begun()), (told("succeeded", "", &[]), 2));
}

#[test]
fn after_an_answer_that_was_lost_nothing_more_is_written() {
    for (fault, word) in [(Fault::LoseReply, "unknown"), (Fault::ServerError, "unknown")] {
        let ground = Ground::of(Product::Rundeck);
        let job = two(&["step 0", "step 0", "step 1"], "succeeded");
        let plan = ground.plan(&job);
        ground.server.fail(Scope::Writes, fault, 1);
        let outcome = ended(ground.execute(&job, &plan));
        assert_eq!((outcome.0, outcome.2.len()), (word, 0), "{outcome:?}");
        let posts = ground.server.seen().iter().filter(|seen| seen.method == "POST").count();
        assert_eq!(posts, 1);
    }
}

#[test]
fn nothing_is_written_while_a_plan_is_made_or_looked_back_at() {
    let post = text(run(7));
    let acts = [&post, &command("true", &[("run", "x")])];
    let ground = Ground::of(Product::Rundeck);
    let greedy = job(
        "caller",
        &json!({ "steps": [post], "plan": acts, "execute": ["step 0"], "verify": acts, "finds": "succeeded" }),
    );
    let plan = ground.plan(&greedy);
    assert_eq!((ground.server.begun(), ground.log().matches("Denied").count()), (0, 2));
    ground.server.fail(Scope::Writes, Fault::LoseReply, 1);
    assert_eq!(ended(ground.execute(&greedy, &plan)).0, "unknown");
    // It says that it succeeded, and has read nothing.
    assert_eq!(ended(ground.verify(&greedy, &plan)), told("unknown", "not_read", &[]));
    assert_eq!((ground.server.begun(), ground.log().matches("Denied").count()), (1, 4));
    // Where a payload is validated, nothing is there to call at all.
    let early = json!({ "validate": [text(run(7))] }).to_string();
    let refused = ground.runner.validate(&"caller".parse().unwrap(), &early).unwrap_err();
    assert_eq!((refused.code(), ground.server.begun()), (Code::RunnerFault, 1));
}

#[test]
fn what_a_plugin_says_counts_only_within_what_the_host_saw() {
    for (execute, says, expected) in [
        // Nothing was sent.
        (&[][..], "succeeded", told("failed", "runner_fault", &[])),
        (&[][..], "unknown", told("failed", "caller.said", &[])),
        (&[][..], "failed", told("failed", "caller.said", &[])),
        (&["trap"][..], "", told("failed", "runner_fault", &[])),
        // One of two was.
        (&["step 0"][..], "succeeded", told("failed", "runner_fault", &["s0"])),
        (&["step 0"][..], "failed", told("failed", "caller.said", &["s0"])),
        (&["step 0"][..], "unknown", told("unknown", "caller.said", &["s0"])),
        (&["step 0", "trap"][..], "", told("unknown", "runner_fault", &["s0"])),
        // Both were.
        (&["step 0", "step 1"][..], "failed", told("failed", "caller.said", &["s0", "s1"])),
        (&["step 0", "step 1"][..], "unknown", told("unknown", "caller.said", &["s0", "s1"])),
        (&["step 0", "step 1", "trap"][..], "", told("unknown", "runner_fault", &["s0", "s1"])),
    ] {
        let (ground, outcome) = played(&two(execute, says));
        assert_eq!(outcome, expected, "{execute:?} {says}");
        let sent = execute.iter().filter(|act| act.starts_with("step")).count();
        assert_eq!(ground.server.begun(), sent, "{execute:?} {says}");
    }
}

#[test]
fn a_verification_of_what_never_began_says_so_whatever_the_plugin_finds() {
    for finds in ["succeeded", "failed", "unknown"] {
        let ground = Ground::of(Product::Rundeck);
        let forging = format!("note {}", "placet!run_0!s0");
        let job = job(
            "caller",
            &json!({ "steps": [text(run(7))], "execute": [forging, "notes"], "verify": [look()], "finds": finds }),
        );
        let plan = ground.plan(&job);
        // It may not note in the host's name, nor read what the host noted.
        assert_eq!(ended(ground.execute(&job, &plan)).0, "failed");
        assert!(ground.log().contains("noted by the host alone"), "{}", ground.log());
        assert!(ground.link.noted.lock().unwrap().is_empty());
        assert_eq!(ended(ground.verify(&job, &plan)), told("failed", "not_begun", &[]));
    }
}

#[test]
fn a_verification_that_read_something_is_believed_as_far_as_the_notes_go() {
    let found = |execute: &[&str], verify: &[String], finds: &str, fault: bool| {
        let ground = Ground::of(Product::Rundeck);
        let steps = [text(run(7)), text(run(8))];
        let job = job(
            "caller",
            &json!({ "steps": steps, "execute": execute, "says": "unknown", "verify": verify, "finds": finds }),
        );
        let plan = ground.plan(&job);
        if fault {
            ground.server.fail(Scope::Writes, Fault::LoseReply, 1);
        }
        let _ran = ground.execute(&job, &plan);
        assert!(!ground.log().contains("placet!"));
        ended(ground.verify(&job, &plan))
    };
    let (both, one) = (&["step 0", "step 1"][..], &["step 0"][..]);
    let look = [look()];
    assert_eq!(found(both, &look, "succeeded", false), told("succeeded", "", &[]));
    assert_eq!(found(both, &[], "succeeded", false), told("unknown", "not_read", &["s0", "s1"]));
    assert_eq!(found(both, &look, "failed", false), told("failed", "caller.said", &["s0", "s1"]));
    assert_eq!(found(both, &[], "failed", false), told("unknown", "not_read", &["s0", "s1"]));
    // The second was never sent.
    assert_eq!(found(one, &look, "succeeded", false), told("failed", "runner_fault", &["s0"]));
    assert_eq!(found(one, &look, "succeeded", true), told("unknown", "runner_fault", &[]));
    // It claims both, and only the first may have taken effect.
    assert_eq!(found(one, &look, "failed", true), told("failed", "caller.said", &["s0"]));
    assert_eq!(found(one, &look, "unknown", true), told("unknown", "caller.said", &[]));
}

#[test]
fn who_lost_the_lease_while_a_call_was_noted_does_not_make_it() {
    let mut was_noted_and_not_sent = 0;
    for at in 0.. {
        let ground = Ground::of(Product::Rundeck);
        let job = story(&["step 0"], "succeeded");
        let plan = ground.plan(&job);
        let before = ground.link.lease.looks();
        *ground.link.lease.then.lock().unwrap() = Then::Over(before + at, Code::LeaseLost);
        let (word, ..) = ended(ground.execute(&job, &plan));
        let has_noted = !ground.link.noted.lock().unwrap().is_empty();
        if word == "succeeded" {
            break;
        }
        assert_eq!((word, ground.server.begun()), ("failed", 0), "at look {at}");
        was_noted_and_not_sent += usize::from(has_noted);
    }
    assert_eq!(was_noted_and_not_sent, 1);
}

#[test]
fn a_plan_of_anything_but_calls_is_refused() {
    let ground = Ground::of(Product::Rundeck);
    let planned =
        |steps: Value| ground.runner.plan(&job("caller", &json!({ "steps": steps })), &ground.link);
    for no_call in ["DELETE FROM orders", "", "{}", " {\"command\":{}}", "{\"http\":{}}"] {
        let refused = planned(json!([no_call])).unwrap_err();
        assert_eq!(refused.code(), Code::RunnerFault, "{no_call}");
    }
    let many: Vec<String> = (0..26).map(|number| text(run(number))).collect();
    assert_eq!(planned(json!(many)).unwrap_err().code(), Code::LimitReached);
    // What the target would refuse is told before anybody agrees.
    for refused in [
        text(HttpCall { endpoint: "elsewhere".into(), ..run(7) }),
        text(http("DELETE", "/api/41/job/7")),
        command("rm", &[("run", "x")]),
        text(HttpCall { headers: vec![("authorization".into(), "x".into())], ..run(7) }),
        text(HttpCall { headers: vec![("x-a".into(), "b\r\nhost: c".into())], ..run(7) }),
        text(HttpCall { body: vec![b'x'; (1 << 20) + 1], ..run(7) }),
        text(HttpCall { path_and_query: "/api/41/job/7/../8/run".into(), ..run(7) }),
        command("true", &[("run", "--force")]),
        command("true", &[("run", &"x".repeat(65))]),
        command("true", &[("other", "x")]),
    ] {
        let plan = planned(json!([refused])).unwrap();
        let found = plan.findings.first().unwrap();
        assert_eq!((found.level, found.code.as_str()), (Level::Error, "deploy.not_allowed"));
    }
    // However harmless it calls them.
    let plan = planned(json!([text(run(7))])).unwrap();
    let step = &plan.steps[0];
    assert_eq!((step.kind.as_str(), step.risk), ("deploy", Risk::High));
    assert_eq!((step.effect, step.reversible), (Effect::AtMostOnce, false));
    assert_eq!(step.estimated_rows, None);
}

#[test]
fn a_command_that_ran_badly_took_effect_and_did_not_succeed() {
    let of = |name: &str| {
        let (calls, job_of) = (command(name, &[("run", RUN)]), |says: &str, calls: &str| {
            job("caller", &json!({ "steps": [calls], "execute": ["step 0"], "says": says }))
        });
        played(&job_of("succeeded", &calls)).1
    };
    assert_eq!(of("true"), told("succeeded", "", &[]));
    assert_eq!(of("false"), told("failed", "command.exit", &["s0"]));
    // One that only reads may be run at any time, by whoever may only look.
    let reading = json!({ "plan": [command("say", &[("word", "hello")])], "steps": [] });
    let ground = Ground::of(Product::Rundeck);
    ground.plan(&job("caller", &reading));
    assert!(ground.log().contains("exit 0 hello"), "{}", ground.log());
}

#[test]
fn a_server_that_repeats_the_credential_shows_it_to_nobody() {
    let ground = Ground::of(Product::Rundeck);
    let curious = job(
        "caller",
        &json!({ "steps": [text(run(7))], "plan": [look()], "execute": ["step 0"], "says": "" }),
    );
    ground.server.fail(Scope::All, Fault::Echo, 2);
    let plan = ground.plan(&curious);
    let outcome = ground.execute(&curious, &plan);
    let all = format!("{outcome:?}{plan:?}{}", ground.log());
    assert!(all.contains("[redacted]") && !all.contains("tkn-0123456789abcdef"), "{all}");
}

/// Cancels the run when it goes.
struct Ending<'lease>(&'lease Held);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.end(Code::Cancelled);
    }
}

#[test]
fn a_wait_ends_when_the_run_does() {
    let ground = Ground::of(Product::Rundeck);
    let patient = story(&["step 0", "wait 4294967295", "notes"], "succeeded");
    let plan = ground.plan(&patient);
    let seen = std::sync::Arc::clone(&ground.link.lease);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // Also where that note never comes: nothing else ends so long a wait.
            let _ending = Ending(&seen);
            // The call is over once its answer is noted; then somebody cancels.
            until("its answer is noted", || {
                ground.link.noted.lock().unwrap().iter().any(|(_, state)| state == "done 200")
            });
        });
        assert_eq!(ended(ground.execute(&patient, &plan)), told("unknown", "cancelled", &["s0"]));
    });
}

#[test]
fn a_plugin_that_talks_too_much_does_not_silence_the_host() {
    let ground = Ground::of(Product::Rundeck);
    // Each is refused, and its refusal logged, until no log is left.
    let acts: Vec<&str> = core::iter::repeat_n("note placet!", 2_000).chain(["step 0"]).collect();
    let job = story(&acts, "succeeded");
    let plan = ground.plan(&job);
    // The note that it was answered.
    *ground.link.slip.lock().unwrap() = Some((1, Slip::NotKept));
    assert_eq!(ended(ground.execute(&job, &plan)), told("succeeded", "", &[]));
    let log = ground.log();
    assert!(log.contains("past the quota"), "it was silenced itself");
    assert!(log.contains("step `s0` was answered could not be noted"), "{}", log.len());
}
