//! More ways to break the contract, by name. What the host says to the plugin goes to the log, so that a test sees all
//! that the plugin saw.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::hint::black_box;

use placet_plugin_sdk::sql::{Connection, Error, Transaction};
use placet_plugin_sdk::{
    Artifact, ChangePlan, Finding, Job, Outcome, Step, context, failure, finding, report,
};

use crate::odd::{odd_calls, odd_names, odd_order, odd_statements};
use crate::{begun, done, spin, trap};

/// A name that a terminal, a browser or a person would read as something else.
pub(crate) const ESCAPES: &str = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{202e}txt.exe\u{0}\r\n200 OK";

fn say(text: &str) {
    context::log("info", text, &[]);
}

/// Says what an error tells.
pub(crate) fn told<T>(answer: Result<T, Error>) -> Option<T> {
    match answer {
        Ok(value) => Some(value),
        Err(error) => {
            say(&match error {
                Error::Denied(why) => why,
                Error::Invalid(why) => why,
                Error::Db(error) => format!("{} {} {}", error.code, error.severity, error.message),
                Error::Connection(why) => why,
                Error::Unknown(why) => why,
                Error::Timeout => "timeout".to_string(),
                Error::Cancelled => "cancelled".to_string(),
                Error::Limit(why) => why,
            });
            None
        }
    }
}

#[inline(never)]
#[expect(unconditional_recursion, reason = "the stack is to run out")]
fn deeper(depth: u64) -> u64 {
    let room = black_box([depth; 16]);
    deeper(black_box(room[3] + 1)) + room[7]
}

fn hoard() -> ! {
    let mut all: Vec<Vec<u8>> = Vec::new();
    loop {
        all.push(black_box(vec![1; 1 << 20]));
    }
}

pub(crate) fn long(bytes: usize) -> String {
    "x".repeat(bytes)
}

fn not_utf8() -> String {
    // SAFETY: it is not, and that is the point: the host must not believe it.
    unsafe { String::from_utf8_unchecked(vec![0x61, 0xff, 0xfe, 0xc0]) }
}

/// Runs the approved steps and commits them, then goes on.
fn honest(approved: &ChangePlan) {
    let (_connection, transaction) = begun();
    for step in &approved.steps {
        told(transaction.execute(&step.body, &[]));
    }
    told(transaction.commit());
}

/// What every phase can do wrong.
fn anywhere(behaviour: &str) -> bool {
    match behaviour {
        "recurse" => {
            black_box(deeper(0));
        }
        "divide" => {
            black_box(1_i32.checked_div(black_box(0)).unwrap_or_else(|| trap()));
        }
        "bounds" => {
            // SAFETY: there is nothing there, and that is the point.
            black_box(unsafe { core::ptr::read_volatile(0xffff_fff0_usize as *const u8) });
        }
        "hoard" => hoard(),
        "spin" => spin(),
        "abort" => trap(),
        "not-utf8" => say(&not_utf8()),
        "long-log" => say(&long(10 << 20)),
        "long-level" => context::log(&long(10 << 20), "", &[]),
        "long-field" => context::log("info", "", &[(long(10 << 20), String::new())]),
        "long-note" => context::progress("s1", 0, None, Some(&long(10 << 20))),
        "many-fields" => {
            context::log("info", "", &vec![(String::new(), String::new()); 1 << 20]);
        }
        "ask-always" => loop {
            let _asked = context::cancelled();
        },
        "log-always" => loop {
            say("");
        },
        "forged-connection" => {
            // SAFETY: no such handle was given, and that is the point.
            let forged = unsafe { Connection::from_handle(4_711) };
            told(forged.begin());
        }
        "forged-transaction" => {
            // SAFETY: as above.
            let forged = unsafe { Transaction::from_handle(4_711) };
            told(forged.commit());
        }
        _ => return false,
    }
    true
}

pub(crate) fn validate(behaviour: &str) -> Vec<Finding> {
    match behaviour.strip_prefix("validate ") {
        Some("findings") => vec![finding("info", "unruly.many", "many"); 20_000],
        Some("escapes") => vec![finding("info", ESCAPES, ESCAPES)],
        Some("long-finding") => vec![finding("info", "unruly.long", &long(10 << 20))],
        Some("word") => vec![finding("splendid", "unruly.word", "a level that nobody knows")],
        Some(other) => {
            anywhere(other);
            Vec::new()
        }
        None => Vec::new(),
    }
}

