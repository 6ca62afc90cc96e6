//! How objects are made, as one digest: what two looks at the same schema agree on.

use placet_core::digest::Digest;

use crate::guard::OURS;
use crate::marks::literal;
use crate::wire::{Client, Fault};

/// What is asked about each object: where its rows stand, what names schema and object in them, and what is read. Numbers
/// that grow with the data (`AUTO_INCREMENT`, statistics) are left out. Of a routine whose body this user may not see, the
/// time of its last change stands for it.
const PARTS: [(&str, (&str, &str), &str); 9] = [
    (
        "tables",
        ("table_schema", "table_name"),
        "table_type, engine, table_collation, create_options, table_comment",
    ),
    (
        "columns",
        ("table_schema", "table_name"),
        "column_name, ordinal_position, column_default, is_nullable, column_type, \
         character_set_name, collation_name, extra, generation_expression, column_comment",
    ),
    (
        "statistics",
        ("table_schema", "table_name"),
        "index_name, seq_in_index, non_unique, column_name, sub_part, collation, index_type",
    ),
    (
        "key_column_usage",
        ("table_schema", "table_name"),
        "constraint_name, ordinal_position, column_name, referenced_table_schema, \
         referenced_table_name, referenced_column_name",
    ),
    (
        "referential_constraints",
        ("constraint_schema", "table_name"),
        "constraint_name, referenced_table_name, update_rule, delete_rule",
    ),
    (
        "partitions",
        ("table_schema", "table_name"),
        "partition_name, subpartition_name, partition_ordinal_position, partition_method, \
         partition_expression, partition_description",
    ),
    (
        "triggers",
        ("event_object_schema", "event_object_table"),
        "trigger_name, action_timing, event_manipulation, action_order, action_statement, definer, sql_mode",
    ),
    (
        "views",
        ("table_schema", "table_name"),
        "view_definition, check_option, definer, security_type",
    ),
    (
        "routines",
        ("routine_schema", "routine_name"),
        "routine_type, dtd_identifier, COALESCE(routine_definition, CONCAT(created, last_altered)), \
         is_deterministic, sql_data_access, \
         security_type, definer, sql_mode",
    ),
];

/// Rules of rows: MySQL says in another table to which table they belong.
const CHECKS_OF_MARIADB: (&str, (&str, &str), &str) =
    ("check_constraints", ("constraint_schema", "table_name"), "constraint_name, check_clause");
const CHECKS_OF_MYSQL: (&str, (&str, &str), &str) = (
    "table_constraints NATURAL JOIN information_schema.check_constraints",
    ("table_schema", "table_name"),
    "constraint_name, check_clause, enforced",
);

/// The digest of `objects`, or of everything in the database without any.
pub(crate) fn digest(client: &mut Client, objects: &[String]) -> Result<Digest, Fault> {
    let mut parts: Vec<Vec<u8>> = Vec::new();
    let mut sorted: Vec<&String> = objects.iter().collect();
    sorted.sort();
    sorted.dedup();
    let checks = if client.server.is_mariadb { CHECKS_OF_MARIADB } else { CHECKS_OF_MYSQL };
    for (table, (schema, name), columns) in PARTS.into_iter().chain([checks]) {
        if sorted.is_empty() {
            let ours = OURS.join("', '");
            let which = format!("{schema} = DATABASE() AND {name} NOT IN ('{ours}')");
            read(client, (table, name, columns), &which, &mut parts)?;
        }
        for object in &sorted {
            let (wanted_schema, wanted) = match object.split_once('.') {
                Some((schema, object)) => (literal(schema), object),
                None => ("DATABASE()".to_owned(), object.as_str()),
            };
            // Names came in lower case, and the server may tell cases apart.
            let which = format!(
                "LOWER({schema}) = LOWER({wanted_schema}) AND LOWER({name}) = {}",
                literal(&wanted.to_lowercase())
            );
            parts.push(format!("{}:{table} of {object}:", object.len()).into_bytes());
            read(client, (table, name, columns), &which, &mut parts)?;
        }
    }
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    Ok(Digest::of_parts(&parts))
}

/// Each value comes after its length, so that no two schemas look alike.
fn read(
    client: &mut Client,
    (table, name, columns): (&str, &str, &str),
    which: &str,
    parts: &mut Vec<Vec<u8>>,
) -> Result<(), Fault> {
    let mut rows = client
        .rows(&format!("SELECT {name}, {columns} FROM information_schema.{table} WHERE {which}"))?;
    rows.sort();
    parts.push(format!("{table}: {} rows:", rows.len()).into_bytes());
    for value in rows.into_iter().flatten() {
        match value {
            Some(text) => {
                parts.push(format!("={}:", text.len()).into_bytes());
                parts.push(text);
            }
            None => parts.push(b"NULL:".to_vec()),
        }
    }
    Ok(())
}
