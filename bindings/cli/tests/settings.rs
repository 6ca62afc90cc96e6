//! What environments ask of requests, and settings of runners, from a terminal; and plans as a reviewer reads them.

use expect_test::expect;

use crate::tool::Tool;

#[test]
fn runners_have_settings() {
    let tool = Tool::shop();
    tool.write("sql.json", r#"{ "rows_max": 10, "backup": "required" }"#);
    let set = "org set-runner-settings --project shop --environment dev --runner sql --settings";
    expect![[r"
        exit 0
        done
    "]]
    .assert_eq(&tool.run(&format!("{set} sql.json")).told());
    let kept = || tool.json("org show shop")["runner_settings"].clone();
    assert_eq!(kept()[0]["settings"], r#"{"backup":"required","rows_max":10}"#);
    let shown = tool.run("org show shop").out;
    assert!(
        shown.contains(r#"dev          sql     {"backup":"required","rows_max":10}"#),
        "{shown}"
    );
    // A word that is there twice could be read in two ways.
    tool.write("twice.json", r#"{"rows_max": 10, "rows_max": 10000}"#);
    tool.write("list.json", "[1]");
    for (file, code) in [("twice.json", 3), ("list.json", 3), ("absent.json", 3)] {
        let refused = tool.run(&format!("{set} {file}"));
        assert_eq!(refused.code, code, "{file}: {}{}", refused.out, refused.err);
    }
    assert_eq!(
        tool.run("org set-runner-settings --project shop --environment dev --runner sql").code,
        2
    );
    assert_eq!(kept().as_array().unwrap().len(), 1);
    // From standard input, and from a file of commands.
    let words: Vec<&str> = set.split(' ').chain(["-"]).collect();
    assert_eq!(tool.run_with(&words, "{}").code, 0);
    assert_eq!(kept().as_array().unwrap().len(), 0);
    tool.write(
        "commands.json",
        r#"[{"command": "set-runner-settings", "project": "shop", "environment": "dev",
             "runner": "sql", "settings": {"rows_max": 7}}]"#,
    );
    let applied = tool.run("org apply commands.json");
    assert_eq!(applied.code, 0, "{}", applied.err);
    assert_eq!(kept()[0]["settings"], r#"{"rows_max":7}"#);
}

#[test]
fn environments_allow_some_workflows() {
    let tool = Tool::shop();
    let set = "org set-allowed-workflows --project shop --environment dev";
    assert_eq!(tool.run(&format!("{set} --workflow change --workflow artifact")).code, 0);
    let kept = || tool.json("org show shop")["allowed_workflows"].clone();
    assert_eq!(kept()[0]["workflows"], serde_json::json!(["artifact", "change"]));
    assert!(tool.run("org show shop").out.contains("dev          artifact change"));
    for (words, code) in [("", 2), (" --any --workflow change", 2), (" --workflow nothing", 4)] {
        let refused = tool.run(&format!("{set}{words}"));
        assert_eq!(refused.code, code, "{words}: {}", refused.err);
    }
    // In a file, an empty list that nobody meant.
    tool.write(
        "commands.json",
        r#"[{"command": "set-allowed-workflows", "project": "shop", "environment": "dev"}]"#,
    );
    assert_eq!(tool.run("org apply commands.json").code, 3);
    assert_eq!(tool.run(&format!("{set} --any")).code, 0);
    assert_eq!(kept().as_array().unwrap().len(), 0);
}

#[test]
fn artifacts_must_fit_a_form() {
    let tool = Tool::shop();
    tool.write("form.json", r#"{"required": ["approved_by_legal"]}"#);
    tool.write("wrong.json", r#"{"type": "thing"}"#);
    let set = "org set-artifact-form --project shop --artifact-type USER_STORY";
    assert_eq!(tool.run(&format!("{set} --form form.json")).code, 0);
    let kept = || tool.json("org show shop")["artifact_forms"].clone();
    assert_eq!(kept()[0]["form"]["required"][0], "approved_by_legal");
    assert!(tool.run("org show shop").out.contains("USER_STORY"));
    for (words, code) in [("", 2), (" --form form.json --nothing", 2), (" --form wrong.json", 3)] {
        let refused = tool.run(&format!("{set}{words}"));
        assert_eq!(refused.code, code, "{words}: {}", refused.err);
    }
    tool.write(
        "commands.json",
        r#"[{"command": "set-artifact-form", "project": "shop", "artifact_type": "USER_STORY"}]"#,
    );
    assert_eq!(tool.run("org apply commands.json").code, 3, "it would take the form away");
    assert_eq!(tool.run(&format!("{set} --nothing")).code, 0);
    assert_eq!(kept().as_array().unwrap().len(), 0);
}

#[test]
fn rules_read_what_steps_do() {
    let tool = Tool::shop();
    let put = "rule quorum --project shop --position 1 --name heavy --people 1 --lock share \
        --kind ddl --kind write --rewrites --rows 1000 --object shop.orders --irreversible";
    let put: Vec<&str> = put.split_whitespace().collect();
    let made = tool.run_with(&put, "");
    assert_eq!(made.code, 0, "{}{}", made.out, made.err);
    let shown = tool.run("rule list shop").out;
    let when =
        "a step of kind ddl or write, lock share or more, a table written anew, 1000 rows or more";
    assert!(shown.contains(when), "{shown}");
    let kept = tool.json("rule list shop").to_string();
    assert!(kept.contains("shop.orders") && kept.contains(r#""irreversible":true"#), "{kept}");
    let put = "rule quorum --project shop --position 2 --name x --people 1";
    for (words, code) in [("--lock feather", 2), ("--rows many", 2), ("--kind a\u{202e}b", 3)] {
        let refused = tool.run(&format!("{put} {words}"));
        assert_eq!(refused.code, code, "{words}: {}", refused.err);
    }
}
