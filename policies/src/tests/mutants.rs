//! The tests above would notice a broken policy: each condition of the base policies is removed in turn.

use super::{matrix, property, rows};
use crate::CedarAuthorizer;
use crate::builder::base_texts;
use crate::source::Source;

/// Every set of base policies with one condition or one whole policy less, and what is missing.
pub(super) fn mutants() -> Vec<(String, Vec<Source>)> {
    let mut mutants = Vec::new();
    for (at, (file, text)) in base_texts().iter().enumerate() {
        let lines: Vec<_> = text.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            if !(line.starts_with("when") || line.starts_with("unless")) {
                continue;
            }
            let end = if line.ends_with(';') { ";" } else { "" };
            let mut broken = lines.clone();
            broken[number] = end;
            let mut sources: Vec<_> = base_texts()
                .iter()
                .map(|(file, text)| Source { file: (*file).to_owned(), text: (*text).to_owned() })
                .collect();
            sources[at].text = broken.join("\n");
            mutants.push((format!("{file}:{}: {line}", number + 1), sources));
        }
    }
    mutants
}

/// Who notices, if anyone.
fn caught(sources: Vec<Source>, table: &str) -> Option<&'static str> {
    let Ok(broken) = CedarAuthorizer::builder().build_over(sources) else {
        return Some("validator");
    };
    if matrix::table(&broken) != table {
        return Some("matrix");
    }
    if !rows::leaks(&broken).is_empty() {
        return Some("rows");
    }
    property::compare(&broken, 2_000, 7).is_err().then_some("property")
}

#[test]
fn every_removed_condition_is_noticed() {
    let table = matrix::table(&CedarAuthorizer::new().unwrap());
    let mutants = mutants();
    assert!(mutants.len() > 50, "{} mutants are too few", mutants.len());
    let missed: Vec<_> = mutants
        .into_iter()
        .filter_map(|(name, sources)| caught(sources, &table).is_none().then_some(name))
        .collect();
    assert_eq!(missed, Vec::<String>::new());
}

#[test]
fn an_end_that_is_not_checked_is_noticed_by_the_matrix_and_by_chance() {
    let mutants = mutants().into_iter().filter(|(name, _)| name.contains("has until"));
    let mut count = 0;
    let table = matrix::table(&CedarAuthorizer::new().unwrap());
    for (name, sources) in mutants {
        let broken = CedarAuthorizer::builder().build_over(sources).unwrap();
        assert_ne!(matrix::table(&broken), table, "{name}");
        assert!(property::compare(&broken, 2_000, 7).is_err(), "{name}");
        count += 1;
    }
    assert_eq!(count, 4);
}
