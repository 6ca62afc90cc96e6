//! The organisation that every simulation starts from, built once through a gate.

use std::sync::atomic::Ordering;
use std::sync::{Arc, LazyLock};

use placet_core::audit::{Ed25519Signer, Signer};
use placet_core::gate::{Gate, Parts};
use placet_core::id::{PermissionId, RoleId};
use placet_core::identity::Caller;
use placet_core::limits::Limits;
use placet_core::org::command::{AddMember, AllowRole, AssignRole, CreateUser, SetQuorum};
use placet_core::org::{Interval, TeamRole, UserKind};
use placet_core::request::Quorum;
use placet_core::testing::{
    ManualClock, Office, RequiredFields, ScriptedAuthorizer, ScriptedRunner,
};

use crate::disk::{Content, Machine, Mount};

/// What was built.
#[derive(Clone, Debug)]
pub(crate) struct Base {
    pub(crate) content: Content,
    pub(crate) ids: u64,
    pub(crate) office: Office,
    /// Approves and runs, as Bo does.
    pub(crate) cy: Caller,
    /// The role that both have.
    pub(crate) lead: RoleId,
}

/// All simulations begin at this instant.
pub(crate) const BEGIN: &str = "2026-02-07T12:00:00Z";

static SIGNER: LazyLock<Arc<Ed25519Signer>> =
    LazyLock::new(|| Arc::new(Ed25519Signer::from_seed("placet.test/log", &[7; 32]).unwrap()));

static BASES: LazyLock<[Base; 2]> = LazyLock::new(|| [build(1), build(2)]);

/// An organisation that asks for one yes, or for two.
pub(crate) fn base(yeses: u8) -> &'static Base {
    &BASES[usize::from(yeses) - 1]
}

pub(crate) fn signer() -> Arc<dyn Signer> {
    Arc::<Ed25519Signer>::clone(&SIGNER)
}

fn build(yeses: u8) -> Base {
    let machine = Arc::new(Machine::new(0, Content::default(), 0, false));
    let mount = Mount { machine: Arc::clone(&machine), alive: machine.boot() };
    let gate = Gate::new(Parts {
        store: Arc::new(mount),
        clock: Arc::new(ManualClock::at(BEGIN.parse().unwrap())),
        ids: Arc::<Machine>::clone(&machine),
        entropy: Arc::<Machine>::clone(&machine),
        authorizer: Arc::new(ScriptedAuthorizer::agreeing()),
        runner: Arc::new(ScriptedRunner::default()),
        signer: signer(),
        forms: Arc::new(RequiredFields),
        limits: Limits::default(),
    });
    let office = Office::found(&gate).unwrap();
    let (root, project) = (office.root, office.project);
    let organisation = gate.organisation(&root, project).unwrap();
    let team = organisation.teams[0].id;
    let lead = organisation.roles.iter().find(|role| role.name.as_str() == "bo").unwrap().id;
    let read: PermissionId =
        organisation.permissions.iter().find(|row| row.action.as_str() == "read").unwrap().id;
    gate.manage(&root, &AllowRole { project, role: lead, permission: read }).unwrap();
    let cy = CreateUser {
        kind: UserKind::Person,
        email: "cy@example.org".parse().unwrap(),
        display_name: "Cy".parse().unwrap(),
    };
    let user = gate.administer(&root, &cy).unwrap();
    let valid = Interval::starting(gate.now());
    let role = TeamRole::Member;
    gate.manage(&root, &AddMember { project, team, user, role, valid }).unwrap();
    gate.manage(&root, &AssignRole { project, user, role: lead, valid }).unwrap();
    let quorum = Quorum::n_of(yeses, None).unwrap();
    let environment = office.environment;
    gate.manage(&root, &SetQuorum { project, environment, quorum }).unwrap();
    let content = machine.look(Content::clone);
    let cy = Caller::authenticated(user);
    machine.faults_on.store(false, Ordering::SeqCst);
    Base { content, ids: machine.ids_used(), office, cy, lead }
}
