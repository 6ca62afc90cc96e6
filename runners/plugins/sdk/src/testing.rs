//! A host to test plugins against, without a sandbox: it keeps every call, and fails the one that it is told to.
#![expect(clippy::panic, reason = "the death of a host is played by a panic")]

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use placet_exchange::{CommandCall, Exchange, HttpCall};

use crate::host::{Commands, Context, Http};
use crate::{command, http};

/// What the calls of a plugin reach.
///
/// ```
/// use placet_plugin_sdk::http::{Request, Response};
/// use placet_plugin_sdk::testing::Server;
///
/// /// Counts what it was told to do.
/// struct Counter(u32);
///
/// impl Server for Counter {
///     fn answer(&mut self, _endpoint: &str, request: &Request) -> Option<Response> {
///         if request.method == "POST" {
///             self.0 += 1;
///         }
///         Some(Response { status: 200, headers: vec![], body: vec![] })
///     }
/// }
/// ```
pub trait Server {
    /// Does what a request asks for, and answers. `None`: there is no such endpoint.
    fn answer(&mut self, endpoint: &str, request: &http::Request) -> Option<http::Response>;

    /// Runs a command. `None`: there is no such command.
    fn run(&mut self, _name: &str, _arguments: &[(String, String)]) -> Option<command::Output> {
        None
    }

    /// Whether a request changes something.
    fn is_write(&self, request: &http::Request) -> bool {
        request.method != "GET"
    }

    /// Whether a command changes something.
    fn is_writing(&self, _name: &str) -> bool {
        true
    }
}

/// A server that is not there.
///
/// ```
/// use placet_plugin_sdk::testing::{Nobody, World};
/// assert!(World::of(Nobody).borrow().calls.is_empty());
/// ```
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "it holds nothing")]
pub struct Nobody;

impl Server for Nobody {
    fn answer(&mut self, _: &str, _: &http::Request) -> Option<http::Response> {
        None
    }
}

/// What stays when a host dies: the server, the notes, and what the test saw.
///
/// ```
/// use placet_plugin_sdk::testing::{Nobody, World};
///
/// let world = World::of(Nobody);
/// world.borrow_mut().seconds += 3_600; // an hour later
/// assert!(world.borrow().notes.is_empty());
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct World<S> {
    /// What the calls reach.
    pub server: S,
    /// Every call, in its order, also those that failed.
    pub calls: Vec<Exchange>,
    /// Every checkpoint.
    pub notes: Vec<(String, String)>,
    /// How often the plugin tried to write where it may only read.
    pub forbidden: usize,
    /// The seconds of the clock since midnight of the first of January 2026.
    pub seconds: u64,
}

impl<S> World<S> {
    /// A world around a server.
    pub fn of(server: S) -> RefCell<Self> {
        let (calls, notes) = (Vec::new(), Vec::new());
        RefCell::new(Self { server, calls, notes, forbidden: 0, seconds: 0 })
    }
}

/// How one call fails.
///
/// ```
/// use placet_plugin_sdk::testing::Fault;
/// assert!(Fault::ALL.contains(&Fault::LostAfter));
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// The host refuses it.
    Denied,
    /// The host finds it malformed.
    Invalid,
    /// Nobody listens. Commands have no such fault, and are refused.
    Connection,
    /// The time was over before it was sent; a command is stopped in the middle.
    Timeout,
    /// It was cancelled before it was sent; a command is stopped in the middle.
    Cancelled,
    /// It was lost on its way.
    LostBefore,
    /// It took effect, and the answer was lost.
    LostAfter,
    /// It took effect, and the answer was too large.
    Limit,
    /// Somebody between answers with this status, and it never arrives. A command runs, and exits with it.
    Instead(u16),
    /// It took effect, and somebody between answers with this status. A command exits with it.
    Covered(u16),
    /// It took effect, and the answer's body is rubbish.
    Rubbish,
    /// It took effect, and the answer's body is empty JSON.
    Hollow,
    /// The host dies before it is sent.
    KillBefore,
    /// It takes effect, and the host dies.
    KillAfter,
}

