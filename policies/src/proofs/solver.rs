//! Questions to the solver: one process for each, and never much longer than the limit.

use core::time::Duration;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use cedar_policy::{PolicySet, RequestEnv, Schema};
use cedar_policy_symcc::err::SolverError;
use cedar_policy_symcc::solver::LocalSolver;
use cedar_policy_symcc::{
    CedarSymCompiler, CompiledPolicySet, Env, WellFormedAsserts, err, implies_asserts,
};
use tokio::process::Command;

/// How long one question may take, unless a host says otherwise.
const LIMIT_MS: u32 = 20_000;

/// Finds and runs the solver cvc5, a program of its own that this library does not bring.
///
/// ```
/// use placet_policies::CedarAuthorizer;
/// use placet_policies::proofs::{Property, Prover};
///
/// # if !Prover::find().is_installed() {
/// #     assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "cvc5 is not installed");
/// #     return Ok(());
/// # }
/// let house = "@id(\"no-agents\") forbid (principal, action == Action::\"execute\", resource)
///              when { principal.kind == \"agent\" };";
/// let authorizer = CedarAuthorizer::builder().host_policies("house.cedar", house).build()?;
/// let prover = Prover::find();
/// assert!(prover.prove(&authorizer, Property::HostAddsNothing)?.is_proven());
///
/// // A host that opts in to permits can let in more than it meant to.
/// let open = "@id(\"night-shift\") permit (principal, action == Action::\"approve\", resource)
///             when { context.minute < 360 };";
/// let builder = CedarAuthorizer::builder().host_policies("house.cedar", open);
/// let authorizer = builder.allow_host_permits(true).build()?;
/// let proof = prover.prove(&authorizer, Property::NotTheirOwn)?;
/// assert!(proof.is_proven(), "the base policies forbid it also at night");
/// let proof = prover.prove(&authorizer, Property::LiveRows)?;
/// assert!(proof.to_string().contains("permitted by: `night-shift` (house.cedar:1)"));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Prover {
    program: Option<PathBuf>,
    limit_ms: u32,
}

impl Prover {
    /// The solver that the environment variable `CVC5` names, else the program `cvc5` on the `PATH`.
    ///
    /// This never fails: without a solver, each proof answers [`Proof::Unavailable`] and how to get one.
    ///
    /// [`Proof::Unavailable`]: super::Proof::Unavailable
    ///
    /// ```
    /// let prover = placet_policies::proofs::Prover::find();
    /// println!("there is a solver: {}", prover.is_installed());
    /// ```
    pub fn find() -> Self {
        let named = std::env::var_os("CVC5").filter(|name| !name.is_empty()).map(PathBuf::from);
        let program = named.or_else(|| on_path(OsStr::new("cvc5")));
        Self { program, limit_ms: LIMIT_MS }
    }

    /// The solver at `program`.
    ///
    /// ```
    /// let prover = placet_policies::proofs::Prover::at("/nowhere/cvc5");
    /// assert!(!prover.is_installed());
    /// ```
    pub fn at(program: impl Into<PathBuf>) -> Self {
        Self { program: Some(program.into()), limit_ms: LIMIT_MS }
    }

    /// Gives each question to the solver this many milliseconds, instead of 20,000. A proof asks at most nine.
    ///
    /// ```
    /// let prover = placet_policies::proofs::Prover::find().limit_ms(60_000);
    /// # drop(prover);
    /// ```
    #[must_use = "it answers a prover with the limit"]
    pub fn limit_ms(self, limit_ms: u32) -> Self {
        Self { limit_ms, ..self }
    }

    /// Whether a file is where the solver should be. It was not run yet.
    ///
    /// ```
    /// assert!(!placet_policies::proofs::Prover::at("/nowhere/cvc5").is_installed());
    /// ```
    pub fn is_installed(&self) -> bool {
        self.program.as_deref().is_some_and(Path::is_file)
    }

    /// Why there is no answer without a solver, and how to get one.
    fn missing(&self) -> String {
        let how = "install it (Debian and Ubuntu: apt-get install cvc5), or name its program in the \
                   environment variable `CVC5`";
        match &self.program {
            Some(program) => format!("there is no solver at `{}`; {how}", program.display()),
            None => format!("the solver cvc5 is not installed; {how}"),
        }
    }
}

fn on_path(name: &OsStr) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

type Failure = Box<err::Error>;

