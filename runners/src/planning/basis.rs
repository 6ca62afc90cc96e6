//! What a plan rests on at its target: the objects that its steps name.

/// A step, as far as its basis goes: its kind, its text, and what it names.
pub(crate) type Named<'a> = (&'a str, &'a str, &'a [String]);

/// The names, each once and in order. Empty where any step does not tell what it touches, for then it is everything; none
/// where no step rests on anything.
pub(crate) fn objects(steps: &[Named<'_>]) -> Option<Vec<String>> {
    let mut all = std::collections::BTreeSet::new();
    let mut rests = false;
    for (kind, body, names) in steps.iter().copied() {
        if names.is_empty() {
            if is_alone(kind, body) {
                continue;
            }
            return Some(Vec::new());
        }
        rests = true;
        all.extend(names.iter().cloned());
    }
    rests.then(|| all.into_iter().collect())
}

/// Whether a step that names nothing rests on nothing: a query without a table, and a SET that the host understands, which is
/// one of a timeout. It calls no other SET a change of the schema.
fn is_alone(kind: &str, body: &str) -> bool {
    let word = body.split_whitespace().next().unwrap_or_default();
    kind == "read" || kind == "ddl" && word.eq_ignore_ascii_case("SET")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rests_on_nothing_does_not_make_it_everything() {
        let orders = ["orders".to_owned()];
        let change = ("write", "DELETE FROM orders", &orders[..]);
        let query = ("read", "SELECT 1", &[][..]);
        let timeout = ("ddl", "SET LOCAL lock_timeout = '5s'", &[][..]);
        let call = ("unknown", "CALL tidy()", &[][..]);
        let schema = ("ddl", "CREATE SCHEMA shop", &[][..]);
        assert_eq!(objects(&[timeout, change, query]), Some(orders.to_vec()));
        assert_eq!(objects(&[query, timeout]), None);
        for anything in [call, schema, ("unknown", "SET ROLE root", &[][..])] {
            assert_eq!(objects(&[change, anything]), Some(Vec::new()));
        }
    }
}
