//! What each step does, read by the host from its text. A plugin may say worse of a step, and is not believed where it
//! says better.

use placet_core::digest::Digest;
use placet_core::runner::{Effect, Finding, Level, Lock, Plan, Risk, Step};
use placet_sql_review::{Class, Kind, calls_unknown, classify};

use crate::mode::loses_rows;

/// Says of each step what its text says, and how many rows the host saw it change in a dry run: `tried` holds, in
/// order, what ran in the transaction that was rolled back.
pub(super) fn reread(plan: &mut Plan, dialect: &str, tried: &[(Digest, u64)]) {
    let mut is_tried = true;
    let mut tried = tried.iter();
    for step in &mut plan.steps {
        let mut class = classify(&step.body, dialect);
        if calls_unknown(&step.body, dialect) {
            // A function may touch anything, and may be another one by tomorrow: it is not in the text.
            class.objects.clear();
        }
        if class.needs_person && !is_told(&plan.findings, step) {
            plan.findings.push(unparsed(step));
        }
        merge(step, class);
        // As far as the steps ran one after the other, and nothing between them: other counts mean nothing.
        let seen = tried.next().filter(|(digest, _)| is_tried && *digest == step.body_digest);
        is_tried = seen.is_some();
        // What takes a table's rows with it counts none of them.
        let counts = step.kind != "read" && !loses_rows(step);
        step.estimated_rows = seen.map(|(_, rows)| *rows).filter(|_| counts);
    }
}

/// What puts a row back changes one row, and is undone with the others where one of them does not. The target wrote it, and
/// the plugin has no say in it.
pub(super) fn as_revert(step: &mut Step) {
    Kind::Write.word().clone_into(&mut step.kind);
    (step.risk, step.effect) = (Risk::Medium, Effect::Transactional);
    (step.impact.lock, step.impact.rewrites) = (Lock::Rows, false);
}

fn merge(step: &mut Step, class: Class) {
    // What only reads by its text may do more by the plugin's word, and never the other way round.
    if class.kind != Kind::Read {
        class.kind.word().clone_into(&mut step.kind);
    }
    step.risk = step.risk.max(Risk::from_word(class.risk.word()));
    if class.effect == placet_sql_review::Effect::AtMostOnce {
        step.effect = Effect::AtMostOnce;
    }
    step.impact.lock = step.impact.lock.max(Lock::from_word(class.lock.word()));
    step.impact.rewrites |= class.rewrites;
    step.impact.objects = class.objects;
}

fn is_told(findings: &[Finding], step: &Step) -> bool {
    let of_step = |found: &&Finding| found.step.as_ref() == Some(&step.id);
    findings.iter().filter(of_step).any(|found| found.needs_person)
}

fn unparsed(step: &Step) -> Finding {
    let message = "it could not be understood; a person must read it".to_owned();
    let finding = Finding::new(Level::Warning, "sql.unparsed".to_owned(), message);
    let help = "have somebody read it who knows what it does";
    let (step, help) = (Some(step.id.clone()), Some(help.to_owned()));
    Finding { step, help, needs_person: true, ..finding }
}

#[cfg(test)]
mod tests {
    use placet_core::runner::Impact;

    use super::*;

    fn planned(bodies: &[&str]) -> Plan {
        let step = |(number, body): (usize, &&str)| Step {
            id: format!("s{number}"),
            title: "harmless".to_owned(),
            body: (*body).to_owned(),
            body_digest: Digest::of(body.as_bytes()),
            target: "orders".parse().unwrap(),
            kind: "read".to_owned(),
            risk: Risk::None,
            effect: Effect::Transactional,
            estimated_rows: Some(1),
            reversible: true,
            impact: Impact { objects: vec!["elsewhere".to_owned()], ..Impact::default() },
        };
        Plan::new(bodies.iter().enumerate().map(step).collect(), Vec::new())
    }

