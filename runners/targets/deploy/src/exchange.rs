//! One call: how long it may take, what stops it, and whether it may write.

use core::time::Duration;

use placet_target::StopSignal;

/// What a call of an endpoint or a command is bound to.
///
/// ```
/// use core::time::Duration;
/// use placet_target::StopSignal;
/// use placet_target_deploy::Exchange;
///
/// let stop = StopSignal::new();
/// let look = Exchange::reading(Duration::from_secs(10), &stop);
/// assert!(look.is_read_only);
/// let act = Exchange::writing(Duration::from_secs(10), &stop).with_idempotency_key("req-1.1.1");
/// assert_eq!(act.idempotency_key.as_deref(), Some("req-1.1.1"));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Exchange {
    /// How long the whole call may take, from the name's look-up to the last byte of the answer.
    pub time_left: Duration,
    /// Ends the call once raised.
    pub stop: StopSignal,
    /// Whether only what reads is allowed, as while planning and verifying.
    pub is_read_only: bool,
    /// What the host sends as `Idempotency-Key` with a write.
    pub idempotency_key: Option<String>,
}

impl Exchange {
    /// A call that reads.
    pub fn reading(time_left: Duration, stop: &StopSignal) -> Self {
        Self { time_left, stop: stop.clone(), is_read_only: true, idempotency_key: None }
    }

    /// A call that may write.
    pub fn writing(time_left: Duration, stop: &StopSignal) -> Self {
        Self { is_read_only: false, ..Self::reading(time_left, stop) }
    }

    /// Sets what the host sends as `Idempotency-Key` with a write.
    #[must_use]
    pub fn with_idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }
}
