//! What can go wrong between a client and its server.

use placet_target::StopReason;

/// How a statement ended that was told to stop.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Ending {
    /// It was done already, and changed so many rows.
    Done(u64),
    /// The server said no, with this code.
    Failed(u16),
    /// Nobody heard.
    Unheard,
}

/// What went wrong.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// The server's answer is an error.
    Server { code: u16, message: String },
    /// The stop signal was raised; and how the statement under way ended.
    Stopped(StopReason, Ending),
    /// The statement took longer than it may; and how it ended.
    Late(Ending),
    /// There is no connection any more, or there never was one.
    Broken(&'static str),
    /// What came is not the protocol.
    Malformed,
    /// The statement has another number of parameters than values.
    Parameters,
    /// The answer is too large.
    Limit(String),
}
