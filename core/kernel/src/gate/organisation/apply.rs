//! Carrying out a command that was approved: start, effect and end are one commit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::administer::PlatformCommand;
use crate::audit::Event;
use crate::authz::{Action, Authorizer, Scope};
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::gate::find::Note;
use crate::gate::run::drive::word;
use crate::gate::run::execute::Ticket;
use crate::gate::run::start::Start;
use crate::gate::txn::Txn;
use crate::id::{RequestId, UserId};
use crate::identity::Caller;
use crate::org::command::{AdoptPolicies, OrgCommand, ProjectCommand, Visitor};
use crate::request::{Header, Request, StateName, action};
use crate::runner::{Failure, Outcome, Report};
use crate::store::Key;
use crate::workflow::Verb;

/// What a leaf says of a command.
pub(in crate::gate) type Facts = BTreeMap<String, String>;

/// Carries a command out, in a try.
struct CarryOut<'t, 'g> {
    txn: &'t mut Txn<'g>,
    caller: UserId,
}

impl Visitor for CarryOut<'_, '_> {
    type Output = Result<Facts, Error>;

    fn project<C: ProjectCommand>(self, command: &C) -> Self::Output {
        self.txn.carry_out(command, self.caller).map(|(_, facts)| facts)
    }

    fn platform<C: PlatformCommand>(self, command: &C) -> Self::Output {
        self.txn.carry_out_for_all(command, self.caller).map(|(_, facts)| facts)
    }

    fn policies(self, command: &AdoptPolicies) -> Self::Output {
        let new = self.txn.gate.wanted_set(command.digest)?;
        self.txn.adopt(self.caller, &new)
    }
}

impl Gate {
    /// Runs an approved request for a command: applies it, or records that it could not be. Its ending is known when
    /// this returns, and the ticket has nothing left to drive.
    pub(in crate::gate) fn apply_command(
        &self,
        caller: &Caller,
        id: RequestId,
        start: Start,
    ) -> Result<Ticket, Error> {
        let (ticket, command) = self.transact(|txn| {
            let ready = txn.ready(caller, id, start, |header| self.described(&header.runner))?;
            let (header, revision) = (&ready.header, &ready.revision);
            if !header.then.is_empty() || !revision.change.then.is_empty() {
                let sentence = "a command is carried out once, and this asks for several times";
                return Err(Error::new(Code::Refused, sentence).with_help("propose it again"));
            }
            let command = OrgCommand::from_payload(&revision.change.payload)?;
            if let OrgCommand::AdoptPolicies(AdoptPolicies { digest }) = &command {
                // Another node may have it: that is no reason to give the request up.
                self.wanted_set(*digest)?;
            }
            txn.check_reviewed_here(&command, header)?;
            txn.ask_to_command(caller.user(), &command)?;
            txn.check_authors_may(&command, header, revision.author)?;
            self.check_clock()?;

            let authors = header.authors();
            let (mut entered, executing) = txn.enter(caller, ready)?;
            let approvers = executing.approved.approvals.iter().map(|approval| approval.user);
            let involved: BTreeSet<UserId> = authors.into_iter().chain(approvers).collect();
            let (outcome, facts) = txn.apply(&command, &involved, caller.user())?;
            entered.run.outcome = Some(outcome.clone());
            entered.run.ended_at = Some(txn.now);
            txn.add_run(&entered.run)?;
            let Request { mut header, .. } = entered.save(txn, caller, executing.clone().into())?;
            let state = executing.finish(&header, entered.run.fence, outcome.clone(), txn.now)?;
            txn.arrive(&mut header, Verb::Finish, state.name())?;
            let from = Some(StateName::Executing);
            let note = Note { caller: None, verb: action::FINISH, from, comment: None };
            let request = txn.save(Request { header, state }, &note)?;
            let mut leaf = entered.leaf(txn, caller, &request, Event::RunApplied);
            leaf.outcome = Some(word(&outcome).to_owned());
            leaf.facts.extend(facts);
            leaf.facts.insert("command".to_owned(), command.kind().to_string());
            Ok(((entered.ticket(caller, true), command), leaf))
        })?;
        if let OrgCommand::AdoptPolicies(AdoptPolicies { digest }) = command
            && let Ok(adopted) = self.wanted_set(digest)
        {
            self.keep(adopted);
        }
        Ok(ticket)
    }
}

