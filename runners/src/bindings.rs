//! The plugin interface, generated from `wit/`.
#![expect(
    clippy::all,
    clippy::restriction,
    reason = "generated from `wit/runner.wit`, where the words are"
)]

wasmtime::component::bindgen!({
    path: "wit",
    world: "sql-runner",
    imports: { default: trappable },
    with: {
        "placet:runner/sql.connection": crate::link::ConnectionEntry,
        "placet:runner/sql.transaction": crate::link::TransactionEntry,
        "placet:runner/sql.rows": crate::link::RowsEntry,
    },
});

pub(crate) use placet::runner::{context, sql, types};
