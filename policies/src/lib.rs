//! The permission model of placet as Cedar policies.
//!
//! [`CedarAuthorizer`] implements [`placet_core::authz::Authorizer`]. It gets a question and the stored
//! rows that the kernel's index named, and checks each row against the question once more, by static,
//! strictly validated policies (`src/base`) that share no code with the index. Everything that is
//! unknown, missing or broken is a denial.
//!
//! # Policies of the host
//!
//! A host adds policies of its own. They forbid; with [`Builder::allow_host_permits`] they may permit too, which lets
//! nobody in through a gate: a gate takes a yes of its index and one of the base policies. They can read:
//!
//! | expression | meaning |
//! |---|---|
//! | `principal` | the user, as `User::"usr_…"`; it stands in no group |
//! | `principal.kind` | `"person"` or `"agent"` |
//! | `principal.active` | whether the user is active |
//! | `action` | `Action::"request"`, `"approve"`, `"execute"`, `"read"`, `"manage"`, `"administer"`, `"audit"`; a custom action of a project is `Action::"operate"` |
//! | `context.action` | the action's name, also for custom ones: `"deploy"` |
//! | `resource` | `Project::"prj_…"`, or `Platform::"platform"` |
//! | `context.level` | `"project"` or `"platform"` |
//! | `context.team_roles` | what the user is now in teams of the project (where the question names a module, in those that look after it): a set of `"LEADER_PRIMARY"`, `"LEADER_TEMP"`, `"MEMBER"` |
//! | `context.module`, `context.environment` | `Module::"mod_…"`, `Environment::"env_…"`; ask `context has module` first |
//! | `context.at` | when: microseconds since 1970-01-01T00:00:00Z |
//! | `context.weekday`, `context.minute` | the same in UTC: 1 (Monday) to 7 (Sunday), and the minute of the day |
//!
//! | `context.plan` | what the plan of the request says, where it is about submitting, approving or running one; ask `context has plan` first |
//! | `context.plan.risk` | `"none"`, `"low"`, `"medium"`, `"high"`, `"critical"`: the greatest of any step |
//! | `context.plan.lock` | `"none"`, `"rows"`, `"share"`, `"exclusive"`: the strongest of any step |
//! | `context.plan.rewrites`, `.irreversible`, `.needs_person` | whether a step writes a whole table anew, one that changes something cannot be undone, a finding asks for a person |
//! | `context.plan.rows` | the rows of all steps that change something, estimated; missing where nobody can tell: `unless { context.plan has rows && context.plan.rows < 1000 }` |
//! | `context.plan.kinds`, `.findings`, `.objects` | sets: `"ddl"`; `"sql.drop"`; `"shop.orders"`. Where nobody can tell what a step does, `kinds` has `"unknown"` and each of `"read"`, `"write"`, `"ddl"` and `"deploy"` |
//! | `context.plan.objects_known` | whether `objects` are all that the steps touch |
//!
//! What stops or undoes a request, or finds out how its run ended, is asked without the plan: a rule about plans keeps
//! nobody from that. What a plan does not tell counts as the worst. Write rules about plans so that they forbid unless
//! the plan says that it is harmless.
//!
//! ```
//! use placet_policies::CedarAuthorizer;
//!
//! // In production, what keeps readers away waits for the weekend.
//! let house = r#"
//!     @id("locks-at-the-weekend")
//!     forbid (principal, action in [Action::"approve", Action::"execute"], resource)
//!     when { context has environment && context.environment == Environment::"env_00000000000000000000000001" }
//!     when { context has plan && context.plan.lock == "exclusive" }
//!     unless { context.weekday >= 6 };
//! "#;
//! CedarAuthorizer::builder().host_policies("house.cedar", house).build()?;
//! # Ok::<(), placet_core::error::Error>(())
//! ```
//!
//! [`HOST_SCHEMA`] says the same for editors and checkers. Each policy carries an `@id`, which audit
//! records and explanations name together with file and line.
//!
//! ```
//! use placet_core::authz::{Action, Authorizer, Facts, Question, Scope};
//! use placet_core::id::{ProjectId, UserId};
//! use placet_core::org::{GlobalRole, GlobalRoleGrant, User, UserKind};
//! use placet_policies::CedarAuthorizer;
//!
//! let authorizer = CedarAuthorizer::builder()
//!     .host_policies(
//!         "house.cedar",
//!         r#"
//!         @id("no-weekend-changes")
//!         forbid (principal, action in [Action::"manage", Action::"execute"], resource)
//!         when { context.weekday >= 6 };
//!         "#,
//!     )
//!     .build()?;
//!
//! let id = UserId::from_u128(1);
//! let mut question = Question {
//!     user: id,
//!     action: Action::MANAGE,
//!     scope: Scope::project(ProjectId::from_u128(2)),
//!     at: "2026-02-06T12:00:00Z".parse()?, // a Friday
//! };
//! let facts = Facts {
//!     user: User {
//!         id,
//!         kind: UserKind::Person,
//!         email: "ana@shop.example".parse()?,
//!         display_name: "Ana".parse()?,
//!         is_active: true,
//!     },
//!     global_roles: vec![GlobalRoleGrant { user_id: id, role: GlobalRole::PlatformAdmin }],
//!     membership: None,
//!     grant: None,
//!     authors: std::collections::BTreeSet::new(),
//!     plan: None,
//!     team_roles: std::collections::BTreeSet::new(),
//! };
//! assert!(authorizer.decide(&question, &facts)?.is_allowed());
//!
//! question.at = "2026-02-07T12:00:00Z".parse()?; // a Saturday
//! let verdict = authorizer.decide(&question, &facts)?;
//! assert!(!verdict.is_allowed());
//! let forbid = verdict.forbidden_by.first().expect("a forbid fired");
//! assert_eq!((forbid.id.as_str(), forbid.place.as_str()), ("no-weekend-changes", "house.cedar:2"));
//! # Ok::<(), placet_core::error::Error>(())
//! ```
//!
//! # Proofs
//!
//! With the feature `proofs`, the module `proofs` proves of base and host policies together what they can never
//! allow, such as that nobody approves their own request, or shows a question that they do allow.

mod action; // the actions that policies know
mod source; // policy texts, cut into policies
mod load; // parsed, named, validated
mod builder; // base and host policies become an authorizer
mod sets; // which policies can apply to what
mod slice; // a question and its rows, as Cedar sees them
mod authorizer; // the decision
#[cfg(feature = "proofs")]
pub mod proofs; // what the policies can never allow
#[cfg(test)]
mod tests;

pub use authorizer::CedarAuthorizer;
pub use builder::Builder;

/// The Cedar schema that the policies of a host are validated against.
///
/// ```
/// assert!(placet_policies::HOST_SCHEMA.contains("action administer"));
/// ```
pub const HOST_SCHEMA: &str =
    concat!(include_str!("schema.cedarschema"), include_str!("host.cedarschema"));

/// The Cedar schema that the base policies are validated against.
const BASE_SCHEMA: &str =
    concat!(include_str!("schema.cedarschema"), include_str!("rows.cedarschema"));
