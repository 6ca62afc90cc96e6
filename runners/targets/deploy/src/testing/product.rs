//! Which product a server speaks for.

use crate::Credential;
use crate::http::{EndpointBuilder, Rule};
use crate::testing::wire::{Reply, Seen};
use crate::testing::{argo, github, gitlab, jenkins, jira, rundeck};

/// The credential that a server asks for. It is no secret of anybody.
const TOKEN: &str = "tkn-0123456789abcdef";

/// The user of those that ask for one.
const USER: &str = "deployer@example.org";

/// A product whose calls a server speaks.
///
/// ```
/// use placet_target_deploy::testing::{Product, ProductServer};
///
/// for product in Product::ALL {
///     let server = ProductServer::start(product);
///     assert!(server.endpoint().build().is_ok());
///     assert_eq!(server.begun(), 0);
/// }
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Product {
    /// Runs jobs: `POST /api/41/job/{id}/run`.
    Rundeck,
    /// Runs workflows: `POST /repos/{owner}/{repository}/actions/workflows/{file}/dispatches`.
    GithubActions,
    /// Runs pipelines: `POST /api/v4/projects/{id}/pipeline`.
    Gitlab,
    /// Runs pipelines for whoever has a token that begins them and nothing else:
    /// `POST /api/v4/projects/{id}/trigger/pipeline`.
    GitlabTrigger,
    /// Runs builds: `POST /job/{name}/buildWithParameters`.
    Jenkins,
    /// Syncs applications: `POST /api/v1/applications/{name}/sync`.
    ArgoCd,
    /// Keeps issues: `POST /rest/api/3/issue`.
    Jira,
}

/// How everything that is begun from here on ends.
///
/// ```
/// use placet_target_deploy::testing::{Ending, Product, ProductServer};
/// ProductServer::start(Product::Gitlab).ends(Ending::Failed, 2);
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Ending {
    /// Well.
    #[default]
    Succeeded,
    /// Not well.
    Failed,
}

/// Something that was begun.
#[derive(Clone, Debug)]
pub(super) struct Work {
    pub(super) id: u64,
    /// The job, workflow, project, build job or application.
    pub(super) place: String,
    /// What it was begun with.
    pub(super) parameters: Vec<(String, String)>,
    pub(super) ending: Ending,
    /// How often it is still seen running.
    pub(super) looks_left: u32,
}

impl Work {
    /// Somebody looks: `None` while it runs.
    pub(super) fn look(&mut self) -> Option<Ending> {
        if self.looks_left == 0 {
            return Some(self.ending);
        }
        self.looks_left = self.looks_left.saturating_sub(1);
        None
    }
}

/// What a server knows.
#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) base: String,
    pub(super) works: Vec<Work>,
    pub(super) issues: Vec<jira::Issue>,
    pub(super) ending: Ending,
    pub(super) looks: u32,
}

impl World {
    /// Begins something, and says its number.
    pub(super) fn begin(&mut self, place: &str, parameters: Vec<(String, String)>) -> u64 {
        let id = u64::try_from(self.works.len()).unwrap_or(u64::MAX).saturating_add(1);
        let (place, ending, looks_left) = (place.to_owned(), self.ending, self.looks);
        self.works.push(Work { id, place, parameters, ending, looks_left });
        id
    }

    pub(super) fn work(&mut self, id: &str) -> Option<&mut Work> {
        self.works.iter_mut().find(|work| work.id.to_string() == id)
    }

    /// What was begun at a place, the newest first.
    pub(super) fn at<'a>(&'a mut self, place: &'a str) -> impl Iterator<Item = &'a mut Work> {
        self.works.iter_mut().rev().filter(move |work| work.place == place)
    }
}

impl Product {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Rundeck,
        Self::GithubActions,
        Self::Gitlab,
        Self::GitlabTrigger,
        Self::Jenkins,
        Self::ArgoCd,
        Self::Jira,
    ];

    /// The endpoint with what shows this product who asks.
    pub(super) fn credentials(self, endpoint: EndpointBuilder) -> EndpointBuilder {
        if self == Self::GitlabTrigger {
            let begins = Credential::form_field("token", TOKEN);
            return endpoint.credential(begins).read_credential(self.credential());
        }
        endpoint.credential(self.credential())
    }

    /// Whether somebody showed who they are.
    pub(super) fn knows(self, seen: &Seen) -> bool {
        if self == Self::GitlabTrigger && seen.method == "POST" {
            // The token of a trigger stands in the form, and no other is needed.
            let form = Seen::pairs(&String::from_utf8_lossy(&seen.body));
            let tokens: Vec<&str> = form
                .iter()
                .filter(|(key, _)| key == "token")
                .map(|(_, value)| value.as_str())
                .collect();
            return tokens == [TOKEN];
        }
        let credential = self.credential();
        seen.header(&credential.name) == Some(credential.value.expose())
    }

    /// The header and value that shows a server who asks.
    fn credential(self) -> Credential {
        match self {
            Self::Rundeck => Credential::header("X-Rundeck-Auth-Token", TOKEN),
            Self::Gitlab | Self::GitlabTrigger => Credential::header("PRIVATE-TOKEN", TOKEN),
            Self::GithubActions | Self::ArgoCd => Credential::bearer(TOKEN),
            Self::Jenkins | Self::Jira => Credential::basic(USER, TOKEN),
        }
    }

    /// The rules of an endpoint that is this product.
    pub(super) fn rules(self, endpoint: EndpointBuilder) -> EndpointBuilder {
        let endpoint = endpoint.read(Rule::below("GET", "/"));
        match self {
            Self::Rundeck => endpoint.write(Rule::below("POST", "/api/41/job")),
            Self::GithubActions => endpoint.write(Rule::below("POST", "/repos")),
            Self::Gitlab | Self::GitlabTrigger => {
                endpoint.write(Rule::below("POST", "/api/v4/projects"))
            }
            Self::Jenkins => endpoint.write(Rule::below("POST", "/job")),
            Self::ArgoCd => endpoint.write(Rule::below("POST", "/api/v1/applications")),
            Self::Jira => endpoint
                .read(Rule::exactly("POST", "/rest/api/3/search/jql"))
                .write(Rule::below("POST", "/rest/api/3/issue"))
                .write(Rule::below("PUT", "/rest/api/3/issue")),
        }
    }

    /// Whether a request changes something, when it is answered as it should be.
    pub(super) fn writes(self, seen: &Seen) -> bool {
        seen.method != "GET" && !seen.path.ends_with("/search/jql")
    }

    pub(super) fn answer(self, world: &mut World, seen: &Seen) -> Reply {
        match self {
            Self::Rundeck => rundeck::answer(world, seen),
            Self::GithubActions => github::answer(world, seen),
            Self::Gitlab | Self::GitlabTrigger => gitlab::answer(world, seen),
            Self::Jenkins => jenkins::answer(world, seen),
            Self::ArgoCd => argo::answer(world, seen),
            Self::Jira => jira::answer(world, seen),
        }
    }
}
