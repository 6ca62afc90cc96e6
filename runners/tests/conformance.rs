//! The exam for plugins: who passes it, and that it notices whoever must not.

use placet_core::org::Slug;
use placet_runners::conformance::{Candidate, ExamReport, SqlWorld, Trouble, World, examine};
use placet_runners::{Builder, Manifest, shipped};

use crate::bench::UNRULY;

const TWO: &str = "DELETE FROM orders WHERE id = 1; DELETE FROM orders WHERE id = 2";

fn sql() -> Candidate {
    let sql = shipped::sql();
    Candidate::new(sql.component, sql.manifest).unwrap()
}

fn asks(name: &str) -> Manifest {
    Manifest::new(name, "0.1.0").with_capability("sql").with_connection("target")
}

fn unruly() -> Candidate {
    Candidate::new(UNRULY, asks("unruly")).unwrap()
}

/// The names of the checks that did not pass.
fn failed(report: &ExamReport) -> Vec<&str> {
    report.checks().iter().filter(|check| !check.passed).map(|check| check.name).collect()
}

#[test]
fn the_sql_runner_passes_in_every_way_that_it_runs() {
    let (together, steps) = (
        serde_json::json!({ "sql": TWO }).to_string(),
        serde_json::json!({ "sql": TWO, "mode": "steps" }).to_string(),
    );
    let report = examine(&sql(), &[&together, &steps], &SqlWorld::new("sqlite")).unwrap();
    assert!(report.passes(), "{report}");
    let of = |name| {
        let found = report.checks().iter().find(|check| check.name == name);
        found.unwrap_or_else(|| panic!("{name}: {report}")).why.clone()
    };
    // open, begin, two statements with their rows kept, commit: each with three faults, and each with two deaths.
    assert_eq!(of("errors.truthful"), "21 runs, 7 calls: 19 failed, 2 unknown");
    assert_eq!(of("kill.verified"), "14 runs, 7 calls: 13 failed, 1 succeeded");
    assert_eq!(of("checkpoints.truthful"), "0 runs, 0 checkpoints: none");
    assert!(of("cancel.stops").ends_with("failed"), "{report}");
}

#[test]
fn outside_a_transaction_only_what_the_target_cannot_tell_stays_open() {
    let payload =
        r#"{"sql": "CREATE INDEX CONCURRENTLY a ON b (c); DELETE FROM orders WHERE id = 1"}"#;
    let report = examine(&sql(), &[payload], &SqlWorld::new("postgresql")).unwrap();
    assert!(report.passes(), "{report}");
    let kills = report.checks().iter().find(|check| check.name == "kill.verified").unwrap();
    assert!(kills.why.contains("unknown"), "{report}");
}

#[test]
fn whoever_breaks_the_contract_does_not_pass() {
    for (behaviour, check) in [
        // The host lets nothing be tried that is not in the payload.
        ("plan-other", "plan.deterministic"),
        ("plan refuse", "plan.deterministic"),
        ("", "run.truthful"),
        ("no-commit", "run.truthful"),
        ("other-sql", "run.truthful"),
        ("trap", "run.truthful"),
        ("commit-lie", "run.truthful"),
        // It does not look at the marker before it says what became of the run.
        ("", "verify.before"),
        // It runs, and nobody who looks for it after a disturbed run is told the truth.
        ("do honest-escapes", "verify.after"),
        ("do honest-escapes", "errors.truthful"),
        ("do honest-escapes", "cancel.stops"),
        ("do honest-escapes", "kill.verified"),
    ] {
        let payload = serde_json::json!({ "behaviour": behaviour, "sql": TWO }).to_string();
        let report = examine(&unruly(), &[&payload], &SqlWorld::new("sqlite")).unwrap();
        assert!(failed(&report).contains(&check), "{behaviour}: {report}");
        assert!(!report.passes());
    }
    // It takes every text for a payload, and one of them lets it run in circles.
    let report = examine(&unruly(), &[], &SqlWorld::new("sqlite")).unwrap();
    assert_eq!(failed(&report), ["payload.refused", "payload.accepted"], "{report}");
}

/// How a world differs from what it says of itself.
#[derive(Clone, Copy, Debug)]
enum Broken {
    /// What is tried while planning stays.
    Leaky,
    /// What is sent is there, also where the commit failed.
    Eager,
    /// After a death nothing is there any more.
    Forgetful,
    /// Everything is there twice.
    Twice,
    /// Something was tried that no step shows.
    Hidden,
}

#[derive(Debug)]
struct BrokenWorld {
    inner: SqlWorld,
    how: Broken,
}

impl World for BrokenWorld {
    fn install(&self, builder: Builder, target: Slug) -> Builder {
        self.inner.install(builder, target)
    }

    fn reset(&self, trouble: Option<(usize, Trouble)>) {
        self.inner.reset(trouble);
    }

    fn revive(&self) {
        match self.how {
            Broken::Forgetful => self.inner.reset(None),
            Broken::Leaky | Broken::Eager | Broken::Twice | Broken::Hidden => self.inner.revive(),
        }
    }

    fn calls(&self) -> Vec<String> {
        self.inner.calls()
    }

    fn applied(&self) -> Vec<String> {
        let applied = self.inner.applied();
        match self.how {
            Broken::Leaky => [applied, self.inner.tried()].concat(),
            Broken::Eager if self.calls().iter().any(|call| call == "commit") => {
                TWO.split("; ").map(ToOwned::to_owned).collect()
            }
            Broken::Twice => [applied.clone(), applied].concat(),
            Broken::Eager | Broken::Forgetful | Broken::Hidden => applied,
        }
    }

    fn tried(&self) -> Vec<String> {
        let hidden = matches!(self.how, Broken::Hidden).then(|| "DROP TABLE orders".to_owned());
        self.inner.tried().into_iter().chain(hidden).collect()
    }

    fn is_in_doubt(&self) -> bool {
        self.inner.is_in_doubt()
    }
}

#[test]
fn a_target_that_does_something_else_than_was_said_is_noticed() {
    let payload = serde_json::json!({ "sql": TWO }).to_string();
    for (how, check) in [
        (Broken::Leaky, "plan.writes_nothing"),
        (Broken::Eager, "errors.truthful"),
        (Broken::Forgetful, "verify.after"),
        (Broken::Forgetful, "kill.verified"),
        (Broken::Twice, "run.truthful"),
        (Broken::Hidden, "plan.shows_all"),
    ] {
        let world = BrokenWorld { inner: SqlWorld::new("sqlite"), how };
        let report = examine(&sql(), &[&payload], &world).unwrap();
        assert!(failed(&report).contains(&check), "{how:?}: {report}");
    }
}

#[test]
fn what_cannot_be_installed_is_not_examined() {
    let without = Candidate::new(UNRULY, Manifest::new("unruly", "0.1.0")).unwrap();
    let error = examine(&without, &["{}"], &SqlWorld::new("sqlite")).unwrap_err();
    assert!(error.to_string().contains("manifest does not ask"), "{error}");
}

#[cfg(feature = "testing")]
#[test]
fn a_plugin_of_another_version_of_the_interface_passes_too() {
    let newer = include_bytes!("../plugins/built/tests-newer.wasm").as_slice();
    let candidate = Candidate::new(newer, asks("newer")).unwrap();
    let payload = r#"{"sql":"DELETE FROM orders WHERE id = 1"}"#;
    let report = examine(&candidate, &[payload], &SqlWorld::new("sqlite")).unwrap();
    assert!(report.passes(), "{report}");
}
