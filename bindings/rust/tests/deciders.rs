//! The kernel's index and the policies, compared on every question of an organisation.

use placet::authz::{Action, Scope};
use placet::error::Code;
use placet::identity::Caller;
use placet::org::GlobalRole;
use placet::org::command::{EndGrant, GrantGlobalRole, SetUserActive};

use crate::shop::Shop;

/// What the index says alone, and what it and the policies say together.
fn both(shop: &Shop, caller: Caller, action: &Action, scope: Scope) -> [bool; 2] {
    let (gate, user) = (&shop.gate, caller.user());
    [gate.can(user, action, scope), gate.authorize(user, action, scope).is_allowed()]
}

/// Whoever the index lets in, the policies let in too; nobody else gets past either.
#[test]
fn both_deciders_agree_on_every_question() {
    let shop = Shop::new();
    let office = shop.office;
    let (project, module) = (office.project, Some(office.module));
    let environment = Some(office.environment);
    let scopes = [
        Scope::Platform,
        Scope::project(project),
        Scope::Project { project, module, environment: None },
        Scope::Project { project, module: None, environment },
        Scope::Project { project, module, environment },
    ];
    let actions =
        ["request", "approve", "execute", "read", "manage", "administer", "audit", "deploy"];
    let people = [office.root, office.ana, office.bo];
    let mut allowed = 0;
    for caller in people {
        for scope in scopes {
            for action in actions {
                let action: Action = action.parse().unwrap();
                let [index, both] = both(&shop, caller, &action, scope);
                assert_eq!(index, both);
                allowed += usize::from(both);
            }
        }
    }
    assert_eq!(shop.gate.disagreements(), 0);
    // root: administer and audit the platform, manage and audit at each of the four places of the
    // project; ana: request and read at each; bo: approve and execute at each.
    assert_eq!(allowed, 2 + 2 * 4 + 2 * 4 + 2 * 4);
}

#[test]
fn a_right_that_ended_ends_for_both() {
    let shop = Shop::new();
    let office = shop.office;
    let scope = Scope::module(office.project, office.module, office.environment);
    assert_eq!(both(&shop, office.bo, &Action::APPROVE, scope), [true; 2]);
    let log = shop.gate.audit(&office.root, 0).unwrap();
    for change in log.iter().flat_map(|(_, leaf)| &leaf.records) {
        if let Some((_, grant)) = change.name.rsplit_once("user_project_roles/") {
            let end = EndGrant { project: office.project, grant: grant.parse().unwrap(), at: None };
            shop.gate.manage(&office.root, &end).unwrap();
        }
    }
    for (caller, action) in [(office.bo, Action::APPROVE), (office.ana, Action::READ)] {
        assert_eq!(both(&shop, caller, &action, scope), [false; 2]);
    }
    assert_eq!(shop.gate.disagreements(), 0);
}

#[test]
fn an_inactive_administrator_administers_nothing() {
    let shop = Shop::new();
    let office = shop.office;
    let grant = GrantGlobalRole { user: office.bo.user(), role: GlobalRole::PlatformAdmin };
    shop.gate.administer(&office.root, &grant).unwrap();
    let stop = SetUserActive { user: office.root.user(), active: false };
    shop.gate.administer(&office.bo, &stop).unwrap();
    let error = shop.gate.administer(&office.root, &stop).unwrap_err();
    assert_eq!(error.code(), Code::Denied);
    assert_eq!(shop.gate.disagreements(), 0);
}
