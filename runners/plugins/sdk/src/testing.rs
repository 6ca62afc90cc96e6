//! A host to test plugins against, without a sandbox: it keeps every call, and fails the one that it is told to.
#![expect(
    clippy::panic,
    reason = "the death of a host is played by a panic, and a test that asks for nonsense ends in one"
)]

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use placet_exchange::{CommandCall, Exchange, HttpCall};

use crate::host::{Commands, Context, Http};
use crate::{command, http};

pub use fault::Fault;

mod fault; // how calls fail

const ONLY_READS: &str = "this phase only reads";

const NOT_NEXT: &str = "the call is not the next step of the approved plan";

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
    /// How often the plugin tried to write where it may only read, or what was not the next approved step.
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
    /// What may be written, in this order. `None`: everything.
    approved: Option<Vec<Exchange>>,
    sent: Cell<usize>,
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
            approved: None,
            sent: Cell::new(0),
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

    /// Refuses every write that is not the next step of a plan with these bodies, to the letter, as the host around the
    /// sandbox does.
    ///
    /// # Panics
    ///
    /// Where a step is no call.
    ///
    /// ```
    /// use placet_plugin_sdk::exchange::{CommandCall, Exchange};
    /// use placet_plugin_sdk::host::Commands as _;
    /// use placet_plugin_sdk::testing::{FakeHost, Nobody, World};
    ///
    /// let call = CommandCall { name: "switch".into(), arguments: vec![], stdin: vec![] };
    /// let body = Exchange::Command(call).to_text();
    /// let world = World::of(Nobody);
    /// let host = FakeHost::writing(&world).approving("run_1", [&body]);
    /// assert!(host.run("another", &[], &[]).is_err());
    /// assert_eq!((host.left(), world.borrow().forbidden), (1, 1));
    /// let _nobody_is_there = host.run("switch", &[], &[]);
    /// assert_eq!((host.left(), world.borrow().forbidden), (0, 1));
    /// // Each step once.
    /// let _refused = host.run("switch", &[], &[]);
    /// assert_eq!((host.left(), world.borrow().forbidden), (0, 2));
    /// ```
    #[must_use]
    pub fn approving(mut self, run: &str, bodies: impl IntoIterator<Item: AsRef<str>>) -> Self {
        let call = |body: &str| Exchange::parse(body).ok()?.filled(run).ok();
        let calls = bodies.into_iter().map(|body| {
            let body = body.as_ref();
            call(body).unwrap_or_else(|| panic!("`{body}` is no call"))
        });
        self.approved = Some(calls.collect());
        self
    }

    /// How many approved steps were not sent. A run that left one did not succeed, whatever it says.
    ///
    /// ```
    /// use placet_plugin_sdk::testing::{FakeHost, Nobody, World};
    /// assert_eq!(FakeHost::writing(&World::of(Nobody)).left(), 0);
    /// ```
    pub fn left(&self) -> usize {
        self.approved.as_ref().map_or(0, |calls| calls.len().saturating_sub(self.sent.get()))
    }

    /// How many calls were made through this host.
    pub fn made(&self) -> usize {
        self.calls.get()
    }

    /// Whether a call may be made, and what fails it. `is_write`: it may change something.
    fn note(&self, call: Exchange, is_write: bool) -> Result<Option<Fault>, String> {
        let number = self.calls.get();
        self.calls.set(number.saturating_add(1));
        let refusal = if self.may_write {
            self.refusal(&call, is_write)
        } else {
            is_write.then_some(ONLY_READS)
        };
        let mut world = self.world.borrow_mut();
        world.calls.push(call);
        if let Some(refusal) = refusal {
            world.forbidden = world.forbidden.saturating_add(1);
            return Err(refusal.to_string());
        }
        Ok(self.fault.and_then(|(at, fault)| (at == number).then_some(fault)))
    }

    /// Why a call of an execution is refused, if it is. An approved one is spent.
    fn refusal(&self, call: &Exchange, is_write: bool) -> Option<&'static str> {
        let sent = self.sent.get();
        if self.approved.as_ref()?.get(sent) == Some(call) {
            self.sent.set(sent.saturating_add(1));
            return None;
        }
        is_write.then_some(NOT_NEXT)
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
        let call = Exchange::Http(HttpCall {
            endpoint: endpoint.to_string(),
            method: request.method.clone(),
            path_and_query: request.path_and_query.clone(),
            headers: request.headers.clone(),
            body: request.body.clone(),
        });
        let is_write = self.world.borrow().server.is_write(request);
        let fault = self.note(call, is_write).map_err(http::Error::Denied)?;
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
        let call = Exchange::Command(CommandCall {
            name: name.to_string(),
            arguments: arguments.to_vec(),
            stdin: stdin.to_vec(),
        });
        let is_write = self.world.borrow().server.is_writing(name);
        let fault = self.note(call, is_write).map_err(command::Error::Denied)?;
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
            // A command that was begun and then stopped is `unknown`: these say that it was not.
            Some(Fault::Timeout) => Err(command::Error::Timeout),
            Some(Fault::Cancelled) => Err(command::Error::Cancelled),
            Some(Fault::Limit) => Err(command::Error::Limit("the input is too large".to_string())),
            Some(Fault::LostBefore) => Err(command::Error::Unknown("lost".to_string())),
            Some(Fault::LostAfter) => {
                answer().and(Err(command::Error::Unknown("it was killed".to_string())))
            }
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
