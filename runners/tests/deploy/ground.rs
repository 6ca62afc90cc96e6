//! A host with the shipped plugins, one server, and a link that remembers what is noted.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use placet_core::clock::Timestamp;
use placet_core::digest::Digest;
use placet_core::error::{Code, Error};
use placet_core::id::RunId;
use placet_core::runner::{
    Job, JobId, LogLine, Outcome, Plan, Progress, RunLease, RunLink, Runner as _,
};
use placet_exchange::{CommandCall, Exchange, HttpCall};
use placet_runners::deploy::testing::{Product, ProductServer};
use placet_runners::deploy::{CommandTemplate, DeployTarget, EndpointBuilder, Hole};
use placet_runners::{Builder, Grant, Manifest, RunnerLimits, WasmRunner, shipped};
use serde_json::{Value, json};

pub(crate) static CALLER: &[u8] = include_bytes!("../../plugins/built/tests-caller.wasm");

// Lives as long as the process, so that the tests of one process load each plugin once.
static COMPILED: LazyLock<WasmRunner> = LazyLock::new(|| {
    let runner = plugins(crate::bench::kept()).build().unwrap();
    runner.warm_up().unwrap();
    runner
});

/// A builder with the plugins of these tests.
pub(crate) fn plugins(builder: Builder) -> Builder {
    let (deploy, sync) = (shipped::deploy(), shipped::artifact_sync());
    let asked = Manifest::new("caller", "0.1.0").with_capability("http").with_capability("command");
    let granted = || Grant::none().with("http").with("command");
    builder
        .plugin("deploy".parse().unwrap(), deploy.component, deploy.manifest, granted())
        .plugin("artifact-sync".parse().unwrap(), sync.component, sync.manifest, granted())
        .plugin("caller".parse().unwrap(), CALLER, asked.with_connection("target"), granted())
}

/// What one test works with.
pub(crate) struct Ground {
    pub(crate) server: ProductServer,
    pub(crate) runner: WasmRunner,
    pub(crate) link: Notebook,
}

impl Ground {
    /// A host with one target, `orders`, which is the endpoint of this product, and two commands.
    pub(crate) fn of(product: Product) -> Self {
        Self::with(product, ProductServer::start(product), |endpoint| endpoint)
    }

    /// The same for Rundeck, with these limits.
    pub(crate) fn limited(limits: RunnerLimits) -> Self {
        let server = ProductServer::start(Product::Rundeck);
        Self::built(Product::Rundeck, server, |endpoint| endpoint, limits)
    }

    pub(crate) fn with(
        product: Product,
        server: ProductServer,
        endpoint: impl FnOnce(EndpointBuilder) -> EndpointBuilder,
    ) -> Self {
        Self::built(product, server, endpoint, RunnerLimits::default())
    }

    fn built(
        product: Product,
        server: ProductServer,
        endpoint: impl FnOnce(EndpointBuilder) -> EndpointBuilder,
        limits: RunnerLimits,
    ) -> Self {
        LazyLock::force(&COMPILED);
        let target = DeployTarget::builder().endpoint(name(product), endpoint(server.endpoint()));
        let folder = std::env::temp_dir();
        let target = commands(target, &folder).build().unwrap();
        let runner = plugins(WasmRunner::builder().limits(limits))
            .deploy_target("orders".parse().unwrap(), target);
        Self { server, runner: runner.build().unwrap(), link: Notebook::default() }
    }

    pub(crate) fn plan(&self, job: &Job) -> Plan {
        let plan = self.runner.plan(job, &self.link).unwrap();
        let refusing =
            plan.findings.iter().find(|found| found.level == placet_core::runner::Level::Error);
        assert_eq!(refusing, None);
        plan
    }

    pub(crate) fn execute(&self, job: &Job, plan: &Plan) -> Outcome {
        self.runner.execute(job, plan, &self.link)
    }

    /// Looks back with a link that works.
    pub(crate) fn verify(&self, job: &Job, plan: &Plan) -> Outcome {
        self.link.lease.mend();
        self.runner.verify(job, plan, &self.link)
    }