pub(crate) fn plan(behaviour: &str, _job: &Job, steps: &mut Vec<Step>) -> Result<(), String> {
    let Some(behaviour) = behaviour.strip_prefix("plan ") else { return Ok(()) };
    let Some(first) = steps.first().cloned() else { return Ok(()) };
    match behaviour {
        "many-steps" => {
            *steps = (0..20_000).map(|at| Step { id: format!("s{at}"), ..first.clone() }).collect();
        }
        "same-ids" => steps.push(first),
        "alike-ids" => steps.push(Step { id: "s1\u{200b}".to_string(), ..first }),
        "no-id" => steps[0].id = String::new(),
        "long-id" => steps[0].id = long(65),
        "other-target" => steps[0].target = "payroll".to_string(),
        "path-target" => steps[0].target = "../target".to_string(),
        "escapes" => {
            steps[0].title = ESCAPES.to_string();
            steps[0].kind = ESCAPES.to_string();
            steps[0].objects = vec![ESCAPES.to_string()];
        }
        "long-body" => steps[0].body = long(10 << 20),
        "refuse" => return Err(ESCAPES.to_string()),
        "long-refusal" => return Err(long(10 << 20)),
        "marker" => {
            told(Connection::open("target").and_then(|connection| connection.marker()));
            return Err("asked".to_string());
        }
        "autocommit" => {
            let connection = Connection::open("target");
            told(connection.and_then(|connection| connection.execute_autocommit(&first.body, &[])));
            return Err("asked".to_string());
        }
        "answer" => {
            told(Connection::open("target").and_then(|connection| connection.answer(&first.body)));
            return Err("asked".to_string());
        }
        other => {
            anywhere(other);
        }
    }
    Ok(())
}

pub(crate) fn execute(behaviour: &str, job: &Job, approved: &ChangePlan) -> Option<Outcome> {
    let body = approved.steps.first().map_or("", |step| step.body.as_str());
    let behaviour = behaviour.strip_prefix("do ")?;
    if anywhere(behaviour) || odd_names(behaviour) || odd_statements(behaviour, body) {
        return Some(done());
    }
    if odd_order(behaviour, approved) || odd_calls(behaviour, body) {
        return Some(done());
    }
    Some(match behaviour {
        "say-unknown" => Outcome::Unknown(failure("maybe", "who knows")),
        "say-applied" => {
            let mut said = failure("half", "the first step is there");
            said.applied = vec!["s1".to_string()];
            Outcome::Failed(said)
        }
        "say-escapes" => Outcome::Failed(failure(ESCAPES, ESCAPES)),
        "say-long" => Outcome::Failed(failure("long", &long(10 << 20))),
        "honest-escapes" => {
            honest(approved);
            Outcome::Succeeded(report(ESCAPES, Some(u64::MAX)))
        }
        "honest-long" => {
            honest(approved);
            Outcome::Succeeded(report(&long(10 << 20), None))
        }
        "honest-artifact" => {
            honest(approved);
            let mut said = report("done", Some(0));
            said.details = Some("{\"not\": json".to_string());
            let (name, digest) = ("../../etc/passwd".to_string(), "f".repeat(64));
            let media_type = "text/html".to_string();
            said.artifacts = vec![Artifact { name, media_type, digest, size: u64::MAX }];
            Outcome::Succeeded(said)
        }
        "honest-recurse" => {
            honest(approved);
            black_box(deeper(0));
            done()
        }
        "honest-hoard" => {
            honest(approved);
            hoard()
        }
        "honest-again" => {
            honest(approved);
            let (_connection, transaction) = begun();
            told(transaction.execute(body, &[]));
            done()
        }
        "spy" => {
            say(&format!("{job:?} {approved:?}"));
            say(&context::now());
            for (step, state) in context::checkpoints() {
                say(&format!("{step} {state}"));
            }
            if let Some(connection) = told(Connection::open("target")) {
                say(&connection.dialect());
                told(connection.query("SELECT file FROM pragma_database_list", &[]));
                told(connection.inverse("req_00000000000000000000000001", 1, 1));
                if let Some(transaction) = told(connection.begin()) {
                    told(transaction.execute("ATTACH 'other.db' AS other", &[]));
                    told(transaction.execute(body, &[]));
                }
            }
            done()
        }
        _ => return None,
    })
}

pub(crate) fn verify(behaviour: &str, approved: &ChangePlan) -> Option<Outcome> {
    let body = approved.steps.first().map_or("", |step| step.body.as_str());
    let connection = || Connection::open("target");
    match behaviour.strip_prefix("verify ")? {
        "begin" => {
            told(connection().and_then(|connection| connection.begin()));
        }
        "query" => {
            told(connection().and_then(|connection| connection.query("SELECT 1", &[])));
        }
        "autocommit" => {
            told(connection().and_then(|connection| connection.execute_autocommit(body, &[])));
        }
        "answer" => {
            told(connection().and_then(|connection| connection.answer(body)));
        }
        "failed" => return Some(Outcome::Failed(failure("absent", "it is not there"))),
        other => {
            anywhere(other);
        }
    }
    Some(done())
}
