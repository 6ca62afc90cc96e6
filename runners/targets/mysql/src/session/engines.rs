//! Tables that no transaction holds: what is written into them stays, whatever happens.

use placet_target::SqlFailure;

use crate::failure::refused;
use crate::guard::{Statement, Token};
use crate::marks::literal;
use crate::session::MySqlSession;

impl MySqlSession {
    /// Refuses a statement that writes into a table without transactions, as far as its text tells: views, triggers and
    /// functions hide their tables. A rollback that leaves something behind says so.
    pub(super) fn check_engines(&mut self, statement: &Statement<'_>) -> Result<(), SqlFailure> {
        for (schema, table) in written(statement) {
            if self.transactional.contains(&(schema.clone(), table.clone())) {
                continue;
            }
            let schema_is = match schema.as_str() {
                "" => "DATABASE()".to_owned(),
                named => literal(named),
            };
            // By equality alone: so the server opens one table, and not all of them.
            let rows = self.client.rows(&format!(
                "SELECT engine FROM information_schema.tables WHERE table_schema = {schema_is} \
                 AND table_name = {} AND table_type = 'BASE TABLE'",
                literal(&table)
            ));
            let rows = self.settled(rows)?;
            let engine = rows.first().and_then(|row| row.first()).and_then(Option::as_deref);
            if engine.is_some_and(|engine| !engine.eq_ignore_ascii_case(b"innodb")) {
                return Err(refused(format!(
                    "the table `{table}` knows no transactions; let the step run alone"
                )));
            }
            let _new = self.transactional.insert((schema, table));
        }
        Ok(())
    }
}

/// The names that may be of tables into which the statement writes, with their schemas.
fn written(statement: &Statement<'_>) -> Vec<(String, String)> {
    let ends: &[&str] = match statement.word(0) {
        "insert" | "replace" => &["values", "value", "select", "set", "with", "table"],
        "update" => &["set"],
        "delete" => &["where", "order", "limit", "returning"],
        "with" => &[],
        _ => return Vec::new(),
    };
    let is_end = |token: &Token| {
        ends.iter().any(|end| token.is(end))
            || *token == Token::Sign('(') && statement.word(0) != "with" && ends.len() > 4
    };
    let tokens: Vec<&Token> =
        statement.tokens.iter().skip(1).take_while(|token| !is_end(token)).collect();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let after = |count: usize| tokens.get(at.saturating_add(count)).copied();
        let mut taken = 1;
        if let Some(name) = token.name() {
            let qualified = (after(1) == Some(&Token::Sign('.')))
                .then(|| after(2).and_then(Token::name))
                .flatten();
            match qualified {
                Some(table) => {
                    found.push((name.to_owned(), table.to_owned()));
                    taken = 3;
                }
                None => found.push((String::new(), name.to_owned())),
            }
        }
        at = at.saturating_add(taken);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::written;
    use crate::guard::{Purpose, check};

    #[test]
    fn the_tables_are_among_the_names() {
        for (text, table) in [
            ("INSERT INTO orders (a) VALUES (1)", ("", "orders")),
            ("INSERT IGNORE INTO `Shop`.`Orders` SET a = 1", ("shop", "orders")),
            ("REPLACE orders SELECT * FROM b", ("", "orders")),
            ("UPDATE a, shop.orders AS o SET o.b = 1", ("shop", "orders")),
            ("DELETE o FROM orders o JOIN b ON o.a = b.a WHERE 1", ("", "orders")),
            ("WITH x AS (SELECT 1) DELETE FROM orders WHERE 1", ("", "orders")),
        ] {
            let statement = check(text, Purpose::Transaction).unwrap();
            let due = (table.0.to_owned(), table.1.to_owned());
            assert!(written(&statement).contains(&due), "{text}");
        }
    }
}