    /// All that the plugin said.
    pub(crate) fn log(&self) -> String {
        let log = self.link.log.lock().unwrap();
        log.iter().map(|line| format!("{}\n", line.message)).collect()
    }
}

fn commands(
    target: placet_runners::deploy::DeployTargetBuilder,
    folder: &Path,
) -> placet_runners::deploy::DeployTargetBuilder {
    let env = || CommandTemplate::builder("/usr/bin/env", folder).variable("PATH", "/usr/bin:/bin");
    target
        .command("say", env().argument("echo").hole("word", Hole::word(64)).reads_only())
        .command("true", env().argument("true").hole("run", Hole::word(64)))
        .command("false", env().argument("false").hole("run", Hole::word(64)))
}

/// The name of the endpoint in the templates.
pub(crate) fn name(product: Product) -> &'static str {
    match product {
        Product::Rundeck => "rundeck",
        Product::GithubActions => "github",
        Product::Gitlab | Product::GitlabTrigger => "gitlab",
        Product::Jenkins => "jenkins",
        Product::ArgoCd => "argo-cd",
        Product::Jira => "jira",
        other => panic!("{other:?} is not known here"),
    }
}

/// Those that deploy.
pub(crate) const DEPLOYING: [Product; 6] = [
    Product::Rundeck,
    Product::GithubActions,
    Product::Gitlab,
    Product::GitlabTrigger,
    Product::Jenkins,
    Product::ArgoCd,
];

fn template(product: Product) -> Value {
    let text = match product {
        Product::Rundeck => include_str!("../../plugins/deploy/templates/rundeck.json"),
        Product::GithubActions => {
            include_str!("../../plugins/deploy/templates/github-actions.json")
        }
        Product::Gitlab => include_str!("../../plugins/deploy/templates/gitlab.json"),
        Product::GitlabTrigger => {
            include_str!("../../plugins/deploy/templates/gitlab-trigger.json")
        }
        Product::Jenkins => include_str!("../../plugins/deploy/templates/jenkins.json"),
        Product::ArgoCd => include_str!("../../plugins/deploy/templates/argo-cd.json"),
        other => panic!("{other:?} deploys nothing"),
    };
    let mut template: Value = serde_json::from_str(text).unwrap();
    // As patient as a test may be.
    for part in ["poll", "verify"] {
        template["steps"][0][part]["every_ms"] = json!(100);
        template["steps"][0][part]["times_max"] = json!(3);
    }
    // Asked for by index, what is not there would be put there.
    let health = template.get_mut("health").and_then(Value::as_array_mut);
    for health in health.into_iter().flatten() {
        health["every_ms"] = json!(100);
        health["times_max"] = json!(2);
    }
    template
}

/// A deployment by the template that is shipped for this product.
pub(crate) fn deployment(product: Product) -> Job {
    let hole = if product == Product::ArgoCd { "revision" } else { "version" };
    let payload = json!({ "do": "shop", "with": { hole: "1.2.3" } });
    let settings = json!({ "deployments": { "shop": template(product) } });
    Job { settings: settings.to_string(), ..job("deploy", &payload) }
}

pub(crate) fn job(runner: &str, payload: &Value) -> Job {
    let job = crate::bench::job(runner, &payload.to_string());
    let id = JobId { run: RunId::from_u128(0xfeed), ..job.id };
    assert_eq!(job.payload_digest, Digest::of(job.payload.as_bytes()));
    Job { id, ..job }
}

/// A call of Rundeck with nothing in it.
pub(crate) fn http(method: &str, path: &str) -> HttpCall {
    HttpCall {
        endpoint: "rundeck".into(),
        method: method.into(),
        path_and_query: path.into(),
        headers: vec![],
        body: vec![],
    }
}

/// A call, as the plugin of these tests is told of it.
pub(crate) fn text(call: HttpCall) -> String {
    Exchange::Http(call).to_text()
}

/// A command with these values in its holes, as the plugin of these tests is told of it.
pub(crate) fn command(name: &str, arguments: &[(&str, &str)]) -> String {
    let arguments = arguments.iter().map(|&(hole, value)| (hole.into(), value.into())).collect();
    Exchange::Command(CommandCall { name: name.into(), arguments, stdin: vec![] }).to_text()
}

