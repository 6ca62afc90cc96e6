//! What is asked for: the payload, its revision, its plan, and the digest that approvals bind to.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::thread::ThreadCount;
use super::unique::Unique;
use crate::authz::Scope;
use crate::clock::Timestamp;
use crate::digest::Digest;
use crate::error::{Code, Error};
use crate::id::{EnvironmentId, ModuleId, ProjectId, RequestId, UserId};
use crate::limits::Limits;
use crate::org::{Slug, UserKind};
use crate::request::Version;
use crate::workflow::StateCode;

/// A change as its author writes it: which runner, against which target, with which payload.
///
/// ```
/// use placet_core::limits::Limits;
/// use placet_core::request::Change;
/// let change = Change::new("sql".parse()?, "shop".parse()?, r#"{"sql":"DELETE FROM carts"}"#, &Limits::default())?;
/// assert_eq!(change.runner.as_str(), "sql");
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Change {
    /// The name of the runner plugin.
    pub runner: Slug,
    /// The name of the target; of a batch, the canary, which is changed first.
    pub target: Slug,
    /// The other targets of a batch, in the order in which they are changed. Empty for one target.
    pub then: Vec<Slug>,
    /// The payload: JSON by the runner's schema.
    pub payload: String,
}

impl Change {
    /// A change, checked for size and for being JSON.
    ///
    /// Fails with [`Code::TooLarge`] or [`Code::InvalidPayload`].
    pub fn new(
        runner: Slug,
        target: Slug,
        payload: impl Into<String>,
        limits: &Limits,
    ) -> Result<Self, Error> {
        let change = Self { runner, target, then: Vec::new(), payload: payload.into() };
        change.check(limits)?;
        Ok(change)
    }

    /// The same change for more targets: a batch. The present target is its canary; each of the others follows when
    /// the one before it is known to have succeeded.
    ///
    /// Fails with [`Code::InvalidInput`] where a target is named twice, and with [`Code::TooLarge`] for more than
    /// [`Limits::targets_max`].
    ///
    /// ```
    /// use placet_core::limits::Limits;
    /// use placet_core::request::Change;
    /// let (limits, sql) = (Limits::default(), r#"{"sql":"DELETE FROM carts"}"#);
    /// let change = Change::new("sql".parse()?, "shop-1".parse()?, sql, &limits)?
    ///     .and_then_at(["shop-2".parse()?, "shop-3".parse()?], &limits)?;
    /// let targets: Vec<&str> = change.targets().map(|target| target.as_str()).collect();
    /// assert_eq!(targets, ["shop-1", "shop-2", "shop-3"]);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn and_then_at(
        mut self,
        targets: impl IntoIterator<Item = Slug>,
        limits: &Limits,
    ) -> Result<Self, Error> {
        self.then.extend(targets);
        self.check(limits)?;
        Ok(self)
    }

    /// The targets, the canary first.
    pub fn targets(&self) -> impl Iterator<Item = &Slug> {
        core::iter::once(&self.target).chain(&self.then)
    }

    /// The gate checks again with its own limits, which may be narrower than the caller's.
    pub(crate) fn check(&self, limits: &Limits) -> Result<(), Error> {
        self.check_targets(limits)?;
        let (size, max) = (self.payload.len(), limits.payload_bytes_max);
        if size > max {
            return Err(Error::new(
                Code::TooLarge,
                format!("the payload has {size} bytes; the limit is {max}"),
            )
            .with_help("split the change, or raise `payload_bytes_max`")
            .with_detail("bytes", size)
            .with_detail("bytes_max", max));
        }
        serde_json::from_str::<Unique>(&self.payload).map_err(|source| {
            let (sentence, help) = if source.is_data() {
                ("a member of the payload stands twice", "name each member of an object once")
            } else {
                let help = "write the payload as one JSON value by the runner's schema, at most 128 levels deep, \
                            with numbers of 64 bits";
                ("the payload is not JSON that every reader takes", help)
            };
            Error::new(Code::InvalidPayload, sentence)
                .with_help(help)
                .with_detail("line", source.line())
                .with_detail("column", source.column())
                .with_source(source)
        })?;
        Ok(())
    }

    /// Refuses a target that is named twice, and too many.
    fn check_targets(&self, limits: &Limits) -> Result<(), Error> {
        let (mut seen, max) = (BTreeSet::new(), limits.targets_max);
        for target in self.targets() {
            if !seen.insert(target) {
                let sentence = format!("the target `{target}` is named twice");
                return Err(Error::new(Code::InvalidInput, sentence)
                    .with_help("name each target of a batch once"));
            }
        }
        if seen.len() <= max {
            return Ok(());
        }
        let sentence = format!("the change has {} targets; the limit is {max}", seen.len());
        Err(Error::new(Code::TooLarge, sentence)
            .with_help("make several requests, or raise `targets_max`")
            .with_detail("targets_max", max))
    }
}

