//! How many rows a statement means, as the server's planner expects.

use placet_target::SqlFailure;
use serde_json::Value;

use crate::fault::shifted;
use crate::guard::Statement;
use crate::lexer::Token;
use crate::work::Work;

const EXPLAIN: &str = "EXPLAIN (FORMAT JSON) ";

impl Work {
    /// EXPLAIN without running. The caller has begun to read.
    pub(crate) async fn estimate(
        &self,
        statement: &Statement<'_>,
    ) -> Result<Option<u64>, SqlFailure> {
        let verbs = ["select", "insert", "update", "delete", "merge", "with", "values", "table"];
        // A statement with parameters has no plan of its own.
        let has_parameters = statement.pieces.iter().any(|piece| piece.token == Token::Sign('$'));
        if has_parameters || !verbs.contains(&statement.verb.as_str()) {
            return Ok(None);
        }
        let explain = format!("{EXPLAIN}{}", statement.text);
        let plan = self.link.text(&explain).await;
        let plan = plan.map_err(|trouble| shifted(trouble, EXPLAIN))?;
        Ok(plan.and_then(|text| rows_of(&text)))
    }
}

fn rows_of(text: &str) -> Option<u64> {
    let plans: Value = serde_json::from_str(text).ok()?;
    let mut plan = plans.get(0)?.get("Plan")?;
    // What writes expects no rows for itself; what feeds it does.
    if plan.get("Node Type")?.as_str()? == "ModifyTable" {
        plan = plan.get("Plans").and_then(|below| below.get(0)).unwrap_or(plan);
    }
    plan.get("Plan Rows")?.as_u64()
}

#[cfg(test)]
mod tests {
    use super::rows_of;

    #[test]
    fn rows_are_those_of_what_feeds_a_write() {
        let read = r#"[{"Plan": {"Node Type": "Seq Scan", "Plan Rows": 7}}]"#;
        assert_eq!(rows_of(read), Some(7));
        let write = r#"[{"Plan": {"Node Type": "ModifyTable", "Plan Rows": 0,
            "Plans": [{"Node Type": "Seq Scan", "Plan Rows": 9}]}}]"#;
        assert_eq!(rows_of(write), Some(9));
        assert_eq!(rows_of("[]"), None);
    }
}
