//! What goes wrong.

/// What a server does instead of answering as it should. Unless it says otherwise, the work was done before.
///
/// ```
/// use placet_target_deploy::testing::{Fault, Product, ProductServer, Scope};
///
/// let server = ProductServer::start(Product::Rundeck);
/// server.fail(Scope::Writes, Fault::LoseReply, 1);
/// // The next request that writes is done, and its answer never comes.
/// # let _ = server;
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// Closes the connection without a word.
    LoseReply,
    /// Closes the connection, and the work was not done.
    LoseRequest,
    /// Sends the answer twice.
    DuplicateReply,
    /// Holds the answer back until [`release`](super::ProductServer::release).
    HoldReply,
    /// Answers 302 and sends elsewhere.
    Redirect {
        /// Where to.
        to: String,
    },
    /// Answers with a body of so many bytes.
    OversizedBody {
        /// How many.
        bytes: usize,
    },
    /// Answers with so many headers.
    ManyHeaders {
        /// How many.
        count: usize,
    },
    /// Answers a status, and then a byte of the body every 20 ms, without an end.
    DripBody,
    /// Sends a byte of the status line every 20 ms, without an end.
    DripHead,
    /// Closes the connection in the middle of the body.
    CutBody,
    /// Closes the connection in the middle of the status line.
    CutHead,
    /// Answers with what is no HTTP.
    Garbage,
    /// Answers 500, and the work was not done.
    ServerError,
    /// Says that the body is compressed.
    Compressed,
    /// Repeats the whole request, its credential included, in the body and in a header.
    Echo,
}

impl Fault {
    /// Whether an answer without a body would not show it.
    pub(crate) const fn is_about_the_body(&self) -> bool {
        matches!(
            self,
            Self::OversizedBody { .. } | Self::DripBody | Self::CutBody | Self::Compressed
        )
    }
}

/// Which requests a fault meets.
///
/// ```
/// use placet_target_deploy::testing::Scope;
/// assert_ne!(Scope::Writes, Scope::All);
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Scope {
    /// Requests of every kind.
    All,
    /// Those that begin a deployment, or write an issue.
    Writes,
}
