//! What a plugin says would take its plan back. It is no step: nothing of it is run with the plan, and a plan has no place
//! for it. People see it with the plan, and ask for it by a request of its own, whose plan they see in full.

use placet_core::error::Error;
use placet_core::runner::{Finding, Level};
use placet_exchange::Exchange;
use placet_target_deploy::DeployTarget;

use crate::bindings::types::Step;
use crate::convert::clean;

use super::calls::{STEPS_MAX, call_of, refused_by};

/// The most steps that are told one by one.
const TOLD_MAX: usize = 25;

/// How much of one step's text is told, in characters.
const CHARACTERS_MAX: usize = 300;

/// The calls that would take calls back, and whether the target would let all of them through: else nobody may count
/// on it.
pub(super) fn of_calls(
    steps: &[Step],
    target: &DeployTarget,
) -> Result<(bool, Vec<Finding>), Error> {
    if steps.len() > STEPS_MAX {
        let count = steps.len();
        let message =
            format!("what would take it back has {count} calls, and a run makes {STEPS_MAX}");
        return Ok((false, vec![impossible(message)]));
    }
    let mut is_possible = !steps.is_empty();
    let mut found = Vec::new();
    for step in steps {
        let call = call_of(&step.id, &step.body)?;
        let told = format!("`{}`: {}", short(&step.title), short(&shape(&call)));
        if let Some(why) = refused_by(target, &call) {
            is_possible = false;
            found.push(impossible(format!("what would take it back would fail: {told}: {why}")));
        } else {
            let message = format!("a request of its own can take it back by {told}");
            found.push(Finding::new(Level::Info, "deploy.rollback".to_owned(), message));
        }
    }
    Ok((is_possible, found))
}

fn impossible(message: String) -> Finding {
    let finding = Finding::new(Level::Warning, "deploy.no_rollback".to_owned(), message);
    let help = "correct the environment's settings or the rules of the target, or do without it";
    Finding { help: Some(help.to_owned()), ..finding }
}

/// The statements that a plugin for databases says would take its plan back. What the host itself can put back is judged
/// elsewhere, and whoever wants these asks for them as any other script.
pub(super) fn of_statements(steps: &[Step]) -> Vec<Finding> {
    let told = steps.iter().take(TOLD_MAX).map(|step| {
        let (title, body) = (short(&step.title), short(&step.body));
        let message = format!("the plugin says that this takes it back: `{title}`: {body}");
        let finding = Finding::new(Level::Info, "plan.rollback".to_owned(), message);
        let help = "nobody has tried it; to use it, ask for it by a request of its own";
        Finding { help: Some(help.to_owned()), ..finding }
    });
    let mut found: Vec<Finding> = told.collect();
    let more = steps.len().saturating_sub(TOLD_MAX);
    if more > 0 {
        let message = format!("the plugin names {more} more steps that take it back");
        found.push(Finding::new(Level::Info, "plan.rollback".to_owned(), message));
    }
    found
}

/// What a call is, without its headers and its body.
fn shape(call: &Exchange) -> String {
    match call {
        Exchange::Http(call) => {
            format!("{} {} at {}", call.method, call.path_and_query, call.endpoint)
        }
        Exchange::Command(call) => {
            let arguments = call.arguments.iter().map(|(name, value)| format!(" {name}={value}"));
            format!("command {}{}", call.name, arguments.collect::<String>())
        }
    }
}

fn short(text: &str) -> String {
    let text = clean(text);
    let cut: String = text.chars().take(CHARACTERS_MAX).collect();
    if cut.len() < text.len() { cut + "…" } else { cut }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(title: &str, body: &str) -> Step {
        Step {
            id: "r1".to_owned(),
            title: title.to_owned(),
            body: body.to_owned(),
            body_digest: String::new(),
            target: "target".to_owned(),
            kind: "write".to_owned(),
            risk: "low".to_owned(),
            effect: "transactional".to_owned(),
            estimated_rows: None,
            reversible: false,
            lock: "rows".to_owned(),
            rewrites: false,
            objects: Vec::new(),
        }
    }

    #[test]
    fn statements_that_take_a_plan_back_are_told_cleaned_and_not_all_of_many() {
        assert_eq!(of_statements(&[]), []);
        let odd =
            step("open\u{1b}[2J again", "UPDATE orders\nSET state = 'new'\u{202e} WHERE id = 3");
        let told = of_statements(core::slice::from_ref(&odd));
        assert_eq!(
            told[0].message,
            "the plugin says that this takes it back: `open [2J again`: UPDATE orders SET state = 'new' WHERE id = 3"
        );
        assert_eq!((told[0].level, told[0].code.as_str()), (Level::Info, "plan.rollback"));
        assert!(told[0].help.is_some());
        let many = of_statements(&vec![odd; 1_000]);
        assert_eq!(many.len(), TOLD_MAX + 1);
        assert!(many[TOLD_MAX].message.contains("975 more"));
        let long = of_statements(&[step("long", &"x".repeat(1 << 20))]);
        assert!(long[0].message.chars().count() < 400 && long[0].message.ends_with('…'));
    }

    #[test]
    fn a_way_back_that_the_target_refuses_is_none() {
        let target = DeployTarget::builder().build().unwrap();
        let call = r#"{"command":{"arguments":[["to","before"]],"name":"switch","stdin":""}}"#;
        let (is_possible, told) = of_calls(&[step("Switch back", call)], &target).unwrap();
        assert!(!is_possible);
        assert_eq!((told[0].level, told[0].code.as_str()), (Level::Warning, "deploy.no_rollback"));
        assert!(told[0].message.contains("command switch to=before"), "{}", told[0].message);
        assert!(of_calls(&[step("no call", "DELETE FROM orders")], &target).is_err());
        assert!(!of_calls(&[], &target).unwrap().0);
        let many = of_calls(&vec![step("Switch back", call); STEPS_MAX + 1], &target).unwrap();
        assert_eq!((many.0, many.1.len()), (false, 1));
    }
}
