//! Values between the kernel and a plugin. Whatever comes from a plugin is bounded and cleaned; digests are
//! computed here and never taken.

use placet_core::digest::Digest;
use placet_core::error::{Code, Error};
use placet_core::org::Slug;
use placet_core::runner::{Effect, Failure, Finding, Impact, Job, Level, Lock, Plan, Risk, Step};
use placet_target::SqlValue;

use crate::bindings::sql::Value;
use crate::bindings::types;
use crate::limits::RunnerLimits;

/// The longest message of a plugin that is kept, in characters.
const TEXT_CHARACTERS_MAX: usize = 2_000;
/// The most findings that are kept.
const FINDINGS_MAX: usize = 1_000;

/// A plugin's words without control characters, without characters that nobody sees or that turn the
/// direction of reading, and not too many of them.
pub(crate) fn clean(text: &str) -> String {
    let seen = text.chars().filter(|c| !is_unseen(*c));
    let shown = seen.map(|c| if c.is_control() { ' ' } else { c });
    shown.take(TEXT_CHARACTERS_MAX).collect()
}

const fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' // soft hyphen
            | '\u{34f}' // combining grapheme joiner
            | '\u{61c}' // Arabic letter mark
            | '\u{115f}'..='\u{1160}' // Hangul fillers
            | '\u{180b}'..='\u{180f}' // Mongolian selectors and vowel separator
            | '\u{200b}'..='\u{200f}' // zero-width characters and direction marks
            | '\u{2028}'..='\u{202e}' // separators of lines, embeddings and overrides
            | '\u{2060}'..='\u{206f}' // word joiner, invisible operators, isolates
            | '\u{3164}' // Hangul filler
            | '\u{fe00}'..='\u{fe0f}' // variation selectors
            | '\u{feff}' // byte order mark
            | '\u{ffa0}' // half-width Hangul filler
            | '\u{fff9}'..='\u{fffb}' // annotations
            | '\u{e0000}'..='\u{e0fff}' // tags and variation selectors
    )
}

pub(crate) fn job_of(job: &Job, dry_run: bool) -> types::Job {
    types::Job {
        id: types::ExecutionId {
            request: job.id.request.to_string(),
            revision: job.id.revision,
            attempt: job.id.attempt,
            fence: job.id.fence,
            idempotency_key: job.id.run.to_string(),
        },
        payload: job.payload.clone(),
        payload_digest: job.payload_digest.to_string(),
        project: job.place.project.to_string(),
        module_name: job.place.module.to_string(),
        environment: job.place.environment.to_string(),
        deadline: job.deadline.to_string(),
        dry_run,
        settings: job.settings.clone(),
    }
}

/// The approved plan as a plugin sees it. `connection` is the plugin's own name for its target.
pub(crate) fn plan_of(plan: &Plan, digest: Digest, connection: &str) -> types::ChangePlan {
    let steps = plan.steps.iter().map(|step| types::Step {
        id: step.id.clone(),
        title: step.title.clone(),
        body: step.body.clone(),
        body_digest: step.body_digest.to_string(),
        target: connection.to_owned(),
        kind: step.kind.clone(),
        risk: risk_word(step.risk).to_owned(),
        effect: effect_word(step.effect).to_owned(),
        estimated_rows: step.estimated_rows,
        reversible: step.reversible,
        lock: lock_word(step.impact.lock).to_owned(),
        rewrites: step.impact.rewrites,
        objects: step.impact.objects.clone(),
    });
    types::ChangePlan {
        steps: steps.collect(),
        findings: Vec::new(),
        digest: digest.to_string(),
        rollback: None,
    }
}

/// What a plugin planned, with the target by the host's name and digests by the host.
pub(crate) fn plan_from(
    plan: types::ChangePlan,
    target: &Slug,
    connections: &[String],
    limits: &RunnerLimits,
) -> Result<Plan, Error> {
    if plan.steps.len() > limits.steps_max {
        let message = format!(
            "the plugin planned {} steps, and at most {} are accepted",
            plan.steps.len(),
            limits.steps_max
        );
        return Err(Error::new(Code::LimitReached, message)
            .with_help("split the change into several requests"));
    }
    let mut steps: Vec<Step> = Vec::with_capacity(plan.steps.len());
    let mut ids = std::collections::BTreeSet::new();
    for step in plan.steps {
        if !connections.contains(&step.target) {
            return Err(broken(&format!("planned a step on `{}`", clean(&step.target))));
        }
        // As people will read them: two ids that look alike are one. So they are to databases that pad keys with blanks.
        let id = clean(&step.id);
        if id.is_empty() || id.trim() != id || id.len() > 64 || !ids.insert(id.clone()) {
            return Err(broken("planned steps without ids of their own"));
        }
        steps.push(Step {
            id,
            title: clean(&step.title),
            body_digest: Digest::of(step.body.as_bytes()),
            body: step.body,
            target: target.clone(),
            kind: clean(&step.kind),
            risk: Risk::from_word(&step.risk),
            effect: Effect::from_word(&step.effect),
            estimated_rows: step.estimated_rows,
            reversible: step.reversible,
            impact: Impact {
                lock: Lock::from_word(&step.lock),
                rewrites: step.rewrites,
                objects: step.objects.iter().map(|name| clean(name)).collect(),
            },
        });
    }
    // Bounded once the host has added its own.
    Ok(Plan::new(steps, plan.findings.iter().map(finding_from).collect()))
}

