//! Rules about approvals, on a command line and in a file of commands.

use clap::{ArgGroup, Args};
use placet::Organisation;
use placet::error::{Code, Error};
use placet::id::RuleId;
use placet::org::command as kernel;
use placet::org::{Block, Conditions, Criticality, FindingIs, Name, Slug};
use placet::request::Quorum;
use placet::runner::{Level, Lock, Risk};
use serde::Deserialize;

use super::needs::QuorumText;
use super::source::Source;
use super::words::word;
use crate::names::{Named as _, Names};

/// What a request must be for a rule to hold. What is left open fits every request.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct When {
    /// Only for requests of this module. May be repeated.
    #[arg(long = "module", value_name = "MODULE")]
    modules: Vec<String>,
    /// Only for those in this environment. May be repeated.
    #[arg(long = "environment", value_name = "ENVIRONMENT")]
    environments: Vec<String>,
    /// Only where the environment is at least so critical: `low`, `medium`, `high` or `critical`.
    #[arg(long, value_parser = word::<Criticality>)]
    criticality: Option<Criticality>,
    /// Only in this workflow, such as `change`. May be repeated.
    #[arg(long = "workflow", value_name = "WORKFLOW")]
    workflows: Vec<Slug>,
    /// Only by this runner, such as `sql`. May be repeated.
    #[arg(long = "runner", value_name = "RUNNER")]
    runners: Vec<Slug>,
    /// Only where the plan has at least this risk: `none`, `low`, `medium`, `high` or `critical`.
    #[arg(long, value_parser = word::<Risk>)]
    risk: Option<Risk>,
    /// Only where the plan has a finding of this code. May be repeated.
    #[arg(long = "with-finding", value_name = "CODE")]
    findings: Vec<String>,
    /// Only where the plan has a finding of at least this level: `info`, `warning` or `error`.
    #[arg(long = "with-level", value_name = "LEVEL", value_parser = word::<Level>)]
    finding_level: Option<Level>,
    /// Only where a step of the plan is of this kind, such as `ddl`. May be repeated.
    #[arg(long = "kind", value_name = "KIND")]
    kinds: Vec<String>,
    /// Only where a step takes at least this lock: `none`, `rows`, `share` or `exclusive`.
    #[arg(long, value_parser = word::<Lock>)]
    lock: Option<Lock>,
    /// Only where a step writes a whole table anew.
    #[arg(long)]
    rewrites: bool,
    /// Only where the steps change at least so many rows, or nobody can tell how many.
    #[arg(long, value_name = "ROWS")]
    rows: Option<u64>,
    /// Only where a step touches this, such as `shop.orders`, or nobody can tell what. May be repeated.
    #[arg(long = "object", value_name = "NAME")]
    objects: Vec<String>,
    /// Only where a step that changes something cannot be undone.
    #[arg(long)]
    irreversible: bool,
}

/// Which quorum holds for which requests. The first rule by position whose conditions fit decides.
#[derive(Args, Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PutQuorumRule {
    /// The project.
    #[arg(long)]
    project: String,
    /// The rule that is changed, `rul_…`. Without it, a new one is made.
    #[arg(long)]
    rule: Option<RuleId>,
    /// Its place among the rules, the smallest first.
    #[arg(long)]
    position: u32,
    /// What people see.
    #[arg(long)]
    name: Name,
    /// Which requests it is about.
    #[command(flatten)]
    #[serde(default)]
    when: When,
    /// How many different people must approve.
    #[arg(long, required_unless_present = "quorum", conflicts_with = "quorum")]
    people: Option<u8>,
    /// Only holders of this role count.
    #[arg(long, requires = "people")]
    role: Option<String>,
    /// A JSON file with a quorum of stages and groups, as `rule quorum --help` shows it; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    quorum: Option<Source<QuorumText>>,
}

