//! What was decided, asked again: what would other policies have said?

use std::collections::BTreeSet;

use crate::audit::{Decision, Event, Leaf};
use crate::authz::{
    Action, Answer, Audit, Authorizer, Denial, Facts, Question, Reason, Scope, Witness,
};
use crate::digest::Digest;
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::gate::about::{About, TOLD, told_of};
use crate::gate::decide::judged_by;
use crate::gate::txn::{Txn, lost_race};
use crate::id::UserId;
use crate::identity::Caller;
use crate::request::{HistoryEntry, action};
use crate::store::records;

/// One page of a replay.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// # office.approved(&gate)?;
/// use placet_core::testing::ScriptedAuthorizer;
///
/// // The policies of today, asked again about all that was decided.
/// let (policies, mut from, mut asked) = (ScriptedAuthorizer::agreeing(), Some(0), 0);
/// while let Some(entry) = from {
///     let page = gate.replay(&office.root, &policies, entry)?;
///     assert!(page.differences.is_empty());
///     (from, asked) = (page.next, asked + page.asked);
/// }
/// assert!(asked > 10);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Replay {
    /// The decisions that would be others, in the order of the log.
    pub differences: Vec<ReplayDifference>,
    /// How many decisions of this page were asked again.
    pub asked: u64,
    /// The entry of the log at which the next page begins; nothing when this was the last.
    pub next: Option<u64>,
}

/// A recorded decision that would be another one.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// # let request = office.approved(&gate)?.header.id;
/// use placet_core::authz::Action;
/// use placet_core::gate::ReplayCause;
/// use placet_core::testing::ScriptedAuthorizer;
///
/// let nothing_permits = ScriptedAuthorizer::agreeing();
/// nothing_permits.answer_with(Ok(Default::default()));
/// let page = gate.replay(&office.root, &nothing_permits, 0)?;
/// let approval = page.differences.iter().find(|one| one.question.action == Action::APPROVE);
/// let approval = approval.expect("Bo approved");
/// assert_eq!(approval.question.user, office.bo.user());
/// assert_eq!((approval.recorded.allowed, approval.answer.is_allowed()), (true, false));
/// assert_eq!(approval.cause, ReplayCause::Policies);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReplayDifference {
    /// The entry of the log, from 0.
    pub entry: u64,
    /// What was asked, and when.
    pub question: Question,
    /// What was decided then.
    pub recorded: Decision,
    /// What the rows of today and the given policies say.
    pub answer: Answer,
    /// What the rows of today and the present policies say.
    pub present: Answer,
    /// Where the difference comes from.
    pub cause: ReplayCause,
}

/// Where a difference comes from.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// # office.approved(&gate)?;
/// use placet_core::gate::ReplayCause;
/// use placet_core::org::command::SetUserActive;
/// use placet_core::testing::ScriptedAuthorizer;
///
/// // Bo, who approved, left: with the rows of today, the same policies say no.
/// gate.administer(&office.root, &SetUserActive { user: office.bo.user(), active: false })?;
/// let page = gate.replay(&office.root, &ScriptedAuthorizer::agreeing(), 0)?;
/// assert_eq!(page.differences.len(), 1);
/// assert_eq!(page.differences[0].cause, ReplayCause::Rows);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ReplayCause {
    /// The given policies: the present ones still answer as it is recorded.
    Policies,
    /// The rows: they changed since, and the present policies, which are those that decided then, answer
    /// otherwise too.
    Rows,
    /// Something since: the present policies answer otherwise too, but are not those that decided then. It may be the
    /// rows or the policies.
    Since,
}

/// The steps by which somebody, and whoever they act for, becomes an author.
const WRITES: [&str; 5] =
    [action::DRAFT, action::EDIT, action::SUBMIT, action::PROMOTE, action::NEW_VERSION];

/// The events of verbs that ask for the right to approve and tell the policies no author: whoever wrote a request may
/// turn it down.
const WITHOUT_AUTHORS: [&str; 3] = [
    Event::RequestRejected.as_str(),
    Event::RequestChangesRequested.as_str(),
    Event::RequestThreadResolved.as_str(),
];

