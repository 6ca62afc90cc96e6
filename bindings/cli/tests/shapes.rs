//! What programs rely on: exit codes, and the shape of what is answered.

use expect_test::expect;
use serde_json::Value;

use crate::tool::{Tool, steady};

/// With the names in one order: which order they come in is no promise.
fn pretty(value: &Value) -> String {
    steady(&serde_json::to_string_pretty(&sorted(value)).unwrap())
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut names: Vec<&String> = fields.keys().collect();
            names.sort();
            names.into_iter().map(|name| (name.clone(), sorted(&fields[name]))).collect()
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

#[test]
fn each_kind_of_mistake_has_its_exit_code() {
    let tool = Tool::founded();
    let nobody = "usr_00000000000000000000000000000001";
    let absent = "req_00000000000000000000000000000001";
    tool.write("broken.cedar", "permit everything");
    for (code, words) in [
        (0, "--help".to_owned()),
        (0, "--version".to_owned()),
        (0, "request --help".to_owned()),
        (0, "org show".to_owned()),
        (2, String::new()),
        (2, "request".to_owned()),
        (2, "dance".to_owned()),
        (2, "request approve".to_owned()),
        (2, "request show usr_1".to_owned()),
        (2, "org create-project --code UPPER --name A".to_owned()),
        (3, "--policies broken.cedar org show".to_owned()),
        (3, "--sqlite shop org show".to_owned()),
        (3, "org apply absent.json".to_owned()),
        (3, "why root approve a/b/c/d".to_owned()),
        (4, format!("request show {absent}")),
        (4, "org show absent".to_owned()),
        (4, "--folder nowhere org show".to_owned()),
        (4, "audit prove 1000".to_owned()),
        (5, format!("--as {nobody} audit show")),
        (6, "org bootstrap --email other@example.org --name Other".to_owned()),
        (1, "why root@example.org approve platform".to_owned()),
    ] {
        let words: Vec<&str> = words.split(' ').filter(|word| !word.is_empty()).collect();
        let ran = tool.run_with(&words, "");
        assert_eq!(ran.code, code, "{words:?}: {}{}", ran.out, ran.err);
        // What fails says so on standard error, and what succeeds does not.
        assert_eq!(ran.err.is_empty(), code < 2, "{words:?}: {}", ran.err);
    }
    assert!(!tool.path("nowhere").exists(), "looking makes nothing");
}

#[test]
fn the_exit_codes_of_the_help_are_those_of_the_documentation() {
    let help = Tool::empty().run("--help").out;
    let (_, table) = help.split_once("Exit codes:\n").unwrap();
    let mut rows: Vec<(u8, String)> = Vec::new();
    for line in table.lines().filter(|line| !line.is_empty()) {
        // A line that goes on may be one word.
        let (code, text) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        match (code.parse(), rows.last_mut()) {
            (Ok(code), _) => rows.push((code, text.trim().to_owned())),
            (Err(_), Some((_, begun))) => *begun = format!("{begun} {}", line.trim()),
            (Err(_), None) => panic!("{line}"),
        }
    }
    let codes: Vec<u8> = rows.iter().map(|(code, _)| *code).collect();
    assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 70, 74]);
    let page = include_str!("../README.md");
    for (code, text) in rows {
        assert!(page.contains(&format!("| {code} | {text} |\n")), "{code}: {text}");
    }
}

#[test]
fn a_key_that_cannot_be_used_has_its_exit_code() {
    let tool = Tool::founded();
    tool.write("gate/log.key", "no key");
    let refused = tool.run("org show");
    assert_eq!(refused.code, 7, "{}", refused.err);
}

