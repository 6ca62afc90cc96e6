//! Which quorum holds for a request, who counts for it, and whether it can be reached.

use std::collections::{BTreeMap, BTreeSet};

use crate::authz::Action;
use crate::digest::Digest;
use crate::error::{Code, Error};
use crate::gate::Shelf;
use crate::gate::decide::not_found;
use crate::gate::txn::Txn;
use crate::id::{RuleId, UserId};
use crate::identity::Caller;
use crate::request::{
    Approval, Approved, Awaited, Header, PEOPLE_MAX, Quorum, Slot, Voter, nearest,
};
use crate::runner::Plan;
use crate::workflow::{Transition, Verb};

impl Txn<'_> {
    /// Which approvals the request takes: by the first rule that fits, else by its environment, else one.
    pub(in crate::gate) fn quorum_for(
        &mut self,
        header: &Header,
        plans: &[&Plan],
    ) -> Result<(Quorum, Option<RuleId>), Error> {
        let shelf = self.shelf(header.project_id)?.ok_or_else(|| not_found("project"))?;
        let criticality = shelf.book.environment(header.environment_id)?.criticality;
        let mut rules = shelf.book.rules_in_order().into_iter();
        if let Some(rule) = rules.find(|rule| rule.when.fit(header, plans, criticality)) {
            return Ok((rule.quorum.clone(), Some(rule.id)));
        }
        Ok((shelf.book.quorums.get(&header.environment_id).cloned().unwrap_or_default(), None))
    }

    /// Refuses somebody who is in a team with an author, where the quorum leaves them out.
    pub(in crate::gate) fn check_is_no_teammate(
        &mut self,
        header: &Header,
        quorum: &Quorum,
        user: UserId,
    ) -> Result<(), Error> {
        let shelf = self.shelf(header.project_id)?.ok_or_else(|| not_found("project"))?;
        if !quorum.exclude.same_team || !shelf.shares_team(user, &header.authors(), self.now) {
            return Ok(());
        }
        let id = header.id;
        let sentence =
            format!("`{user}` is in a team with an author of `{id}` and cannot approve it");
        Err(Error::new(Code::Refused, sentence).with_help("ask an approver of another team"))
    }

    /// Who is still needed, in words.
    pub(in crate::gate) fn awaited(
        &mut self,
        header: &Header,
        quorum: &Quorum,
        (approvals, digest): (&[Approval], &Digest),
    ) -> Result<String, Error> {
        let shelf = self.shelf(header.project_id)?.ok_or_else(|| not_found("project"))?;
        let ways = quorum.awaited(approvals, digest);
        let ways: Vec<String> = ways.iter().map(|way| told(&shelf, quorum, way)).collect();
        Ok(ways.join("; or "))
    }

    /// Refuses a quorum that could never be reached: better now than after a week of waiting, and never
    /// an approval by default.
    pub(in crate::gate) fn check_satisfiable(
        &mut self,
        header: &Header,
        quorum: &Quorum,
    ) -> Result<(), Error> {
        let (decisions, asked) = (self.decisions.len(), self.asked.clone());
        let lacks = self.lacks(header, quorum);
        // Counting is not a decision about anybody.
        self.decisions.truncate(decisions);
        self.asked = asked;
        let Some((lacks, able)) = lacks? else { return Ok(()) };
        let needed = quorum.people();
        Err(Error::new(
            Code::QuorumUnsatisfiable,
            format!("{needed} approvals are needed, and those who could give one now lack {lacks}"),
        )
        .with_help("authors cannot approve; ask an administrator of the project for approvers")
        .with_detail("needed", needed)
        .with_detail("able", able))
    }

    /// Who is not there that the quorum takes, and how many are who could approve; nothing where it can be reached.
    fn lacks(
        &mut self,
        header: &Header,
        quorum: &Quorum,
    ) -> Result<Option<(String, usize)>, Error> {
        let shelf = self.shelf(header.project_id)?.ok_or_else(|| not_found("project"))?;
        let (ways, authors) = (quorum.ways(), header.authors());
        let (approve, execute) = self.ways_ahead(header)?;
        let about = self.about(header)?;
        let mut able: BTreeMap<UserId, Voter> = BTreeMap::new();
        for user in shelf.granted_users() {
            // Whoever starts the run is one more: then everybody who could approve is looked at.
            if !quorum.exclude.executor && missing(&ways, &able, None) == 0 {
                break;
            }
            let is_left_out = authors.contains(&user)
                || quorum.exclude.same_team && shelf.shares_team(user, &authors, self.now);
            let fits = shelf.fits(user, quorum, header.module_id, self.now);
            let groups: BTreeSet<_> = fits.iter().map(|fit| fit.group).collect();
            // Of those who are alike, no more are needed than there are places.
            let alike = able.values().filter(|voter| voter.groups == groups).count();
            if is_left_out || groups.is_empty() || alike > usize::from(PEOPLE_MAX) {
                continue;
            }
            if self.may_take_one(header, &approve, user)?
                && self.judge_knowing(user, &Action::APPROVE, header.scope(), &about)?.is_ok()
            {
                able.insert(user, Voter { stage: None, groups });
            }
        }
        let count = able.len();
        if missing(&ways, &able, None) > 0 {
            let voters: Vec<Voter> = able.into_values().collect();
            let near = nearest(&ways, &voters);
            let lacks = near.first().map_or_else(Vec::new, Awaited::in_way);
            return Ok(Some((told(&shelf, quorum, &lacks), count)));
        }
        if !quorum.exclude.executor {
            return Ok(None);
        }
        for user in shelf.granted_users() {
            if missing(&ways, &able, Some(user)) == 0
                && self.may_take_one(header, &execute, user)?
                && self.judge_knowing(user, &Action::EXECUTE, header.scope(), &about)?.is_ok()
            {
                return Ok(None);
            }
        }
        Ok(Some(("somebody who may execute it and is not needed to approve it".to_owned(), count)))
    }

    /// The ways by which what is submitted now is approved, and those by which it runs.
    fn ways_ahead(&mut self, header: &Header) -> Result<(Vec<Transition>, Vec<Transition>), Error> {
        let workflow = self.workflow(header)?;
        let of = |verb| workflow.transitions.iter().filter(move |way| way.verb == verb);
        let at = workflow.way(&header.step, Verb::Submit).map_or(&header.step, |way| &way.to);
        // A review may pass it on to another, and what was approved in the one counts in the other.
        let mut reviews = vec![at];
        let mut next = 0_usize;
        while let Some(review) = reviews.get(next).copied() {
            for way in of(Verb::Advance).filter(|way| way.from == *review) {
                if !reviews.contains(&&way.to) {
                    reviews.push(&way.to);
                }
            }
            next = next.saturating_add(1);
        }
        let approve =
            of(Verb::Approve).filter(|way| reviews.contains(&&way.from)).cloned().collect();
        Ok((approve, of(Verb::Execute).cloned().collect()))
    }

    /// Whether `user` holds a role that one of `ways` takes.
    fn may_take_one(
        &mut self,
        header: &Header,
        ways: &[Transition],
        user: UserId,
    ) -> Result<bool, Error> {
        let caller = Caller::authenticated(user);
        for way in ways {
            match self.check_roles(&caller, header, way) {
                Ok(()) => return Ok(true),
                Err(error) if error.code() == Code::Refused => {}
                Err(error) => return Err(error),
            }
        }
        Ok(ways.is_empty())
    }

    /// The approvals that still count: those that one way to reach the quorum needs are judged again, under the rules
    /// and rows of this moment. Answers how many stopped counting, too. None of them is forgotten by that: whoever
    /// approved stays somebody who did, and who is spare now may be needed at the next start.
    pub(in crate::gate) fn still_counted(
        &mut self,
        header: &Header,
        approved: &Approved,
    ) -> Result<(Vec<Approval>, usize), Error> {
        if approved.by_rule.is_some() {
            self.check_rule(header, approved)?;
            return Ok((Vec::new(), 0));
        }
        let shelf = self.shelf(header.project_id)?.ok_or_else(|| not_found("project"))?;
        let asked = self.asked.clone();
        let (mut left, digest) = (approved.approvals.clone(), approved.digest);
        let (mut judged, mut gone) = (BTreeSet::new(), Vec::new());
        let counted = loop {
            let Some(counted) = approved.quorum.counted(&left, &digest) else {
                self.asked = asked;
                return Err(no_longer_counts(&gone));
            };
            let next = left
                .iter_mut()
                .find(|given| counted.contains(&given.id) && !judged.contains(&given.id));
            let Some(given) = next else { break counted };
            let (id, user) = (given.id, given.user);
            judged.insert(id);
            let held = shelf.fits(user, &approved.quorum, header.module_id, self.now);
            given.fits.retain_mut(|fit| {
                let now = held.iter().find(|now| now.group == fit.group);
                now.inspect(|now| *fit = **now).is_some()
            });
            let still_fits = !given.fits.is_empty();
            if !still_fits || !self.still_approves(header, &approved.quorum, user)? {
                left.retain(|given| given.id != id);
                gone.push(user);
            }
        };
        self.asked = asked;
        left.retain(|given| counted.contains(&given.id));
        Ok((left, gone.len()))
    }

    /// Whether `user` may still approve what `header` is about. A no is not noted: the leaf of a start has room for
    /// those who count.
    fn still_approves(
        &mut self,
        header: &Header,
        quorum: &Quorum,
        user: UserId,
    ) -> Result<bool, Error> {
        let (decisions, authors) = (self.decisions.len(), header.authors());
        let shelf = self.shelf(header.project_id)?.ok_or_else(|| not_found("project"))?;
        let about = self.about(header)?.with_authors(authors.clone());
        let may = self.judge_knowing(user, &Action::APPROVE, header.scope(), &about)?.is_ok();
        let shares = quorum.exclude.same_team && shelf.shares_team(user, &authors, self.now);
        let in_role = self.may_take_approval(header, user)?;
        let counts = may && in_role && !shares && !authors.contains(&user);
        if !counts {
            self.decisions.truncate(decisions);
        }
        Ok(counts)
    }

    /// Whether `user` holds a role that the workflow asks of whoever approves what is where `header` is.
    fn may_take_approval(&mut self, header: &Header, user: UserId) -> Result<bool, Error> {
        let workflow = self.workflow(header)?;
        let ways = || workflow.transitions.iter().filter(|way| way.verb == Verb::Approve);
        // After a run the request is elsewhere: then any way to approve is the one that was taken.
        let is_there = ways().any(|way| way.to == header.step);
        let taken = ways().filter(|way| !is_there || way.to == header.step);
        self.may_take_one(header, &taken.cloned().collect::<Vec<_>>(), user)
    }
}

