//! A quorum with names: as people write it, and as they read it.

use placet::Organisation;
use placet::error::Error;
use placet::org::{Name, TeamRole};
use placet::request::{Exclude, Group, Need, Order, Quorum, Stage};
use serde::Deserialize;

use crate::names::{Named as _, Names};

/// A quorum in the form of the kernel, with names in the place of ids.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct QuorumText {
    stages: Vec<StageText>,
    #[serde(default = "in_sequence")]
    order: Order,
    #[serde(default)]
    exclude: ExcludeText,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StageText {
    name: Name,
    need: NeedText,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ExcludeText {
    executor: bool,
    same_team: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[expect(clippy::enum_variant_names, reason = "the words of the kernel")]
enum NeedText {
    NOf { n: u8, of: Vec<GroupText> },
    AllOf(Vec<Self>),
    AnyOf(Vec<Self>),
    SomeOf { k: u8, of: Vec<Self> },
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum GroupText {
    Anyone,
    ProjectRole(String),
    TeamRole {
        #[serde(default)]
        team: Option<String>,
        role: TeamRole,
    },
    Team(String),
    Person(String),
}

const fn in_sequence() -> Order {
    Order::Sequence
}

impl QuorumText {
    pub(crate) fn resolve(&self, names: &Names<'_>, shop: &Organisation) -> Result<Quorum, Error> {
        let stages = self.stages.iter();
        let stages = stages
            .map(|stage| Ok(Stage::new(stage.name.clone(), stage.need.resolve(names, shop)?)));
        let mut exclude = Exclude::default();
        exclude.executor = self.exclude.executor;
        exclude.same_team = self.exclude.same_team;
        Quorum::new(stages.collect::<Result<_, Error>>()?, self.order, exclude)
    }
}

impl NeedText {
    fn resolve(&self, names: &Names<'_>, shop: &Organisation) -> Result<Need, Error> {
        let all = |of: &[Self]| {
            of.iter().map(|need| need.resolve(names, shop)).collect::<Result<Vec<_>, _>>()
        };
        Ok(match self {
            Self::NOf { n, of } => {
                let groups = of.iter().map(|group| group.resolve(names, shop));
                Need::NOf { n: *n, of: groups.collect::<Result<_, _>>()? }
            }
            Self::AllOf(of) => Need::AllOf(all(of)?),
            Self::AnyOf(of) => Need::AnyOf(all(of)?),
            Self::SomeOf { k, of } => Need::SomeOf { k: *k, of: all(of)? },
        })
    }
}

impl GroupText {
    fn resolve(&self, names: &Names<'_>, shop: &Organisation) -> Result<Group, Error> {
        Ok(match self {
            Self::Anyone => Group::Anyone,
            Self::ProjectRole(role) => Group::ProjectRole(shop.role_id(role)?),
            Self::TeamRole { team, role } => {
                let team = team.as_deref().map(|team| shop.team_id(team)).transpose()?;
                Group::TeamRole { team, role: *role }
            }
            Self::Team(team) => Group::Team(shop.team_id(team)?),
            Self::Person(user) => Group::Person(names.user(user)?),
        })
    }
}

/// A quorum as people read it: `QA: 1 of QA and 1 of PO`.
pub(crate) fn told(quorum: &Quorum, shop: &Organisation) -> String {
    let stages = quorum.stages.iter();
    let stages: Vec<String> = stages
        .map(|stage| format!("{}: {}", stage.name, told_need(&stage.need, shop, false)))
        .collect();
    let between = match quorum.order {
        Order::Sequence => ", then ",
        Order::Parallel => ", beside ",
    };
    let mut told = stages.join(between);
    if quorum.exclude.executor {
        told.push_str("; not by who runs it");
    }
    if quorum.exclude.same_team {
        told.push_str("; not by the authors' teams");
    }
    told
}

fn told_need(need: &Need, shop: &Organisation, is_inner: bool) -> String {
    let joined = |of: &[Need], word: &str| {
        let parts: Vec<String> = of.iter().map(|need| told_need(need, shop, true)).collect();
        let told = parts.join(word);
        if is_inner && parts.len() > 1 { format!("({told})") } else { told }
    };
    match need {
        Need::NOf { n, of } => {
            let groups: Vec<String> = of.iter().map(|group| told_group(group, shop)).collect();
            format!("{n} of {}", groups.join(" or "))
        }
        Need::AllOf(of) => joined(of, " and "),
        Need::AnyOf(of) => joined(of, " or else "),
        Need::SomeOf { k, of } => {
            let parts: Vec<String> = of.iter().map(|need| told_need(need, shop, true)).collect();
            format!("{k} of these: [{}]", parts.join("; "))
        }
        other => format!("{other:?}"),
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a kind of group that a later version has is named as such"
)]
fn told_group(group: &Group, shop: &Organisation) -> String {
    let team = |id| {
        let found = shop.teams.iter().find(|row| row.id == id);
        found.map_or_else(|| id.to_string(), |row| row.name.to_string())
    };
    match group {
        Group::Anyone => "all who may".to_owned(),
        Group::ProjectRole(id) => {
            let found = shop.roles.iter().find(|row| row.id == *id);
            found.map_or_else(|| id.to_string(), |row| format!("role {}", row.name))
        }
        Group::TeamRole { team: Some(id), role } => {
            format!("{} in team {}", role.as_str(), team(*id))
        }
        Group::TeamRole { team: None, role } => {
            format!("{} in a team of the module", role.as_str())
        }
        Group::Team(id) => format!("team {}", team(*id)),
        Group::Person(user) => user.to_string(),
        other => format!("{other:?}"),
    }
}