/// How a note goes wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Slip {
    /// It is not kept, and that is said.
    NotKept,
    /// It is kept, and nobody hears of it.
    Unheard,
}

/// A link that remembers notes, and fails where a test says.
#[derive(Debug, Default)]
pub(crate) struct Notebook {
    pub(crate) lease: Arc<Held>,
    pub(crate) noted: Mutex<Vec<(String, String)>>,
    pub(crate) log: Mutex<Vec<LogLine>>,
    /// Which note goes wrong, and how.
    pub(crate) slip: Mutex<Option<(usize, Slip)>>,
    /// Whether it forgets everything: a link that is broken.
    pub(crate) forgets: bool,
    /// Whether nobody can read what was noted.
    pub(crate) is_deaf: AtomicBool,
    pub(crate) notes: AtomicUsize,
}

/// A lease that something happens to at one of the looks of the plugin's thread.
#[derive(Debug, Default)]
pub(crate) struct Held {
    looks: AtomicUsize,
    over: Mutex<Option<Code>>,
    pub(crate) then: Mutex<Then>,
}

#[derive(Default)]
pub(crate) enum Then {
    #[default]
    Nothing,
    /// At this look the store does not answer, once.
    Unavailable(usize),
    /// From this look on, the run is over for this reason.
    Over(usize, Code),
    /// Right after this look something happens.
    Do(usize, Box<dyn FnOnce() + Send>),
}

impl core::fmt::Debug for Then {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Then")
    }
}

impl Held {
    pub(crate) fn looks(&self) -> usize {
        self.looks.load(Ordering::SeqCst)
    }

    /// The run is over, for this reason.
    pub(crate) fn end(&self, code: Code) {
        *self.over.lock().unwrap() = Some(code);
    }

    /// Whatever was wrong is over.
    pub(crate) fn mend(&self) {
        *self.over.lock().unwrap() = None;
        *self.then.lock().unwrap() = Then::Nothing;
    }
}

impl RunLease for Held {
    fn may_touch_target(&self) -> Result<(), Error> {
        // The calling thread looks too, whenever it likes.
        if std::thread::current().name() == Some("placet-run") {
            let look = self.looks.fetch_add(1, Ordering::SeqCst);
            let then = core::mem::take(&mut *self.then.lock().unwrap());
            match then {
                Then::Nothing => {}
                Then::Unavailable(at) if at == look => {
                    return Err(Error::new(Code::StoreUnavailable, "the store does not answer"));
                }
                Then::Over(at, code) if at == look => self.end(code),
                Then::Do(at, act) if at == look => act(),
                later @ (Then::Unavailable(_) | Then::Over(..) | Then::Do(..)) => {
                    *self.then.lock().unwrap() = later;
                }
            }
        }
        let over = *self.over.lock().unwrap();
        over.map_or(Ok(()), |code| Err(Error::new(code, "not any more")))
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_micros(0)
    }
}

impl RunLink for Notebook {
    fn lease(&self) -> Arc<dyn RunLease> {
        Arc::<Held>::clone(&self.lease)
    }

    fn progress(&self, _: Progress) {}

    fn log(&self, line: LogLine) {
        self.log.lock().unwrap().push(line);
    }

    fn checkpoint(&self, step: &str, state: &str) -> Result<(), Error> {
        let number = self.notes.fetch_add(1, Ordering::SeqCst);
        let slip = self.slip.lock().unwrap().filter(|(at, _)| *at == number).map(|(_, how)| how);
        if !self.forgets && slip != Some(Slip::NotKept) {
            self.noted.lock().unwrap().push((step.to_owned(), state.to_owned()));
        }
        match slip {
            None => Ok(()),
            Some(_) => Err(Error::new(Code::StoreUnavailable, "the store does not answer")),
        }
    }

    fn checkpoints(&self) -> Result<Vec<(String, String)>, Error> {
        if self.is_deaf.load(Ordering::SeqCst) {
            return Err(Error::new(Code::StoreUnavailable, "the store does not answer"));
        }
        Ok(self.noted.lock().unwrap().clone())
    }
}