/// All questions of one kind, an action at a level, and what of them is allowed.
pub(super) struct Kind<'a> {
    allowed: Result<CompiledPolicySet, Failure>,
    env: &'a RequestEnv,
    schema: &'a Schema,
}

impl<'a> Kind<'a> {
    pub(super) fn new(allowed: &PolicySet, env: &'a RequestEnv, schema: &'a Schema) -> Self {
        Self {
            allowed: CompiledPolicySet::compile(allowed, env, schema).map_err(Box::new),
            env,
            schema,
        }
    }
}

/// What became of a question.
#[derive(Debug)]
pub(super) enum Answer {
    /// Yes, for every request; and whether the solver had to be asked.
    Always { by_solver: bool },
    /// No: here is one that is allowed and should not be.
    Not(Box<Env>),
    /// Nobody knows, because of this.
    Unknown(String),
    /// There is no solver; this is how to get one.
    NoSolver(String),
}

impl Prover {
    /// Does every question of `kind` that is allowed belong to those that `may` allows?
    pub(super) fn ask(&self, kind: &Kind<'_>, may: &PolicySet) -> Answer {
        let allowed = match &kind.allowed {
            Ok(allowed) => allowed,
            Err(error) => return self.explained(error),
        };
        self.try_ask(kind, allowed, may).unwrap_or_else(|error| self.explained(&error))
    }

    fn try_ask(
        &self,
        kind: &Kind<'_>,
        allowed: &CompiledPolicySet,
        may: &PolicySet,
    ) -> Result<Answer, Failure> {
        let may = CompiledPolicySet::compile(may, kind.env, kind.schema)?;
        let asserts = implies_asserts(allowed, &may);
        if asserts.asserts().iter().any(|term| *term == false.into()) {
            return Ok(Answer::Always { by_solver: false });
        }
        let Some(program) = self.program.as_deref().filter(|program| program.is_file()) else {
            return Ok(Answer::NoSolver(self.missing()));
        };
        // A runtime of its own on a thread of its own: the caller may stand in another one.
        let found = std::thread::scope(|scope| {
            let worker = scope.spawn(|| self.solve(program, &asserts));
            worker.join().unwrap_or_else(|_| Err(failed(io::Error::other("its thread fell over"))))
        });
        Ok(found?.map_or(Answer::Always { by_solver: true }, |env| Answer::Not(Box::new(env))))
    }

    /// Starts the solver and asks for something that fulfils `asserts`.
    fn solve(
        &self,
        program: &Path,
        asserts: &WellFormedAsserts<'_>,
    ) -> Result<Option<Env>, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map_err(failed)?.block_on(async {
            let mut command = Command::new(program);
            let limit = format!("--tlimit-per={}", self.limit_ms);
            command.args(["--lang", "smt", &limit]).kill_on_drop(true);
            let mut compiler = CedarSymCompiler::new(
                LocalSolver::from_command(&mut command).map_err(err::Error::from)?,
            )?;
            // The solver keeps its limit by itself; this is for one that hangs.
            let patience = Duration::from_millis(self.limit_ms.into()).saturating_mul(3);
            let asked = tokio::time::timeout(patience, compiler.check_sat(asserts)).await;
            // Ended and waited for, so that nothing of it stays. What it said counts, however it ends.
            drop(compiler.solver_mut().clean_up().await);
            Ok(asked.unwrap_or(Err(err::Error::SolverUnknown))?)
        })
    }

    /// What stands in the way of an answer, in words.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "whatever else went wrong has its own words"
    )]
    fn explained(&self, error: &err::Error) -> Answer {
        let not_cvc5 = "check that it is cvc5, 1.0.3 or later";
        Answer::Unknown(match error {
            err::Error::SolverUnknown => format!(
                "the solver had no answer within {} ms; give it more time, or take arithmetic and `like` \
                 out of the policies",
                self.limit_ms
            ),
            err::Error::CompileError(cause) => format!(
                "a policy uses what cannot be put to the solver ({cause}); write it with comparisons, \
                 `has`, `contains` and `in`"
            ),
            err::Error::SolverError(SolverError::Io(cause)) => {
                format!("the solver could not be run ({cause}); {not_cvc5}")
            }
            other => format!("the solver gave no usable answer ({other}); {not_cvc5}"),
        })
    }
}

fn failed(error: io::Error) -> Failure {
    Box::new(SolverError::Io(error).into())
}
