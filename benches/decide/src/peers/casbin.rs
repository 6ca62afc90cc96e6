//! casbin-rs, one enforcer for each project.
//!
//! In its favour: the policies of a project hold only what is live at the instant of the questions (it knows no time, so a real
//! host would load a shard again whenever something begins or ends), only users who are active, and the
//! matcher compares the cheapest first. An agent's approval is asked under a name that nobody has.

use std::collections::BTreeMap;

use casbin::{CoreApi, DefaultModel, Enforcer, MemoryAdapter, MgmtApi};

use crate::world::{ACTIONS, Question, World};

const MODEL: &str = r#"
[request_definition]
r = sub, act, mod, env, leg

[policy_definition]
p = role, act, mod, env

[role_definition]
g = _, _
g2 = _, _

[policy_effect]
e = some(where (p.eft == allow))

[matchers]
m = r.act == p.act && (p.mod == "*" || p.mod == r.mod) && (p.env == "*" || p.env == r.env) && g(r.sub, p.role) && (r.leg == "1" || g2(r.sub, r.mod))
"#;

pub(crate) struct Casbin {
    shards: Vec<Enforcer>,
}

pub(crate) type Asked = (usize, [String; 5]);

fn name(id: u128) -> String {
    format!("{id:032x}")
}

impl Casbin {
    pub(crate) fn new(world: &World, progress: &mut dyn FnMut(usize)) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let mut links: BTreeMap<u32, [Vec<Vec<String>>; 2]> = BTreeMap::new();
        for (kind, rows) in [&world.grants, &world.memberships].into_iter().enumerate() {
            for row in rows.iter().filter(|row| row.is_live()) {
                let (person, place) =
                    (&world.users[row.user as usize], &world.projects[row.project as usize]);
                if person.is_active {
                    let what = if kind == 0 {
                        place.roles[row.what as usize].id
                    } else {
                        place.teams[row.what as usize].id
                    };
                    links.entry(row.project).or_default()[kind]
                        .push(vec![name(person.id), name(what)]);
                }
            }
        }
        let model =
            runtime.block_on(DefaultModel::from_str(MODEL)).expect("the model is well formed");
        let mut shards = Vec::with_capacity(world.projects.len());
        for (number, place) in (0_u32..).zip(&world.projects) {
            let [mut roles, mut teams] = links.remove(&number).unwrap_or_default();
            let star = |ids: &[u128], at: u8| {
                usize::from(at).checked_sub(1).map_or_else(|| "*".to_owned(), |at| name(ids[at]))
            };
            for team in &place.teams {
                teams.push(vec![name(team.id), "-".to_owned()]);
                for (at, module) in place.modules.iter().enumerate() {
                    if team.modules >> (at + 1) & 1 == 1 {
                        teams.push(vec![name(team.id), name(*module)]);
                    }
                }
            }
            let policies = place.roles.iter().flat_map(|role| {
                role.permissions.iter().map(|held| {
                    let action = ACTIONS[usize::from(held.action)].to_owned();
                    let module = star(&place.modules, held.module);
                    vec![name(role.id), action, module, star(&place.environments, held.environment)]
                })
            });
            let policies: Vec<Vec<String>> = policies.collect();
            roles.sort();
            roles.dedup();
            teams.sort();
            teams.dedup();
            let shard = runtime.block_on(async {
                let mut shard = Enforcer::new(model.clone(), MemoryAdapter::default()).await?;
                shard.add_policies(policies).await?;
                shard.add_named_grouping_policies("g", roles).await?;
                shard.add_named_grouping_policies("g2", teams).await?;
                Ok::<_, casbin::Error>(shard)
            });
            shards.push(shard.expect("the policies are well formed"));
            progress(shards.len());
        }
        Self { shards }
    }

    pub(crate) fn prepare(world: &World, asked: &Question) -> Asked {
        let (person, place) =
            (&world.users[asked.user as usize], &world.projects[asked.project as usize]);
        let wide = asked.widened();
        let of = |ids: &[u128], at: u8| {
            usize::from(at).checked_sub(1).map_or_else(|| "-".to_owned(), |at| name(ids[at]))
        };
        let takes_another = person.is_agent && asked.takes_person();
        let action = if takes_another { "nobody" } else { ACTIONS[usize::from(asked.action)] };
        let leg = if asked.takes_grant_only() { "1" } else { "2" };
        let (module, environment) =
            (of(&place.modules, wide.module), of(&place.environments, wide.environment));
        (
            asked.project as usize,
            [name(person.id), action.to_owned(), module, environment, leg.to_owned()],
        )
    }

    pub(crate) fn can(&self, (shard, [user, action, module, environment, leg]): &Asked) -> bool {
        let asked =
            (user.as_str(), action.as_str(), module.as_str(), environment.as_str(), leg.as_str());
        self.shards[*shard].enforce(asked).unwrap_or(false)
    }
}