impl Fault {
    /// One of each.
    pub const ALL: &'static [Self] = &[
        Self::Denied,
        Self::Invalid,
        Self::Connection,
        Self::Timeout,
        Self::Cancelled,
        Self::LostBefore,
        Self::LostAfter,
        Self::Limit,
        Self::Instead(302),
        Self::Instead(403),
        Self::Instead(404),
        Self::Instead(503),
        Self::Covered(302),
        Self::Covered(408),
        Self::Covered(500),
        Self::Rubbish,
        Self::Hollow,
        Self::KillBefore,
        Self::KillAfter,
    ];
}

/// A host: it reaches the server of a world, and fails one call.
///
/// ```
/// use placet_plugin_sdk::host::Http as _;
/// use placet_plugin_sdk::http::Request;
/// use placet_plugin_sdk::testing::{FakeHost, Fault, Nobody, World};
///
/// let world = World::of(Nobody);
/// let host = FakeHost::writing(&world).failing(0, Fault::Timeout);
/// let (method, path_and_query) = ("GET".into(), "/".into());
/// let request = Request { method, path_and_query, headers: vec![], body: vec![] };
/// assert!(host.send("ci", &request).is_err());
/// assert_eq!(world.borrow().calls.len(), 1);
/// ```
#[derive(Debug)]
pub struct FakeHost<'a, S> {
    world: &'a RefCell<World<S>>,
    may_write: bool,
    fault: Option<(usize, Fault)>,
    cancelled_after: Option<usize>,
    notes_until: usize,
    calls: Cell<usize>,
}

impl<'a, S> FakeHost<'a, S> {
    /// The host of an execution.
    pub fn writing(world: &'a RefCell<World<S>>) -> Self {
        Self {
            world,
            may_write: true,
            fault: None,
            cancelled_after: None,
            notes_until: usize::MAX,
            calls: Cell::new(0),
        }
    }

    /// The host of a plan or a verification: it refuses to write, and counts who tried.
    pub fn reading(world: &'a RefCell<World<S>>) -> Self {
        Self { may_write: false, ..Self::writing(world) }
    }

    /// Fails the call with this number, from 0.
    #[must_use]
    pub fn failing(mut self, call: usize, fault: Fault) -> Self {
        self.fault = Some((call, fault));
        self
    }

    /// Is cancelled as soon as so many calls were made.
    #[must_use]
    pub fn cancelled_after(mut self, calls: usize) -> Self {
        self.cancelled_after = Some(calls);
        self
    }

    /// Keeps so many checkpoints of this and every other host, and refuses those after them.
    #[must_use]
    pub fn keeping(mut self, notes: usize) -> Self {
        self.notes_until = notes;
        self
    }

    /// How many calls were made through this host.
    pub fn made(&self) -> usize {
        self.calls.get()
    }

    fn note(&self, call: Exchange) -> Option<Fault> {
        let number = self.calls.get();
        self.calls.set(number.saturating_add(1));
        self.world.borrow_mut().calls.push(call);
        self.fault.and_then(|(at, fault)| (at == number).then_some(fault))
    }
}

impl<S> Context for FakeHost<'_, S> {
    fn log(&self, _: &str, _: &str) {}

    fn progress(&self, _: &str, _: u64, _: Option<u64>, _: Option<&str>) {}

    fn checkpoint(&self, step: &str, state: &str) -> Result<(), String> {
        let mut world = self.world.borrow_mut();
        if world.notes.len() >= self.notes_until || step.len().saturating_add(state.len()) > 4_096 {
            return Err("the store does not answer".to_string());
        }
        world.notes.push((step.to_string(), state.to_string()));
        Ok(())
    }

    fn checkpoints(&self) -> Vec<(String, String)> {
        self.world.borrow().notes.clone()
    }

    fn cancelled(&self) -> bool {
        self.cancelled_after.is_some_and(|calls| self.calls.get() >= calls)
    }

    fn now(&self) -> String {
        let seconds = self.world.borrow().seconds;
        let (day, hour) = ((seconds / 86_400).saturating_add(1), seconds / 3_600 % 24);
        format!("2026-01-{day:02}T{hour:02}:{:02}:{:02}Z", seconds / 60 % 60, seconds % 60)
    }

    fn wait(&self, ms: u32) {
        let mut world = self.world.borrow_mut();
        world.seconds = world.seconds.saturating_add(u64::from(ms / 1_000));
    }
}

