//! Reads what a component imports, without compiling it.

use std::collections::BTreeSet;

use wasmparser::{Parser, Payload};

/// The names of the imports of the outermost component.
#[expect(clippy::wildcard_enum_match_arm, reason = "a foreign enum with many sections")]
pub(super) fn of_component(bytes: &[u8]) -> Result<BTreeSet<String>, String> {
    let malformed = |error: wasmparser::BinaryReaderError| format!("it is malformed: {error}");
    if !Parser::is_component(bytes) {
        return Err("it is not a WebAssembly component".to_owned());
    }
    let mut found = BTreeSet::new();
    // Modules and components inside have imports of their own, which the outer one satisfies.
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(malformed)? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                depth = depth.saturating_add(1);
            }
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    found.insert(import.map_err(malformed)?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(found)
}
