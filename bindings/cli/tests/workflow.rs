//! Workflows, from a terminal.

use expect_test::expect;
use serde_json::Value;

use crate::tool::Tool;

/// The built-in `change` under another name, as a file to edit.
fn purchase(tool: &Tool) -> Value {
    assert_eq!(tool.run("workflow show change --output purchase.json").code, 0);
    let mut definition: Value = serde_json::from_str(&tool.read("purchase.json")).unwrap();
    definition["name"] = "purchase".into();
    definition["version"] = 0.into();
    definition
}

#[test]
fn a_workflow_is_checked_stored_and_retired() {
    let tool = Tool::shop();
    let mut definition = purchase(&tool);
    tool.write("purchase.json", definition.to_string());
    expect![[r#"
        exit 0
        sound purchase.json: purchase, 10 states, 24 transitions
    "#]]
    .assert_eq(&tool.run("workflow check purchase.json").told());
    expect![[r#"
        exit 0
        stored purchase, version 1
    "#]]
    .assert_eq(&tool.run("workflow set shop purchase.json").told());

    // Without its quorum, something would run that nobody approved.
    for way in definition["transitions"].as_array_mut().unwrap() {
        way.as_object_mut().unwrap().remove("requires");
    }
    tool.write("hasty.json", definition.to_string());
    expect![[r#"
        exit 1
        not sound hasty.json: purchase
        flaw         something runs that nobody approved as it is (runs_unapproved)
        path         1. DRAFT SUBMIT
                     2. PENDING_APPROVAL APPROVE
                     3. APPROVED EXECUTE
    "#]]
    .assert_eq(&tool.run("workflow check hasty.json").told());
    let told = tool.json("workflow check purchase.json hasty.json");
    assert_eq!((&told["sound"], &told["files"][0]["sound"]), (&false.into(), &true.into()));
    assert_eq!(told["files"][1]["unsound"]["path"][2]["by"], "EXECUTE");
    let refused = tool.json("workflow set shop hasty.json");
    assert_eq!(refused["error"]["code"], "unsound_workflow");
    let path = "DRAFT SUBMIT, PENDING_APPROVAL APPROVE, APPROVED EXECUTE";
    assert_eq!(refused["error"]["details"]["path"], path);

    expect![[r#"
        exit 0
        name      version
        artifact  1        built in
        change    1        built in
        purchase  1
    "#]]
    .assert_eq(&tool.run("workflow list shop").told());
    assert_eq!(tool.run("workflow set shop purchase.json").code, 0);
    let first = tool.json("workflow show purchase --project shop --number 1");
    assert_eq!(
        (&first["workflow"]["version"], &first["workflow"]["name"]),
        (&1.into(), &"purchase".into())
    );
    assert_eq!(tool.json("workflow show purchase --project shop")["workflow"]["version"], 2);
    assert_eq!(tool.run("workflow show purchase --project shop --number 3").code, 4);
    assert_eq!(tool.run("workflow retire shop purchase").code, 0);
    let retired = tool.json("workflow list shop");
    assert_eq!(retired["workflows"][2]["is_retired"], true);
    assert_eq!(tool.run("workflow retire shop purchase").code, 6);
}

#[test]
fn a_form_that_is_no_schema_and_a_file_that_is_no_definition_are_told() {
    let tool = Tool::founded();
    let mut definition = purchase(&tool);
    definition["form"] = serde_json::json!({"type": "thing"});
    tool.write("form.json", definition.to_string());
    let told = tool.json("workflow check form.json");
    assert_eq!(told["sound"], false);
    assert!(told["files"][0]["form"][0].as_str().unwrap().starts_with("/type: "), "{told}");
    definition.as_object_mut().unwrap().remove("form");
    definition["states"][0]["colour"] = "red".into();
    tool.write("colour.json", definition.to_string());
    tool.write("list.json", "[1, 2");
    for file in ["colour.json", "list.json", "absent.json"] {
        let refused = tool.run(&format!("workflow check {file}"));
        assert_eq!(refused.code, 3, "{}{}", refused.out, refused.err);
        assert!(refused.err.contains(file), "{}", refused.err);
    }
}

#[test]
fn workflows_are_drawn_without_a_gate() {
    let tool = Tool::empty();
    let drawn = tool.run("workflow diagram artifact");
    assert!(drawn.out.starts_with("stateDiagram-v2\n    [*] --> DRAFT\n"), "{}", drawn.out);
    assert_eq!(tool.run("workflow diagram change --format svg --output change.svg").code, 0);
    assert!(tool.read("change.svg").starts_with("<svg xmlns="));
    assert_eq!(tool.run("workflow show artifact --output own.json").code, 0);
    let same = tool.json("workflow diagram --file own.json");
    assert_eq!(same["diagram"].as_str(), Some(drawn.out.as_str()));
    assert_eq!(tool.run("workflow diagram purchase").code, 3);
    assert_eq!(tool.run("workflow diagram artifact --output no/such/folder.svg").code, 3);
    expect![[r#"
        exit 0
        artifact 1

        states
        code               label              phases                             an edit leads to
        DRAFT              Draft              DRAFT                              DRAFT                        first
        PENDING_REVIEW     In review          PENDING_APPROVAL                   frozen
        APPROVED           Approved           APPROVED EXECUTING FAILED UNKNOWN  frozen             syncable
        CHANGES_REQUESTED  Changes requested  CHANGES_REQUESTED                  CHANGES_REQUESTED
        REJECTED           Rejected           REJECTED                           frozen
        SYNCED             Synced             SUCCEEDED                          frozen             syncable
        DELETED            Deleted            CANCELLED                          frozen

        transitions
    "#]]
    .assert_eq(tool.run("workflow show artifact").told().split_inclusive("transitions\n").next().unwrap());
}
