//! Reads what a component imports and exports, without compiling it.

use std::collections::BTreeSet;

use wasmparser::{Parser, Payload};

/// What the outermost component imports and exports.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) imports: BTreeSet<String>,
    exports: BTreeSet<String>,
}

impl Names {
    /// All of them.
    pub(super) fn all(&self) -> BTreeSet<String> {
        self.imports.union(&self.exports).cloned().collect()
    }
}

/// The names of what the outermost component imports and exports.
#[expect(clippy::wildcard_enum_match_arm, reason = "a foreign enum with many sections")]
pub(super) fn of_component(bytes: &[u8]) -> Result<Names, String> {
    let malformed = |error: wasmparser::BinaryReaderError| format!("it is malformed: {error}");
    if !Parser::is_component(bytes) {
        return Err("it is not a WebAssembly component".to_owned());
    }
    let mut found = Names::default();
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
                    found.imports.insert(import.map_err(malformed)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    found.exports.insert(export.map_err(malformed)?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(found)
}
