//! Sending what was approved, once: with a note before each send, and an ending that never says more than is known.
//!
//! The notes are what `verify` reads later, when nobody remembers anything else: a step without a note was never sent.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};
use core::mem::discriminant;

use placet_exchange::{CommandCall, HttpCall};

use crate::host::{Commands, Context, Http};
use crate::{Stop, command, http};

/// The longest name that another system gives to what it began, in bytes.
const ID_BYTES_MAX: usize = 1_024;

/// How far a step came, as it was noted.
///
/// ```
/// use placet_plugin_sdk::once::Noted;
///
/// // What was begun came further than what was only about to be.
/// assert!(Noted::Intent { deadline: "2026-01-01T00:10:00Z".into() } < Noted::Begun("17".into()));
/// assert!(Noted::Begun("17".into()) < Noted::Done);
/// ```
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "whoever verifies must look at each")]
pub enum Noted {
    /// It was about to be sent, in a run that had to end at this instant.
    Intent {
        /// When the run had to have ended.
        deadline: String,
    },
    /// The other system began it, under this name of its own.
    Begun(String),
    /// It took effect.
    Done,
}

/// What became of one send.
///
/// ```
/// use placet_plugin_sdk::http::{Error, Response};
/// use placet_plugin_sdk::once::{Sent, written};
///
/// let answer = |status| Ok(Response { status, headers: vec![], body: vec![] });
/// assert!(matches!(written(answer(201)), Sent::Accepted(_)));
/// assert!(matches!(written(answer(404)), Sent::Refused { .. }));
/// // Somebody between may have answered, after it went through.
/// assert!(matches!(written(answer(502)), Sent::Unknown { .. }));
/// assert!(matches!(written(Err(Error::Unknown("no answer".into()))), Sent::Unknown { .. }));
/// ```
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "whoever sends must look at each, above all `Unknown`")]
pub enum Sent<T> {
    /// It was accepted.
    Accepted(T),
    /// It is known to have had no effect.
    Refused {
        /// A stable code.
        code: String,
        /// A sentence.
        message: String,
    },
    /// It may have had an effect, and may not.
    Unknown {
        /// A sentence.
        message: String,
    },
}

impl<T> Sent<T> {
    fn refused(code: &str, message: impl Into<String>) -> Self {
        Self::Refused { code: code.to_string(), message: message.into() }
    }
}

/// Enters a run: call it before anything is sent. What an earlier entry sent is not sent again, whoever called twice.
///
/// # Errors
///
/// Where something of this run was noted before. What became of that nobody knows: it gets the code `unknown`, which the
/// caller gives.
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use placet_plugin_sdk::once::{Noted, enter, note};
/// use placet_plugin_sdk::testing::{FakeHost, Nobody, World};
///
/// let world = World::of(Nobody);
/// let host = FakeHost::writing(&world);
/// assert!(enter(&host, "run_1", "deploy.unknown").is_ok());
/// note(&host, "run_1", "deploy", &Noted::Begun("17".into())).unwrap();
/// let stop = enter(&host, "run_1", "deploy.unknown").unwrap_err();
/// assert_eq!((stop.is_known, stop.code.as_str()), (false, "deploy.unknown"));
/// assert!(enter(&host, "run_2", "deploy.unknown").is_ok());
/// # }
/// ```
pub fn enter(host: &impl Context, run: &str, unknown: &str) -> Result<(), Stop> {
    if noted(host, run).is_empty() {
        return Ok(());
    }
    let message = "this run was entered before; what it sent is to be verified";
    Err(Stop::unknown(unknown, message))
}

/// Notes how far a step of this run came.
///
/// # Errors
///
/// As [`Context::checkpoint`]: then it is not noted.
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use placet_plugin_sdk::once::{Noted, note, noted};
/// use placet_plugin_sdk::testing::{FakeHost, Nobody, World};
///
/// let world = World::of(Nobody);
/// let host = FakeHost::writing(&world);
/// note(&host, "run_1", "deploy", &Noted::Begun("17".into())).unwrap();
/// assert_eq!(noted(&host, "run_1").get("deploy"), Some(&Noted::Begun("17".into())));
/// // Another attempt has notes of its own.
/// assert!(noted(&host, "run_2").is_empty());
/// # }
/// ```
pub fn note(host: &impl Context, run: &str, step: &str, so_far: &Noted) -> Result<(), String> {
    let state = match so_far {
        Noted::Intent { deadline } => format!("{run} intent {deadline}"),
        Noted::Begun(id) if id.len() > ID_BYTES_MAX => {
            return Err(format!("a name of more than {ID_BYTES_MAX} bytes is not kept"));
        }
        Noted::Begun(id) => format!("{run} begun {id}"),
        Noted::Done => format!("{run} done "),
    };
    host.checkpoint(step, &state)
}

