//! Plugins, as their authors try them.

use expect_test::expect;
use rusqlite::Connection;

use crate::tool::Tool;

const MANIFEST: &str =
    r#"{"name": "sql", "version": "0.1.0", "capabilities": ["sql"], "connections": ["target"]}"#;

#[test]
fn a_plugin_says_what_it_is_and_what_it_would_do() {
    let tool = Tool::empty();
    let built = concat!(env!("CARGO_MANIFEST_DIR"), "/../../runners/plugins/built/sql.wasm");
    std::fs::copy(built, tool.path("sql.wasm")).unwrap();
    tool.write("sql.json", MANIFEST);
    expect![[r#"
        exit 0
        loads sql 0.1.0
        title        SQL script
        digest       <digest>
        asks for     sql
        reaches      sql
    "#]]
    .assert_eq(&tool.run("plugin check sql.wasm").told());
    // What the operator does not grant keeps it out, before anything is compiled.
    let kept_out = tool.run("plugin check sql.wasm --grant nothing");
    assert_eq!(
        (kept_out.code, kept_out.err.contains("not granted")),
        (9, true),
        "{}",
        kept_out.err
    );
    tool.write("cat.wasm", "meow");
    let no_plugin = tool.run("plugin check cat.wasm sql.json");
    assert_eq!((no_plugin.code, no_plugin.err.contains("error[runner_fault]")), (9, true));

    let database = Connection::open(tool.path("shop.db")).unwrap();
    database
        .execute_batch("CREATE TABLE t (a INTEGER PRIMARY KEY); INSERT INTO t VALUES (1), (2)")
        .unwrap();
    let left =
        || database.query_row("SELECT count(*) FROM t", (), |row| row.get::<_, i64>(0)).unwrap();
    let run = [
        "--sqlite",
        "shop=shop.db",
        "plugin",
        "run",
        "sql.wasm",
        "--payload",
        "-",
        "--target",
        "shop",
    ];
    let payload = r#"{"sql": "DELETE FROM t WHERE a = 1"}"#;
    expect![[r#"
        exit 0
        step  kind   risk    rows  impact      touches  what
        s1    write  medium  1     lock share  t        DELETE FROM t WHERE a = 1
    "#]]
    .assert_eq(&tool.run_with(&run, payload).told());
    assert_eq!(left(), 2, "a plan changes nothing");
    let execute: Vec<&str> = run.into_iter().chain(["--execute"]).collect();
    let executed = tool.run_with(&execute, payload);
    assert_eq!((executed.code, left()), (0, 1), "{}{}", executed.out, executed.err);
}
