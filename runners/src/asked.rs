//! What a payload asks the host for, besides what the plugin reads in it. Payloads of other plugins ask for nothing.

/// What a payload asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    /// Each step is to take effect by itself.
    pub(crate) by_steps: bool,
}

impl Asked {
    pub(crate) fn of_payload(payload: &str) -> Self {
        let value: serde_json::Value = serde_json::from_str(payload).unwrap_or_default();
        let mode = value.get("mode").and_then(serde_json::Value::as_str);
        Self { by_steps: mode == Some("steps") }
    }
}
