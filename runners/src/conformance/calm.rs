//! What must hold while nothing goes wrong.

use placet_core::error::Code;
use placet_core::runner::{Finding, Level, Outcome, Plan, Runner as _};

use super::link::Link;
use super::report::ExamReport;
use super::room::{Room, When, now, told};

/// A day, in milliseconds.
const DAY_MS: u64 = 86_400_000;

/// Payloads that no plugin may take for one of its own.
fn garbage() -> Vec<String> {
    let mut all: Vec<String> = [
        "",
        " ",
        "{",
        "null",
        "[]",
        "17",
        r#""DROP TABLE orders""#,
        r#"{"a\u0000b": 1}"#,
        "\u{feff}{}",
    ]
    .map(ToOwned::to_owned)
    .to_vec();
    all.push("[".repeat(20_000));
    all.push(format!(r#"{{"a": "{}"}}"#, "x".repeat(1 << 20)));
    all
}

fn refuses_by(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.level == Level::Error)
}

/// It says what it is.
pub(super) fn describes(room: &Room<'_>, report: &mut ExamReport) {
    let seen = room.runner.describe(&room.name).map_err(|error| error.to_string());
    let seen = seen.and_then(|info| {
        let is_json = serde_json::from_str::<serde_json::Value>(&info.payload_schema).is_ok();
        if info.title.trim().is_empty() {
            Err("it has no title".to_owned())
        } else if is_json {
            let reaches = info.capabilities.join(" ");
            Ok(format!("`{}`, which reaches: {reaches}", info.title))
        } else {
            Err("the schema of its payload is no JSON".to_owned())
        }
    });
    report.add("describe", None, seen);
}

/// What is no payload is refused, in words: by a finding, or by the plan.
pub(super) fn refuses(room: &Room<'_>, report: &mut ExamReport) {
    let all = garbage();
    let mut wrong = Vec::new();
    for payload in &all {
        let shown: String = payload.chars().take(20).collect();
        match room.runner.validate(&room.name, payload) {
            Err(error) => wrong.push(format!("`{shown}` made it break off: {error}")),
            Ok(findings) if refuses_by(&findings) => {}
            Ok(_) => match room.plan(payload, When::default()) {
                Ok(plan) if !refuses_by(&plan.findings) => {
                    wrong.push(format!("it plans {} steps for `{shown}`", plan.steps.len()));
                }
                Ok(_) => {}
                Err(error) if error.code() == Code::InvalidPayload => {}
                Err(error) => wrong.push(format!("`{shown}` made it break off: {error}")),
            },
        }
    }
    let seen = match wrong.first() {
        None => Ok(format!("{} texts that are no payload", all.len())),
        Some(first) => Err(format!("{first} ({} of {} texts)", wrong.len(), all.len())),
    };
    report.add("payload.refused", None, seen);
}

/// What it would do, twice. `None` where there is nothing to run.
pub(super) fn plans(
    room: &Room<'_>,
    (sample, payload): (Option<usize>, &str),
    report: &mut ExamReport,
) -> Option<Plan> {
    let accepted = accepts(room, payload);
    if !report.add("payload.accepted", sample, accepted) {
        return None;
    }
    let first = room.plan(payload, When::default());
    let (applied, tried) = (room.world.applied(), room.world.tried());
    let plan = match first {
        Ok(plan) if plan.steps.is_empty() || refuses_by(&plan.findings) => {
            let codes: Vec<&str> = plan.findings.iter().map(|found| found.code.as_str()).collect();
            let why = format!("{} steps, and the findings {codes:?}", plan.steps.len());
            report.add("plan.deterministic", sample, Err(why));
            return None;
        }
        Ok(plan) => plan,
        Err(error) => {
            report.add("plan.deterministic", sample, Err(error.to_string()));
            return None;
        }
    };
    report.add("plan.deterministic", sample, again(room, payload, &plan));
    let written = match applied.first() {
        None => Ok("nothing took effect while it planned".to_owned()),
        Some(body) => Err(format!("`{body}` took effect while it planned")),
    };
    report.add("plan.writes_nothing", sample, written);
    let hidden = tried.iter().find(|body| plan.steps.iter().all(|step| step.body != **body));
    let shown = match hidden {
        None => Ok(format!("{} statements were tried, and all are steps", tried.len())),
        Some(body) => Err(format!("`{body}` was tried, and no step shows it")),
    };
    report.add("plan.shows_all", sample, shown);
    Some(plan)
}

fn accepts(room: &Room<'_>, payload: &str) -> Result<String, String> {
    let look = || room.runner.validate(&room.name, payload).map_err(|error| error.to_string());
    let (first, second) = (look()?, look()?);
    if first != second {
        return Err("it finds something else when it looks again".to_owned());
    }
    match first.iter().find(|finding| finding.level == Level::Error) {
        None => Ok(format!("{} findings, the same twice", first.len())),
        Some(finding) => Err(format!("it refuses it: {}: {}", finding.code, finding.message)),
    }
}

/// Another day, and for another run: an approval is bound to the digest of what was planned today.
fn again(room: &Room<'_>, payload: &str, plan: &Plan) -> Result<String, String> {
    let said = |error: placet_core::error::Error| error.to_string();
    let digest = plan.digest().map_err(said)?;
    for when in [When::default(), When { later_ms: DAY_MS, run: 17 }] {
        let other = room.plan(payload, when).map_err(said)?;
        let other = other.digest().map_err(said)?;
        if other != digest {
            let later = if when.later_ms > 0 { " a day later" } else { "" };
            return Err(format!("it had the digest {digest}, and{later} it has {other}"));
        }
    }
    Ok(format!("three plans, {} steps, one digest", plan.steps.len()))
}

/// The run, and what is found out about it. Whether there is anything to disturb.
pub(super) fn runs(
    room: &Room<'_>,
    (sample, payload): (Option<usize>, &str),
    plan: &Plan,
    report: &mut ExamReport,
) -> bool {
    room.world.reset(None);
    let link = Link::at(now(When::default()));
    let before = room.verify(payload, plan, &link);
    let seen = match room.is_true(&before, plan) {
        Ok("failed") => Ok("before it ran, it says that it did not".to_owned()),
        Ok(word) => Err(format!("before it ran, it says {word}: {}", told(&before))),
        Err(why) => Err(why),
    };
    report.add("verify.before", sample, seen);
    let outcome = room.execute(payload, plan, (None, &link));
    let ran = report.add("run.truthful", sample, ran(room, plan, &outcome));
    let applied = room.world.applied();
    let after = room.verify(payload, plan, &link);
    let seen = match room.is_true(&after, plan) {
        _ if room.world.applied() != applied => Err("it changed something".to_owned()),
        Ok("unknown") => Err(format!("the target can tell, and it says {}", told(&after))),
        Ok(word) => Ok(format!("it says {word}")),
        Err(why) => Err(why),
    };
    report.add("verify.after", sample, seen);
    ran
}

fn ran(room: &Room<'_>, plan: &Plan, outcome: &Outcome) -> Result<String, String> {
    room.is_true(outcome, plan)?;
    match outcome {
        // The host says so where the plugin said something else than what the host saw.
        Outcome::Succeeded(report)
            if report.details.as_ref().is_some_and(|details| details.contains("after_commit")) =>
        {
            Err(format!("it succeeded, and then: {}", told(outcome)))
        }
        Outcome::Succeeded(_) => Ok(format!(
            "{} calls, {} steps took effect",
            room.world.calls().len(),
            plan.steps.len()
        )),
        Outcome::Failed(_) | Outcome::Unknown(_) => Err(told(outcome)),
    }
}
