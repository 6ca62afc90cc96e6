//! Artifacts, own workflows, and steps back, from a terminal.

use expect_test::expect;

use crate::tool::Tool;

/// A shop with the roles of artifacts: Ana is EDITOR, Bo is ADMIN, and so is Cy; the robot is EDITOR, too.
fn shop() -> Tool {
    let tool = Tool::shop();
    let table = "CREATE TABLE orders (id INTEGER PRIMARY KEY); INSERT INTO orders VALUES (1);";
    rusqlite::Connection::open(tool.path("shop.db")).unwrap().execute_batch(table).unwrap();
    tool.write("story.json", r#"{"sql": "DELETE FROM orders WHERE id = 1"}"#);
    for words in [
        "org apply-role-template --project shop --template artifact",
        "org create-user --email robot@example.org --name Robot --kind agent",
        "org add-member --project shop --team Checkout --user robot@example.org",
        "org assign-role --project shop --user ana@example.org --role EDITOR",
        "org assign-role --project shop --user robot@example.org --role EDITOR",
        "org assign-role --project shop --user bo@example.org --role ADMIN",
    ] {
        let ran = tool.run(words);
        assert_eq!(ran.code, 0, "{words}: {}", ran.err);
    }
    tool
}

fn who<const N: usize>(tool: &Tool, names: [&str; N]) -> [String; N] {
    let user = |name| tool.user(&format!("{name}@example.org"));
    names.map(|name| format!("--as {} --sqlite shop=shop.db", user(name)))
}

const DRAFT: &str =
    "artifact draft shop/pagos/dev USER_STORY/42 --body story.json --runner sql --target shop";

#[test]
fn an_artifact_goes_its_way_and_is_published_once_it_is_approved() {
    let tool = shop();
    let [ana, bo] = who(&tool, ["ana", "bo"]);
    let gate = || tool.run(&format!("{ana} artifact publish-gate shop USER_STORY/42"));
    assert_eq!(gate().code, 4);
    let made = tool.json(&format!("{ana} {DRAFT} --title Pay"));
    let id = made["header"]["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    let refused = gate();
    assert_eq!((refused.code, refused.err.contains("Artifact not approved")), (6, true));
    let submitted = tool.json(&format!("{ana} artifact submit {id}"));
    assert_eq!(submitted["header"]["step"], "PENDING_REVIEW", "{submitted}");
    let offers = tool.run(&format!("{ana} request actions {id}"));
    assert!(offers.out.contains("yes CANCEL_REVIEW to DRAFT"), "{}", offers.out);
    assert!(offers.out.contains("no  APPROVE to APPROVED: "), "{}", offers.out);
    assert_eq!(tool.run(&format!("{bo} request reject {id} --comment no")).code, 0);
    assert_eq!(tool.run(&format!("{ana} artifact restore {id}")).code, 5);
    let restored = tool.json(&format!("{bo} artifact restore {id} --comment yes"));
    assert_eq!(restored["header"]["step"], "DRAFT", "{restored}");
    tool.write("story.json", r#"{"sql": "DELETE FROM orders WHERE id = 2"}"#);
    let edit = "--title Pay --target shop --payload story.json";
    assert_eq!(tool.run(&format!("{ana} request edit {id} {edit}")).code, 0);
    expect![[r#"
        exit 0
        replace /sql "DELETE FROM orders WHERE id = 2"
    "#]]
    .assert_eq(&tool.run(&format!("{ana} artifact diff {id}@1 {id}")).told());
    assert_eq!(tool.run(&format!("{ana} artifact diff {id}@x {id}")).code, 2);

    let digest = tool.json(&format!("{ana} artifact submit {id}"))["digest"].clone();
    let digest = digest.as_str().unwrap();
    let approve = format!("{bo} request approve {id} --digest {digest}");
    assert_eq!(tool.json(&approve)["header"]["step"], "APPROVED");
    assert_eq!(gate().code, 0);
    let synced = tool.run(&format!("{bo} request execute {id}"));
    assert_eq!(synced.code, 0, "{}{}", synced.out, synced.err);
    let next = tool.json(&format!("{ana} artifact new-version {id}"));
    assert_eq!(
        (&next["header"]["artifact"]["version"], &next["header"]["step"]),
        (&2.into(), &"DRAFT".into())
    );
    expect![[r#"
        exit 0
        version  request                               state   title  by
        1        req_…  SYNCED  Pay    usr_…
        2        req_…  DRAFT   Pay    usr_…
    "#]]
    .assert_eq(&tool.run(&format!("{ana} artifact versions shop USER_STORY/42")).told());
    assert_eq!(gate().code, 6, "the newest version is a draft");
    let history = tool.json(&format!("{ana} artifact history {id}"));
    let steps = history["history"].as_array().unwrap().iter();
    let steps: Vec<&str> = steps.map(|step| step["action"].as_str().unwrap()).collect();
    expect!["DRAFT PLAN SUBMIT REJECT RESTORE EDIT PLAN SUBMIT APPROVE SYNC FINISH"]
        .assert_eq(&steps.join(" "));
}

#[test]
fn an_artifact_of_an_agent_is_shown_as_one_and_approved_by_rule_where_that_is_on() {
    let tool = shop();
    let [ana, bo, robot] = who(&tool, ["ana", "bo", "robot"]);
    let on = "org set-auto-approve-ai --project shop --environment dev --on true";
    assert_eq!(tool.run(on).code, 0);
    let made = tool.run(&format!("{robot} {DRAFT} --title Pay --submit"));
    assert!(made.out.contains("the rule auto_approve_ai, and nobody"), "{}{}", made.out, made.err);
    let versions = tool.run(&format!("{ana} artifact versions shop USER_STORY/42"));
    for words in ["(agent)", "approved by rule auto_approve_ai"] {
        assert!(versions.out.contains(words), "{}", versions.out);
    }
    let listed = tool.json(&format!("{ana} artifact versions shop USER_STORY/42"));
    let id = listed["versions"][0]["id"].as_str().unwrap();
    assert_eq!(tool.run(&format!("{robot} artifact revert {id}")).code, 5);
    assert_eq!(tool.json(&format!("{bo} artifact revert {id}"))["header"]["step"], "DRAFT");
    let person = DRAFT.replace("42", "43");
    let waits = tool.json(&format!("{ana} {person} --title Own --submit"));
    assert_eq!(waits["header"]["step"], "PENDING_REVIEW", "{waits}");
    let own = waits["header"]["id"].as_str().unwrap();
    let withdrawn = tool.json(&format!("{ana} artifact withdraw {own} --comment early"));
    assert_eq!(withdrawn["header"]["step"], "DRAFT");
    let deleted = tool.json(&format!("{ana} artifact delete {own}"));
    assert_eq!(deleted["header"]["step"], "DELETED");
    for name in ["USER_STORY", "user_story/1", "USER_STORY/x"] {
        assert_eq!(tool.run(&format!("{ana} artifact versions shop {name}")).code, 2, "{name}");
    }
    assert_eq!(tool.run(&format!("{ana} artifact versions shop USER_STORY/-1")).code, 3);
}

#[test]
fn a_request_goes_through_a_workflow_of_the_project() {
    let tool = shop();
    let [ana, bo] = who(&tool, ["ana", "bo"]);
    assert_eq!(tool.run("workflow show change --output own.json").code, 0);
    let mut own: serde_json::Value = serde_json::from_str(&tool.read("own.json")).unwrap();
    own["name"] = "twice".into();
    own["version"] = 0.into();
    // A second review in the phase of the first.
    let mut second = own["states"][1].clone();
    second["code"] = "SECOND_REVIEW".into();
    own["states"].as_array_mut().unwrap().push(second);
    let ways = own["transitions"].as_array_mut().unwrap();
    for way in &mut *ways {
        if way["from"] == "PENDING_APPROVAL" {
            way["from"] = "SECOND_REVIEW".into();
        }
    }
    let way = serde_json::json!({
        "action": "PASS_ON", "verb": "advance", "from": "PENDING_APPROVAL", "to": "SECOND_REVIEW",
    });
    ways.push(way);
    tool.write("own.json", own.to_string());
    assert_eq!(
        tool.run("workflow set shop own.json").code,
        0,
        "{}",
        tool.run("workflow check own.json").out
    );
    let draft = "request draft shop/pagos/dev --title it --target shop --payload story.json";
    let made = tool.json(&format!("{ana} {draft} --workflow twice --submit"));
    let id = made["header"]["id"].as_str().unwrap_or_else(|| panic!("{made}"));
    let digest = made["digest"].as_str().unwrap();
    let early = tool.run(&format!("{bo} request approve {id} --digest {digest}"));
    assert_eq!(early.code, 6, "{}", early.err);
    let passed = tool.json(&format!("{bo} request advance {id} PASS_ON"));
    assert_eq!(passed["header"]["step"], "SECOND_REVIEW", "{passed}");
    let shown = tool.run(&format!("{ana} request show {id}"));
    assert!(shown.out.contains("twice 1, SECOND_REVIEW"), "{}", shown.out);
    assert_eq!(tool.run(&format!("{bo} request approve {id} --digest {digest}")).code, 0);
    let unknown = tool.run(&format!("{ana} {draft} --workflow thrice"));
    assert_eq!(unknown.code, 4, "{}", unknown.err);
}
