//! The labelled points of a run that the host itself reaches. See [`placet_target::points`].

/// Every point that the host reaches while a plugin runs, beside those of the driver.
///
/// ```
/// assert!(placet_runners::POINTS.contains(&"host.commit.noted"));
/// ```
pub const POINTS: &[&str] = &[
    PLUGIN_ENTERED,
    PLUGIN_LEFT,
    SESSION_OPENED,
    TRANSACTION_BEGUN,
    STEP_SENT,
    STEP_RAN,
    COMMIT_NOTED,
    COMMIT_ANSWERED,
    MARK_NOTED,
    MARK_ANSWERED,
    ALONE_NOTED,
    ALONE_ANSWERED,
    ANSWER_BEGUN,
    ANSWER_READ,
    ANSWER_KEPT,
    CALL_NOTED,
    CALL_ANSWERED,
    CALL_SETTLED,
];

pub(crate) const PLUGIN_ENTERED: &str = "host.plugin.entered";
pub(crate) const PLUGIN_LEFT: &str = "host.plugin.left";
pub(crate) const SESSION_OPENED: &str = "host.session.opened";
pub(crate) const TRANSACTION_BEGUN: &str = "host.transaction.begun";
pub(crate) const STEP_SENT: &str = "host.step.sent";
pub(crate) const STEP_RAN: &str = "host.step.ran";
pub(crate) const COMMIT_NOTED: &str = "host.commit.noted";
pub(crate) const COMMIT_ANSWERED: &str = "host.commit.answered";
pub(crate) const MARK_NOTED: &str = "host.mark.noted";
pub(crate) const MARK_ANSWERED: &str = "host.mark.answered";
pub(crate) const ALONE_NOTED: &str = "host.alone.noted";
pub(crate) const ALONE_ANSWERED: &str = "host.alone.answered";
pub(crate) const ANSWER_BEGUN: &str = "host.answer.begun";
pub(crate) const ANSWER_READ: &str = "host.answer.read";
pub(crate) const ANSWER_KEPT: &str = "host.answer.kept";
pub(crate) const CALL_NOTED: &str = "host.call.noted";
pub(crate) const CALL_ANSWERED: &str = "host.call.answered";
pub(crate) const CALL_SETTLED: &str = "host.call.settled";

pub(crate) use placet_target::points::reached;
