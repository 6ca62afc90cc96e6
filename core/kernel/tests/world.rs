//! The organisation of the examples: project `shop`, modules `pagos` and `logistica`, dev and prod.

use std::collections::BTreeMap;
use std::sync::Arc;

use placet_core::audit::{DeepOptions, Leaf, verify_deep};
use placet_core::clock::Timestamp;
use placet_core::digest::Digest;
use placet_core::error::Error;
use placet_core::gate::{Gate, NewRequest};
use placet_core::id::{EnvironmentId, ModuleId, ProjectId, RequestId, RoleId, TeamId, UserId};
use placet_core::identity::Caller;
use placet_core::org::command::{
    AddMember, AllowRole, AssignModule, AssignRole, CreateEnvironment, CreateModule,
    CreatePermission, CreateProject, CreateRole, CreateTeam, CreateUser, SetQuorum,
};
use placet_core::org::{Criticality, Interval, TeamRole, UserKind};
use placet_core::request::{Approval, Change, Quorum, Request, Standing};
use placet_core::store::{Key, MemoryStore, Store};
use placet_core::testing::{Bench, Seen, is_derived, record_digest};

/// A gate, the people, and the places.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) bench: Bench,
    pub(crate) gate: Gate,
    pub(crate) people: BTreeMap<&'static str, UserId>,
    pub(crate) project: ProjectId,
    pub(crate) pagos: ModuleId,
    pub(crate) logistica: ModuleId,
    pub(crate) dev: EnvironmentId,
    pub(crate) prod: EnvironmentId,
    pub(crate) checkout: TeamId,
    pub(crate) lead: RoleId,
}

/// Who sits where: name, team, role.
const PEOPLE: [(&str, Option<&str>, Option<&str>); 7] = [
    ("ana", Some("checkout"), Some("developer")),
    ("bo", Some("checkout"), Some("lead")),
    ("cy", Some("checkout"), Some("lead")),
    ("dora", Some("logistica"), Some("lead")),
    ("eve", None, None),
    ("robot", Some("checkout"), Some("lead")),
    ("aud", None, None),
];