/// How far each step of this run came. What other attempts noted is left out.
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use placet_plugin_sdk::once::noted;
/// use placet_plugin_sdk::testing::{FakeHost, Nobody, World};
///
/// assert!(noted(&FakeHost::writing(&World::of(Nobody)), "run_1").is_empty());
/// # }
/// ```
pub fn noted(host: &impl Context, run: &str) -> BTreeMap<String, Noted> {
    let mut furthest: BTreeMap<String, Noted> = BTreeMap::new();
    for (step, state) in host.checkpoints() {
        let mut parts = state.splitn(3, ' ');
        if parts.next() != Some(run) {
            continue;
        }
        let so_far = match (parts.next(), parts.next().unwrap_or_default()) {
            (Some("intent"), deadline) => Noted::Intent { deadline: deadline.to_string() },
            (Some("begun"), id) => Noted::Begun(id.to_string()),
            (Some("done"), _) => Noted::Done,
            _ => continue,
        };
        let known = furthest.entry(step).or_insert_with(|| so_far.clone());
        // Of two names the later one counts: what waited in a queue goes on under another.
        if *known < so_far || discriminant(known) == discriminant(&so_far) {
            *known = so_far;
        }
    }
    furthest
}

/// Notes the intent and sends one approved request. Call it once for each step of a run.
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use placet_plugin_sdk::exchange::HttpCall;
/// use placet_plugin_sdk::once::{Sent, send};
/// use placet_plugin_sdk::testing::{FakeHost, Nobody, World};
///
/// let world = World::of(Nobody);
/// let (method, path_and_query) = ("POST".into(), "/run".into());
/// let call =
///     HttpCall { endpoint: "ci".into(), method, path_and_query, headers: vec![], body: vec![] };
/// let intent = ("run_1", "2026-01-01T00:10:00Z");
/// let sent = send(&FakeHost::writing(&world), intent, "deploy", &call);
/// assert!(matches!(sent, Sent::Refused { .. }), "nobody is there");
/// assert_eq!(world.borrow().notes.len(), 1);
/// # }
/// ```
pub fn send(
    host: &(impl Context + Http),
    (run, deadline): (&str, &str),
    step: &str,
    call: &HttpCall,
) -> Sent<http::Response> {
    if let Err(refused) = intend(host, run, deadline, step) {
        return refused;
    }
    let request = http::Request {
        method: call.method.clone(),
        path_and_query: call.path_and_query.clone(),
        headers: call.headers.clone(),
        body: call.body.clone(),
    };
    written(host.send(&call.endpoint, &request))
}

/// Notes the intent and runs one approved command. Call it once for each step of a run.
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use placet_plugin_sdk::exchange::CommandCall;
/// use placet_plugin_sdk::once::{Sent, run};
/// use placet_plugin_sdk::testing::{FakeHost, Nobody, World};
///
/// let world = World::of(Nobody);
/// let call = CommandCall { name: "migrate".into(), arguments: vec![], stdin: vec![] };
/// let sent =
///     run(&FakeHost::writing(&world), ("run_1", "2026-01-01T00:10:00Z"), "migrate", &call);
/// assert!(matches!(sent, Sent::Refused { .. }), "there is no such command");
/// # }
/// ```
pub fn run(
    host: &(impl Context + Commands),
    (run, deadline): (&str, &str),
    step: &str,
    call: &CommandCall,
) -> Sent<command::Output> {
    if let Err(refused) = intend(host, run, deadline, step) {
        return refused;
    }
    match host.run(&call.name, &call.arguments, &call.stdin) {
        Ok(output) => Sent::Accepted(output),
        Err(command::Error::Denied(why)) => Sent::refused("denied", why),
        Err(command::Error::Invalid(why)) => Sent::refused("invalid", why),
        // What was stopped in the middle, and does not only read, is `unknown`; these say that there is no such effect.
        Err(command::Error::Limit(why)) => Sent::refused("limit", why),
        Err(command::Error::Timeout) => {
            Sent::refused("timeout", "the deadline passed before it was begun")
        }
        Err(command::Error::Cancelled) => {
            Sent::refused("cancelled", "the run was cancelled before it was begun")
        }
        Err(command::Error::Unknown(why)) => Sent::Unknown { message: why },
    }
}

