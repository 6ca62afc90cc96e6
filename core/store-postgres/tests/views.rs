use std::sync::Arc;

use placet_core::clock::Timestamp;
use placet_core::error::Error;
use placet_core::gate::{Gate, Organisation, RequestView};
use placet_core::id::{EnvironmentId, ModuleId, UserId};
use placet_core::org::command::{
    AddMember, CreateEnvironment, CreatePermission, CreateUser, EndGrant, SetUserActive,
};
use placet_core::org::{Criticality, Interval, TeamRole, User, UserKind};
use placet_core::request::HistoryEntry;
use placet_core::testing::{Bench, Office, Seen};

use crate::server::{Db, Server, fresh, server};

/// The tables, and their columns in order, as the documents name them.
const TABLES: [(&str, &str); 13] = [
    ("users", "id email display_name password_hash is_active"),
    ("projects", "id code name"),
    ("project_environments", "id project_id code name priority"),
    ("project_modules", "id project_id code name"),
    ("teams", "id project_id name"),
    ("team_modules", "team_id module_id"),
    ("team_members", "id team_id user_id role valid_from valid_to"),
    ("project_roles", "id project_id name"),
    ("project_permissions", "id project_id module_id environment_id action"),
    ("project_role_permissions", "role_id permission_id"),
    ("user_project_roles", "id project_id user_id role_id start_at end_at"),
    (
        "approval_workflows",
        "id artifact_type artifact_id current_status requester_id reviewer_id created_at updated_at",
    ),
    (
        "approval_history",
        "id workflow_id previous_status new_status actor_id action comments detailed_snapshot created_at",
    ),
];

/// An instant as the queries below write it.
const INSTANT: &str = r#"'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'"#;

/// An organisation with whatever the office has none of: rows with an end, without a module, of an agent
/// and of somebody who left, names that need escaping, the largest number; and a request that ran.
struct World {
    db: Db,
    shop: Organisation,
    users: Vec<User>,
    history: Vec<HistoryEntry>,
    requests: Vec<RequestView>,
    until: Timestamp,
}