fn broken(what: &str) -> Error {
    Error::new(Code::RunnerFault, format!("the plugin {what}"))
        .with_help("use another build of the plugin, and tell its author")
}

/// What a plugin found, not too many of it.
pub(crate) fn findings_from(findings: &[types::Finding]) -> Vec<Finding> {
    let mut kept: Vec<Finding> = findings.iter().map(finding_from).collect();
    bounded(&mut kept);
    kept
}

/// Not too many of them. Rules ask by code, by level and for what a person must see: of each such kind one stays, then
/// all that a person must see, then the gravest. What was left out is told, and refuses where that was too much.
pub(crate) fn bounded(findings: &mut Vec<Finding>) {
    if findings.len() <= FINDINGS_MAX {
        return;
    }
    let mut kinds = std::collections::BTreeSet::new();
    let mut ranked: Vec<(bool, Finding)> = core::mem::take(findings)
        .into_iter()
        .map(|found| (kinds.insert((found.code.clone(), found.level, found.needs_person)), found))
        .collect();
    ranked.sort_by_key(|(is_first, found)| {
        core::cmp::Reverse((*is_first, found.needs_person, found.level))
    });
    let left_out = ranked.split_off(FINDINGS_MAX.saturating_sub(1));
    let matters = left_out.iter().any(|(is_first, found)| *is_first || found.needs_person);
    let count = left_out.len();
    let message = format!("there is too much to show: {count} more findings are left out");
    let level = if matters { Level::Error } else { Level::Warning };
    let told = Finding::new(level, "sql.findings_left_out".to_owned(), message);
    let help = "split the change into several requests";
    findings.push(Finding { needs_person: true, help: Some(help.to_owned()), ..told });
    findings.extend(ranked.into_iter().map(|(_, found)| found));
}

fn finding_from(finding: &types::Finding) -> Finding {
    Finding {
        level: match finding.level.as_str() {
            "info" => Level::Info,
            "warning" => Level::Warning,
            // A word that is not known refuses: a plugin of tomorrow may mean something worse.
            _ => Level::Error,
        },
        code: clean(&finding.code),
        message: clean(&finding.message),
        step: finding.step.as_deref().map(clean),
        line: finding.line,
        position: finding.position,
        help: finding.help.as_deref().map(clean),
        needs_person: finding.needs_person,
    }
}

/// A plugin's own failure, for cases in which the host saw none.
pub(crate) fn failure_from(failure: &types::Failure) -> Failure {
    Failure {
        // What took effect is for the host to say.
        applied: Vec::new(),
        code: clean(&failure.code),
        message: clean(&failure.message),
        step: failure.step.as_deref().map(clean),
        retryable: failure.retryable,
        details: None,
    }
}

/// An error of the host, as a failure of the run.
pub(crate) fn failure_of(error: &Error) -> Failure {
    let details = error.help().map(|help| serde_json::json!({ "help": help }).to_string());
    Failure { details, ..Failure::new(error.code().as_str(), error.to_string()) }
}

const fn risk_word(risk: Risk) -> &'static str {
    match risk {
        Risk::None => "none",
        Risk::Low => "low",
        Risk::Medium => "medium",
        Risk::High => "high",
        Risk::Critical => "critical",
    }
}

const fn lock_word(lock: Lock) -> &'static str {
    match lock {
        Lock::None => "none",
        Lock::Rows => "rows",
        Lock::Share => "share",
        Lock::Exclusive => "exclusive",
    }
}

const fn effect_word(effect: Effect) -> &'static str {
    match effect {
        Effect::Transactional => "transactional",
        Effect::Idempotent => "idempotent",
        Effect::AtMostOnce => "at-most-once",
    }
}

pub(crate) fn sql_value(value: Value) -> SqlValue {
    match value {
        Value::Null => SqlValue::Null,
        Value::Boolean(yes) => SqlValue::Boolean(yes),
        Value::Int64(number) => SqlValue::Int64(number),
        Value::Float64(number) => SqlValue::Float64(number),
        Value::Decimal(text) => SqlValue::Decimal(text),
        Value::Text(text) => SqlValue::Text(text),
        Value::Bytes(bytes) => SqlValue::Bytes(bytes),
        Value::Timestamp(text) => SqlValue::Timestamp(text),
        Value::Json(text) => SqlValue::Json(text),
    }
}