/// How many places stay empty at the least, without one of them.
fn missing(
    ways: &[Vec<Slot<'_>>],
    able: &BTreeMap<UserId, Voter>,
    without: Option<UserId>,
) -> usize {
    let others = able.iter().filter(|(user, _)| Some(**user) != without);
    let voters: Vec<Voter> = others.map(|(_, voter)| voter.clone()).collect();
    nearest(ways, &voters).first().map_or(usize::MAX, |way| way.missing)
}

fn no_longer_counts(gone: &[UserId]) -> Error {
    let sentence = match gone {
        [] => "the approvals are not enough any more".to_owned(),
        [one] => format!("the approval of `{one}` no longer counts"),
        [first, ..] => {
            format!("{} approvals no longer count, among them that of `{first}`", gone.len())
        }
    };
    Error::new(Code::Refused, sentence)
        .with_help("edit and submit it again, so that people who may approve do")
}

/// Such as "1 of `QA`, 2 of `PO` or team `Checkout`".
fn told(shelf: &Shelf, quorum: &Quorum, way: &[Awaited]) -> String {
    let one = |awaited: &Awaited| {
        let of: Vec<String> = awaited.of.iter().map(|group| shelf.book.group_text(group)).collect();
        let text = format!("{} of {}", awaited.n, of.join(" or "));
        match quorum.stages.get(usize::from(awaited.stage)) {
            Some(stage) if quorum.stages.len() > 1 => format!("{text} for `{}`", stage.name),
            Some(_) | None => text,
        }
    };
    way.iter().map(one).collect::<Vec<_>>().join(", ")
}