impl Txn<'_> {
    /// Refuses a command that was approved elsewhere than where it is reviewed now.
    pub(in crate::gate) fn check_reviewed_here(
        &mut self,
        command: &OrgCommand,
        header: &Header,
    ) -> Result<(), Error> {
        let governance = self.reviewed_in(command)?;
        if governance.scope() == header.scope() {
            return Ok(());
        }
        let sentence = format!("`{}` is reviewed in another place by now", command.kind());
        Err(Error::new(Code::Refused, sentence)
            .with_help("propose it again, so that it is approved there")
            .with_detail("reviewed_in", governance.scope()))
    }

    /// Judges those who asked for the command again: who lost the right to it since asks in vain.
    fn check_authors_may(
        &mut self,
        command: &OrgCommand,
        header: &Header,
        author: UserId,
    ) -> Result<(), Error> {
        let (action, scope) = match command.project() {
            Some(project) => (Action::MANAGE, Scope::project(project)),
            None => (Action::ADMINISTER, Scope::Platform),
        };
        let asked = self.asked.clone();
        for user in BTreeSet::from([header.requester, author]) {
            if self.judge(user, &action, scope)?.is_err() {
                self.asked = asked;
                let sentence =
                    format!("`{user}` proposed this, and may not {action} here any more");
                return Err(Error::new(Code::Refused, sentence)
                    .with_help("let somebody propose it who may carry it out"));
            }
        }
        self.asked = asked;
        Ok(())
    }

    /// Carries `command` out, or answers why it cannot be. Nobody who is involved does what they could not do alone:
    /// its rules judge it as theirs, each in turn.
    fn apply(
        &mut self,
        command: &OrgCommand,
        involved: &BTreeSet<UserId>,
        caller: UserId,
    ) -> Result<(Outcome, Facts), Error> {
        let asked = self.asked.clone();
        let others = involved.iter().filter(|user| **user != caller);
        let rehearsed = others.copied().try_for_each(|user| self.rehearse(command, user));
        let applied = rehearsed.and_then(|()| {
            let before = self.mark();
            let applied = command.visit(CarryOut { txn: self, caller });
            if applied.is_err() {
                self.take_back(before);
            }
            applied
        });
        self.asked = asked;
        match applied {
            Ok(facts) => {
                let summary = format!("carried out: {}", command.kind().as_str().replace('_', " "));
                Ok((Outcome::Succeeded(Report { summary, ..Report::default() }), facts))
            }
            Err(error) if is_a_refusal(error.code()) => {
                let failure = Failure::new(error.code().as_str(), error.to_string());
                Ok((Outcome::Failed(failure), Facts::new()))
            }
            Err(error) => Err(error),
        }
    }

    /// What would refuse `command`, were it `user`'s. Writes nothing.
    pub(in crate::gate) fn rehearse(
        &mut self,
        command: &OrgCommand,
        user: UserId,
    ) -> Result<(), Error> {
        if matches!(command, OrgCommand::AdoptPolicies(_)) {
            // Whether the new set lets people in is asked once, for whoever adopts it.
            return Ok(());
        }
        let before = self.mark();
        let rehearsed = self.try_out(command, user);
        self.take_back(before);
        rehearsed.map(drop)
    }

    /// Carries `command` out as `user`'s, to be taken back by the caller.
    pub(super) fn try_out(&mut self, command: &OrgCommand, user: UserId) -> Result<Facts, Error> {
        command.visit(CarryOut { txn: self, caller: user })
    }
}

/// What a try was about to write, and who judged in it.
pub(super) struct Mark {
    writes: BTreeMap<Key, Option<Vec<u8>>>,
    names: BTreeMap<Key, String>,
    judge: Option<Arc<dyn Authorizer>>,
}

impl Txn<'_> {
    pub(super) fn mark(&self) -> Mark {
        let (writes, names) = (self.writes.clone(), self.names.clone());
        Mark { writes, names, judge: self.judge.clone() }
    }

    /// Forgets what was written since. What was read stays expected.
    pub(super) fn take_back(&mut self, mark: Mark) {
        let Mark { writes, names, judge } = mark;
        (self.writes, self.names, self.judge) = (writes, names, judge);
    }
}

/// Whether a rule of the command says no, and not the machinery.
const fn is_a_refusal(code: Code) -> bool {
    matches!(
        code,
        Code::InvalidInput
            | Code::TooLarge
            | Code::NotFound
            | Code::Denied
            | Code::Refused
            | Code::AlreadyExists
            | Code::InUse
            | Code::WrongState
            | Code::UnsoundWorkflow
            | Code::QuorumUnsatisfiable
    )
}
