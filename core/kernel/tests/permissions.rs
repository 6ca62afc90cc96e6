//! Permissions as text: what is stored reads as `context:module:environment:action`, and the other way.

use placet_core::authz::{Action, PermissionContext, PermissionString, Scope};
use placet_core::error::Code;
use placet_core::org::command::{
    AllowRole, CreateModule, CreateProject, CreateRole, GrantGlobalRole,
};
use placet_core::org::{GlobalRole, Permission};
use placet_core::testing::Chance;

use crate::world::World;

fn parsed(text: &str) -> PermissionString {
    text.parse().unwrap()
}

#[test]
fn what_is_written_as_text_is_stored_and_reads_the_same() {
    let world = World::new();
    let (root, project) = (world.caller("root"), world.project);
    for text in ["shop:pagos:prod:deploy", "shop:logistica:*:deploy", "shop:*:dev:deploy"] {
        let organisation = world.gate.organisation(&root, project).unwrap();
        let command = organisation.create_permission(&parsed(text)).unwrap();
        let id = world.gate.manage(&root, &command).unwrap();
        let organisation = world.gate.organisation(&root, project).unwrap();
        let row = organisation.permissions.iter().find(|row| row.id == id).unwrap();
        assert_eq!(organisation.permission_string(row).unwrap().to_string(), text);
        // There is one spelling, so the same text is the same permission.
        assert_eq!(world.gate.manage(&root, &command).unwrap_err().code(), Code::AlreadyExists);
    }
}

#[test]
fn a_text_that_is_no_permission_of_the_project_is_refused() {
    let world = World::new();
    let organisation = world.gate.organisation(&world.caller("root"), world.project).unwrap();
    for (text, code, sentence) in [
        ("shop:cocina:*:read", Code::NotFound, "project `shop` has no module `cocina`"),
        ("shop:pagos:moon:read", Code::NotFound, "project `shop` has no environment `moon`"),
        // A module's code is not an environment's.
        ("shop:dev:pagos:read", Code::NotFound, "project `shop` has no module `dev`"),
        (
            "bank:*:*:read",
            Code::InvalidInput,
            "`bank:*:*:read` is not a permission of project `shop`",
        ),
        (
            "project:*:*:read",
            Code::InvalidInput,
            "`project:*:*:read` is not a permission of project `shop`",
        ),
        (
            "platform:*:*:read",
            Code::InvalidInput,
            "`platform:*:*:read` is not a permission of project `shop`",
        ),
        ("shop:*:*:*", Code::InvalidInput, "`shop:*:*:*` names no action"),
    ] {
        let error = organisation.create_permission(&parsed(text)).unwrap_err();
        assert_eq!((error.code(), error.to_string().as_str()), (code, sentence));
        assert!(error.help().is_some());
    }
    // What no project may hold is refused where it is stored, as from any other command.
    let command = organisation.create_permission(&parsed("shop:*:*:administer")).unwrap();
    let error = world.gate.manage(&world.caller("root"), &command).unwrap_err();
    assert_eq!(error.code(), Code::InvalidInput);
}

#[test]
fn a_row_of_somewhere_else_has_no_text_here() {
    let world = World::new();
    let root = world.caller("root");
    let organisation = world.gate.organisation(&root, world.project).unwrap();
    let code = "later".parse().unwrap();
    let later = CreateModule { project: world.project, code, name: "Later".parse().unwrap() };
    let module = world.gate.manage(&root, &later).unwrap();
    let row = Permission { module_id: Some(module), ..organisation.permissions[0].clone() };
    assert_eq!(organisation.permission_string(&row).unwrap_err().code(), Code::NotFound);

    let command = CreateProject { code: "bank".parse().unwrap(), name: "Bank".parse().unwrap() };
    let project_id = world.gate.administer(&root, &command).unwrap();
    let row = Permission { project_id, ..organisation.permissions[0].clone() };
    assert_eq!(organisation.permission_string(&row).unwrap_err().code(), Code::NotFound);
}

#[test]
fn no_project_is_called_as_a_context_is() {
    let world = World::new();
    let root = world.caller("root");
    for code in ["platform", "project"] {
        let create = CreateProject { code: code.parse().unwrap(), name: "P".parse().unwrap() };
        let error = world.gate.administer(&root, &create).unwrap_err();
        assert_eq!(error.code(), Code::InvalidInput);
        assert_eq!(error.to_string(), format!("`{code}` cannot be the code of a project"));
        // Modules are in another place of the text, and may be.
        let (project, code) = (world.project, code.parse().unwrap());
        let module = CreateModule { project, code, name: "M".parse().unwrap() };
        world.gate.manage(&root, &module).unwrap();
    }
    assert_eq!(world.gate.projects(&root).unwrap().len(), 1);
}

