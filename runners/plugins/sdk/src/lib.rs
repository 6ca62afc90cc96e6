//! What a plugin author links: the types of `placet:runner@0.1.0` and one trait, [`Plugin`].
//!
//! ```
//! #![cfg_attr(target_family = "wasm", no_std)]
//! # extern crate alloc;
//! # use alloc::{string::String, vec, vec::Vec};
//! use placet_plugin_sdk::{ChangePlan, Finding, Info, Job, Outcome, Plugin, report};
//!
//! /// Greets, and changes nothing.
//! struct Hello;
//!
//! impl Plugin for Hello {
//!     fn execute(_job: Job, approved: ChangePlan) -> Outcome {
//!         Outcome::Succeeded(report("greeted", Some(approved.steps.len() as u64)))
//!     }
//!     // ... and the others
//! #   fn describe() -> Info {
//! #       let (name, version, title) = ("hello".into(), "0.1.0".into(), "Hello".into());
//! #       Info { name, version, title, payload_schema: "{}".into(), supports: vec!["execute".into()] }
//! #   }
//! #   fn validate(_payload: &str) -> Vec<Finding> {
//! #       Vec::new()
//! #   }
//! #   fn plan(_job: Job) -> Result<ChangePlan, String> {
//! #       Err("nothing to plan".into())
//! #   }
//! #   fn verify(_job: Job, _approved: ChangePlan) -> Outcome {
//! #       Outcome::Succeeded(report("nothing to find out", None))
//! #   }
//! }
//!
//! #[cfg(target_family = "wasm")]
//! placet_plugin_sdk::export_plugin!(Hello);
//! # assert_eq!(Hello::describe().name, "hello");
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
    // All capabilities at once. A finished component imports those that it calls, and no others: what nobody calls
    // is not linked.
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "
            package placet:plugin;
            world any {
                include placet:runner/base@0.1.0;
                import placet:runner/sql@0.1.0;
                import placet:runner/http@0.1.0;
                import placet:runner/command@0.1.0;
            }
        ",
        world: "placet:plugin/any",
        pub_export_macro: true,
        generate_all,
    });
}

pub mod host; // what a plugin reaches, as traits
pub mod once; // sending what was approved, once
mod stop; // where a run ended
#[cfg(feature = "testing")]
pub mod testing; // a host to test against

/// One call as exact text: what the steps of a plan hold.
pub use placet_exchange as exchange;

pub use bindings::exports::placet::runner::runner::Info;
/// Named commands. A plugin that calls into it asks for the capability `command`.
pub use bindings::placet::runner::command;
/// Logs, progress, checkpoints and cancellation.
pub use bindings::placet::runner::context;
/// Named HTTP endpoints. A plugin that calls into it asks for the capability `http`.
pub use bindings::placet::runner::http;
/// Named SQL connections. A plugin that calls into it asks for the capability `sql`.
pub use bindings::placet::runner::sql;
/// The values that cross.
pub use bindings::placet::runner::types::{
    Artifact, ChangePlan, ExecutionId, Failure, Finding, Job, Outcome, Report, Step,
};

pub use stop::Stop;

/// What a plugin does. One value per call: nothing is kept between two calls.
///
/// ```
/// use placet_plugin_sdk::{ChangePlan, Finding, Info, Job, Outcome, Plugin, failure, finding, report};
///
/// struct Hello;
///
/// impl Plugin for Hello {
///     fn describe() -> Info {
///         Info {
///             name: "hello".into(),
///             version: "0.1.0".into(),
///             title: "Hello".into(),
///             payload_schema: r#"{"type": "string", "minLength": 1}"#.into(),
///             supports: vec!["plan".into(), "execute".into(), "verify".into()],
///         }
///     }
///
///     fn validate(payload: &str) -> Vec<Finding> {
///         let nobody = finding("error", "hello.nobody", "say whom to greet");
///         if payload == r#""""# { vec![nobody] } else { Vec::new() }
///     }
/// #   fn plan(_job: Job) -> Result<ChangePlan, String> { Err("nothing to plan".into()) }
///
///     fn execute(_job: Job, approved: ChangePlan) -> Outcome {
///         match approved.steps.first() {
///             Some(step) => Outcome::Succeeded(report(&step.title, None)),
///             None => Outcome::Failed(failure("hello.nobody", "there is nobody to greet")),
///         }
///     }
///
///     fn verify(_job: Job, _approved: ChangePlan) -> Outcome {
///         Outcome::Unknown(failure("unknown", "a greeting leaves no trace"))
///     }
/// }
/// assert_eq!(Hello::validate(r#""""#).len(), 1);
/// assert!(Hello::validate(r#""Ana""#).is_empty());
/// ```
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