impl Gate {
    /// Asks what was decided again: each decision that the log has from the entry `from` on, at its own instant, over
    /// the rows of today, by `policies` and by the present ones. It says which would be others. For PLATFORM_ADMIN and
    /// AUDITOR; nothing is written, and policies that permit less than the index count as no disagreement here.
    ///
    /// A page reads [`crate::limits::Limits::page_rows_max`] entries. What is stored of the past are intervals: that
    /// a grant ended later changes no answer; that a user was stopped, or a team moved, does.
    /// The log does not say whether a denied caller was about to approve or to turn down; it is asked as for
    /// approving.
    ///
    /// Fails with [`crate::error::Code::Denied`] for everybody else.
    ///
    /// ```
    /// # let (gate, office) = placet_core::testing::Office::in_memory()?;
    /// # office.approved(&gate)?;
    /// use placet_core::authz::{Authorizer, Facts, PolicyHit, Question, Verdict};
    /// use placet_core::digest::Digest;
    /// use placet_core::error::Error;
    ///
    /// /// What would it have meant, had only people with two roles approved?
    /// #[derive(Debug)]
    /// struct Draft;
    ///
    /// impl Authorizer for Draft {
    ///     fn decide(&self, question: &Question, _facts: &Facts) -> Result<Verdict, Error> {
    ///         let hit = |id: &str| vec![PolicyHit::new(id.to_owned(), "draft.rs:8".to_owned())];
    ///         let forbids = question.action.as_str() == "approve";
    ///         let forbidden_by = if forbids { hit("two-roles") } else { Vec::new() };
    ///         Ok(Verdict::new(hit("as-the-index-says"), forbidden_by, Vec::new()))
    ///     }
    ///
    ///     fn policy_set_digest(&self) -> Digest {
    ///         Digest::of(b"draft")
    ///     }
    /// }
    ///
    /// let page = gate.replay(&office.root, &Draft, 0)?;
    /// let told: Vec<String> = page.differences.iter().map(|one| one.answer.to_string()).collect();
    /// assert_eq!(told, ["denied: the policy `two-roles` (draft.rs:8) forbids it"]);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn replay(
        &self,
        caller: &Caller,
        policies: &dyn Authorizer,
        from: u64,
    ) -> Result<Replay, Error> {
        self.consult(|txn| {
            let permit = txn.ask::<Audit>(caller.user(), Scope::Platform, "audit log")?;
            permit.spend_on(&Scope::Platform).map(drop)
        })?;
        let limit = self.parts.limits.page_rows_max.max(1);
        let entries = self.parts.store.log_read(from, limit)?;
        let full = entries.len() >= limit;
        let mut leaves = Vec::with_capacity(entries.len());
        let mut next = from;
        for bytes in entries {
            leaves.push((next, Leaf::from_bytes(&bytes)?));
            next = next.saturating_add(1);
        }
        self.consult(|txn| {
            let (mut differences, mut asked) = (Vec::new(), 0_u64);
            for (entry, leaf) in &leaves {
                for recorded in &leaf.decisions {
                    let Some(scope) = leaf.scope else { continue };
                    asked = asked.saturating_add(1);
                    let found = txn.ask_again(policies, leaf, scope, recorded);
                    let found = found.map_err(|error| error.with_detail("entry", entry))?;
                    differences.extend(found.map(|found| found.of(*entry, recorded)));
                }
            }
            if !txn.is_current()? {
                return Err(lost_race());
            }
            Ok(Replay { differences, asked, next: full.then_some(next) })
        })
    }
}

/// A decision that came out otherwise.
#[derive(Debug)]
struct Otherwise {
    question: Question,
    answer: Answer,
    present: Answer,
    cause: ReplayCause,
}

impl Otherwise {
    fn of(self, entry: u64, recorded: &Decision) -> ReplayDifference {
        let Self { question, answer, present, cause } = self;
        ReplayDifference { entry, question, recorded: recorded.clone(), answer, present, cause }
    }
}

