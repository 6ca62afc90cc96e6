//! Local servers that speak the calls of known products, with faults as data.
//!
//! Each listens on a free port of 127.0.0.1, asks for its credential, counts what was really begun, and stops when it
//! is dropped. The shapes of calls and answers follow the public documentation of each product:
//!
//! | product | documentation |
//! |---|---|
//! | Rundeck, API 41 | <https://docs.rundeck.com/docs/api/rundeck-api.html> |
//! | GitHub Actions | <https://docs.github.com/en/rest/actions/workflows>, <https://docs.github.com/en/rest/actions/workflow-runs> |
//! | GitLab | <https://docs.gitlab.com/api/pipelines/>, <https://docs.gitlab.com/api/pipeline_triggers/> |
//! | Jenkins | <https://www.jenkins.io/doc/book/using/remote-access-api/> |
//! | Argo CD | <https://argo-cd.readthedocs.io/en/stable/developer-guide/api-docs/> |
//! | Jira | <https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/>, <https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-properties/>, <https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-search/> |

mod fault; // what goes wrong
mod wire; // requests as they came, and answers as they go
mod server; // one server
mod certificate; // whom its clients trust
mod product; // which product it speaks for
mod rundeck; // Rundeck
mod github; // GitHub Actions
mod gitlab; // GitLab
mod jenkins; // Jenkins
mod argo; // Argo CD
mod jira; // Jira

pub use certificate::Certificate;
pub use fault::{Fault, Scope};
pub use product::{Ending, Product};
pub use server::ProductServer;
pub use wire::Seen;
