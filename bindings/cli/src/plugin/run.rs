//! What would it do?

use std::path::PathBuf;

use clap::Args;
use placet::SystemClock;
use placet::SystemIds;
use placet::clock::Clock as _;
use placet::digest::Digest;
use placet::error::Error;
use placet::id::{Ids as _, RequestId, RunId};
use placet::org::Slug;
use placet::runner::{Job, JobId, Level, Outcome, Place, Runner as _};
use serde_json::{Value, json};

use super::Component;
use super::link::Bench;
use crate::console::{Answer, json_of};
use crate::exit::Exit;
use crate::files;
use crate::ground::Ground;
use crate::request::{tell_finding, tell_outcome, tell_plan};
use crate::text::Text;

/// The longest time of the whole, in milliseconds.
const DEADLINE_MS: u64 = 10 * 60 * 1_000;

/// Ask a plugin what it would do with a payload on a target of yours, given with --sqlite. With --execute it does
/// it. No gate is asked: nobody approves, and nothing is recorded but what the target keeps of a run. It is for
/// whoever writes a plugin, on a target of their own.
#[derive(Args, Debug)]
pub(crate) struct Run {
    #[command(flatten)]
    component: Component,
    /// A file with the payload as JSON; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    payload: PathBuf,
    /// The target, by the name that --sqlite gives it.
    #[arg(long, value_name = "NAME")]
    target: Slug,
    /// Do what the plan says.
    #[arg(long)]
    execute: bool,
}

impl Run {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let payload = files::text(&self.payload)?;
        let plugin = self.component.install(ground.sqlite()?)?;
        let mut text = Text::default();
        let findings = plugin.runner.validate(&plugin.name, &payload)?;
        for finding in &findings {
            tell_finding(&mut text, finding);
        }
        if findings.iter().any(|finding| finding.level == Level::Error) {
            let json = json!({"findings": json_of(&findings)?, "plan": null, "outcome": null});
            return Ok(Answer::that(false, text, json));
        }
        let job = job(plugin.name, self.target, payload)?;
        let bench = Bench::new(ground.console());
        let plan = plugin.runner.plan(&job, &bench)?;
        tell_plan(&mut text, &plan);
        let (mut outcome, mut exit) = (Value::Null, Exit::Ok);
        if plan.findings.iter().any(|finding| finding.level == Level::Error) {
            exit = Exit::DoesNotHold;
        } else if self.execute {
            let ended = plugin.runner.execute(&job, &plan, &bench);
            tell_outcome(&mut text, &ended);
            exit = match &ended {
                Outcome::Succeeded(_) => Exit::Ok,
                Outcome::Failed(_) => Exit::DoesNotHold,
                Outcome::Unknown(_) => Exit::Target,
            };
            outcome = json_of(&ended)?;
        }
        let json = json!({
            "findings": json_of(&findings)?,
            "plan": json_of(&plan)?,
            "outcome": outcome,
        });
        Ok(Answer { text, json, exit })
    }
}

/// A job as a gate would hand it out, of a request that there is not.
fn job(runner: Slug, target: Slug, payload: String) -> Result<Job, Error> {
    let ids = SystemIds::default();
    let (request, run) = (RequestId::from_u128(ids.next()), RunId::from_u128(ids.next()));
    let place = Place {
        project: "bench".parse()?,
        module: "bench".parse()?,
        environment: "bench".parse()?,
    };
    Ok(Job {
        id: JobId { request, revision: 1, attempt: 1, fence: 1, run },
        runner,
        target,
        payload_digest: Digest::of(payload.as_bytes()),
        payload,
        place,
        deadline: SystemClock::default().now().plus_ms(DEADLINE_MS),
        dry_run: true,
        settings: "{}".to_owned(),
    })
}
