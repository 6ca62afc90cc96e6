//! Runs SQL through a version of the interface that is not published: `{"sql": "…"}`, or a behaviour that the host must
//! stop in this version too.
#![no_std]
#![cfg(target_family = "wasm")]

extern crate alloc;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

wit_bindgen::generate!({
    path: "../../tests/fixtures/wit-0.2",
    world: "sql-runner",
    generate_all,
});

use exports::placet::runner::runner::Guest;
use placet::runner::context::{Line, is_cancelled, log};
use placet::runner::sql::Connection;
use placet::runner::types::{Job, Outcome, Problem, Step};

// Its `memcmp` and the like, as the SDK takes them.
#[link(name = "c")]
unsafe extern "C" {}

#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// Where the host puts what it hands in, as the SDK does it.
#[unsafe(no_mangle)]
unsafe extern "C" fn cabi_realloc(
    old: *mut u8,
    old_len: usize,
    align: usize,
    len: usize,
) -> *mut u8 {
    use alloc::alloc::{Layout, alloc, realloc};
    let Ok(wanted) = Layout::from_size_align(len, align) else { core::arch::wasm32::unreachable() };
    if len == 0 {
        return wanted.dangling_ptr().as_ptr();
    }
    // SAFETY: neither size is zero, and `old` came from here with `old_len` and `align`.
    unsafe {
        if old_len == 0 {
            alloc(wanted)
        } else {
            realloc(old, Layout::from_size_align_unchecked(old_len, align), len)
        }
    }
}

struct Newer;

export!(Newer);

fn problem(code: &str, message: &str) -> Problem {
    Problem { level: "error".to_string(), code: code.to_string(), message: message.to_string() }
}

fn run(steps: &[Step]) -> Result<u64, placet::runner::sql::Problem> {
    let connection = Connection::open("target")?;
    let transaction = connection.begin()?;
    let mut rows = 0;
    for step in steps {
        rows += transaction.execute(&step.body)?;
    }
    transaction.commit()?;
    Ok(rows)
}

impl Guest for Newer {
    fn describe() -> String {
        "Newer".to_string()
    }

    fn payload_schema() -> String {
        "{}".to_string()
    }

    fn validate(payload: String) -> Vec<Problem> {
        if payload == "reach" {
            let _connection = Connection::open("target");
        }
        if payload.is_empty() {
            [problem("newer.empty", "say something")].into()
        } else {
            Vec::new()
        }
    }

    fn plan(job: Job) -> Result<Vec<Step>, String> {
        let sql = job.payload.split("\"sql\":\"").nth(1).and_then(|rest| rest.split('"').next());
        let Some(sql) = sql else { return Err("there is no script".to_string()) };
        let step = |(index, body): (usize, &str)| Step {
            id: format!("s{}", index + 1),
            body: body.trim().to_string(),
            target: "target".to_string(),
            kind: "write".to_string(),
            effect: "transactional".to_string(),
        };
        Ok(sql.split(';').filter(|body| !body.trim().is_empty()).enumerate().map(step).collect())
    }

    fn execute(job: Job, steps: Vec<Step>) -> Outcome {
        let message = format!("runs {} \u{1b}[31msteps", steps.len());
        log(&Line { level: "info".to_string(), message });
        if job.payload.contains("\"lie\"") {
            return Outcome::Done("all done".to_string());
        }
        if job.payload.contains("\"other\"") {
            let other = Step { body: "DELETE FROM orders".to_string(), ..steps[0].clone() };
            return match run(&[other]) {
                Ok(_) => Outcome::Done("all done".to_string()),
                Err(error) => {
                    Outcome::Undone(("failed".to_string(), problem(&error.code, &error.message)))
                }
            };
        }
        if job.payload.contains("\"loop\"") {
            while !is_cancelled() {}
        }
        match run(&steps) {
            Ok(rows) => Outcome::Done(format!("{rows} rows")),
            Err(error) => {
                Outcome::Undone(("failed".to_string(), problem(&error.code, &error.message)))
            }
        }
    }

    fn verify(_: Job, _: Vec<Step>) -> Outcome {
        match Connection::open("target").and_then(|connection| connection.marker()) {
            Ok(Some(true)) => Outcome::Done("it is there".to_string()),
            Ok(Some(false)) => {
                Outcome::Undone(("failed".to_string(), problem("absent", "it is not there")))
            }
            Ok(None) | Err(_) => {
                Outcome::Undone(("unknown".to_string(), problem("untold", "nobody can tell")))
            }
        }
    }
}