/// What an answer says of a request that writes.
///
/// ```
/// use placet_plugin_sdk::http::Error;
/// use placet_plugin_sdk::once::{Sent, written};
///
/// let Sent::Refused { code, .. } = written(Err(Error::Timeout)) else { panic!("nothing was sent") };
/// assert_eq!(code, "timeout");
/// ```
pub fn written(answer: Result<http::Response, http::Error>) -> Sent<http::Response> {
    match answer {
        Ok(response) => match response.status {
            200..=299 => Sent::Accepted(response),
            // The server gave up waiting for it, or somebody between says so: either may be wrong.
            408 => Sent::Unknown { message: "the answer was 408".to_string() },
            status @ 400..=499 => {
                Sent::refused(&format!("http.{status}"), format!("the answer was {status}"))
            }
            status => Sent::Unknown { message: format!("the answer was {status}") },
        },
        Err(http::Error::Denied(why)) => Sent::refused("denied", why),
        Err(http::Error::Invalid(why)) => Sent::refused("invalid", why),
        Err(http::Error::Connection(why)) => Sent::refused("target_unavailable", why),
        Err(http::Error::Timeout) => {
            Sent::refused("timeout", "the deadline passed before it was sent")
        }
        Err(http::Error::Cancelled) => {
            Sent::refused("cancelled", "the run was cancelled before it was sent")
        }
        // A limit may have been reached by the answer, and then it was sent.
        Err(http::Error::Unknown(why) | http::Error::Limit(why)) => Sent::Unknown { message: why },
    }
}

fn intend<T>(host: &impl Context, run: &str, deadline: &str, step: &str) -> Result<(), Sent<T>> {
    if host.cancelled() {
        return Err(Sent::refused("cancelled", "the run was cancelled before it was sent"));
    }
    let intent = Noted::Intent { deadline: deadline.to_string() };
    note(host, run, step, &intent).map_err(|why| {
        Sent::refused(
            "checkpoint",
            format!("it was not sent, because that could not be noted: {why}"),
        )
    })
}

/// Whether `now` is more than `settle_s` seconds after `deadline`. What cannot be read is never past.
///
/// ```
/// use placet_plugin_sdk::once::is_past;
///
/// assert!(is_past("2026-03-01T00:01:01Z", "2026-03-01T00:00:00.5Z", 60));
/// assert!(!is_past("2026-03-01T00:01:00Z", "2026-03-01T00:00:00Z", 60));
/// assert!(is_past("2028-03-01T00:00:00Z", "2028-02-28T00:00:00Z", 2 * 86_400 - 1));
/// assert!(!is_past("later", "2026-03-01T00:00:00Z", 0));
/// ```
pub fn is_past(now: &str, deadline: &str, settle_s: u32) -> bool {
    match (seconds(now), seconds(deadline)) {
        (Some(now), Some(deadline)) => {
            deadline.checked_add(i64::from(settle_s)).is_some_and(|settled| now > settled)
        }
        _ => false,
    }
}

/// Whole seconds since 1970 of `YYYY-MM-DDTHH:MM:SS[.…]Z`.
fn seconds(instant: &str) -> Option<i64> {
    let whole = instant.strip_suffix('Z')?;
    let whole = whole.split('.').next()?;
    let (date, time) = whole.split_once('T')?;
    let three = |text: &str, mark| -> Option<(i64, i64, i64)> {
        let mut parts = text.splitn(3, mark).map(|part| part.parse::<u32>().ok());
        Some((parts.next()??.into(), parts.next()??.into(), parts.next()??.into()))
    };
    let ((year, month, day), (hour, minute, second)) = (three(date, '-')?, three(time, ':')?);
    let is_one = (1970..=9999).contains(&year) && (1..=12).contains(&month);
    if !is_one || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let days = days(year, month, day)?;
    let hours = days.checked_mul(24)?.checked_add(hour)?;
    let minutes = hours.checked_mul(60)?.checked_add(minute)?;
    minutes.checked_mul(60)?.checked_add(second)
}

/// Days since 1970. Years begin in March here, so that the leap day is the last of a year.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_early = month <= 2;
    let year = if is_early { year.checked_sub(1)? } else { year };
    let month = if is_early { month.checked_add(9)? } else { month.checked_sub(3)? };
    let leap_days = [year.checked_div(4)?, year.checked_div(100)?, year.checked_div(400)?];
    let [fourth, hundredth, four_hundredth] = leap_days;
    let of_years = year.checked_mul(365)?.checked_add(fourth)?.checked_sub(hundredth)?;
    let of_months = month.checked_mul(153)?.checked_add(2)?.checked_div(5)?;
    // From the first of March of the year 0 to 1970.
    let epoch = 719_468 + 1;
    let days = of_years.checked_add(four_hundredth)?.checked_add(of_months)?.checked_add(day)?;
    days.checked_sub(epoch)
}
