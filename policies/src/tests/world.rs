//! A question with rows that fit it, to be changed by tests.

use std::collections::BTreeSet;

use placet_core::authz::{
    Action, Authorizer as _, Facts, GrantRows, MembershipRows, Question, Scope,
};
use placet_core::clock::Timestamp;
use placet_core::id::{
    EnvironmentId, GrantId, MembershipId, ModuleId, PermissionId, ProjectId, RoleId, TeamId, UserId,
};
use placet_core::org::{
    GlobalRole, GlobalRoleGrant, Grant, Interval, Membership, Permission, RolePermission, Team,
    TeamModule, TeamRole, User, UserKind,
};

use crate::CedarAuthorizer;

/// Saturday, 2026-02-07T12:00:00Z.
pub(super) const NOW: i64 = 1_770_465_600_000_000;
pub(super) const BEGIN: i64 = NOW - 1_000_000;
pub(super) const END: i64 = NOW + 1_000_000;

/// What fits has the number 1, what does not has 2.
pub(super) const FITS: u128 = 1;
pub(super) const OTHER: u128 = 2;

#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) question: Question,
    pub(super) facts: Facts,
}

/// `action` in a module and environment, with one row of each kind, all of them fitting; the
/// permission names both module and environment.
pub(super) fn fitting(action: &Action) -> Case {
    let (user, project) = (UserId::from_u128(FITS), ProjectId::from_u128(FITS));
    let (module, environment) = (ModuleId::from_u128(FITS), EnvironmentId::from_u128(FITS));
    let (team, role) = (TeamId::from_u128(FITS), RoleId::from_u128(FITS));
    let valid = span(BEGIN, Some(END));
    Case {
        question: Question {
            user,
            action: action.clone(),
            scope: Scope::module(project, module, environment),
            at: Timestamp::from_micros(NOW),
        },
        facts: Facts {
            user: User {
                id: user,
                kind: UserKind::Person,
                email: "ana@shop.example".parse().unwrap(),
                display_name: "Ana".parse().unwrap(),
                is_active: true,
            },
            global_roles: Vec::new(),
            membership: Some(MembershipRows {
                membership: Membership {
                    id: MembershipId::from_u128(FITS),
                    team_id: team,
                    user_id: user,
                    role: TeamRole::Member,
                    valid,
                },
                team: Team { id: team, project_id: project, name: "Checkout".parse().unwrap() },
                team_module: Some(TeamModule { team_id: team, module_id: module }),
            }),
            grant: Some(GrantRows {
                grant: Grant {
                    id: GrantId::from_u128(FITS),
                    project_id: project,
                    user_id: user,
                    role_id: role,
                    valid,
                },
                role_permission: RolePermission {
                    role_id: role,
                    permission_id: PermissionId::from_u128(FITS),
                },
                permission: Permission {
                    id: PermissionId::from_u128(FITS),
                    project_id: project,
                    module_id: Some(module),
                    environment_id: Some(environment),
                    action: action.clone(),
                },
            }),
            authors: BTreeSet::new(),
            plan: None,
            team_roles: BTreeSet::new(),
        },
    }
}

impl Case {
    pub(super) fn member(&mut self) -> &mut MembershipRows {
        self.facts.membership.as_mut().unwrap()
    }

    pub(super) fn grant(&mut self) -> &mut GrantRows {
        self.facts.grant.as_mut().unwrap()
    }

    /// Makes the permission one for the whole project.
    pub(super) fn project_wide(&mut self) {
        self.grant().permission.module_id = None;
        self.grant().permission.environment_id = None;
    }

    pub(super) fn with_global_role(&mut self, role: GlobalRole) {
        self.facts.global_roles = vec![GlobalRoleGrant { user_id: UserId::from_u128(FITS), role }];
    }

    pub(super) fn is_allowed(&self, by: &CedarAuthorizer) -> bool {
        by.decide(&self.question, &self.facts).unwrap().is_allowed()
    }
}

pub(super) fn span(from: i64, until: Option<i64>) -> Interval {
    Interval::new(Timestamp::from_micros(from), until.map(Timestamp::from_micros)).unwrap()
}

pub(super) fn action(name: &str) -> Action {
    name.parse().unwrap()
}
