//! A counterexample in plain words.

use core::fmt;

use placet_core::authz::{Facts, GrantRows, MembershipRows, PolicyHit, Question, Scope};
use placet_core::org::{Interval, UserKind};

use super::proof::Counterexample;

impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { property, question, facts, permitted_by, breaks } = self;
        writeln!(f, "not true that {property}. This is allowed:")?;
        writeln!(f, "  who: {}", who(question, facts))?;
        writeln!(f, "  what: `{}`", question.action)?;
        writeln!(f, "  where: {}", place(question))?;
        writeln!(f, "  when: {}", question.at)?;
        writeln!(f, "  membership: {}", membership(question, facts.membership.as_ref()))?;
        writeln!(f, "  grant: {}", grant(question, facts.grant.as_ref()))?;
        write!(f, "  permitted by: {}", hits(permitted_by))?;
        if breaks.is_empty() {
            return Ok(());
        }
        write!(f, "\n  which breaks: {}", hits(breaks))
    }
}

fn hits(hits: &[PolicyHit]) -> String {
    let texts = hits.iter().map(|hit| format!("`{}` ({})", hit.id, hit.place));
    texts.collect::<Vec<_>>().join(", ")
}

fn who(question: &Question, facts: &Facts) -> String {
    let kind = match facts.user.kind {
        UserKind::Person => "a person",
        UserKind::Agent => "an agent",
    };
    let mut text =
        format!("{kind}, {}", if facts.user.is_active { "active" } else { "not active" });
    for row in facts.global_roles.iter().filter(|row| row.user_id == question.user) {
        text = format!("{text}, {}", row.role.as_str());
    }
    if facts.authors.contains(&question.user) {
        text.push_str(", who wrote it");
    }
    format!("{text} (`{}`)", question.user)
}

fn place(question: &Question) -> String {
    match question.scope {
        Scope::Platform => "the platform".to_owned(),
        Scope::Project { project, module, environment } => {
            let module = module.map_or("no module".to_owned(), |id| format!("module `{id}`"));
            let environment =
                environment.map_or("no environment".to_owned(), |id| format!("environment `{id}`"));
            format!("project `{project}`, {module}, {environment}")
        }
    }
}

fn live(question: &Question, valid: Interval) -> String {
    let state = if valid.contains(question.at) {
        "live"
    } else if question.at < valid.from() {
        "not begun"
    } else {
        "over"
    };
    let until = valid.until().map_or("for ever".to_owned(), |until| format!("until {until}"));
    format!("{state} (from {} {until})", valid.from())
}

/// `yes` where they are the same, else `no`.
fn either<T: Eq>(left: &T, right: &T, yes: &str, no: &str) -> String {
    if left == right { yes } else { no }.to_owned()
}

fn membership(question: &Question, rows: Option<&MembershipRows>) -> String {
    let Some(MembershipRows { membership, team, team_module }) = rows else {
        return "none".to_owned();
    };
    let module = match question.scope {
        Scope::Project { module, .. } => module,
        Scope::Platform => None,
    };
    let looks_after = match (team_module, module) {
        (Some(row), Some(module)) => {
            row.module_id == module && row.team_id == team.id && team.id == membership.team_id
        }
        (None, Some(_)) => false,
        (_, None) => true,
    };
    let mut parts = vec![
        either(&membership.user_id, &question.user, "of the user", "of somebody else"),
        live(question, membership.valid),
        either(
            &membership.team_id,
            &team.id,
            "in the team",
            "in another team than the one at hand",
        ),
        either(
            &Some(team.project_id),
            &question.scope.project_id(),
            "of the project",
            "of another project",
        ),
    ];
    if !looks_after {
        parts.push("which does not look after the module".to_owned());
    }
    parts.join(", ")
}

fn grant(question: &Question, rows: Option<&GrantRows>) -> String {
    let Some(GrantRows { grant, role_permission, permission }) = rows else {
        return "none".to_owned();
    };
    let here = question.scope.project_id();
    let (module, environment) = match question.scope {
        Scope::Project { module, environment, .. } => (module, environment),
        Scope::Platform => (None, None),
    };
    let linked =
        role_permission.role_id == grant.role_id && role_permission.permission_id == permission.id;
    let mut parts = vec![
        either(&grant.user_id, &question.user, "of the user", "of somebody else"),
        live(question, grant.valid),
        either(&Some(grant.project_id), &here, "in the project", "in another project"),
        if linked {
            "its role has the permission"
        } else {
            "its role does not have the permission"
        }
        .to_owned(),
        format!(
            "which is for `{}` {}",
            permission.action,
            either(&Some(permission.project_id), &here, "in the project", "in another project")
        ),
    ];
    parts.push(match permission.module_id {
        None => "in all modules".to_owned(),
        some => either(&some, &module, "in this module", "in another module only"),
    });
    parts.push(match permission.environment_id {
        None => "in all environments".to_owned(),
        some => either(&some, &environment, "in this environment", "in another environment only"),
    });
    parts.join(", ")
}
