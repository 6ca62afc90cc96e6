//! Whether anybody can put back what the steps change. Approvers hear it before they agree.

use std::collections::BTreeMap;

use placet_core::error::Error;
use placet_core::runner::{Effect, Finding, Level, Plan, Risk, Step};
use placet_sql_review::Backup;
use placet_target::{Keepable, Touch};

use super::look::Look;
use crate::mode::{changes_rows, loses_rows};
use crate::review;
use crate::state::Reach;

const CODE: &str = "sql.cannot_revert";

/// Marks the steps whose rows the host will keep, and says of the others why it cannot.
pub(super) fn judge(
    look: &mut Look<'_>,
    plan: &mut Plan,
    reach: &Reach,
    rows_max: u64,
) -> Result<Vec<Finding>, Error> {
    let mut found = Vec::new();
    let is_changing = |step: &&Step| changes_rows(step) || loses_rows(step);
    let changing = |plan: &Plan| plan.steps.iter().find(is_changing).map(id_of);
    if reach.settings.backup == Backup::Off {
        let why = "this environment keeps no rows, so that nothing can be put back";
        found.extend(changing(plan).map(|step| finding(Level::Info, why.to_owned(), step)));
    } else {
        let level = match reach.settings.backup {
            Backup::Required => Level::Error,
            Backup::WhenPossible | Backup::Off => Level::Warning,
        };
        let mut reasons = Reasons::default();
        let mut known = BTreeMap::new();
        // A revert has at most so many statements, whatever number of steps they undo.
        let mut left = rows_max;
        for step in &mut plan.steps {
            if loses_rows(step) {
                reasons.add("it takes rows with it, and none are kept for that".to_owned(), step);
            }
            if !changes_rows(step) {
                continue;
            }
            match keepable(look, step, (reach.target.dialect(), rows_max, left), &mut known)? {
                Keepable::Yes => {
                    step.reversible = true;
                    left = left.saturating_sub(step.estimated_rows.unwrap_or(0));
                }
                Keepable::No(why) => {
                    step.risk = step.risk.max(Risk::High);
                    reasons.add(why, step);
                }
            }
        }
        found.extend(reasons.findings(level));
    }
    let is_schema = |step: &&Step| step.kind == "ddl" && !loses_rows(step);
    let ddl: Vec<&Step> = plan.steps.iter().filter(is_schema).collect();
    if let Some(first) = ddl.first() {
        let why = match ddl.len() {
            1 => "it changes the schema, and no rows are kept for that".to_owned(),
            count => format!("{count} steps change the schema, and no rows are kept for that"),
        };
        found.push(finding(Level::Info, why, id_of(first)));
    }
    Ok(found)
}

fn keepable(
    look: &mut Look<'_>,
    step: &Step,
    (dialect, rows_max, left): (&str, u64, u64),
    known: &mut BTreeMap<String, Keepable>,
) -> Result<Keepable, Error> {
    if step.effect != Effect::Transactional {
        return Ok(Keepable::No("it runs outside a transaction".to_owned()));
    }
    if step.estimated_rows.is_some_and(|rows| rows > rows_max) {
        return Ok(Keepable::No(format!("it changes more than {rows_max} rows")));
    }
    if step.estimated_rows.is_some_and(|rows| rows > left) {
        return Ok(Keepable::No(format!(
            "together with the steps before it, it changes more than {rows_max} rows"
        )));
    }
    let touch = match review::touch(&step.body, dialect) {
        Ok(touch) => touch,
        Err(why) => return Ok(Keepable::No(why)),
    };
    // The target reads the schema alone, so that the same question has the same answer.
    let Touch { kind, table, columns, alias: _, condition: _ } = &touch;
    let question = format!("{kind:?} {table:?} {columns:?}");
    if let Some(told) = known.get(&question) {
        return Ok(told.clone());
    }
    let told = look.can_keep(&touch)?;
    known.insert(question, told.clone());
    Ok(told)
}

/// Each reason once: the step that it holds for first, and how many more.
#[derive(Debug, Default)]
struct Reasons(Vec<(String, String, usize)>);

impl Reasons {
    fn add(&mut self, why: String, step: &Step) {
        match self.0.iter_mut().find(|(known, ..)| *known == why) {
            Some((_, _, more)) => *more = more.saturating_add(1),
            None => self.0.push((why, id_of(step), 0)),
        }
    }

    fn findings(self, level: Level) -> impl Iterator<Item = Finding> {
        self.0.into_iter().map(move |(why, step, more)| {
            let besides = match more {
                0 => String::new(),
                1 => " (and so does 1 step more)".to_owned(),
                _ => format!(" (and so do {more} steps more)"),
            };
            let message = format!("it changes what nobody can put back{besides}: {why}");
            Finding { needs_person: true, ..finding(level, message, step) }
        })
    }
}

fn id_of(step: &Step) -> String {
    step.id.clone()
}

fn finding(level: Level, message: String, step: String) -> Finding {
    let help = "make a copy of what it changes, or write it so that the rows can be kept";
    let finding = Finding::new(level, CODE.to_owned(), message);
    Finding { step: Some(step), help: Some(help.to_owned()), ..finding }
}