pub(crate) fn value_of(value: SqlValue) -> Value {
    match value {
        SqlValue::Null => Value::Null,
        SqlValue::Boolean(yes) => Value::Boolean(yes),
        SqlValue::Int64(number) => Value::Int64(number),
        SqlValue::Float64(number) => Value::Float64(number),
        SqlValue::Decimal(text) => Value::Decimal(text),
        SqlValue::Text(text) => Value::Text(text),
        SqlValue::Bytes(bytes) => Value::Bytes(bytes),
        SqlValue::Timestamp(text) => Value::Timestamp(text),
        SqlValue::Json(text) => Value::Json(text),
    }
}

#[cfg(test)]
mod tests {
    use placet_core::runner::{Finding, Level};

    use super::{FINDINGS_MAX, bounded, clean, plan_from};
    use crate::bindings::types;
    use crate::limits::RunnerLimits;

    fn found(level: Level, code: &str, needs_person: bool) -> Finding {
        Finding { needs_person, ..Finding::new(level, code.to_owned(), "it is so".to_owned()) }
    }

    fn many(count: usize, level: Level, code: &str, needs_person: bool) -> Vec<Finding> {
        (0..count).map(|_| found(level, code, needs_person)).collect()
    }

    fn count(findings: &[Finding], code: &str) -> usize {
        findings.iter().filter(|finding| finding.code == code).count()
    }

    #[test]
    fn a_thousand_warnings_hide_neither_another_rule_nor_what_a_person_must_see() {
        let mut all = many(5_000, Level::Warning, "sql.no_where", false);
        all.push(found(Level::Warning, "sql.drop", false));
        all.extend(many(300, Level::Info, "sql.rename", true));
        all.push(found(Level::Info, "sql.mixed_ddl_dml", false));
        bounded(&mut all);
        assert_eq!(all.len(), FINDINGS_MAX);
        assert_eq!((count(&all, "sql.drop"), count(&all, "sql.mixed_ddl_dml")), (1, 1));
        assert_eq!(count(&all, "sql.rename"), 300);
        let told = all.iter().find(|found| found.code == "sql.findings_left_out").unwrap();
        assert_eq!((told.level, told.needs_person), (Level::Warning, true));
        assert!(told.message.contains("4303 more"), "{}", told.message);
    }

    #[test]
    fn where_even_what_a_person_must_see_is_too_much_nothing_runs() {
        let mut all = many(FINDINGS_MAX + 1, Level::Info, "sql.rename", true);
        bounded(&mut all);
        assert_eq!(all.first().map(|told| told.level), Some(Level::Error));
        let mut codes: Vec<_> =
            (0..=FINDINGS_MAX).map(|n| found(Level::Info, &format!("tales.{n}"), false)).collect();
        bounded(&mut codes);
        assert_eq!(codes.first().map(|told| told.level), Some(Level::Error));
        let mut few = many(FINDINGS_MAX, Level::Info, "sql.rename", true);
        bounded(&mut few);
        assert_eq!(count(&few, "sql.rename"), FINDINGS_MAX);
    }

    #[test]
    fn ids_that_look_alike_are_one() {
        let step = |id: &str| types::Step {
            id: id.to_owned(),
            title: "a step".to_owned(),
            body: "SELECT 1".to_owned(),
            body_digest: String::new(),
            target: "target".to_owned(),
            kind: "read".to_owned(),
            risk: "none".to_owned(),
            effect: "transactional".to_owned(),
            estimated_rows: None,
            reversible: true,
            lock: "none".to_owned(),
            rewrites: false,
            objects: Vec::new(),
        };
        let planned = |ids: &[&str]| {
            let steps = ids.iter().map(|id| step(id)).collect();
            let (findings, digest, rollback) = (Vec::new(), String::new(), None);
            let plan = types::ChangePlan { steps, findings, digest, rollback };
            let (target, limits) = ("orders".parse().unwrap(), RunnerLimits::default());
            plan_from(plan, &target, &["target".to_owned()], &limits).is_ok()
        };
        assert!(planned(&["a", "b", "a b"]));
        for ids in
            [["a", "a"], ["a", "a "], ["a", " a"], ["a", "a\t"], ["a", "a\u{200b}"], ["a", " "]]
        {
            assert!(!planned(&ids), "{ids:?}");
        }
    }

    #[test]
    fn what_nobody_sees_is_dropped() {
        assert_eq!(clean("a\u{202e}b\u{200b}c\u{feff}\u{1b}d\u{e0041}é"), "abc dé");
    }
}
