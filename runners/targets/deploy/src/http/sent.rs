//! Knows whether anything was sent.

use core::pin::Pin;
use core::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use core::task::{Context, Poll};
use std::io;
use std::sync::Arc;

use placet_target::points;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::http::failure::Progress;
use crate::points::REQUEST_BEGUN;

/// How far an exchange got, seen from outside of it.
#[derive(Debug, Default)]
pub(super) struct Track {
    is_begun: AtomicBool,
    // 0 before the status line.
    status: AtomicU16,
}

impl Track {
    pub(super) fn answered(&self, status: u16) {
        self.status.store(status, Ordering::Release);
    }

    pub(super) fn progress(&self, is_write: bool) -> Progress {
        let status = self.status.load(Ordering::Acquire);
        Progress {
            is_write,
            is_begun: self.is_begun.load(Ordering::Acquire),
            status: (status != 0).then_some(status),
        }
    }

    fn begin(&self) {
        if !self.is_begun.swap(true, Ordering::AcqRel) {
            points::reached(REQUEST_BEGUN);
        }
    }
}

/// A connection that notes the first byte of a request before it goes anywhere.
#[derive(Debug)]
pub(super) struct Tracked<S> {
    pub(super) inner: S,
    pub(super) track: Arc<Track>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Tracked<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tracked<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        // Before, and not after: an error does not tell how much of it went out.
        self.track.begin();
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}
