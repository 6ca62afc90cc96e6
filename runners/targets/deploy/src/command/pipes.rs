//! What goes into a process and comes out of it, without ever waiting for one of the pipes alone.

use core::time::Duration;
use std::io::{self, Read, Write as _};
use std::os::fd::AsFd as _;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// One read.
const PIECE_BYTES: usize = 64 << 10;

/// How many pieces are read of one pipe before the others have their turn, and somebody looks at the clock.
const PIECES_MAX: usize = 16;

/// The three pipes of one process.
#[derive(Debug)]
pub(super) struct Pipes<'a> {
    stdin: Option<ChildStdin>,
    rest: &'a [u8],
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    pub(super) out: Kept,
    pub(super) err: Kept,
}

/// What is kept of one output.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) bytes: Vec<u8>,
    pub(super) is_cut: bool,
    most: usize,
}

impl Kept {
    fn new(most: usize) -> Self {
        Self { bytes: Vec::new(), is_cut: false, most }
    }

    fn take(&mut self, piece: &[u8]) {
        let room = self.most.saturating_sub(self.bytes.len());
        self.is_cut |= piece.len() > room;
        self.bytes.extend(piece.iter().take(room));
    }
}

impl<'a> Pipes<'a> {
    pub(super) fn of(child: &mut Child, stdin: &'a [u8], most: usize) -> io::Result<Self> {
        let pipes = Self {
            stdin: child.stdin.take(),
            rest: stdin,
            stdout: child.stdout.take(),
            stderr: child.stderr.take(),
            out: Kept::new(most),
            err: Kept::new(most),
        };
        // No thread waits in a read that somebody else's process could keep from ending.
        if let Some(pipe) = &pipes.stdin {
            rustix::io::ioctl_fionbio(pipe, true)?;
        }
        if let Some(pipe) = &pipes.stdout {
            rustix::io::ioctl_fionbio(pipe, true)?;
        }
        if let Some(pipe) = &pipes.stderr {
            rustix::io::ioctl_fionbio(pipe, true)?;
        }
        Ok(pipes)
    }

    /// Whether both outputs came to their end.
    pub(super) fn is_done(&self) -> bool {
        self.stdout.is_none() && self.stderr.is_none()
    }

    /// Nothing more goes in.
    pub(super) fn close_input(&mut self) {
        self.stdin = None;
    }

    /// Waits until one of the pipes has something to do, no longer than `most`, and does it.
    pub(super) fn work(&mut self, most: Duration) -> io::Result<()> {
        self.wait(most)?;
        self.write();
        read(&mut self.stdout, &mut self.out);
        read(&mut self.stderr, &mut self.err);
        Ok(())
    }

    fn wait(&self, most: Duration) -> io::Result<()> {
        let mut waits = Vec::new();
        if let Some(pipe) = &self.stdin {
            waits.push(PollFd::from_borrowed_fd(pipe.as_fd(), PollFlags::OUT));
        }
        if let Some(pipe) = &self.stdout {
            waits.push(PollFd::from_borrowed_fd(pipe.as_fd(), PollFlags::IN));
        }
        if let Some(pipe) = &self.stderr {
            waits.push(PollFd::from_borrowed_fd(pipe.as_fd(), PollFlags::IN));
        }
        let limit = Timespec {
            tv_sec: i64::try_from(most.as_secs()).unwrap_or(1),
            tv_nsec: i64::from(most.subsec_nanos()),
        };
        match poll(&mut waits, Some(&limit)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn write(&mut self) {
        let Some(pipe) = &mut self.stdin else { return };
        let is_open = match pipe.write(self.rest) {
            Ok(written) => {
                self.rest = self.rest.get(written..).unwrap_or_default();
                !self.rest.is_empty()
            }
            // Who does not read its input need not.
            Err(error) => is_later(&error),
        };
        if !is_open {
            self.stdin = None;
        }
    }
}

fn read(pipe: &mut Option<impl Read>, kept: &mut Kept) {
    let mut piece = vec![0; PIECE_BYTES];
    for _ in 0..PIECES_MAX {
        let Some(open) = pipe else { return };
        match open.read(&mut piece) {
            Ok(0) => *pipe = None,
            Ok(length) => kept.take(piece.get(..length).unwrap_or_default()),
            Err(error) if is_later(&error) => return,
            Err(_broken) => {
                kept.is_cut = true;
                *pipe = None;
            }
        }
    }
}

fn is_later(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