pub(crate) fn user(name: &str) -> CreateUser {
    CreateUser {
        kind: if name == "robot" { UserKind::Agent } else { UserKind::Person },
        email: format!("{name}@example.org").parse().unwrap(),
        display_name: name.parse().unwrap(),
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::on(Arc::new(MemoryStore::default())).unwrap()
    }

    /// Builds everything through the gate, as a host would.
    pub(crate) fn on(store: Arc<dyn Store>) -> Result<Self, Error> {
        let bench = Bench::on(store)?;
        let gate = Gate::new(bench.parts.clone());
        let root = gate.bootstrap(&user("root"))?;
        let caller = Caller::authenticated(root);
        let mut people = BTreeMap::from([("root", root)]);
        let project = gate
            .administer(&caller, &CreateProject { code: "shop".parse()?, name: "Shop".parse()? })?;
        let module = |code: &str| {
            gate.manage(
                &caller,
                &CreateModule { project, code: code.parse()?, name: code.parse()? },
            )
        };
        let (pagos, logistica) = (module("pagos")?, module("logistica")?);
        let environment = |code: &str, priority, criticality| {
            let (code, name) = (code.parse()?, code.parse()?);
            let command = CreateEnvironment { project, code, name, priority, criticality };
            gate.manage(&caller, &command)
        };
        let dev = environment("dev", 1, Criticality::Low)?;
        let prod = environment("prod", 2, Criticality::Critical)?;
        let team = |name: &str, module| -> Result<TeamId, Error> {
            let team = gate.manage(&caller, &CreateTeam { project, name: name.parse()? })?;
            gate.manage(&caller, &AssignModule { project, team, module })?;
            Ok(team)
        };
        let (checkout, logistics) = (team("checkout", pagos)?, team("logistica", logistica)?);
        let role =
            |name: &str, allowed: &[(&str, Option<EnvironmentId>)]| -> Result<RoleId, Error> {
                let role = gate.manage(&caller, &CreateRole { project, name: name.parse()? })?;
                for (action, environment) in allowed {
                    let (environment, action) = (*environment, action.parse()?);
                    let command = CreatePermission { project, module: None, environment, action };
                    let permission = gate.manage(&caller, &command)?;
                    gate.manage(&caller, &AllowRole { project, role, permission })?;
                }
                Ok(role)
            };
        let developer =
            role("Developer", &[("request", None), ("read", None), ("execute", Some(dev))])?;
        let lead = role("TechLead", &[("approve", None), ("execute", None)])?;
        let now = bench.parts.clock.now();
        for (name, team, role) in PEOPLE {
            let id = gate.administer(&caller, &user(name))?;
            people.insert(name, id);
            let valid = Interval::starting(now);
            if let Some(team) = team {
                let team = if team == "checkout" { checkout } else { logistics };
                let role = TeamRole::Member;
                gate.manage(&caller, &AddMember { project, team, user: id, role, valid })?;
            }
            let roles: &[RoleId] = match role {
                Some("developer") => &[developer],
                // A lead is a developer too: reading and requesting come from there.
                Some(_) => &[developer, lead],
                None => &[],
            };
            for role in roles {
                gate.manage(&caller, &AssignRole { project, user: id, role: *role, valid })?;
            }
        }
        let quorum = Quorum::n_of(2, Some(lead))?;
        gate.manage(&caller, &SetQuorum { project, environment: prod, quorum })?;
        Ok(Self { bench, gate, people, project, pagos, logistica, dev, prod, checkout, lead })
    }

    pub(crate) fn caller(&self, name: &str) -> Caller {
        Caller::authenticated(self.people[name])
    }

    pub(crate) fn change(&self, payload: &str) -> Change {
        let limits = self.gate.limits();
        Change::new("sql".parse().unwrap(), "orders".parse().unwrap(), payload, limits).unwrap()
    }

    pub(crate) fn new_request(&self, environment: EnvironmentId) -> NewRequest {
        NewRequest {
            project: self.project,
            module: self.pagos,
            environment,
            title: "add a column".to_owned(),
            change: self.change(r#"{"sql":"SELECT 1"}"#),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.bench.parts.clock.now()
    }

    /// Does one step of a story, such as `approve bo`, to `request`.
    pub(crate) fn step(&self, id: &mut Option<RequestId>, step: &str) -> Result<Request, Error> {
        let (verb, rest) = step.split_once(' ').unwrap_or((step, ""));
        let (name, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        if verb == "wait" {
            self.bench.clock.advance_ms(name.parse().unwrap());
            return Ok(self.look(id.unwrap()));
        }
        if verb == "recover" {
            self.gate.tick()?;
            return Ok(self.look(id.unwrap()));
        }
        let caller = &self.caller(name);
        if verb == "draft" {
            let environment = if rest == "prod" { self.prod } else { self.dev };
            let request = self.gate.draft(caller, &self.new_request(environment))?;
            *id = Some(request.header.id);
            return Ok(request);
        }
        let request = id.unwrap();
        match verb {
            "submit" => self.gate.submit(caller, request),
            "edit" => {
                self.gate.edit(caller, request, "again", &self.change(r#"{"sql":"SELECT 2"}"#))
            }
            "approve" => self.gate.approve(caller, request, self.digest(request), None),
            "reject" => self.gate.reject(caller, request, rest),
            "return" => self.gate.request_changes(caller, request, rest),
            "cancel" => self.gate.cancel(caller, request, None),
            "comment" => self.gate.comment(caller, request, rest),
            "stop" => self.gate.stop(caller, request),
            "execute" | "rerun" => {
                let ticket = match verb {
                    "execute" => self.gate.execute(caller, request)?,
                    _ => self.gate.rerun(caller, request)?,
                };
                self.gate.drive(ticket, &Seen::default())
            }
            // Starts a run and loses the process that would drive it.
            "crash" => self.gate.execute(caller, request).map(|_ticket| self.look(request)),
            "verify" => self.gate.verify(caller, request).map(|(request, _)| request),
            other => panic!("no such step: {other}"),
        }
    }

    /// What is stored, past the gate: for looking at it in tests.
    pub(crate) fn look(&self, id: RequestId) -> Request {
        let view = self.gate.view(&self.caller("bo"), id).unwrap();
        let mut json = serde_json::json!({ "header": view.header });
        json["state"] = serde_json::to_value(view.state).unwrap();
        serde_json::from_value(json).unwrap()
    }

    /// The digest that an approver sees now.
    pub(crate) fn digest(&self, id: RequestId) -> Digest {
        self.gate.view(&self.caller("bo"), id).unwrap().digest.unwrap_or(Digest::of(b"no plan"))
    }

    /// Ids as names, so that stories read the same from run to run.
    pub(crate) fn named(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, id) in &self.people {
            text = text.replace(&id.to_string(), name);
        }
        text = text.replace(&self.lead.to_string(), "TechLead");
        let mut words: Vec<String> = Vec::new();
        for word in text.split('`') {
            words.push(if word.starts_with("req_") { "it".to_owned() } else { word.to_owned() });
        }
        words.join("`")
    }
}

/// What must be true of a store at any moment, whatever failed before: every record that leaves name
/// is the one that its last leaf names, and nothing runs or ran without its approvals.
pub(crate) fn assert_invariants(store: &dyn Store) {
    let mut last = BTreeMap::new();
    for entry in store.log_read(0, usize::MAX).unwrap() {
        for change in Leaf::from_bytes(&entry).unwrap().records {
            let before = last.insert(change.name.clone(), change.after).flatten();
            assert_eq!(before, change.before, "the leaf of `{}` follows another", change.name);
        }
    }
    let everything = Key::from_bytes(Vec::new());
    for (key, stored) in store.scan(&everything, None, usize::MAX).unwrap() {
        let text = String::from_utf8(key.as_bytes().to_vec()).unwrap();
        let name = text.trim_end_matches('\0').replace('\0', "/");
        if name.starts_with("turn/") {
            assert_only_what_is_approved_waits(store, &stored.value);
        }
        if name.split('/').next().is_some_and(is_derived) {
            continue;
        }
        let named = last.remove(&name).flatten();
        assert_eq!(named, Some(record_digest(&stored.value)), "the record `{name}` and its leaf");
        if name.starts_with("request/") {
            assert_approved_before_run(&stored.value);
        }
    }
    last.retain(|_, after| after.is_some());
    assert!(last.is_empty(), "records that leaves name and the store lacks: {last:?}");
    // The product's own check, which also makes again what no leaf names.
    let report = verify_deep(store, &DeepOptions::default(), |_| Ok(())).unwrap();
    assert!(report.is_whole(), "{:?}", report.findings);
}

/// Whatever is neither APPROVED nor FAILED, or goes to another target now, waits in no queue; whoever has the turn runs.
fn assert_only_what_is_approved_waits(store: &dyn Store, bytes: &[u8]) {
    let json: serde_json::Value = serde_json::from_slice(bytes).unwrap();
    let turn = &json["body"];
    let request = |id: &serde_json::Value| -> serde_json::Value {
        let key = Key::from_segments(&["request", id.as_str().unwrap()]);
        serde_json::from_slice(&store.get(&key).unwrap().unwrap().value).unwrap()
    };
    for one in turn["waiting"].as_array().unwrap() {
        let body = &request(&one["request"])["body"];
        let (header, state) = (&body["header"], &body["state"]);
        let done = match state["state"].as_str().unwrap() {
            "APPROVED" => &state["done"],
            // Somebody asked to run it again.
            "FAILED" => &state["ended"]["approved"]["done"],
            other => panic!("{one} is {other} and waits"),
        };
        let mut targets =
            std::iter::once(&header["target"]).chain(header["then"].as_array().unwrap());
        let next = targets.nth(done.as_array().unwrap().len());
        assert_eq!(next, Some(&turn["target"]), "{one} waits");
    }
    if turn["holder"].is_object() {
        let state = request(&turn["holder"]["request"])["body"]["state"]["state"].take();
        assert!(state == "EXECUTING" || state == "UNKNOWN", "{state} has the turn");
    }
}

fn assert_approved_before_run(bytes: &[u8]) {
    let json: serde_json::Value = serde_json::from_slice(bytes).unwrap();
    let state = &json["body"]["state"];
    let approved = match state["state"].as_str().unwrap() {
        "APPROVED" => state,
        "EXECUTING" => &state["approved"],
        "SUCCEEDED" | "FAILED" | "UNKNOWN" => &state["ended"]["approved"],
        _ => return,
    };
    if approved["by_rule"].is_string() {
        // A rule agrees to artifacts, in place of people and not beside them.
        assert!(json["body"]["header"]["artifact"].is_object(), "{json}");
        assert_eq!(approved["approvals"].as_array().unwrap().len(), 0);
        return;
    }
    let quorum: Quorum = serde_json::from_value(approved["quorum"].clone()).unwrap();
    let approvals: Vec<Approval> = serde_json::from_value(approved["approvals"].clone()).unwrap();
    let digest: Digest = serde_json::from_value(approved["digest"].clone()).unwrap();
    assert_eq!(quorum.standing(&approvals, &digest), Standing::Reached, "{approvals:?}");
    let needed = u64::from(quorum.people());
    let requester = &json["body"]["header"]["requester"];
    let given: std::collections::BTreeSet<&str> = approved["approvals"]
        .as_array()
        .unwrap()
        .iter()
        .inspect(|approval| assert_ne!(&approval["user"], requester))
        .map(|approval| approval["user"].as_str().unwrap())
        .collect();
    assert!(u64::try_from(given.len()).unwrap() >= needed, "{given:?} of {needed}");
}