impl<S: Server> Http for FakeHost<'_, S> {
    fn send(&self, endpoint: &str, request: &http::Request) -> Result<http::Response, http::Error> {
        let fault = self.note(Exchange::Http(HttpCall {
            endpoint: endpoint.to_string(),
            method: request.method.clone(),
            path_and_query: request.path_and_query.clone(),
            headers: request.headers.clone(),
            body: request.body.clone(),
        }));
        if !self.may_write && self.world.borrow().server.is_write(request) {
            let mut world = self.world.borrow_mut();
            world.forbidden = world.forbidden.saturating_add(1);
            return Err(http::Error::Denied("this phase only reads".to_string()));
        }
        let answer = || {
            let answered = self.world.borrow_mut().server.answer(endpoint, request);
            answered.ok_or_else(|| http::Error::Denied(format!("there is no `{endpoint}`")))
        };
        let rubbish =
            |body: &[u8]| answer().map(|good| http::Response { body: body.to_vec(), ..good });
        let status = |status| http::Response { status, headers: Vec::new(), body: Vec::new() };
        match fault {
            None => answer(),
            Some(Fault::Denied) => Err(http::Error::Denied("no".to_string())),
            Some(Fault::Invalid) => Err(http::Error::Invalid("no".to_string())),
            Some(Fault::Connection) => Err(http::Error::Connection("refused".to_string())),
            Some(Fault::Timeout) => Err(http::Error::Timeout),
            Some(Fault::Cancelled) => Err(http::Error::Cancelled),
            Some(Fault::LostBefore) => Err(http::Error::Unknown("lost".to_string())),
            Some(Fault::LostAfter) => {
                answer().and(Err(http::Error::Unknown("the answer was lost".to_string())))
            }
            Some(Fault::Limit) => answer().and(Err(http::Error::Limit("too large".to_string()))),
            Some(Fault::Instead(code)) => Ok(status(code)),
            Some(Fault::Covered(code)) => answer().map(|_| status(code)),
            Some(Fault::Rubbish) => rubbish(b"\xff{]"),
            Some(Fault::Hollow) => rubbish(b"{}"),
            Some(Fault::KillBefore) => panic!("the host died"),
            Some(Fault::KillAfter) => {
                let _done = answer();
                panic!("the host died")
            }
        }
    }
}

impl<S: Server> Commands for FakeHost<'_, S> {
    fn run(
        &self,
        name: &str,
        arguments: &[(String, String)],
        stdin: &[u8],
    ) -> Result<command::Output, command::Error> {
        let fault = self.note(Exchange::Command(CommandCall {
            name: name.to_string(),
            arguments: arguments.to_vec(),
            stdin: stdin.to_vec(),
        }));
        if !self.may_write && self.world.borrow().server.is_writing(name) {
            let mut world = self.world.borrow_mut();
            world.forbidden = world.forbidden.saturating_add(1);
            return Err(command::Error::Denied("this phase only reads".to_string()));
        }
        let answer = || {
            let ended = self.world.borrow_mut().server.run(name, arguments);
            ended.ok_or_else(|| command::Error::Denied(format!("there is no `{name}`")))
        };
        let exit = |status: u16| command::Output {
            exit_code: status.into(),
            stdout: Vec::new(),
            stderr: Vec::new(),
            truncated: false,
        };
        match fault {
            None => answer(),
            Some(Fault::Denied | Fault::Connection) => {
                Err(command::Error::Denied("no".to_string()))
            }
            Some(Fault::Invalid) => Err(command::Error::Invalid("no".to_string())),
            Some(Fault::Timeout) => answer().and(Err(command::Error::Timeout)),
            Some(Fault::Cancelled) => answer().and(Err(command::Error::Cancelled)),
            Some(Fault::LostBefore) => Err(command::Error::Unknown("lost".to_string())),
            Some(Fault::LostAfter) => {
                answer().and(Err(command::Error::Unknown("it was killed".to_string())))
            }
            Some(Fault::Limit) => answer().and(Err(command::Error::Limit("too much".to_string()))),
            // It ran, and this is how it ended.
            Some(Fault::Instead(code) | Fault::Covered(code)) => answer().map(|_| exit(code)),
            Some(Fault::Rubbish | Fault::Hollow) => {
                answer().map(|good| command::Output { stdout: b"\xff".to_vec(), ..good })
            }
            Some(Fault::KillBefore) => panic!("the host died"),
            Some(Fault::KillAfter) => {
                let _done = answer();
                panic!("the host died")
            }
        }
    }
}