/// What is true of a request in every state.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// let header = office.pending(&gate)?.header;
/// assert_eq!((header.requester, header.revision), (office.ana.user(), 1));
///
/// // An approver says yes to exactly this digest.
/// let approved = gate.approve(&office.bo, header.id, header.change_digest()?, None)?;
/// assert_eq!(approved.state.name().as_str(), "APPROVED");
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Header {
    /// The request.
    pub id: RequestId,
    /// The workflow that it goes through, such as `change`.
    pub workflow: Slug,
    /// Which version of the workflow. It stays: a newer one is for those who begin later.
    pub workflow_version: u32,
    /// The state of the workflow that it is in.
    pub step: StateCode,
    /// The state of the workflow in which its latest run was started, as far as approvals go: a batch goes back there
    /// after each target but the last. Nothing before the first run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ran_from: Option<StateCode>,
    /// Which version of which artifact it is, in a workflow of artifacts.
    pub artifact: Option<Version>,
    /// The requests that it needs: none of them can be deleted while it is there.
    pub depends_on: BTreeSet<RequestId>,
    /// What people see.
    pub title: String,
    /// The project.
    pub project_id: ProjectId,
    /// The module.
    pub module_id: ModuleId,
    /// The environment.
    pub environment_id: EnvironmentId,
    /// Who asked.
    pub requester: UserId,
    /// Everyone who wrote or submitted any revision, and on whose behalf that was done. None of them may approve.
    pub editors: BTreeSet<UserId>,
    /// Those of its authors who are that only because somebody wrote or submitted it on their behalf, as an agent does.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub principals: BTreeSet<UserId>,
    /// Those of its authors that are agents: programs that act by themselves.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub agents: BTreeSet<UserId>,
    /// When it was drafted.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The present revision, from 1.
    pub revision: u32,
    /// The runner of the present revision.
    pub runner: Slug,
    /// The target of the present revision; of a batch, its canary.
    pub target: Slug,
    /// The other targets of a batch, in the order in which they are changed.
    pub then: Vec<Slug>,
    /// The digest of the present revision's payload.
    pub payload_digest: Digest,
    /// Random for each revision, and part of the change digest: that stands in the log, and must not confirm what
    /// somebody guesses of the payload.
    pub nonce: Digest,
    /// The plan of the present revision, once it was made.
    pub plan: Option<PlanNote>,
    /// The request in the environment before that it is the same change as, where it was promoted.
    pub promoted_from: Option<RequestId>,
    /// How many entries its history has.
    pub history_len: u32,
    /// How many threads it has, and how many of them are open.
    #[serde(default, skip_serializing_if = "ThreadCount::is_empty")]
    pub threads: ThreadCount,
    /// The fence of its latest run; 0 before the first. It only grows.
    pub fence: u64,
    /// How many runs the present revision had: the number of its latest attempt.
    pub attempts: u32,
}

impl Header {
    /// Where it is: the scope of every permission that it takes.
    pub const fn scope(&self) -> Scope {
        Scope::module(self.project_id, self.module_id, self.environment_id)
    }

    /// Takes note of whoever wrote or submitted it.
    pub(crate) fn add_author(&mut self, user: UserId, kind: UserKind) {
        self.editors.insert(user);
        self.principals.remove(&user);
        if kind == UserKind::Agent {
            self.agents.insert(user);
        }
    }

    /// Takes note of whom that was done for: whoever tells an agent what to write does not approve it.
    pub(crate) fn add_principal(&mut self, principal: Option<UserId>) {
        if let Some(user) = principal
            && self.editors.insert(user)
        {
            self.principals.insert(user);
        }
    }

    /// Takes over the authors of what this is a copy of: they wrote what it says so far.
    pub(crate) fn add_authors_of(&mut self, source: &Self) {
        for user in source.authors() {
            if source.principals.contains(&user) {
                self.add_principal(Some(user));
            } else {
                self.editors.insert(user);
                self.principals.remove(&user);
            }
        }
        self.agents.extend(source.agents.iter().copied());
    }

