//! Texts that want to be more than text.

use std::process::Stdio;

use rusqlite::Connection;

use crate::tool::Tool;

#[test]
fn nothing_that_was_written_elsewhere_controls_the_terminal() {
    let mut tool = Tool::shop();
    Connection::open(tool.path("shop.db")).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
    let ana = tool.user("ana@example.org");
    tool.calls_as(&ana);
    // Clears the screen, sets the title, goes back.
    let sql = "SELECT '\u{1b}[2J\u{1b}]0;owned\u{7}\u{8}\r\u{9b}31m' FROM t";
    let draft =
        "--sqlite shop=shop.db request draft shop/pagos/dev --title T --target shop --sql -";
    let draft: Vec<_> = draft.split(' ').collect();
    // What turns the direction of a script is refused, also in a text: nobody could read what they approve.
    let turned = tool.run_with(&draft, "SELECT '\u{202e}' FROM t");
    assert!(turned.code == 3 && !turned.err.contains('\u{202e}'), "{turned:?}");
    let drafted = tool.run_with(&draft, sql);
    assert_eq!(drafted.code, 0, "{}", drafted.err);
    let list = tool.json("request list shop");
    let id = list["requests"][0]["id"].as_str().unwrap().to_owned();
    let show = ["--color", "always", "request", "show", &id];
    let shown = tool.run_with(&show, "").out;
    assert!(shown.contains("owned") && shown.contains('\u{1b}'), "{shown:?}");
    // What is left of escapes is colours of ours.
    for escaped in shown.split('\u{1b}').skip(1) {
        let ends = escaped.chars().find(char::is_ascii_alphabetic);
        assert_eq!(ends, Some('m'), "{escaped:?}");
        assert!(escaped.starts_with('[') && !escaped.starts_with("[31m"), "{escaped:?}");
    }
    for letter in ['\u{7}', '\u{8}', '\r', '\u{9b}'] {
        assert!(!shown.contains(letter), "{letter:?} in {shown:?}");
    }
    // A program gets it as it is, escaped as JSON.
    let raw = tool.run(&format!("--json request show {id}"));
    assert!(!raw.out.contains('\u{1b}') && raw.out.contains("\\u001b"), "{}", raw.out);
}

#[test]
fn colours_are_for_terminals_and_for_those_who_ask() {
    let tool = Tool::founded();
    let has_colour = |words: &str| {
        let ran = tool.run(words);
        ran.out.contains('\u{1b}') || ran.err.contains('\u{1b}')
    };
    assert!(!has_colour("audit verify"));
    assert!(!has_colour("org show absent"));
    assert!(!has_colour("--help"));
    assert!(has_colour("--color always audit verify"));
    assert!(has_colour("--color always org show absent"));
    assert!(!has_colour("--color always --json audit verify"));
    assert!(!has_colour("--color never audit verify"));
}

/// Whoever watches gets colours and a bar; a program that asks at a terminal gets its document alone.
#[cfg(target_os = "linux")]
#[test]
fn at_a_terminal_there_are_colours_and_bars() {
    use std::io::Write as _;

    let tool = Tool::shop();
    if std::process::Command::new("script").arg("--version").output().is_err() {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "CI must not skip this: no `script`");
        let told = "SKIPPED at_a_terminal_there_are_colours_and_bars: `script` is not installed";
        writeln!(std::io::stderr(), "{told}").unwrap();
        return;
    }
    for (words, bar) in [
        ("audit verify", "entries"),
        ("audit verify --deep", "log"),
        ("audit export public", "entries"),
        ("audit events log.ndjson", "events"),
    ] {
        let (code, shown) = tool.at_a_terminal(words);
        assert_eq!(code, Some(0), "{words}: {shown:?}");
        assert!(shown.contains('\u{1b}'), "{words}: no colours: {shown:?}");
        // The bar says how far it is, and is taken away before the answer.
        let drawn = shown.split('\r').any(|line| line.contains(bar) && line.contains('/'));
        assert!(drawn, "{words}: no bar: {shown:?}");
        let piped = tool.run(words);
        assert!(!piped.err.contains(bar) && !piped.out.contains('\u{1b}'), "{words}");
    }
    let (code, shown) = tool.at_a_terminal("--json audit verify");
    assert_eq!(code, Some(0), "{shown:?}");
    let document: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(document["verified"], true);
}

#[test]
fn what_is_not_an_input_is_said_to_be_none() {
    let tool = Tool::founded();
    let long = "x".repeat(10_000);
    tool.write("long.json", format!("[{}", "[".repeat(100_000)));
    tool.write("latin.json", b"[\"\xe9\"]");
    tool.write("many.json", format!(r#"[{{"command": "create-user", "name": "{long}"}}]"#));
    tool.write(
        "extra.json",
        r#"[{"command": "create-project", "code": "a", "name": "A", "admin": true}]"#,
    );
    for file in ["long.json", "latin.json", "many.json", "extra.json", "gate"] {
        let refused = tool.run(&format!("org apply {file}"));
        assert_eq!(refused.code, 3, "{file}: {}", refused.err);
        assert!(refused.err.len() < 2_000, "{file}: {} bytes", refused.err.len());
    }
    for words in [
        vec!["org", "create-project", "--code", &long, "--name", "A"],
        vec!["org", "create-project", "--code", "a", "--name", "\u{1b}[31mred"],
        vec!["org", "create-project", "--code", "../../etc", "--name", "A"],
        vec!["audit", "show", "--since", "yesterday"],
        vec!["audit", "show", "-1"],
        vec!["request", "show", "req_0"],
    ] {
        assert_eq!(tool.run_with(&words, "").code, 2, "{words:?}");
    }
    assert_eq!(tool.run("org show ../../../etc/passwd").code, 4);
    assert_eq!(tool.json("org show")["projects"].as_array().unwrap().len(), 0);
}

#[test]
fn a_reader_that_goes_away_is_no_mistake() {
    let tool = Tool::founded();
    let mut child = tool
        .command()
        .args(["audit", "show"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), ended.stderr.len()), (Some(0), 0));
}

#[cfg(target_os = "linux")]
#[test]
fn an_answer_that_cannot_be_written_is_an_error() {
    let tool = Tool::founded();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let ended = tool.command().args(["audit", "verify"]).stdout(full).output().unwrap();
    assert_eq!(ended.status.code(), Some(74));
}
