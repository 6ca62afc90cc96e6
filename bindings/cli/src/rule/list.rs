//! Which rules there are.

use clap::Args;
use placet::Organisation;
use placet::error::Error;
use placet::org::{Block, Conditions, FindingIs};
use serde_json::{Value, json};

use crate::console::{Answer, json_of};
use crate::ground::Ground;
use crate::names::Names;
use crate::org::needs;
use crate::text::Text;

/// The rules of a project.
#[derive(Args, Debug)]
pub(crate) struct List {
    /// The project, by code or id.
    project: String,
}

impl List {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let (gate, caller) = ground.open()?;
        let shop = Names::new(&gate, &caller).organisation(&self.project)?;
        let mut text = Text::default();
        tell(&mut text, &shop)?;
        if shop.quorum_rules.is_empty() && shop.blocking_rules.is_empty() {
            text.line("no rule: the quorum of the environment holds");
        }
        let quorums = shop.quorum_rules.iter().map(|rule| {
            let mut row = json_of(rule)?;
            if let Some(row) = row.as_object_mut() {
                row.insert("needs".to_owned(), json!(needs::told(&rule.quorum, &shop)));
            }
            Ok(row)
        });
        let quorums: Vec<Value> = quorums.collect::<Result<_, Error>>()?;
        let json = json!({
            "quorum_rules": quorums,
            "blocking_rules": json_of(&shop.blocking_rules)?,
        });
        Ok(Answer::ok(text, json))
    }
}

/// The rules, as tables.
fn tell(text: &mut Text, shop: &Organisation) -> Result<(), Error> {
    let mut rows = Vec::new();
    for rule in &shop.quorum_rules {
        rows.push(vec![
            rule.position.to_string(),
            rule.name.to_string(),
            told(&rule.when, shop)?,
            needs::told(&rule.quorum, shop),
            rule.id.to_string(),
        ]);
    }
    if !rows.is_empty() {
        text.head("quorums, the first that fits");
        text.table(&["position", "name", "when", "needs", "id"], &rows);
    }
    let mut rows = Vec::new();
    for rule in &shop.blocking_rules {
        let (name, when) = (rule.name.to_string(), told(&rule.when, shop)?);
        rows.push(vec![name, when, told_block(&rule.block)?, rule.id.to_string()]);
    }
    if !rows.is_empty() {
        text.head("what stops approvals");
        text.table(&["name", "when", "stopped by", "id"], &rows);
    }
    Ok(())
}

fn told(when: &Conditions, shop: &Organisation) -> Result<String, Error> {
    let mut parts = Vec::new();
    let mut among = |names: Vec<String>| {
        if !names.is_empty() {
            parts.push(names.join(" or "));
        }
    };
    let modules = when.modules.iter().map(|id| {
        let found = shop.modules.iter().find(|row| row.id == *id);
        found.map_or_else(|| id.to_string(), |row| row.code.to_string())
    });
    among(modules.collect());
    let environments = when.environments.iter().map(|id| {
        let found = shop.environments.iter().find(|row| row.id == *id);
        found.map_or_else(|| id.to_string(), |row| row.code.to_string())
    });
    among(environments.collect());
    among(when.workflows.iter().map(|name| format!("workflow {name}")).collect());
    among(when.runners.iter().map(|name| format!("runner {name}")).collect());
    let findings = when.findings.iter().map(told_finding);
    among(findings.collect::<Result<_, _>>()?);
    if let Some(least) = when.criticality {
        parts.push(format!("criticality {} or more", word(&least)?));
    }
    if let Some(least) = when.risk {
        parts.push(format!("risk {} or more", word(&least)?));
    }
    tell_steps(&mut parts, when)?;
    Ok(if parts.is_empty() { "always".to_owned() } else { parts.join(", ") })
}

/// What the steps of a plan must be.
fn tell_steps(parts: &mut Vec<String>, when: &Conditions) -> Result<(), Error> {
    if !when.kinds.is_empty() {
        parts.push(format!("a step of kind {}", when.kinds.join(" or ")));
    }
    if let Some(least) = when.lock {
        parts.push(format!("lock {} or more", word(&least)?));
    }
    if when.rewrites {
        parts.push("a table written anew".to_owned());
    }
    if let Some(least) = when.rows {
        parts.push(format!("{least} rows or more"));
    }
    if !when.objects.is_empty() {
        parts.push(format!("touching {}", when.objects.join(" or ")));
    }
    if when.irreversible {
        parts.push("what cannot be undone".to_owned());
    }
    Ok(())
}

fn told_finding(finding: &FindingIs) -> Result<String, Error> {
    Ok(match finding {
        FindingIs::Code(code) => format!("finding {code}"),
        FindingIs::Level(level) => format!("a finding of level {} or more", word(level)?),
    })
}

fn told_block(block: &Block) -> Result<String, Error> {
    Ok(match block {
        Block::Finding(finding) => told_finding(finding)?,
        Block::Check(name) => format!("check {name}, until it passed"),
        Block::OpenThreads => "open threads".to_owned(),
        other => json_of(other)?.to_string(),
    })
}

/// The word of the kernel for it.
fn word(value: &impl serde::Serialize) -> Result<String, Error> {
    Ok(json_of(value)?.as_str().unwrap_or_default().to_owned())
}
