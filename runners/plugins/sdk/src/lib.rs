//! What a plugin author links: the types of `placet:runner@0.1.0` and one trait, [`Plugin`].
//!
//! ```ignore
//! #![no_std]
//! use placet_plugin_sdk::{Plugin, export_plugin};
//! struct Mine;
//! impl Plugin for Mine { /* ... */ }
//! export_plugin!(Mine);
//! ```
//!
//! The crate needs no standard library, so that a finished plugin imports nothing but what it uses of
//! placet: no WASI at all. It brings an allocator, and a panic ends the call in a trap.
#![no_std]

extern crate alloc;

use alloc::string::String;
use alloc::vec::Vec;

#[doc(hidden)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "sql-runner",
        pub_export_macro: true,
        generate_all,
    });
}

pub use bindings::exports::placet::runner::runner::Info;
/// Logs, progress, checkpoints and cancellation.
pub use bindings::placet::runner::context;
/// Named SQL connections. A plugin that calls into it asks for the capability `sql`.
pub use bindings::placet::runner::sql;
/// The values that cross.
pub use bindings::placet::runner::types::{
    Artifact, ChangePlan, ExecutionId, Failure, Finding, Job, Outcome, Report, Step,
};

/// What a plugin does. One value per call: nothing is kept between two calls.
pub trait Plugin {
    /// Says what it is.
    fn describe() -> Info;

    /// Looks at a payload. Reaches nothing.
    fn validate(payload: &str) -> Vec<Finding>;

    /// Says what executing the job would do. Reaches its targets for reading only.
    fn plan(job: Job) -> Result<ChangePlan, String>;

    /// Does what was approved.
    fn execute(job: Job, approved: ChangePlan) -> Outcome;

    /// Finds out what became of an earlier execution. Reaches its targets for reading only.
    fn verify(job: Job, approved: ChangePlan) -> Outcome;

    /// Undoes what was approved, as a request of its own. Few can.
    fn rollback(_job: Job, _approved: ChangePlan) -> Outcome {
        Outcome::Failed(failure(
            "unsupported",
            "this plugin cannot roll back; ask for a new change",
        ))
    }
}

/// A failure with a stable code and a message, and nothing applied.
pub fn failure(code: &str, message: &str) -> Failure {
    Failure {
        applied: Vec::new(),
        code: code.into(),
        message: message.into(),
        step: None,
        retryable: false,
        details: None,
    }
}

/// A report of one sentence.
pub fn report(summary: &str, rows_affected: Option<u64>) -> Report {
    Report { summary: summary.into(), rows_affected, details: None, artifacts: Vec::new() }
}

/// Exports a type that implements [`Plugin`] as the component's runner. Once in a plugin.
#[macro_export]
macro_rules! export_plugin {
    ($plugin:ty) => {
        const _: () = {
            extern crate alloc;
            use alloc::{string::String, vec::Vec};
            use $crate::Plugin as _;

            struct Exported;

            impl $crate::bindings::exports::placet::runner::runner::Guest for Exported {
                fn describe() -> $crate::Info {
                    <$plugin>::describe()
                }
                fn validate(payload: String) -> Vec<$crate::Finding> {
                    <$plugin>::validate(&payload)
                }
                fn plan(job: $crate::Job) -> Result<$crate::ChangePlan, String> {
                    <$plugin>::plan(job)
                }
                fn execute(job: $crate::Job, approved: $crate::ChangePlan) -> $crate::Outcome {
                    <$plugin>::execute(job, approved)
                }
                fn verify(job: $crate::Job, approved: $crate::ChangePlan) -> $crate::Outcome {
                    <$plugin>::verify(job, approved)
                }
                fn rollback(job: $crate::Job, approved: $crate::ChangePlan) -> $crate::Outcome {
                    <$plugin>::rollback(job, approved)
                }
            }

    $crate::bindings::export!(Exported with_types_in $crate::bindings);

            /// Where the host puts what it hands in. It must be the allocator of this crate and not the C
            /// library's, because Rust frees what comes in.
            #[unsafe(no_mangle)]
            unsafe extern "C" fn cabi_realloc(
                old: *mut u8,
                old_len: usize,
                align: usize,
                new_len: usize,
            ) -> *mut u8 {
                // SAFETY: the component's adapter calls it as the canonical ABI asks for.
                unsafe { $crate::reallocate(old, old_len, align, new_len) }
            }
        };
    };
}

/// Grows `old`, or allocates anew when `old_len` is zero. Part of [`export_plugin`].
///
/// # Safety
///
/// As the canonical ABI asks for: `old`, `old_len` and `align` are those of an earlier call.
#[doc(hidden)]
pub unsafe fn reallocate(old: *mut u8, old_len: usize, align: usize, new_len: usize) -> *mut u8 {
    use alloc::alloc::{Layout, alloc, handle_alloc_error, realloc};

    let Ok(wanted) = Layout::from_size_align(new_len, align) else { panic!() };
    if new_len == 0 {
        return wanted.dangling_ptr().as_ptr();
    }
    // SAFETY: neither size is zero, and `old` came from here with `old_len` and `align`.
    let got = unsafe {
        if old_len == 0 {
            alloc(wanted)
        } else {
            realloc(old, Layout::from_size_align_unchecked(old_len, align), new_len)
        }
    };
    if got.is_null() {
        handle_alloc_error(wanted);
    }
    got
}

#[cfg(target_family = "wasm")]
mod machine {
    // Rust's core calls `memcmp` and its kin, and on this target they stand in the C library. Nothing of
    // it that asks for WASI is linked.
    #[link(name = "c")]
    unsafe extern "C" {}

    #[global_allocator]
    static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

    #[panic_handler]
    fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
        core::arch::wasm32::unreachable()
    }
}
