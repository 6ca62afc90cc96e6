//! Bytes that may be loaded as machine code, and the loading.

use wasmtime::Engine;
use wasmtime::component::Component;

/// What wasmtime made of a component. Loading it runs what it says, so one comes only from a file that bears our
/// MAC, or whole from the compiler that the host named.
#[derive(Debug)]
pub(super) struct Trusted(Vec<u8>);

impl Trusted {
    /// These bytes, which the caller has checked in one of the two ways.
    pub(super) const fn checked(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Loads it. Fails where it was made by another wasmtime or by other settings.
    #[expect(
        unsafe_code,
        reason = "compiled code is loaded by an unsafe function, and this is the one place that calls it"
    )]
    pub(super) fn load(&self, engine: &Engine) -> wasmtime::Result<Component> {
        // SAFETY: `deserialize` asks for bytes that `serialize` or `precompile_component` made and nobody changed.
        // `Trusted` is made in two places. `folder` makes it of bytes that are in this process's memory already and
        // whose HMAC, under a key that only this host has, is that of a file that this host wrote. `envelope` makes it
        // of what the host's own compiler wrote, whole by its digest; that program is trusted as this one is. What
        // another wasmtime or other settings made is refused by `deserialize` itself.
        unsafe { Component::deserialize(engine, &self.0) }
    }
}
