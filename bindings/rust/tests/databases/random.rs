//! Random scripts, taken all the way: what they changed is put back exactly, or their plan had said that it cannot be,
//! and asked for more approval.

use std::collections::BTreeMap;
use std::sync::Arc;

use placet::error::Code;
use placet::identity::Caller;
use placet::org::command::{AddMember, AssignRole, CreateUser, PutQuorumRule};
use placet::org::{Conditions, Interval, TeamRole, UserKind};
use placet::request::{Quorum, Request, State, StateName};
use placet::runner::Plan;
use placet::runners::SqlTarget;
use placet_core::testing::Office;
use placet_target::testing::{DmlRows, DmlScripts, Examined, MARIADB, POSTGRESQL, SQLITE, Spoken};
use serde_json::json;

use super::admin::Kind;
use super::desk::Desk;

/// Makes the scripts of every run the same. `PLACET_DML_SEED` and `PLACET_DML_SCRIPTS` try others, and more.
const SEED: u64 = 20_261_123;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

impl Examined for Desk {
    fn target(&self) -> Arc<dyn SqlTarget> {
        self.database.target()
    }

    fn admin(&self, sql: &str) {
        self.database.admin(sql);
    }

    fn dump(&self, table: &str) -> Vec<Vec<String>> {
        // A row is one text: nobody looks into it.
        self.database.exact_rows(table).into_iter().map(|row| vec![row]).collect()
    }

    fn dialect(&self) -> &dyn Spoken {
        match self.database.kind() {
            Kind::Sqlite => &SQLITE,
            Kind::Postgres => &POSTGRESQL,
            Kind::MariaDb => &MARIADB,
        }
    }
}

#[test]
fn on_sqlite() {
    put_back_or_said_no(Kind::Sqlite);
}

#[test]
fn on_postgresql() {
    put_back_or_said_no(Kind::Postgres);
}

#[test]
fn on_mariadb() {
    put_back_or_said_no(Kind::MariaDb);
}

/// What became of the scripts.
#[derive(Debug, Default)]
struct Seen {
    put_back: u64,
    rows: u64,
    said_no: u64,
    not_planned: BTreeMap<Code, u64>,
    failed: u64,
}

fn put_back_or_said_no(kind: Kind) {
    let Some(desk) = Desk::begin(kind) else { return };
    let cy = asks_two_for_what_stays(&desk);
    let (seed, scripts) = (number("PLACET_DML_SEED", SEED), number("PLACET_DML_SCRIPTS", 24));
    println!("PLACET_DML_SEED={seed}");
    let mut made = DmlScripts::new(&desk, seed);
    let mut seen = Seen::default();
    for at in 0..scripts {
        let script = made.next_script().join(";\n");
        let before = made.rows();
        one((&desk, &cy), &made, (&script, &before), &mut seen)
            .unwrap_or_else(|why| panic!("seed {seed}, script {at}: {why}; the script:\n{script}"));
    }
    println!("{kind:?}: {scripts} scripts: {seen:?}");
    assert!(seen.put_back > 0 && seen.said_no > 0, "one of two ways was never taken: {seen:?}");
}

/// What cannot be put back needs two approvals, and there is somebody besides Bo; anything else needs one.
fn asks_two_for_what_stays(desk: &Desk) -> Caller {
    let Office { root, project, .. } = desk.office;
    let user = CreateUser {
        kind: UserKind::Person,
        email: "cy@example.org".parse().unwrap(),
        display_name: "cy".parse().unwrap(),
    };
    let user = desk.gate.administer(&root, &user).unwrap();
    let shop = desk.gate.organisation(&root, project).unwrap();
    let valid = Interval::starting(desk.gate.now());
    let (team, role) = (shop.teams.first().unwrap().id, TeamRole::Member);
    let joins = AddMember { project, team, user, role, valid };
    desk.gate.manage(&root, &joins).unwrap();
    let role = shop.roles.iter().find(|role| role.name.as_str() == "bo").unwrap().id;
    desk.gate.manage(&root, &AssignRole { project, user, role, valid }).unwrap();
    let mut when = Conditions::default();
    when.irreversible = true;
    let (name, quorum) = ("for good".parse().unwrap(), Quorum::n_of(2, None).unwrap());
    let rule = PutQuorumRule { project, rule: None, position: 1, name, when, quorum };
    desk.gate.manage(&root, &rule).unwrap();
    Caller::authenticated(user)
}

fn one(
    (desk, cy): (&Desk, &Caller),
    made: &DmlScripts<'_>,
    (script, before): (&str, &DmlRows),
    seen: &mut Seen,
) -> Result<(), String> {
    let id = match desk.asked(&json!({ "sql": script })) {
        Ok(id) => id,
        Err(error) => {
            *seen.not_planned.entry(error.code()).or_default() += 1;
            return made.compare(&made.rows(), before);
        }
    };
    let view = desk.gate.view(&desk.office.ana, id).unwrap();
    let plan = view.plan.as_ref().unwrap();
    made.compare(&made.rows(), before).map_err(|why| format!("planning changed rows: {why}"))?;
    desk.agree(id).unwrap();
    let asked = desk.gate.view(&desk.office.ana, id).unwrap();
    if stays(plan) {
        seen.said_no += 1;
        let more = matches!(asked.state, State::PendingApproval(_)) && plan.needs_person();
        return if more { Ok(()) } else { Err(format!("one was enough: {:?}", plan.findings)) };
    }
    let ended = desk.gate.execute(&desk.office.bo, id).unwrap().wait().unwrap();
    if ended.state.name() == StateName::Failed {
        seen.failed += 1;
        return made
            .compare(&made.rows(), before)
            .map_err(|why| format!("it failed, and left rows: {why}"));
    }
    succeeded(desk, &ended)?;
    let after = made.rows();
    // The keys that a sequence gave stay given; nothing else does.
    let back = json!({ "revert": { "request": id.to_string(), "revision": 1, "attempt": 1 } });
    match desk.asked(&back) {
        Ok(back) => {
            desk.agree(back).unwrap();
            let asked = desk.gate.view(&desk.office.ana, back).unwrap();
            if let (State::PendingApproval(_), Some(digest)) = (&asked.state, asked.digest) {
                desk.gate.approve(cy, back, digest, None).unwrap();
            }
            succeeded(desk, &desk.gate.execute(&desk.office.bo, back).unwrap().wait().unwrap())?;
        }
        Err(error) if after == *before => drop(error),
        Err(error) => return Err(format!("the revert: {error}")),
    }
    made.compare(&made.rows(), before).map_err(|why| format!("after the revert, {why}"))?;
    seen.put_back += 1;
    seen.rows += plan.steps.iter().filter_map(|step| step.estimated_rows).sum::<u64>();
    Ok(())
}

/// Whether a step changes what nobody can put back.
fn stays(plan: &Plan) -> bool {
    plan.steps.iter().any(|step| step.kind != "read" && !step.reversible)
}

fn succeeded(desk: &Desk, ended: &Request) -> Result<(), String> {
    if ended.state.name() == StateName::Succeeded {
        return Ok(());
    }
    let runs = desk.gate.view(&desk.office.ana, ended.header.id).unwrap().runs;
    Err(format!("{:?}: {runs:?}", ended.state.name()))
}
