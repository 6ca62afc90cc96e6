//! One JSON object a line.

use serde_json::json;

use super::told;
use crate::audit::leaf::Leaf;
use crate::error::Error;

pub(super) fn write(index: u64, leaf: &Leaf, origin: &str) -> Result<String, Error> {
    told::json(&json!({ "index": index, "leaf": leaf, "origin": origin }))
}
