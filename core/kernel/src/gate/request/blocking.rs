//! Rules of a project that stop an approval.

use crate::authz::{Action, Answer};
use crate::error::{Code, Error};
use crate::gate::decide::not_found;
use crate::gate::txn::Txn;
use crate::org::{Block, BlockingRule};
use crate::request::{Check, CheckStatus, Header, Revision};
use crate::runner::Plan;

impl Txn<'_> {
    /// Refuses where a rule of the project stops it, as it is at this moment.
    pub(in crate::gate) fn check_not_blocked(
        &mut self,
        header: &Header,
        revision: &Revision,
    ) -> Result<(), Error> {
        let plans: Vec<&Plan> = revision.plans().collect();
        let shelf = self.shelf(header.project_id)?.ok_or_else(|| not_found("project"))?;
        let criticality = shelf.book.environment(header.environment_id)?.criticality;
        for rule in shelf.book.blocking_rules.values() {
            if !rule.when.fit(header, &plans, criticality) {
                continue;
            }
            if let Some((why, help)) = self.what_stops(rule, header, &plans)? {
                let sentence = format!("the rule `{}` stops `{}`: {why}", rule.name, header.id);
                return Err(Error::new(Code::Blocked, sentence)
                    .with_help(help)
                    .with_detail("rule", rule.id));
            }
        }
        Ok(())
    }

    /// Why the rule stops it, and what would help.
    fn what_stops(
        &mut self,
        rule: &BlockingRule,
        header: &Header,
        plans: &[&Plan],
    ) -> Result<Option<(String, &'static str)>, Error> {
        Ok(match &rule.block {
            Block::Finding(_) if plans.iter().any(|plan| rule.block.is_found_in(plan)) => Some((
                "its plan has such a finding".to_owned(),
                "edit it, so that the plan has none",
            )),
            Block::Finding(_) => None,
            Block::Check(name) => {
                let path = [header.id.to_string(), name.to_string()];
                let found = self.get::<Check>(&path.each_ref().map(String::as_str))?;
                let digest = header.change_digest()?;
                match found.filter(|check| check.digest == digest) {
                    Some(passed) if passed.status == CheckStatus::Passed => {
                        let by = passed.by;
                        self.what_is_wrong_with(&passed, header)?.map(|why| {
                            let why =
                                format!("the check `{name}` was reported by `{by}`, who {why}");
                            (why, "let another principal report it")
                        })
                    }
                    Some(_) => {
                        let why = format!("the check `{name}` failed");
                        Some((why, "look at what it says, and edit the request"))
                    }
                    None => {
                        let why = format!("the check `{name}` was not reported for this change");
                        Some((why, "wait for the check, or ask whoever reports it"))
                    }
                }
            }
            Block::OpenThreads => match header.open_threads() {
                0 => None,
                open => Some((format!("{open} threads are open"), "answer and resolve them")),
            },
        })
    }

    /// Why the word of whoever reported a check counts no more.
    fn what_is_wrong_with(
        &mut self,
        check: &Check,
        header: &Header,
    ) -> Result<Option<&'static str>, Error> {
        let authors = header.authors();
        if [Some(check.by), check.on_behalf_of]
            .into_iter()
            .flatten()
            .any(|it| authors.contains(&it))
        {
            return Ok(Some("is among the authors by now"));
        }
        Ok(match self.quietly(check.by, &Action::CHECK, header.scope())? {
            Answer::Allowed(_) => None,
            Answer::Denied(_) => Some("may not report checks here any more"),
        })
    }
}
