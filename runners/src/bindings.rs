//! The plugin interface, generated from `wit/`.
#![expect(
    clippy::all,
    clippy::restriction,
    reason = "generated from `wit/runner.wit`, where the words are"
)]

wasmtime::component::bindgen!({
    path: "wit",
    // Every interface that this host serves. A component imports of them what it needs.
    inline: "
        package placet:host;
        world any {
            include placet:runner/base@0.1.0;
            import placet:runner/sql@0.1.0;
            import placet:runner/http@0.1.0;
            import placet:runner/command@0.1.0;
        }
    ",
    world: "placet:host/any",
    imports: { default: trappable },
    with: {
        "placet:runner/sql.connection": crate::link::ConnectionEntry,
        "placet:runner/sql.transaction": crate::link::TransactionEntry,
        "placet:runner/sql.rows": crate::link::RowsEntry,
    },
});

pub(crate) use placet::runner::{command, context, http, sql, types};
