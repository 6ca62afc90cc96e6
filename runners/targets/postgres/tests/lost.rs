//! Answers that never arrive: what is not known is said to be unknown, and the marks tell afterwards.

use placet_target::{Access, CommitFailure, SqlTarget as _, StepSeen, StepState, StopSignal};
use placet_target_postgres::PostgresTarget;

use crate::proxy::{Cut, Proxy};
use crate::story::{Stage, ending, id, marker, stage, step};

fn through(stage: &Stage, proxy: &Proxy) -> PostgresTarget {
    PostgresTarget::new(stage.server.url_of("owner", proxy.port, &stage.name))
        .with_connect_timeout_ms(60_000)
        .with_lock_wait_ms(60_000)
}

fn state(stage: &Stage, attempt: u32) -> Option<StepState> {
    let steps = stage.reader().steps(&id(attempt)).unwrap().unwrap();
    steps.into_iter().map(|StepSeen { state, .. }| state).next()
}

#[test]
fn a_lost_commit_is_unknown_until_the_marker_is_read() {
    let Some(stage) = stage("CREATE TABLE t (a int)") else { return };
    let proxy = Proxy::to(stage.server.port());
    for (attempt, cut, took_effect) in [(1, Cut::Before, false), (2, Cut::After, true)] {
        let target = through(&stage, &proxy);
        let mut session = target.open(Access::ReadWrite(id(attempt)), &StopSignal::new()).unwrap();
        session.begin().unwrap();
        session
            .execute(
                "INSERT INTO t VALUES ($1)",
                &[placet_target::SqlValue::Int64(i64::from(attempt))],
            )
            .unwrap();
        proxy.arm(cut, "COMMIT");
        let ended = session.commit(&marker(attempt));
        assert!(matches!(ended, Err(CommitFailure::Lost(_))), "{cut:?}: {ended:?}");
        assert!(!ending(&ended).contains("127.0.0.1"), "{ended:?}");
        drop(session);
        let found = stage.reader().marker(&id(attempt)).unwrap();
        assert_eq!(found, Some(took_effect), "{cut:?}");
    }
    assert_eq!(proxy.cuts(), 2);
    assert_eq!(stage.db.rows("SELECT a FROM t"), ["2"]);
}

#[test]
fn before_the_commit_a_lost_connection_is_no_riddle() {
    let Some(stage) = stage("CREATE TABLE t (a int)") else { return };
    let proxy = Proxy::to(stage.server.port());
    for (attempt, at) in [(1, "INSERT INTO t"), (2, "placet_marker\" (request")] {
        let at = at.replace('"', "");
        for cut in [Cut::Before, Cut::After] {
            let target = through(&stage, &proxy);
            let access = Access::ReadWrite(id(attempt));
            let mut session = target.open(access, &StopSignal::new()).unwrap();
            session.begin().unwrap();
            proxy.arm(cut, &at);
            let ran = session.execute("INSERT INTO t VALUES (1)", &[]);
            assert_eq!(ran.is_ok(), attempt == 2, "{ran:?}");
            let ended = session.commit(&marker(attempt));
            assert!(matches!(ended, Err(CommitFailure::NotCommitted(_))), "{at}: {ended:?}");
            drop(session);
            assert_eq!(stage.reader().marker(&id(attempt)).unwrap(), Some(false), "{at}");
        }
    }
    assert_eq!(proxy.cuts(), 4);
    assert!(stage.db.rows("SELECT * FROM t").is_empty());
}

#[test]
fn a_step_whose_answer_is_lost_is_as_far_as_its_mark() {
    let Some(stage) = stage("CREATE TABLE t (a int)") else { return };
    let proxy = Proxy::to(stage.server.port());
    // Where it is cut, what the mark says, and whether the statement ran.
    let cases = [
        ("'intended')", Cut::Before, None, false),
        ("'intended')", Cut::After, Some(StepState::Intended), false),
        ("UPDATE t SET", Cut::Before, Some(StepState::Intended), false),
        ("UPDATE t SET", Cut::After, Some(StepState::Intended), true),
        ("SET state = 'done'", Cut::Before, Some(StepState::Intended), true),
        ("SET state = 'done'", Cut::After, Some(StepState::Done), true),
    ];
    for (at, (words, cut, due, ran)) in cases.into_iter().enumerate() {
        let attempt = u32::try_from(at).unwrap() + 1;
        stage.db.run("DELETE FROM t; INSERT INTO t VALUES (0)");
        let target = through(&stage, &proxy);
        let mut session = target.open(Access::ReadWrite(id(attempt)), &StopSignal::new()).unwrap();
        proxy.arm(cut, words);
        let ended = session.execute_alone("UPDATE t SET a = 1", &step(attempt, "s"));
        assert!(matches!(ended, Err(CommitFailure::Lost(_))), "{words} {cut:?}: {ended:?}");
        drop(session);
        assert_eq!(state(&stage, attempt), due, "{words} {cut:?}");
        assert_eq!(
            stage.db.rows("SELECT a FROM t"),
            [if ran { "1" } else { "0" }],
            "{words} {cut:?}"
        );
    }
    assert_eq!(proxy.cuts(), 6);
}
