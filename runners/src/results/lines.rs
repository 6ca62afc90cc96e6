//! Rows as text: one JSON array a line. The same rows are always the same bytes.

use placet_core::digest::to_hex;
use placet_target::SqlValue;
use serde_json::{Value, json};

/// The first line: the names of the columns.
pub(crate) fn header(columns: &[String]) -> Vec<u8> {
    written(columns.iter().map(|name| Value::from(name.as_str())).collect())
}

/// The line of a row. Values whose place in `hidden` is true are not shown.
pub(crate) fn line(row: &[SqlValue], hidden: &[bool]) -> Vec<u8> {
    // A value that nobody judged is hidden too.
    let judged = hidden.iter().copied().chain(core::iter::repeat(true));
    let shown = row.iter().zip(judged);
    written(
        shown.map(|(value, is_hidden)| if is_hidden { masked() } else { json_of(value) }).collect(),
    )
}

fn masked() -> Value {
    json!({ "masked": true })
}

fn written(values: Vec<Value>) -> Vec<u8> {
    let mut line = Value::Array(values).to_string().into_bytes();
    line.push(b'\n');
    line
}

fn json_of(value: &SqlValue) -> Value {
    match value {
        SqlValue::Null => Value::Null,
        SqlValue::Boolean(yes) => Value::from(*yes),
        SqlValue::Int64(number) => Value::from(*number),
        // JSON has no infinity and no NaN.
        SqlValue::Float64(number) if number.is_finite() => Value::from(*number),
        SqlValue::Float64(number) => Value::from(number.to_string()),
        SqlValue::Decimal(text)
        | SqlValue::Text(text)
        | SqlValue::Timestamp(text)
        | SqlValue::Json(text) => Value::from(text.as_str()),
        SqlValue::Bytes(bytes) => json!({ "hex": to_hex(bytes) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_value_has_one_writing() {
        let row = [
            SqlValue::Null,
            SqlValue::Boolean(true),
            SqlValue::Int64(i64::MAX),
            SqlValue::Float64(0.1),
            SqlValue::Float64(f64::NEG_INFINITY),
            SqlValue::Decimal("1.20".to_owned()),
            SqlValue::Text("a\"\n".to_owned()),
            SqlValue::Bytes(vec![0, 255]),
        ];
        let written = String::from_utf8(line(&row, &[false; 8])).unwrap();
        let expected =
            r#"[null,true,9223372036854775807,0.1,"-inf","1.20","a\"\n",{"hex":"00ff"}]"#;
        assert_eq!(written, format!("{expected}\n"));
    }

    #[test]
    fn what_nobody_judged_is_hidden() {
        let row = [SqlValue::Int64(1), SqlValue::Int64(2), SqlValue::Int64(3)];
        let written = String::from_utf8(line(&row, &[false, true])).unwrap();
        assert_eq!(written, "[1,{\"masked\":true},{\"masked\":true}]\n");
    }
}