impl Txn<'_> {
    fn ask_again(
        &mut self,
        policies: &dyn Authorizer,
        leaf: &Leaf,
        scope: Scope,
        recorded: &Decision,
    ) -> Result<Option<Otherwise>, Error> {
        let (user, action, at) = (recorded.user, recorded.action.clone(), leaf.at);
        let question = Question { user, action, scope, at };
        let about = self.told(leaf, &question)?;
        let named = match scope.project_id() {
            Some(project) if self.shelf(project)?.is_none() => {
                Err(Denial::because(Reason::NoSuchPlace))
            }
            Some(_) | None => self.named_rows(&question, &about)?,
        };
        let by = |authorizer: &dyn Authorizer| answer_of(authorizer, &question, &named);
        let answer = by(policies);
        if answer.is_allowed() == recorded.allowed {
            return Ok(None);
        }
        let ours = self.authorizer()?.ok_or_else(|| {
            Error::new(
                Code::NotFound,
                "this node does not have the set of policies that was adopted",
            )
            .with_help("make it ready with `prepare_policies`")
        })?;
        let present = by(&*ours);
        let cause = cause_of(recorded, &present, ours.policy_set_digest());
        Ok(Some(Otherwise { question, answer, present, cause }))
    }

    /// What the policies were told of what the question was about. A plan that was made again since is told as it is now,
    /// as every row is.
    fn told(&mut self, leaf: &Leaf, question: &Question) -> Result<About, Error> {
        let authors = self.authors_told(leaf, question)?;
        let is_told = leaf.facts.contains_key(TOLD) && question.action.goes_on();
        let Some(id) = leaf.request.filter(|_| is_told) else {
            return Ok(About::written_by(authors));
        };
        let number = match leaf.revision {
            Some(number) => number,
            // A denial names none.
            None => self.request(id)?.header.revision,
        };
        let plan = Some(told_of(&self.revision_numbered(id, number)?));
        Ok(About { plan, ..About::written_by(authors) })
    }

    /// Whom the policies were told to have written what the question was about: whoever had by then. The
    /// request's own list has those who came later too.
    fn authors_told(
        &mut self,
        leaf: &Leaf,
        question: &Question,
    ) -> Result<BTreeSet<UserId>, Error> {
        let told = !WITHOUT_AUTHORS.contains(&leaf.event.as_str());
        let Some(id) = leaf.request.filter(|_| told && question.action == Action::APPROVE) else {
            return Ok(BTreeSet::new());
        };
        let header = self.request(id)?.header;
        let requester = header.requester;
        // What was copied is over, and nobody writes it any more: its authors are who they were.
        let source = header.promoted_from.or(header.artifact.and_then(|version| version.follows));
        let copied = match source {
            Some(source) => self.request(source)?.header.authors(),
            None => BTreeSet::new(),
        };
        let steps = self
            .gate
            .scan_all::<HistoryEntry>(&records::key_of::<HistoryEntry>(&[&id.to_string()]))?;
        let wrote = steps.into_iter().filter(|step| {
            let writes = WRITES.contains(&step.verb.as_str());
            // A denial names no revision; a step of the same instant may have come after it.
            let is_before = step.at <= leaf.at
                && leaf.revision.is_none_or(|revision| step.revision <= revision);
            writes && is_before
        });
        let wrote = wrote.flat_map(|step| [step.actor, step.on_behalf_of]).flatten();
        Ok(wrote.chain([requester]).chain(copied).collect())
    }
}

fn answer_of(
    authorizer: &dyn Authorizer,
    question: &Question,
    named: &Result<(Facts, Witness), Denial>,
) -> Answer {
    match named {
        Err(denial) => Answer::Denied(denial.clone()),
        Ok((facts, witness)) => match judged_by(authorizer, question, facts) {
            Ok(()) => Answer::Allowed(*witness),
            // Not an alarm: these policies need not agree with the index yet.
            Err(reasons) if reasons.is_empty() => {
                Answer::Denied(Denial::because(Reason::Disagreement))
            }
            Err(reasons) => Answer::Denied(Denial { reasons }),
        },
    }
}

fn cause_of(recorded: &Decision, present: &Answer, present_set: Digest) -> ReplayCause {
    if present.is_allowed() == recorded.allowed {
        ReplayCause::Policies
    } else if present_set == recorded.policy_set {
        ReplayCause::Rows
    } else {
        ReplayCause::Since
    }
}