/// What keeps requests from being approved: one of a check, a finding, a level of findings, and open threads.
#[derive(Args, Clone, Debug, Deserialize)]
#[command(group(
    ArgGroup::new("block").required(true).args(["check", "finding", "level", "open_threads"])
))]
#[serde(deny_unknown_fields)]
pub(crate) struct PutBlockingRule {
    /// The project.
    #[arg(long)]
    project: String,
    /// The rule that is changed, `rul_…`. Without it, a new one is made.
    #[arg(long)]
    rule: Option<RuleId>,
    /// What people see, also in the refusal.
    #[arg(long)]
    name: Name,
    /// Which requests it is about.
    #[command(flatten)]
    #[serde(default)]
    when: When,
    /// Until the check of this name was reported for exactly what is asked for, and passed.
    #[arg(long, value_name = "NAME")]
    check: Option<Slug>,
    /// While the plan has a finding of this code, such as `sql.unparsed`.
    #[arg(long, value_name = "CODE")]
    finding: Option<String>,
    /// While the plan has a finding of at least this level: `info`, `warning` or `error`.
    #[arg(long, value_parser = word::<Level>)]
    level: Option<Level>,
    /// While a thread about the request is open.
    #[arg(long)]
    #[serde(default)]
    open_threads: bool,
}

/// Remove a rule about approvals, of either kind.
#[derive(Args, Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RemoveRule {
    /// The project.
    #[arg(long)]
    project: String,
    /// The rule, `rul_…`.
    #[arg(long)]
    rule: RuleId,
}

impl When {
    fn resolve(self, shop: &Organisation) -> Result<Conditions, Error> {
        let mut when = Conditions::default();
        let modules = self.modules.iter().map(|text| shop.module_id(text));
        when.modules = modules.collect::<Result<_, _>>()?;
        let environments = self.environments.iter().map(|text| shop.environment_id(text));
        when.environments = environments.collect::<Result<_, _>>()?;
        when.criticality = self.criticality;
        when.workflows = self.workflows;
        when.runners = self.runners;
        when.risk = self.risk;
        (when.kinds, when.objects) = (self.kinds, self.objects);
        (when.lock, when.rows) = (self.lock, self.rows);
        (when.rewrites, when.irreversible) = (self.rewrites, self.irreversible);
        let levels = self.finding_level.map(FindingIs::Level);
        when.findings = self.findings.into_iter().map(FindingIs::Code).chain(levels).collect();
        Ok(when)
    }
}

impl PutQuorumRule {
    /// With what stands in its file.
    pub(super) fn read(self) -> Result<Self, Error> {
        Ok(Self { quorum: self.quorum.map(Source::read).transpose()?, ..self })
    }

    pub(super) fn resolve(self, names: &Names<'_>) -> Result<kernel::PutQuorumRule, Error> {
        let Self { project, rule, position, name, when, people, role, quorum } = self;
        let shop = names.organisation(&project)?;
        let quorum = match (people, quorum) {
            (Some(people), None) => {
                let role = role.as_deref().map(|role| shop.role_id(role)).transpose()?;
                Quorum::n_of(people, role)?
            }
            (None, Some(quorum)) if role.is_none() => quorum.said()?.resolve(names, &shop)?,
            (Some(_) | None, Some(_) | None) => {
                let sentence = "a rule takes `people`, with or without `role`, or `quorum`";
                return Err(
                    Error::new(Code::InvalidInput, sentence).with_help("write one of the two")
                );
            }
        };
        let (project, when) = (shop.project.id, when.resolve(&shop)?);
        Ok(kernel::PutQuorumRule { project, rule, position, name, when, quorum })
    }
}

impl PutBlockingRule {
    pub(super) fn resolve(self, names: &Names<'_>) -> Result<kernel::PutBlockingRule, Error> {
        let Self { project, rule, name, when, check, finding, level, open_threads } = self;
        let said = [
            check.map(Block::Check),
            finding.map(|code| Block::Finding(FindingIs::Code(code))),
            level.map(|level| Block::Finding(FindingIs::Level(level))),
            open_threads.then_some(Block::OpenThreads),
        ];
        let mut said = said.into_iter().flatten();
        let (Some(block), None) = (said.next(), said.next()) else {
            let sentence = "a rule that stops approvals says one thing that stops them";
            let help = "write one of `check`, `finding`, `level` and `open_threads`";
            return Err(Error::new(Code::InvalidInput, sentence).with_help(help));
        };
        let shop = names.organisation(&project)?;
        let (project, when) = (shop.project.id, when.resolve(&shop)?);
        Ok(kernel::PutBlockingRule { project, rule, name, when, block })
    }
}

impl RemoveRule {
    pub(super) fn resolve(self, names: &Names<'_>) -> Result<kernel::RemoveRule, Error> {
        Ok(kernel::RemoveRule { project: names.project(&self.project)?, rule: self.rule })
    }
}