#[expect(clippy::disallowed_methods, reason = "a test plays one seed again when it is told to")]
fn seeds() -> Vec<u64> {
    let told = std::env::var("PLACET_SEED").ok().and_then(|seed| seed.parse().ok());
    told.map_or_else(|| (0..60).collect(), |seed| vec![seed])
}

/// The words cover a question exactly where the index finds a right for it. `read` takes leg 2 only.
/// `PLACET_SEED` plays one seed again.
#[test]
fn what_the_texts_of_a_role_cover_is_what_its_holder_may_read() {
    for seed in seeds() {
        let world = World::new();
        let (root, project) = (world.caller("root"), world.project);
        let mut chance = Chance::new(seed);
        let mut held = Vec::new();
        let role = CreateRole { project, name: "Reader".parse().unwrap() };
        let role = world.gate.manage(&root, &role).unwrap();
        for _ in 0..chance.below(3) {
            let module = chance.one_of(&["*", "pagos", "logistica"]).unwrap();
            let environment = chance.one_of(&["*", "dev", "prod"]).unwrap();
            let text = parsed(&format!("shop:{module}:{environment}:read"));
            let organisation = world.gate.organisation(&root, project).unwrap();
            let command = organisation.create_permission(&text).unwrap();
            let stored = organisation.permissions.iter().find(|row| {
                (row.module_id, row.environment_id, &row.action)
                    == (command.module, command.environment, &command.action)
            });
            let permission = stored
                .map_or_else(|| world.gate.manage(&root, &command).unwrap(), |stored| stored.id);
            let allow = AllowRole { project, role, permission };
            if world.gate.manage(&root, &allow).is_ok() {
                held.push(text);
            }
        }
        let (eve, valid) = (world.people["eve"], placet_core::org::Interval::starting(world.now()));
        let assign = placet_core::org::command::AssignRole { project, user: eve, role, valid };
        world.gate.manage(&root, &assign).unwrap();
        for (module_code, module) in
            [("*", None), ("pagos", Some(world.pagos)), ("logistica", Some(world.logistica))]
        {
            for (environment_code, environment) in
                [("*", None), ("dev", Some(world.dev)), ("prod", Some(world.prod))]
            {
                let asked = parsed(&format!("shop:{module_code}:{environment_code}:read"));
                let scope = Scope::Project { project, module, environment };
                let covered = held.iter().any(|text| text.covers(&asked));
                let may = world.gate.authorize(eve, &Action::READ, scope).is_allowed();
                assert_eq!(covered, may, "seed {seed}: {asked} of {held:?}");
            }
        }
    }
}

/// What the texts of a global role say of projects is what its holder may there without a row of their own.
#[test]
fn the_texts_of_a_global_role_are_what_its_holder_may_in_a_project() {
    let world = World::new();
    let (root, user) = (world.caller("root"), world.people["aud"]);
    let grant = GrantGlobalRole { user, role: GlobalRole::Auditor };
    world.gate.administer(&root, &grant).unwrap();
    let scope = Scope::module(world.project, world.pagos, world.prod);
    for (name, role) in [("root", GlobalRole::PlatformAdmin), ("aud", GlobalRole::Auditor)] {
        let texts = PermissionString::of_global_role(role);
        for action in ["request", "approve", "execute", "read", "manage", "deploy", "audit"] {
            let asked = parsed(&format!("shop:pagos:prod:{action}"));
            let listed = texts.iter().any(|held| held.covers(&asked));
            let answer = world.gate.authorize(world.people[name], &action.parse().unwrap(), scope);
            assert_eq!(answer.is_allowed(), listed, "{name} {action}");
        }
    }
}

#[test]
fn the_auditors_texts_cover_reading_and_nothing_else() {
    let texts = PermissionString::of_global_role(GlobalRole::Auditor);
    let covers = |text: &str| texts.iter().any(|held| held.covers(&parsed(text)));
    assert!(covers("platform:audit:*:read") && covers("shop:pagos:prod:read"));
    assert!(covers("shop:pagos:prod:audit"));
    assert!(!covers("platform:users:*:read") && !covers("platform:*:*:read"));
    assert!(!covers("shop:pagos:prod:approve") && !covers("platform:audit:*:write"));
    assert_eq!(*texts[0].context(), PermissionContext::Platform);
}
