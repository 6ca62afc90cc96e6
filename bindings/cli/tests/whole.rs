//! A whole request, from an empty folder to its proof, with nothing but the program.

use expect_test::expect;
use rusqlite::Connection;

use crate::tool::Tool;

#[test]
fn a_request_is_written_approved_run_and_proven() {
    let mut tool = Tool::shop();
    let database = Connection::open(tool.path("shop.db")).unwrap();
    database
        .execute_batch(
            "CREATE TABLE orders (id INTEGER PRIMARY KEY); INSERT INTO orders VALUES (1), (2);",
        )
        .unwrap();
    let (root, ana, bo) =
        (tool.user("root@example.org"), tool.user("ana@example.org"), tool.user("bo@example.org"));

    tool.calls_as(&ana);
    let draft = "request draft shop/pagos/dev --title Clean --target shop --sql - --submit";
    let words: Vec<&str> =
        ["--sqlite", "shop=shop.db"].into_iter().chain(draft.split(' ')).collect();
    let drafted = tool.run_with(&words, "DELETE FROM orders WHERE id = 1;\n");
    expect![[r#"
        exit 0
        PENDING_APPROVAL req_…
        approvals    0 of 1
        digest       <digest>
    "#]]
    .assert_eq(&drafted.told());
    let list = tool.json("request list shop");
    let id = list["requests"][0]["id"].as_str().unwrap().to_owned();
    let digest = tool.json(&format!("request show {id}"))["digest"].as_str().unwrap().to_owned();

    let own = tool.run(&format!("request approve {id} --digest {digest}"));
    assert_eq!(
        (own.code, own.err.lines().next().unwrap().starts_with("error[denied]:")),
        (5, true)
    );

    tool.calls_as(&bo);
    expect![[r#"
        exit 0
        Clean
        request      req_…
        state        PENDING_APPROVAL
        by           usr_…
        where        prj_…/mod_…/env_…
        revision     1
        changed      <instant>
        digest       <digest>
        approvals    0 of 1
        waits for    1 of those who may approve there

        sql on shop
        DELETE FROM orders WHERE id = 1;

        plan
        step  kind   risk    rows  impact      touches  what
        s1    write  medium  1     lock share  orders   DELETE FROM orders WHERE id = 1
    "#]]
    .assert_eq(&tool.run(&format!("request show {id}")).told());
    let stale = tool.run(&format!("request approve {id} --digest {}", "0".repeat(64)));
    assert_eq!((stale.code, stale.err.contains("error[digest_mismatch]")), (6, true));
    let approved = tool.run(&format!("request approve {id} --digest {digest} --comment fine"));
    assert_eq!(approved.code, 0, "{}", approved.err);
    expect![[r#"
        exit 0
        SUCCEEDED req_…
        digest       <digest>
        succeeded: committed 1 statement
        rows         1
        --
        info: executed
    "#]]
    .assert_eq(&tool.run(&format!("--sqlite shop=shop.db request execute {id}")).told());
    let left: i64 =
        database.query_row("SELECT count(*) FROM orders", (), |row| row.get(0)).unwrap();
    assert_eq!(left, 1);
    let again = tool.run(&format!("--sqlite shop=shop.db request execute {id}"));
    assert_eq!((again.code, again.err.contains("error[wrong_state]")), (6, true), "{}", again.err);
    expect![[r#"
        exit 0
        at                           who                                   what     then              revision  comment
        <instant>  usr_…  DRAFT    DRAFT             1
        <instant>  usr_…  PLAN     DRAFT             1
        <instant>  usr_…  SUBMIT   PENDING_APPROVAL  1
        <instant>  usr_…  APPROVE  APPROVED          1         fine
        <instant>  usr_…  EXECUTE  EXECUTING         1
        <instant>  the system                            FINISH   SUCCEEDED         1
    "#]]
    .assert_eq(&tool.run(&format!("request history {id}")).told());

    // The log says by which door they came in, and which user of the system it was.
    tool.calls_as(&root);
    let trail = tool.json(&format!("audit show --request {id}"));
    let entries = trail["entries"].as_array().unwrap();
    let events: Vec<&str> =
        entries.iter().map(|entry| entry["leaf"]["event"].as_str().unwrap()).collect();
    assert_eq!(events.last(), Some(&"run.finished"));
    // What somebody asked for and was allowed: not the denial, nor the end of the run.
    let allowed = entries.iter().filter(|entry| entry["leaf"]["decisions"][0]["allowed"] == true);
    let allowed: Vec<_> = allowed.collect();
    assert_eq!(allowed.len(), 5, "draft, plan, submit, approve, execute");
    for entry in allowed {
        assert_eq!(entry["leaf"]["channel"], "cli", "{entry}");
        assert_eq!(entry["leaf"]["os_user"].is_u64(), cfg!(unix), "{entry}");
    }

    let key = tool.json("audit export public")["key"].as_str().unwrap().to_owned();
    let verified = tool.json(&format!("audit verify public --key {key}"));
    assert_eq!(verified["verified"], true);

    // Ana may read it, and hands an auditor what proves it. One changed byte is found.
    tool.calls_as(&ana);
    assert_eq!(tool.run(&format!("audit evidence {id} evidence")).code, 0);
    assert_eq!(tool.run(&format!("audit evidence {id} evidence")).code, 6, "it is there already");
    let checked = tool.json(&format!("audit check-evidence evidence --key {key}"));
    assert_eq!((&checked["verified"], &checked["request"]), (&true.into(), &id.as_str().into()));
    let page = tool.read("evidence/report.html");
    assert!(page.contains("DELETE FROM orders"), "{page}");
    tool.write("evidence/report.html", page.replace("DELETE FROM orders", "SELECT * FROM x"));
    let forged = tool.run(&format!("audit check-evidence evidence --key {key}"));
    assert_eq!(forged.code, 1, "{}", forged.err);
    tool.calls_as(&root);

    let index = entries.last().unwrap()["index"].as_u64().unwrap();
    tool.run(&format!("audit prove {index} --output one.tlog-proof --leaf one.json"));
    let checked =
        tool.run(&format!("audit check-proof one.tlog-proof --leaf one.json --key {key}"));
    assert_eq!(checked.code, 0, "{}", checked.err);
    tool.write(
        "one.json",
        tool.read("one.json").replace("SUCCEEDED", "FAILED").replace("succeeded", "failed"),
    );
    let forged = tool.run(&format!("audit check-proof one.tlog-proof --leaf one.json --key {key}"));
    assert_eq!(forged.code, 1, "{}", forged.err);
}