#[test]
fn errors_have_one_shape_for_programs() {
    let tool = Tool::founded();
    expect![[r#"
        {
          "error": {
            "causes": [],
            "code": "not_found",
            "details": {},
            "help": "look at `placet org show`, or use its id",
            "message": "there is no project `absent`, or you may not see it"
          }
        }"#]]
    .assert_eq(&pretty(&tool.json("org show absent")));
    let usage = tool.json("request approve");
    assert_eq!(usage["error"]["code"], "usage");
    assert!(usage["error"]["help"].as_str().unwrap().contains("--digest"), "{usage}");
    let failed = tool.run("org show absent");
    expect![[r#"
        exit 4
        --
        error[not_found]: there is no project `absent`, or you may not see it
          next: look at `placet org show`, or use its id
    "#]]
    .assert_eq(&failed.told());
}

#[test]
fn answers_have_one_shape_for_programs() {
    let tool = Tool::shop();
    expect![[r#"
        {
          "global_roles": [],
          "next": null,
          "users": [
            "usr_…"
          ]
        }"#]]
    .assert_eq(&pretty(&tool.json("who-can approve shop/pagos/dev")));
    expect![[r#"
        {
          "action": "approve",
          "allowed": false,
          "answer": "denied: no role with the permission `approve` in `shop/pagos/dev`",
          "at": "<instant>",
          "scope": {
            "environment": "env_…",
            "level": "project",
            "module": "mod_…",
            "project": "prj_…"
          },
          "sentence": "Ana may not `approve` in shop/pagos/dev: no role of theirs permits it there. It takes the role lead. Others can: 1.",
          "until": null,
          "user": "usr_…",
          "who_can": {
            "global_roles": [],
            "next": null,
            "users": [
              "usr_…"
            ]
          }
        }"#]]
    .assert_eq(&pretty(&tool.json("why ana@example.org approve shop/pagos/dev")));
    expect![[r#"
        {
          "projects": [
            {
              "code": "shop",
              "id": "prj_…",
              "name": "Shop"
            }
          ]
        }"#]]
    .assert_eq(&pretty(&tool.json("org show")));
    let shop = tool.json("org show shop");
    let mut parts: Vec<&str> = shop.as_object().unwrap().keys().map(String::as_str).collect();
    parts.sort_unstable();
    expect!["allowed_workflows artifact_forms auto_approvals blocking_rules environments executions governance grants memberships modules permissions project promotions quorum_rules quorums role_permissions roles runner_settings team_modules teams"]
        .assert_eq(&parts.join(" "));
    expect![[r#"
        {
          "index": 0,
          "leaf": {
            "actor": "usr_…",
            "at": "<instant>",
            "event": "platform.bootstrapped",
            "facts": {
              "key": "…"
            },
            "records": "…",
            "v": 1
          }
        }"#]]
    .assert_eq(&{
        let mut entry = tool.json("audit show 0");
        entry["leaf"]["records"] = "…".into();
        entry["leaf"]["facts"]["key"] = "…".into();
        pretty(&entry)
    });
}

#[test]
fn a_file_of_commands_says_how_far_it_came_and_goes_on_from_there() {
    let tool = Tool::founded();
    let commands = r#"[
        {"command": "create-project", "code": "shop", "name": "Shop"},
        {"command": "create-module", "project": "shap", "code": "pagos", "name": "Pagos"},
        {"command": "create-team", "project": "shop", "name": "Checkout"}
    ]"#;
    tool.write("shop.json", commands);
    expect![[r#"
        exit 4
        --
        error[not_found]: command 2 failed: there is no project `shap`, or you may not see it
          because: there is no project `shap`, or you may not see it
          done: 1
          next: look at `placet org show`, or use its id; then go on with `--skip 1`
    "#]]
    .assert_eq(&tool.run("org apply shop.json").told());
    tool.write("shop.json", commands.replace("shap", "shop"));
    expect![[r#"
        exit 0
        done: 2 commands
    "#]]
    .assert_eq(&tool.run("org apply shop.json --skip 1").told());
    assert_eq!(tool.run("org apply shop.json").code, 6);
    expect![[r#"
        exit 0
        done: 0 commands
        3 were there already
    "#]]
    .assert_eq(&tool.run("org apply shop.json --existing").told());
    // What cannot be read is refused before anything is done.
    tool.write(
        "wrong.json",
        r#"[{"command": "create-project", "code": "b", "name": "B"}, {"command": "dance"}]"#,
    );
    assert_eq!(tool.run("org apply wrong.json").code, 3);
    assert_eq!(tool.json("org show")["projects"].as_array().unwrap().len(), 1);
}

#[test]
fn texts_are_erased_and_the_log_stays_whole() {
    let tool = Tool::shop();
    let ana = tool.user("ana@example.org");
    let erase = format!("org erase user {ana}");
    assert_eq!(tool.run(&erase).code, 6, "she is active");
    assert_eq!(tool.run(&format!("org set-user-active --user {ana} --active false")).code, 0);
    expect![[r#"
        exit 0
        erased: 2 texts
    "#]]
    .assert_eq(&tool.run(&erase).told());
    assert!(!tool.run("org users").out.contains("ana@example.org"));
    assert_eq!(tool.run("audit verify").code, 0);
    assert_eq!(tool.run("org set-retention --class comment --keep-days 365").code, 0);
}

#[test]
fn what_plugins_may_reach_is_said_and_shown() {
    let tool = Tool::shop();
    let grant = "org grant-plugin --runner mail --capability http --dry-run";
    assert_eq!(tool.run(grant).code, 2, "one component, or any version");
    assert_eq!(tool.run(&format!("{grant} --any-version")).code, 0);
    let shown = tool.run("org plugin-grants");
    for word in ["mail", "granted", "http", "dry runs", "any version"] {
        assert!(shown.out.contains(word), "{word}: {}", shown.out);
    }
    assert_eq!(tool.run("org revoke-plugin-grant --runner mail").code, 0);
    assert!(tool.run("org plugin-grants").out.contains("revoked"));
    assert_eq!(tool.run("org revoke-plugin-grant --runner mail").code, 6);
}

#[test]
fn there_are_completions_for_the_common_shells() {
    let tool = Tool::empty();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = tool.run(&format!("completions {shell}"));
        assert_eq!((script.code, script.err.as_str()), (0, ""));
        for word in ["bootstrap", "who-can", "doctor", "--continues"] {
            let word = if shell == "fish" { word.trim_start_matches('-') } else { word };
            assert!(script.out.contains(word), "{shell} does not complete {word}");
        }
    }
}