/// A finding about no place in particular. The level is `info`, `warning` or `error`.
///
/// ```
/// use placet_plugin_sdk::{Finding, finding};
///
/// let long = Finding { line: Some(3), ..finding("warning", "hello.long", "a long name") };
/// assert!(!long.needs_person);
/// ```
pub fn finding(level: &str, code: &str, message: &str) -> Finding {
    Finding {
        level: level.into(),
        code: code.into(),
        message: message.into(),
        step: None,
        line: None,
        position: None,
        help: None,
        needs_person: false,
    }
}

/// A failure with a stable code and a message, and nothing applied.
///
/// ```
/// use placet_plugin_sdk::{Failure, Outcome, failure};
///
/// // Trying again later may help, so it says so.
/// let busy = Failure { retryable: true, ..failure("hello.busy", "somebody else is talking") };
/// assert!(busy.applied.is_empty());
/// assert!(matches!(Outcome::Failed(busy), Outcome::Failed(_)));
/// ```
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
///
/// ```
/// let done = placet_plugin_sdk::report("3 orders closed", Some(3));
/// assert_eq!(done.rows_affected, Some(3));
/// assert!(done.artifacts.is_empty());
/// ```
pub fn report(summary: &str, rows_affected: Option<u64>) -> Report {
    Report { summary: summary.into(), rows_affected, details: None, artifacts: Vec::new() }
}

/// Exports a type that implements [`Plugin`] as the component's runner. Once in a plugin.
///
/// ```
/// # use placet_plugin_sdk::{ChangePlan, Finding, Info, Job, Outcome, Plugin, failure, report};
/// # struct Hello;
/// # impl Plugin for Hello {
/// #     fn describe() -> Info { panic!() }
/// #     fn validate(_: &str) -> Vec<Finding> { Vec::new() }
/// #     fn plan(_: Job) -> Result<ChangePlan, String> { Err(String::new()) }
/// #     fn execute(_: Job, _: ChangePlan) -> Outcome { Outcome::Succeeded(report("greeted", None)) }
/// #     fn verify(_: Job, _: ChangePlan) -> Outcome { Outcome::Succeeded(report("greeted", None)) }
/// # }
/// // `Hello` implements `Plugin`. The host calls these functions and no others.
/// placet_plugin_sdk::export_plugin!(Hello);
/// # assert!(Hello::validate("{}").is_empty());
/// ```
#[macro_export]
macro_rules! export_plugin {
    ($plugin:ty) => {
        const _: () = {
            extern crate alloc;
            use alloc::{string::String, vec::Vec};

            struct Exported;

            impl $crate::bindings::exports::placet::runner::runner::Guest for Exported {
                fn describe() -> $crate::Info {
                    <$plugin as $crate::Plugin>::describe()
                }
                fn validate(payload: String) -> Vec<$crate::Finding> {
                    <$plugin as $crate::Plugin>::validate(&payload)
                }
                fn plan(job: $crate::Job) -> Result<$crate::ChangePlan, String> {
                    <$plugin as $crate::Plugin>::plan(job)
                }
                fn execute(job: $crate::Job, approved: $crate::ChangePlan) -> $crate::Outcome {
                    <$plugin as $crate::Plugin>::execute(job, approved)
                }
                fn verify(job: $crate::Job, approved: $crate::ChangePlan) -> $crate::Outcome {
                    <$plugin as $crate::Plugin>::verify(job, approved)
                }
                fn rollback(job: $crate::Job, approved: $crate::ChangePlan) -> $crate::Outcome {
                    <$plugin as $crate::Plugin>::rollback(job, approved)
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

    let Ok(wanted) = Layout::from_size_align(new_len, align) else { trap() };
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

/// Ends the call. A panic would carry the line that it stands on, so that every edit above it, a comment even,
/// would make another plugin of other bytes.
fn trap() -> ! {
    #[cfg(target_arch = "wasm32")]
    core::arch::wasm32::unreachable();
    #[cfg(not(target_arch = "wasm32"))]
    panic!()
}