fn world(server: &Server) -> Result<World, Error> {
    let schema = fresh("views");
    let bench = Bench::on(Arc::new(server.store(&schema)))?;
    let gate = Gate::new(bench.parts);
    let office = Office::found(&gate)?;
    let (root, project) = (&office.root, office.project);
    let (code, name) = ("prod".parse()?, "Producción \"Sur\" \\ |".parse()?);
    let criticality = Criticality::Critical;
    gate.manage(root, &CreateEnvironment { project, code, name, priority: u32::MAX, criticality })?;
    let (module, environment) = (Some(office.module), Some(office.environment));
    let action = "deploy".parse()?;
    gate.manage(root, &CreatePermission { project, module, environment, action })?;
    let shop = gate.organisation(root, project)?;
    let until = gate.now().plus_ms(86_400_000);
    let valid = Interval::new(gate.now(), Some(until))?;
    let (email, display_name) = ("cleo@example.org".parse()?, "Cleo".parse()?);
    let kind = UserKind::Agent;
    let user = gate.administer(root, &CreateUser { kind, email, display_name })?;
    let (team, role) = (shop.teams[0].id, TeamRole::LeaderTemp);
    gate.manage(root, &AddMember { project, team, user, role, valid })?;
    let request = office.approved(&gate)?.header.id;
    gate.drive(gate.execute(&office.bo, request)?, &Seen::default())?;
    // An artifact that was sent back, edited and approved; and one that nobody looked at.
    let story = office.pending_artifact(&gate, 42)?.header.id;
    gate.request_changes(&office.bo, story, "one more step")?;
    let change = office.change(r#"{"i_want": "to pay\u0000 by card"}"#)?;
    gate.edit(&office.ana, story, "a better story", &change)?;
    let again = gate.submit(&office.ana, story)?.header;
    gate.approve(&office.bo, story, again.change_digest()?, None)?;
    let draft = office.artifact(&gate, 43)?.header.id;
    let (mut history, mut requests) = (Vec::new(), Vec::new());
    for id in [request, story, draft] {
        history.extend(gate.history(&office.ana, id)?);
        requests.push(gate.view(&office.ana, id)?);
    }
    bench.clock.advance_ms(60_000);
    gate.manage(root, &EndGrant { project, grant: shop.grants[0].id, at: None })?;
    gate.administer(root, &SetUserActive { user: office.ana.user(), active: false })?;
    let (shop, users) = (gate.organisation(root, project)?, gate.users(root, None)?.items);
    let db = server.db();
    db.run(&format!("SET search_path = {schema}; SET timezone = 'America/Lima'"));
    Ok(World { db, shop, users, history, requests, until })
}

impl World {
    /// The rows of a query, sorted.
    fn rows(&self, sql: &str) -> Vec<String> {
        sorted(self.db.rows(&sql.replace("INSTANT", INSTANT)))
    }

    fn email(&self, id: UserId) -> &str {
        self.users.iter().find(|user| user.id == id).unwrap().email.as_str()
    }
}

/// A value as the rows of the tests show it.
fn text(value: Option<impl ToString>) -> String {
    value.map_or("-".to_owned(), |value| value.to_string())
}

fn sorted(rows: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut rows: Vec<String> = rows.into_iter().collect();
    rows.sort();
    rows
}

#[test]
fn the_tables_can_be_joined_and_say_what_the_gate_says() {
    let Some(server) = server() else { return };
    let world = world(&server).unwrap();
    columns(&world);
    places(&world);
    people(&world);
    rights(&world);
    steps(&world);
    workflows(&world);
}

fn columns(world: &World) {
    for (table, columns) in TABLES {
        let sql = format!(
            "SELECT string_agg(column_name, ' ' ORDER BY ordinal_position)
             FROM information_schema.columns
             WHERE table_schema = current_schema AND table_name = '{table}'"
        );
        assert_eq!(world.rows(&sql), [columns], "{table}");
    }
}

/// From the project down.
fn places(world: &World) {
    let due = world.shop.environments.iter().map(|row| {
        let (id, name) = (row.id.to_uuid_string(), row.name.as_str());
        format!("shop|Shop|{id}|{}|{name}|{}", row.code.as_str(), row.priority)
    });
    let sql = "SELECT p.code, p.name, e.id, e.code, e.name, e.priority
               FROM projects p JOIN project_environments e ON e.project_id = p.id";
    assert_eq!(world.rows(sql), sorted(due));
    let due = world.shop.modules.iter().map(|row| {
        let id = row.id.to_uuid_string();
        format!("shop|{id}|{}|{}", row.code.as_str(), row.name.as_str())
    });
    let sql = "SELECT p.code, m.id, m.code, m.name
               FROM projects p JOIN project_modules m ON m.project_id = p.id";
    assert_eq!(world.rows(sql), sorted(due));
}

/// Who is in which team, for which module, and when.
fn people(world: &World) {
    let due = world.users.iter().map(|row| {
        let (id, name) = (row.id.to_uuid_string(), row.display_name.as_str());
        let active = if row.is_active { "t" } else { "f" };
        format!("{id}|{}|{name}|-|{active}", row.email.as_str())
    });
    assert_eq!(world.rows("SELECT * FROM users"), sorted(due));
    assert_eq!(world.rows("SELECT email FROM users WHERE NOT is_active"), ["ana@example.org"]);

    let shop = &world.shop;
    let due = shop.memberships.iter().flat_map(|row| {
        let team = shop.teams.iter().find(|team| team.id == row.team_id).unwrap();
        let links = shop.team_modules.iter().filter(|link| link.team_id == row.team_id);
        links.map(|link| {
            let module = shop.modules.iter().find(|module| module.id == link.module_id).unwrap();
            let names = [world.email(row.user_id), team.name.as_str(), module.code.as_str()];
            let (id, valid) = (row.id.to_uuid_string(), row.valid);
            let names = names.join("|");
            format!("{id}|{names}|{}|{}|{}", row.role.as_str(), valid.from(), text(valid.until()))
        })
    });
    let sql = "SELECT tm.id, u.email, t.name, m.code, tm.role,
                   to_char(tm.valid_from AT TIME ZONE 'UTC', INSTANT),
                   to_char(tm.valid_to AT TIME ZONE 'UTC', INSTANT)
               FROM team_members tm
               JOIN users u ON u.id = tm.user_id
               JOIN teams t ON t.id = tm.team_id
               JOIN team_modules l ON l.team_id = t.id
               JOIN project_modules m ON m.id = l.module_id";
    let found = world.rows(sql);
    assert_eq!(found, sorted(due));
    let end = world.until.to_string();
    assert!(found.iter().any(|row| row.contains("LEADER_TEMP") && row.ends_with(&end)));
}

/// Who may do what, where, and until when.
fn rights(world: &World) {
    let shop = &world.shop;
    let due = shop.grants.iter().flat_map(|grant| {
        let role = shop.roles.iter().find(|role| role.id == grant.role_id).unwrap();
        let links = shop.role_permissions.iter().filter(|link| link.role_id == role.id);
        links.map(|link| {
            let found = shop.permissions.iter().find(|row| row.id == link.permission_id);
            let permission = found.unwrap();
            [
                grant.id.to_uuid_string(),
                world.email(grant.user_id).to_owned(),
                role.name.as_str().to_owned(),
                permission.action.to_string(),
                text(permission.module_id.map(ModuleId::to_uuid_string)),
                text(permission.environment_id.map(EnvironmentId::to_uuid_string)),
                grant.valid.from().to_string(),
                text(grant.valid.until()),
            ]
            .join("|")
        })
    });
    let sql = "SELECT g.id, u.email, r.name, p.action, p.module_id, p.environment_id,
                   to_char(g.start_at AT TIME ZONE 'UTC', INSTANT),
                   to_char(g.end_at AT TIME ZONE 'UTC', INSTANT)
               FROM user_project_roles g
               JOIN projects s ON s.id = g.project_id
               JOIN users u ON u.id = g.user_id
               JOIN project_roles r ON r.id = g.role_id AND r.project_id = s.id
               JOIN project_role_permissions l ON l.role_id = r.id
               JOIN project_permissions p ON p.id = l.permission_id AND p.project_id = s.id";
    let found = world.rows(sql);
    assert_eq!(found, sorted(due));
    assert_eq!(found.len(), 14, "two actions each for two people, and those of EDITOR and ADMIN");
    let sql = "SELECT m.code, e.code FROM project_permissions p
               JOIN project_modules m ON m.id = p.module_id
               JOIN project_environments e ON e.id = p.environment_id
               WHERE p.action = 'deploy'";
    assert_eq!(world.rows(sql), ["pagos|dev"]);
}

/// What became of the request, step by step.
fn steps(world: &World) {
    let due = world.history.iter().map(|row| {
        let request = row.request.to_uuid_string();
        [
            format!("{request}/{}", row.number),
            request,
            text(row.from_step.as_ref()),
            row.to_step.to_string(),
            text(row.actor.map(UserId::to_uuid_string)),
            row.action.clone(),
            text(row.comment.clone()),
            snapshot(world, row),
            row.at.to_string(),
        ]
        .join("|")
    });
    let sql = "SELECT id, workflow_id, previous_status, new_status, actor_id, action, comments,
                   detailed_snapshot, to_char(created_at AT TIME ZONE 'UTC', INSTANT)
               FROM approval_history";
    let found = world.rows(sql);
    assert_eq!(found, sorted(due));
    assert!(found.len() >= 5, "{found:?}");
    let said = "SELECT DISTINCT detailed_snapshot::text FROM approval_history
                WHERE previous_status = 'CHANGES_REQUESTED'";
    assert_eq!(world.rows(said), [r#"{"i_want": "to pay\u0000 by card"}"#]);
    let sql = "SELECT u.email FROM approval_history h JOIN users u ON u.id = h.actor_id
               WHERE h.action = 'APPROVE'";
    assert_eq!(world.rows(sql), ["bo@example.org", "bo@example.org"]);
}

/// What the request said at that step. Only one of them had two texts.
fn snapshot(world: &World, step: &HistoryEntry) -> String {
    let request = world.requests.iter().find(|view| view.header.id == step.request).unwrap();
    if step.revision < request.header.revision {
        return r#"{"i_want":"to pay by card"}"#.to_owned();
    }
    request.change.payload.clone()
}

/// Where each request is.
fn workflows(world: &World) {
    let due = world.requests.iter().map(|view| {
        let header = &view.header;
        let artifact = header.artifact.as_ref();
        // A draft has no reviewer; Bo decided about the others.
        let bo = world.users.iter().find(|user| user.email.as_str() == "bo@example.org").unwrap();
        let reviewer = (header.step.as_str() != "DRAFT").then(|| bo.id.to_uuid_string());
        [
            header.id.to_uuid_string(),
            text(artifact.map(|artifact| artifact.artifact_type.to_string())),
            text(artifact.map(|artifact| artifact.artifact_id)),
            header.step.to_string(),
            header.requester.to_uuid_string(),
            text(reviewer),
            header.created_at.to_string(),
            header.updated_at.to_string(),
        ]
        .join("|")
    });
    let sql = "SELECT id, artifact_type, artifact_id, current_status, requester_id, reviewer_id,
                   to_char(created_at AT TIME ZONE 'UTC', INSTANT),
                   to_char(updated_at AT TIME ZONE 'UTC', INSTANT)
               FROM approval_workflows";
    assert_eq!(world.rows(sql), sorted(due));
    let sql = "SELECT count(*) FROM approval_history h JOIN approval_workflows w
               ON w.id = h.workflow_id WHERE w.artifact_id = 42";
    assert_eq!(world.rows(sql), ["8"]);
}

/// A view must go by the range of its kind, and not read the rest of the store.
#[test]
fn a_view_reads_its_own_range_only() {
    let Some(server) = server() else { return };
    let schema = fresh("range");
    drop(server.store(&schema));
    let db = server.db();
    db.run(&format!("SET enable_seqscan = off; SET search_path = {schema}"));
    for (table, _) in TABLES {
        let plan = db.rows(&format!("EXPLAIN SELECT * FROM {table}")).join("\n");
        assert!(plan.contains("Index Cond: ((key >= "), "{plan}");
    }
}
