//! Rules about approvals, from a terminal: "1 QA and 1 PO" is not two of QA.

use expect_test::expect;

use crate::tool::Tool;

const QUORUM: &str = r#"{"stages": [{"name": "review", "need": {"all_of": [
    {"n_of": {"n": 1, "of": [{"project_role": "QA"}]}},
    {"n_of": {"n": 1, "of": [{"project_role": "PO"}]}}]}}],
    "order": "parallel", "exclude": {"executor": true}}"#;

/// A shop in which Bo and Cy are of QA, and Dee is a product owner.
fn shop() -> Tool {
    let tool = Tool::shop();
    rusqlite::Connection::open(tool.path("shop.db"))
        .unwrap()
        .execute_batch("CREATE TABLE orders (id INTEGER PRIMARY KEY);")
        .unwrap();
    tool.write("script.sql", "DELETE FROM orders WHERE id = 1;");
    tool.write("quorum.json", QUORUM);
    for words in [
        "org create-user --email cy@example.org --name Cy",
        "org create-user --email dee@example.org --name Dee",
        "org create-user --email ci@example.org --name CI --kind agent",
        "org create-role --project shop --name QA",
        "org create-role --project shop --name PO",
        "org create-role --project shop --name CI",
        "org create-permission --permission shop:*:*:check",
        "org allow-role --project shop --role CI --permission shop:*:*:check",
        "org allow-role --project shop --role QA --permission shop:*:*:approve",
        "org allow-role --project shop --role PO --permission shop:*:*:approve",
        "org assign-role --project shop --user bo@example.org --role QA",
        "org assign-role --project shop --user cy@example.org --role QA",
        "org assign-role --project shop --user dee@example.org --role PO",
        "org assign-role --project shop --user ci@example.org --role CI",
        "org add-member --project shop --team Checkout --user cy@example.org",
        "org add-member --project shop --team Checkout --user dee@example.org",
        "org add-member --project shop --team Checkout --user ci@example.org",
    ] {
        let ran = tool.run(words);
        assert_eq!(ran.code, 0, "{words}: {}", ran.err);
    }
    tool
}

