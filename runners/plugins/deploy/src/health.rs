//! How the deployed system is.

use alloc::format;
use alloc::string::{String, ToString as _};

use crate::holes::Values;
use crate::look::{self, Look};
use crate::template::Health;
use crate::{Host, json, render};

/// How it is.
#[derive(Debug)]
pub(crate) enum Healthy {
    Yes,
    /// It answered, and not as it should.
    No(String),
    Cannot {
        code: &'static str,
        message: String,
    },
}

/// What one look said, where it was not what is expected.
enum Ill {
    Says(String),
    Silent(String),
    Never { code: &'static str, message: String },
}

/// Asks everything that must hold, each as often as its template says. Whoever looks back asks as often as who deployed: one
/// look may come while it still begins, and what is told of it is final.
pub(crate) fn check(host: &impl Host, checks: &[Health], values: &Values) -> Healthy {
    for health in checks {
        let times_max = health.times_max.max(1);
        let mut last = Ok(());
        for times in 1..=times_max {
            if host.cancelled() {
                let message = "the run was cancelled before it was known to be well".to_string();
                return Healthy::Cannot { code: "cancelled", message };
            }
            last = once(host, health, values);
            if matches!(last, Ok(()) | Err(Ill::Never { .. })) {
                break;
            }
            if times < times_max {
                host.wait(health.every_ms);
            }
        }
        match last {
            Ok(()) => {}
            Err(Ill::Says(why)) => return Healthy::No(why),
            Err(Ill::Silent(message)) => {
                return Healthy::Cannot { code: "deploy.health_unread", message };
            }
            Err(Ill::Never { code, message }) => return Healthy::Cannot { code, message },
        }
    }
    Healthy::Yes
}

fn once(host: &impl Host, health: &Health, values: &Values) -> Result<(), Ill> {
    let refused = |message| Ill::Never { code: "invalid", message };
    let path = render::path(&health.path, values).map_err(refused)?;
    let response = match look::get(host, &health.endpoint, &path) {
        Look::Seen(response) => response,
        Look::Later(why) => return Err(Ill::Silent(format!("`{path}` did not answer: {why}"))),
        Look::Never { code, message } => return Err(Ill::Never { code, message }),
    };
    if response.status != health.status {
        return Err(Ill::Says(format!("`{path}` answered {}", response.status)));
    }
    if health.conditions.is_empty() {
        return Ok(());
    }
    let answer = serde_json::from_slice(&response.body);
    let answer = answer.map_err(|_| Ill::Says(format!("`{path}` answered no JSON")))?;
    if json::holds(&answer, &health.conditions, values).map_err(refused)? {
        return Ok(());
    }
    Err(Ill::Says(format!("`{path}` does not answer what is expected")))
}