    #[test]
    fn a_plugin_that_calls_everything_harmless_is_not_believed() {
        let mut plan = planned(&[
            "DELETE FROM orders",
            "ALTER TABLE orders ALTER COLUMN cents TYPE bigint",
            "CREATE INDEX CONCURRENTLY by_day ON orders (day)",
            "nothing that anybody knows",
            "SELECT id FROM orders",
        ]);
        reread(&mut plan, "postgresql", &[]);
        let kinds: Vec<_> = plan.steps.iter().map(|step| step.kind.as_str()).collect();
        assert_eq!(kinds, ["write", "ddl", "ddl", "unknown", "read"]);
        let risks: Vec<_> = plan.steps.iter().map(|step| step.risk).collect();
        assert_eq!(risks, [Risk::High, Risk::High, Risk::Low, Risk::High, Risk::None]);
        let alone: Vec<_> =
            plan.steps.iter().map(|step| step.effect == Effect::AtMostOnce).collect();
        assert_eq!(alone, [false, false, true, false, false]);
        let alter = &plan.steps[1].impact;
        assert_eq!((alter.lock, alter.rewrites), (Lock::Exclusive, true));
        assert_eq!(alter.objects, ["orders"]);
        assert_eq!(plan.steps[3].impact.objects, Vec::<String>::new());
        assert!(plan.needs_person());
        assert!(plan.steps.iter().all(|step| step.estimated_rows.is_none()));
    }

    #[test]
    fn what_calls_a_function_that_nobody_knows_may_touch_anything() {
        let mut plan = planned(&[
            "SELECT tidy(id) FROM orders",
            "UPDATE orders SET state = next_state(state) WHERE id = 1",
            "ALTER TABLE orders ADD COLUMN token text DEFAULT make_token()",
            "SELECT lower(state) FROM orders",
        ]);
        reread(&mut plan, "postgresql", &[]);
        let objects: Vec<_> = plan.steps.iter().map(|step| step.impact.objects.len()).collect();
        assert_eq!(objects, [0, 0, 0, 1]);
    }

    #[test]
    fn only_rows_that_the_host_saw_changed_in_order_are_told() {
        let bodies = ["INSERT INTO a VALUES (1)", "SELECT 1", "DELETE FROM a", "DELETE FROM b"];
        let saw = |bodies: &[(&str, u64)]| -> Vec<_> {
            bodies.iter().map(|(body, rows)| (Digest::of(body.as_bytes()), *rows)).collect()
        };
        let told = |tried: &[(&str, u64)]| -> Vec<_> {
            let mut plan = planned(&bodies);
            reread(&mut plan, "sqlite", &saw(tried));
            plan.steps.iter().map(|step| step.estimated_rows).collect()
        };
        let [first, second, third, _] = bodies;
        assert_eq!(told(&[(first, 1), (second, 0), (third, 9)]), [Some(1), None, Some(9), None]);
        assert_eq!(told(&[(first, 1), (third, 9)]), [Some(1), None, None, None]);
        assert_eq!(told(&[(third, 0), (first, 1)]), [None; 4]);
    }

    #[test]
    fn what_puts_rows_back_runs_in_one_transaction_whatever_a_plugin_says() {
        let mut plan = planned(&["DELETE FROM a WHERE id = 1"]);
        plan.steps[0].effect = Effect::AtMostOnce;
        plan.steps.iter_mut().for_each(as_revert);
        let step = &plan.steps[0];
        assert_eq!((step.kind.as_str(), step.risk), ("write", Risk::Medium));
        assert_eq!((step.effect, step.impact.lock), (Effect::Transactional, Lock::Rows));
    }

    #[test]
    fn what_a_plugin_fears_more_stays() {
        let mut plan = planned(&["SELECT 1"]);
        if let Some(step) = plan.steps.first_mut() {
            step.kind = "deploy".to_owned();
            (step.risk, step.effect) = (Risk::Critical, Effect::AtMostOnce);
        }
        reread(&mut plan, "sqlite", &[]);
        let step = &plan.steps[0];
        assert_eq!((step.kind.as_str(), step.risk), ("deploy", Risk::Critical));
        assert_eq!(step.effect, Effect::AtMostOnce);
    }
}
