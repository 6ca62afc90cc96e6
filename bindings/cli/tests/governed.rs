//! Commands that need approval themselves, from a terminal.

use expect_test::expect;

use crate::tool::Tool;

/// A shop in which Ana and Bo manage. An agent has the role for it, too.
fn shop() -> Tool {
    let tool = Tool::shop();
    for words in [
        "org create-user --email robot@example.org --name Robot --kind agent",
        "org assign-role --project shop --user robot@example.org --role author",
        "org add-member --project shop --team Checkout --user robot@example.org",
        "org create-permission --permission shop:*:*:manage",
        "org allow-role --project shop --role author --permission shop:*:*:manage",
        "org allow-role --project shop --role lead --permission shop:*:*:manage",
    ] {
        let ran = tool.run(words);
        assert_eq!(ran.code, 0, "{words}: {}", ran.err);
    }
    tool
}

#[test]
fn what_needs_approval_is_proposed_approved_and_carried_out() {
    let tool = shop();
    assert_eq!(tool.run("governance show shop").out, "nothing needs approval\n");
    let place = "--project shop --module pagos --environment dev";
    let set =
        tool.run(&format!("governance set {place} --command create_team --command set_quorum"));
    assert_eq!(set.code, 0, "{}", set.err);
    let shown = tool.run("governance show shop").told();
    expect![[r#"
        exit 0
        reviewed in  shop/pagos/dev
        commands     set_quorum
                     create_team
        a way around: update_environment, put_quorum_rule, put_blocking_rule, remove_rule, assign_module, unassign_module, add_member, end_membership, create_permission, allow_role, disallow_role, assign_role, end_grant need no approval
    "#]]
    .assert_eq(&shown);

    let alone = tool.json("org create-team --project shop --name Storage");
    assert_eq!(alone["error"]["code"], "approval_required");
    let [ana, bo, robot] = ["ana", "bo", "robot"]
        .map(|name| format!("--as {}", tool.user(&format!("{name}@example.org"))));
    let words = "propose --title team --submit create-team --project shop --name Storage";
    assert_eq!(tool.run(&format!("{robot} {words}")).code, 5, "no agent manages");
    let asked = tool.json(&format!("{ana} {words}"));
    let id = asked["header"]["id"].as_str().unwrap_or_else(|| panic!("{asked}")).to_owned();
    let shown = tool.run(&format!("{ana} request show {id}"));
    assert!(shown.out.contains("Storage"), "{}", shown.out);
    let digest = asked["digest"].as_str().unwrap();
    let own = tool.run(&format!("{ana} request approve {id} --digest {digest}"));
    assert_eq!(own.code, 5, "{}", own.err);
    assert_eq!(tool.run(&format!("{bo} request approve {id} --digest {digest}")).code, 0);
    let done = tool.run(&format!("{bo} request execute {id}"));
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    assert_eq!(tool.json("org show shop")["teams"].as_array().unwrap().len(), 2);

    // What needs no approval is not proposed, and a governance that works is not lifted.
    let free = tool
        .json(&format!("{ana} propose --title x create-module --project shop --code x --name X"));
    assert_eq!(free["error"]["code"], "refused", "{free}");
    assert_eq!(tool.run("governance lift shop").code, 6);
    for email in ["bo@example.org", "ana@example.org"] {
        let words = format!("org set-user-active --user {email} --active false");
        assert_eq!(tool.run(&words).code, 0);
    }
    expect![[r#"
        exit 0
        lifted: nothing needs approval
    "#]]
    .assert_eq(&tool.run("governance lift shop").told());
    assert_eq!(tool.json("governance show shop")["governance"], serde_json::Value::Null);
    assert_eq!(tool.run("org create-team --project shop --name Later").code, 0);
}

#[test]
fn a_governance_without_a_word_of_what_it_governs_is_refused() {
    let tool = shop();
    let place = "--project shop --module pagos --environment dev";
    for (code, words) in [
        (2, String::new()),
        (2, "--nothing --rights".to_owned()),
        (2, "--command dance".to_owned()),
        (3, "--command create_user".to_owned()),
        (0, "--rights".to_owned()),
    ] {
        let ran = tool.run(format!("governance set {place} {words}").trim_end());
        assert_eq!(ran.code, code, "{words}: {}{}", ran.out, ran.err);
    }
    assert_eq!(tool.run("governance show").code, 2);
    assert!(!tool.run("governance show shop").out.contains("a way around"));
    let nothing = r#"[{"command": "set-governance", "project": "shop", "module": "pagos", "environment": "dev"}]"#;
    tool.write("nothing.json", nothing);
    assert_eq!(tool.run("org apply nothing.json").code, 3);
    // The project governs its own rights, so that the platform can be reviewed there.
    let platform = tool.run(&format!("governance set {place} --platform --command create_user"));
    assert_eq!(platform.code, 6, "nobody there may administer: {}", platform.err);
    assert_eq!(tool.json("governance show --platform")["governance"], serde_json::Value::Null);
}

#[test]
fn settings_and_what_narrows_requests_can_need_approval() {
    let tool = shop();
    tool.write("sql.json", r#"{"rows_max": 10}"#);
    let govern = "governance set --project shop --module pagos --environment dev \
        --command set_runner_settings --command set_allowed_workflows --command set_artifact_form";
    let govern: Vec<&str> = govern.split_whitespace().collect();
    let governed = tool.run_with(&govern, "");
    assert_eq!(governed.code, 0, "{}{}", governed.out, governed.err);
    let set =
        "set-runner-settings --project shop --environment dev --runner sql --settings sql.json";
    let alone = tool.json(&format!("org {set}"));
    assert_eq!(alone["error"]["code"], "approval_required", "{alone}");
}