#[test]
fn one_of_each_is_not_two_of_one() {
    let tool = shop();
    let put = tool.json(
        "rule quorum --project shop --position 1 --name both --module pagos --risk low --quorum quorum.json",
    );
    let rule = put["id"].as_str().unwrap_or_else(|| panic!("{put}")).to_owned();
    let words =
        ["rule", "block", "--project", "shop", "--name", "tested first", "--check", "tests"];
    assert_eq!(tool.run_with(&words, "").code, 0);
    expect![[r#"
        exit 0
        quorums, the first that fits
        position  name  when                     needs                                                      id
        1         both  pagos, risk low or more  review: 1 of role QA and 1 of role PO; not by who runs it  rul_…

        what stops approvals
        name          when    stopped by                    id
        tested first  always  check tests, until it passed  rul_…
    "#]]
    .assert_eq(&tool.run("rule list shop").told());

    let who = |email: &str| format!("--as {}", tool.user(email));
    let [ana, bo, cy, dee, ci] =
        ["ana", "bo", "cy", "dee", "ci"].map(|name| who(&format!("{name}@example.org")));
    let made = tool.json(&format!(
        "{ana} --sqlite shop=shop.db request draft shop/pagos/dev --title it --target shop --sql script.sql --submit"
    ));
    let id = made["header"]["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    let digest = made["digest"].as_str().unwrap().to_owned();
    let approve =
        |caller: &str| tool.json(&format!("{caller} request approve {id} --digest {digest}"));
    assert_eq!(approve(&bo)["error"]["code"], "blocked");
    let report = |caller: &str, how: &str| {
        tool.run(&format!("{caller} check report {id} --name tests --digest {digest} {how}"))
    };
    assert_eq!(report(&ana, "--passed").code, 5);
    assert_eq!(report(&ci, "--passed --failed").code, 2);
    assert_eq!(report(&ci, "--failed").code, 0);
    assert_eq!(approve(&bo)["error"]["code"], "blocked");
    expect![[r#"
        exit 0
        passed tests of req_…
    "#]]
    .assert_eq(&report(&ci, "--passed").told());
    assert_eq!(approve(&bo)["header"]["step"], "PENDING_APPROVAL");
    assert_ne!(approve(&cy)["header"]["step"], "APPROVED", "two of QA are no product owner");
    assert_eq!(approve(&dee)["header"]["step"], "APPROVED");
    let own = tool.run(&format!("{bo} --sqlite shop=shop.db request execute {id}"));
    assert_eq!(own.code, 5, "who approved does not run it: {}", own.err);

    let changed = tool.run(&format!(
        "rule quorum --project shop --rule {rule} --position 2 --name both --people 1 --role PO"
    ));
    assert_eq!(changed.code, 0, "{}", changed.err);
    let list = tool.json("rule list shop");
    assert_eq!(list["quorum_rules"][0]["needs"], "approval: 1 of role PO", "{list}");
    assert_eq!(tool.run(&format!("rule remove --project shop --rule {rule}")).code, 0);
    assert_eq!(tool.json("rule list shop")["quorum_rules"].as_array().unwrap().len(), 0);
}

#[test]
fn a_rule_that_says_nothing_or_too_much_is_refused() {
    let tool = shop();
    let put = "rule quorum --project shop --position 1 --name x";
    for (code, words) in [
        (2, put.to_owned()),
        (2, format!("{put} --people 1 --quorum quorum.json")),
        (2, "rule block --project shop --name x".to_owned()),
        (2, "rule block --project shop --name x --open-threads --check tests".to_owned()),
        (2, format!("{put} --people 1 --risk enormous")),
        (3, format!("{put} --people 0")),
        (3, format!("{put} --quorum typo.json")),
        (3, format!("{put} --quorum nobody.json")),
        (3, format!("{put} --quorum shop.db")),
        (4, format!("{put} --quorum role.json")),
        (4, format!("{put} --people 1 --module pagas")),
        (4, "rule remove --project shop --rule rul_00000000000000000000000000000001".to_owned()),
    ] {
        tool.write("typo.json", QUORUM.replace("exclude", "excludes"));
        tool.write("nobody.json", r#"{"stages": []}"#);
        tool.write("role.json", QUORUM.replace("QA", "QB"));
        let refused = tool.run(&words);
        assert_eq!(refused.code, code, "{words}: {}{}", refused.out, refused.err);
    }
    // In a file of commands nothing checks the words before the command itself does.
    for when in [
        r#""people": 1, "quorum": {"stages": []}"#,
        r#""role": "QA""#,
        r#""people": 1, "when": {"modul": ["pagos"]}"#,
    ] {
        let command =
            r#"[{"command": "put-quorum-rule", "project": "shop", "position": 1, "name": "x", "#;
        tool.write("rules.json", format!("{command}{when}}}]"));
        assert_eq!(tool.run("org apply rules.json").code, 3, "{when}");
    }
    assert_eq!(tool.run("rule list shop").out, "no rule: the quorum of the environment holds\n");
    let whole = format!(
        r#"[{{"command": "put-quorum-rule", "project": "shop", "position": 1, "name": "x", "quorum": {QUORUM}}},
            {{"command": "put-blocking-rule", "project": "shop", "name": "y", "open_threads": true,
              "when": {{"environments": ["dev"], "criticality": "low", "findings": ["sql.no_where"]}}}}]"#
    );
    tool.write("rules.json", whole);
    let applied = tool.run("org apply rules.json");
    assert_eq!(applied.code, 0, "{}", applied.err);
    assert_eq!(tool.json("rule list shop")["blocking_rules"][0]["block"], "open_threads");
}
