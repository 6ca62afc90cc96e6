//! What can have happened: the stable codes of everything that the log tells, in one place.

use core::fmt;
use core::str::FromStr;

use crate::error::{Code, Error};

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// The stable code of an event. Each leaf carries one as [`Leaf::event`](super::Leaf::event).
        ///
        /// Codes are never renamed and never used for something else: readers match on them. What stands before
        /// the dot groups them. A later version may write codes that this one does not know; a leaf of one is read
        /// all the same, since it holds the text.
        ///
        /// Parsing an unknown code fails with [`Code::InvalidInput`].
        ///
        /// ```
        /// use placet_core::audit::Event;
        /// let (gate, office) = placet_core::testing::Office::in_memory()?;
        /// let id = office.approved(&gate)?.header.id;
        /// let (_, last) = gate.trail(&office.ana, id)?.pop().expect("there are entries");
        /// assert_eq!(last.event.parse::<Event>()?, Event::RequestApproved);
        /// assert_eq!(Event::RequestApproved.to_string(), "request.approved");
        /// assert!("request.forgotten".parse::<Event>().is_err());
        /// # Ok::<(), placet_core::error::Error>(())
        /// ```
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        pub enum Event { $($(#[$doc])* $name,)* }

        impl Event {
            /// Every event, in the order of the list.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code: lower-case words, mostly `group.what_happened`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

events! {
    /// The first administrator was made. Leaf 0.
    PlatformBootstrapped = "platform.bootstrapped",
    /// A user came in, as the host says who authenticated them. `channel` may say how.
    IdentityLogin = "identity.login",
    /// Somebody asked for what they may not. One leaf for each actor, action, scope, kind and minute.
    Denied = "denied",
    /// Somebody asked for what a rule forbids whoever asks. Recorded as `denied` is.
    Refused = "refused",
    /// Another set of policies decides from here on.
    PoliciesAdopted = "policies.adopted",
    /// The host put a set of policies in place of one that was lost.
    PoliciesRecovered = "policies.recovered",
    /// A user was added.
    OrgUserCreated = "org.user_created",
    /// A user was made active or inactive.
    OrgUserActiveSet = "org.user_active_set",
    /// A project was added.
    OrgProjectCreated = "org.project_created",
    /// A project has another name.
    OrgProjectRenamed = "org.project_renamed",
    /// A user got a role over the platform.
    OrgGlobalRoleGranted = "org.global_role_granted",
    /// A user lost a role over the platform.
    OrgGlobalRoleRevoked = "org.global_role_revoked",
    /// An environment was added.
    OrgEnvironmentCreated = "org.environment_created",
    /// An environment was changed.
    OrgEnvironmentUpdated = "org.environment_updated",
    /// An environment was removed.
    OrgEnvironmentRemoved = "org.environment_removed",
    /// Other approvals are enough in an environment.
    OrgQuorumSet = "org.quorum_set",
    /// A rule says which quorum holds for which requests: a new one, or a changed one.
    OrgQuorumRulePut = "org.quorum_rule_put",
    /// A rule says what stops approvals: a new one, or a changed one.
    OrgBlockingRulePut = "org.blocking_rule_put",
    /// A rule about approvals was removed.
    OrgRuleRemoved = "org.rule_removed",
    /// Changes come to an environment from another one.
    OrgPromotionSet = "org.promotion_set",
    /// Changes are executed otherwise in an environment.
    OrgExecutionSet = "org.execution_set",
    /// A runner has other settings in an environment. `settings` is the digest of their canonical form.
    OrgRunnerSettingsSet = "org.runner_settings_set",
    /// A module was added.
    OrgModuleCreated = "org.module_created",
    /// A module was changed.
    OrgModuleUpdated = "org.module_updated",
    /// A module was removed.
    OrgModuleRemoved = "org.module_removed",
    /// A team was added.
    OrgTeamCreated = "org.team_created",
    /// A team has another name.
    OrgTeamRenamed = "org.team_renamed",
    /// A team was removed.
    OrgTeamRemoved = "org.team_removed",
    /// A team looks after a module.
    OrgModuleAssigned = "org.module_assigned",
    /// A team looks after a module no more.
    OrgModuleUnassigned = "org.module_unassigned",
    /// A user was put in a team for a time.
    OrgMemberAdded = "org.member_added",
    /// A membership has an end, or an earlier one.
    OrgMembershipEnded = "org.membership_ended",
    /// A project role was added.
    OrgRoleCreated = "org.role_created",
    /// A project role was removed.
    OrgRoleRemoved = "org.role_removed",
    /// A permission was added to a project's catalogue.
    OrgPermissionCreated = "org.permission_created",
    /// A permission was removed from a project's catalogue.
    OrgPermissionRemoved = "org.permission_removed",
    /// A role got a permission.
    OrgRoleAllowed = "org.role_allowed",
    /// A role lost a permission.
    OrgRoleDisallowed = "org.role_disallowed",
    /// A user got a project role for a time.
    OrgRoleAssigned = "org.role_assigned",
    /// A grant has an end, or an earlier one.
    OrgGrantEnded = "org.grant_ended",
    /// The roles of a template were made. `records` names them.
    OrgRoleTemplateApplied = "org.role_template_applied",
    /// Artifacts of agents are approved by rule in an environment, or no longer. `auto_approve_ai` is `on` or `off`.
    OrgAutoApproveAiSet = "org.auto_approve_ai_set",
    /// A workflow was stored, or a new version of it.
    OrgWorkflowSet = "org.workflow_set",
    /// Nothing new begins with a workflow.
    OrgWorkflowRetired = "org.workflow_retired",
    /// Requests in an environment may go through other workflows. `workflows` names them; none: any.
    OrgAllowedWorkflowsSet = "org.allowed_workflows_set",
    /// Artifacts of a type must fit another form. `form` is `set` or `none`.
    OrgArtifactFormSet = "org.artifact_form_set",
    /// Other commands of a project need approval themselves.
    OrgGovernanceSet = "org.governance_set",
    /// Other commands of the platform need approval themselves.
    PlatformGovernanceSet = "platform.governance_set",
    /// The host took away a governance that locked everybody out.
    GovernanceLifted = "governance.lifted",
    /// A request was written down.
    RequestDrafted = "request.drafted",
    /// A request was written for the next environment, with what succeeded in the one before.
    RequestPromoted = "request.promoted",
    /// A request has a new revision; approvals of earlier ones are void.
    RequestEdited = "request.edited",
    /// The runner said what it would do.
    RequestPlanned = "request.planned",
    /// A request waits for approvals of its change digest.
    RequestSubmitted = "request.submitted",
    /// Somebody approved, and more approvals are needed.
    RequestApprovalGiven = "request.approval_given",
    /// Somebody approved, and that was enough.
    RequestApproved = "request.approved",
    /// A request was turned down for good.
    RequestRejected = "request.rejected",
    /// A request was sent back to its author.
    RequestChangesRequested = "request.changes_requested",
    /// A request went to another state of the same phase.
    RequestAdvanced = "request.advanced",
    /// Somebody said something about a request.
    RequestCommented = "request.commented",
    /// The host's own check of exactly this change passed or failed. `check` names it, `status` says which.
    RequestCheckReported = "request.check_reported",
    /// Somebody asked something that wants an answer. `thread` is its number.
    RequestThreadOpened = "request.thread_opened",
    /// Somebody answered in a thread.
    RequestThreadReplied = "request.thread_replied",
    /// A thread needs no more answers.
    RequestThreadResolved = "request.thread_resolved",
    /// A thread wants an answer again.
    RequestThreadReopened = "request.thread_reopened",
    /// A request was taken back.
    RequestCancelled = "request.cancelled",
    /// Its author took a request back from those who would approve it. It is a draft again.
    RequestWithdrawn = "request.withdrawn",
    /// A draft was deleted.
    RequestDeleted = "request.deleted",
    /// What was sent back is a draft again.
    RequestReopened = "request.reopened",
    /// An approval was undone. The request is a draft again.
    RequestReverted = "request.reverted",
    /// What was turned down is a draft again.
    RequestRestored = "request.restored",
    /// A copy was drafted: the next version of an artifact.
    RequestVersionDrafted = "request.version_drafted",
    /// A rule approved a request, and no person. `rule` says which.
    RequestApprovedByRule = "request.approved_by_rule",
    /// Another key signs the log from here on. `key` is the new one, `note` what the old one says of it.
    LogKeyRotated = "log.key_rotated",
    /// A year of the log is over. `first`, `size` and `root` say which entries it has.
    LogYearSealed = "log.year_sealed",
    /// Texts were erased. `erased` names their commitments.
    TextErased = "text.erased",
    /// Texts of a class are kept for another time.
    PlatformRetentionSet = "platform.retention_set",
    /// An administrator said what a runner plugin may reach. `capabilities` names it, and `digest` the component.
    PlatformPluginGranted = "platform.plugin_granted",
    /// An administrator took away what a runner plugin may reach.
    PlatformPluginRevoked = "platform.plugin_revoked",
    /// A command that was approved was carried out, or could not be: `command` says which, and `outcome` how it
    /// ended.
    RunApplied = "run.applied",
    /// A run was begun: its lease and its fence are held.
    RunStarted = "run.started",
    /// A run was not begun by the gate: nobody may on whose behalf, or it is not what was approved. `because` says why.
    RunHeldBack = "run.held_back",
    /// Somebody asked a run to stop.
    RunStopRequested = "run.stop_requested",
    /// A plugin noted how far it came.
    RunCheckpoint = "run.checkpoint",
    /// A run ended. `outcome` says how.
    RunFinished = "run.finished",
    /// A result came after its run had been given up. It changed nothing.
    RunLateResult = "run.late_result",
    /// A run's lease ended without a result. Its outcome is unknown.
    RunLost = "run.lost",
    /// The runner read the target to learn how a run ended.
    RunVerified = "run.verified",
    /// A person said what they found where nobody could tell how a run ended.
    RunReconciled = "run.reconciled",
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Event {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL.iter().copied().find(|event| event.as_str() == text).ok_or_else(|| {
            let shown = crate::letters::shown(text);
            Error::new(Code::InvalidInput, format!("`{shown}` is not an event of the audit log"))
                .with_help("name one such as `request.approved`")
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The codes as they were once written. A line may be added; none may change or go.
    const KEPT: &str = include_str!("../../tests/event_codes.txt");

    #[test]
    fn no_code_changes_unnoticed() {
        let codes: Vec<&str> = Event::ALL.iter().map(|event| event.as_str()).collect();
        assert_eq!(codes, KEPT.lines().collect::<Vec<_>>(), "readers of logs match on these codes");
        assert_eq!(
            codes.iter().collect::<BTreeSet<_>>().len(),
            codes.len(),
            "a code is used twice"
        );
    }

    #[test]
    fn a_code_reads_back_and_has_one_group() {
        for event in Event::ALL {
            assert_eq!(event.as_str().parse::<Event>().unwrap(), *event);
            let plain = |byte: u8| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'.');
            assert!(event.as_str().bytes().all(plain), "{event}");
            assert!(event.as_str().matches('.').count() <= 1, "{event}");
        }
    }
}
