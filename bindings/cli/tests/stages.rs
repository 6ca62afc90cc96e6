//! A batch, what runs by itself, and a promotion, from a terminal.

use crate::tool::Tool;

const SQLITE: &str = "--sqlite shop=shop.db --sqlite second=second.db";

/// A shop with two stages, of which the first runs by itself.
fn shop() -> Tool {
    let tool = Tool::shop();
    for file in ["shop.db", "second.db"] {
        let database = rusqlite::Connection::open(tool.path(file)).unwrap();
        let table =
            "CREATE TABLE orders (id INTEGER PRIMARY KEY); INSERT INTO orders VALUES (1), (2);";
        database.execute_batch(table).unwrap();
    }
    for words in [
        "org create-environment --project shop --code prod --name Prod --priority 2 --criticality high",
        "org set-promotion --project shop --environment prod --from dev --only-promoted",
        "org set-execution --project shop --environment dev --automatic --attempts-max 1",
    ] {
        let ran = tool.run(words);
        assert_eq!(ran.code, 0, "{words}: {}", ran.err);
    }
    tool.write("script.sql", "DELETE FROM orders WHERE id = 1;");
    tool
}

#[test]
fn a_batch_runs_by_itself_and_goes_to_the_next_stage() {
    let tool = shop();
    let [ana, bo] =
        ["ana@example.org", "bo@example.org"].map(|email| format!("--as {}", tool.user(email)));
    let draft = format!(
        "{ana} {SQLITE} request draft shop/pagos/dev --title it --target shop --target second --sql script.sql --submit"
    );
    let made = tool.json(&draft);
    let id = made["header"]["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    let digest = made["digest"].as_str().unwrap();
    let approved = tool.run(&format!("{bo} request approve {id} --digest {digest}"));
    assert_eq!(approved.code, 0, "{}", approved.err);
    let ran = tool.run(&format!("{SQLITE} request run-due"));
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("SUCCEEDED"), "{}", ran.out);
    let shown = tool.json(&format!("{ana} request show {id}"));
    assert_eq!(shown["runs"].as_array().unwrap().len(), 2, "{shown}");
    assert_eq!(shown["plans_then"].as_array().unwrap().len(), 1, "{shown}");
    let again = tool.run(&format!("{bo} {SQLITE} request rerun {id}"));
    assert_eq!((again.code, again.err.contains("error[wrong_state]")), (6, true), "{}", again.err);
    let direct = tool.run(&draft.replace("shop/pagos/dev", "shop/pagos/prod"));
    assert!(direct.err.contains("only changes that were promoted"), "{}", direct.err);
    let next = tool.json(&format!("{ana} {SQLITE} request promote {id} --to shop/pagos/prod"));
    assert_eq!(next["header"]["promoted_from"].as_str(), Some(&*id), "{next}");
}
