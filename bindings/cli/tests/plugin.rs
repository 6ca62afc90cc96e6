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

#[test]
fn the_program_compiles_in_a_process_of_its_own() {
    let tool = Tool::empty();
    let built = concat!(env!("CARGO_MANIFEST_DIR"), "/../../runners/plugins/built/sql.wasm");
    let compile = |component: &[u8]| {
        let path = tool.path("in.wasm");
        std::fs::write(&path, component).unwrap();
        std::process::Command::new(env!("CARGO_BIN_EXE_placet"))
            .args(["plugin", "compile"])
            .env_clear()
            .stdin(std::fs::File::open(path).unwrap())
            .output()
            .unwrap()
    };
    let made = compile(&std::fs::read(built).unwrap());
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    assert!(made.stdout.starts_with(b"placet compiled"));
    let refused = compile(b"meow");
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!((refused.status.code(), refused.stdout.len()), (Some(9), 0), "{said}");
    assert!(said.contains("error[runner_fault]"), "{said}");
    // Whoever reads the help need not know of it.
    assert!(!tool.run("plugin --help").out.contains("compile"));
}

#[cfg(unix)]
#[test]
fn a_gate_compiles_once_and_later_commands_load_it() {
    let mut tool = Tool::shop();
    let database = Connection::open(tool.path("shop.db")).unwrap();
    database.execute_batch("CREATE TABLE orders (id INTEGER PRIMARY KEY)").unwrap();
    let ana = tool.user("ana@example.org");
    tool.calls_as(&ana);
    let draft =
        "--sqlite shop=shop.db request draft shop/pagos/dev --title Clean --target shop --sql -";
    let draft = || {
        let words: Vec<&str> = draft.split(' ').collect();
        let drafted = tool.run_with(&words, "DELETE FROM orders WHERE id = 1;");
        assert_eq!(drafted.code, 0, "{}", drafted.err);
        let folder = tool.path("gate").join("compiled");
        let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(Result::unwrap).collect();
        assert_eq!(files.len(), 1);
        files.into_iter().next().unwrap().path()
    };
    let file = draft();
    let kept = std::fs::File::open(&file).unwrap();
    let whole = std::fs::read(&file).unwrap();
    // A file that is written is another file: this one stayed.
    assert_eq!(draft(), file);
    let is_same = || {
        use std::os::unix::fs::MetadataExt as _;
        std::fs::metadata(&file).unwrap().ino() == kept.metadata().unwrap().ino()
    };
    assert!(is_same());
    // One that somebody changed is compiled anew.
    let mut changed = whole.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    std::fs::write(&file, changed).unwrap();
    draft();
    assert!(!is_same());
    assert!(std::fs::read(&file).unwrap() == whole);
}