    /// How many of its threads want an answer, also those about earlier revisions.
    pub const fn open_threads(&self) -> u32 {
        self.threads.open
    }

    /// The targets of the present revision, the canary first.
    pub fn targets(&self) -> impl Iterator<Item = &Slug> {
        core::iter::once(&self.target).chain(&self.then)
    }

    /// Everyone whose own request this is: who asked, and who wrote or submitted any revision.
    pub(crate) fn authors(&self) -> BTreeSet<UserId> {
        self.editors.iter().copied().chain([self.requester]).collect()
    }

    /// Refuses the authors: nobody approves what they wrote.
    pub(crate) fn check_is_not_author(&self, user: UserId) -> Result<(), Error> {
        if user != self.requester && !self.editors.contains(&user) {
            return Ok(());
        }
        Err(Error::new(
            Code::Refused,
            format!("`{user}` wrote `{}` and cannot approve it", self.id),
        )
        .with_help("ask another approver of this scope"))
    }

    /// Whether somebody who is no author has to look at it, whoever else agrees. Nobody knows before there is a plan.
    pub(crate) fn needs_person(&self) -> bool {
        self.plan.is_none_or(|plan| plan.needs_person)
    }

    /// Refuses everybody but the authors.
    pub(crate) fn check_is_author(&self, user: UserId) -> Result<(), Error> {
        if self.authors().contains(&user) {
            return Ok(());
        }
        Err(Error::new(Code::Refused, format!("`{user}` did not write `{}`", self.id))
            .with_help("ask its author"))
    }

    /// Refuses a revision that ran before: what its runs may have left would be done twice, and its attempts are spent.
    pub(crate) fn check_did_not_run(&self) -> Result<(), Error> {
        if self.attempts == 0 {
            return Ok(());
        }
        let sentence = format!("revision {} of `{}` ran before", self.revision, self.id);
        Err(Error::new(Code::Refused, sentence).with_help(
            "look at what its runs left, and edit it: the next revision has runs of its own",
        ))
    }

    /// The digest of exactly what would run. Approvals bind to it; whatever changes it voids them.
    ///
    /// Fails with [`Code::WrongState`] before there is a plan.
    pub fn change_digest(&self) -> Result<Digest, Error> {
        #[derive(Serialize)]
        struct Signed<'a> {
            request: RequestId,
            revision: u32,
            project: ProjectId,
            module: ModuleId,
            environment: EnvironmentId,
            runner: &'a Slug,
            runner_digest: Digest,
            settings_digest: Digest,
            targets: Vec<&'a Slug>,
            payload_digest: Digest,
            nonce: Digest,
            promoted_from: Option<RequestId>,
            plan_digest: Digest,
        }
        let Some(plan) = &self.plan else {
            return Err(Error::new(Code::WrongState, format!("`{}` has no plan yet", self.id))
                .with_help("make the plan first; submitting makes it too"));
        };
        Digest::of_json(&Signed {
            request: self.id,
            revision: self.revision,
            project: self.project_id,
            module: self.module_id,
            environment: self.environment_id,
            runner: &self.runner,
            runner_digest: plan.runner_digest,
            settings_digest: plan.settings_digest,
            targets: self.targets().collect(),
            payload_digest: self.payload_digest,
            nonce: self.nonce,
            promoted_from: self.promoted_from,
            plan_digest: plan.plan_digest,
        })
    }
}

/// Which plan a request has, by digests.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// let header = office.pending(&gate)?.header;
/// let view = gate.view(&office.ana, header.id)?;
/// if let (Some(note), Some(plan)) = (header.plan, view.plan) {
///     assert_eq!(note.plan_digest, plan.digest()?);
/// }
/// # assert!(header.plan.is_some());
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PlanNote {
    /// The digest of the plan's steps; of a batch, that of the digests of its plans.
    pub plan_digest: Digest,
    /// The digest of the plugin that made it, and that would run it; with that of its
    /// [configuration](crate::runner::RunnerInfo::configuration), where it has one.
    pub runner_digest: Digest,
    /// The digest of the settings that it was made with, and that it would run with.
    #[serde(default = "no_settings")]
    pub settings_digest: Digest,
    /// When it was made.
    pub at: Timestamp,
    /// Whether a person must look at it: a finding of one of its plans says so.
    #[serde(default = "yes")]
    pub needs_person: bool,
}

// What a note does not say that was written before there were such words: nobody had settings to give, and nobody said
// that no person is needed.

fn no_settings() -> Digest {
    Digest::of(b"{}")
}

const fn yes() -> bool {
    true
}
