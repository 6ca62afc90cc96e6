//! What an environment knows how to do: templates of deployments, as data of its settings.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use serde::Deserialize;
use serde_json::Value;

/// The settings of an environment.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    #[serde(default)]
    pub(crate) deployments: BTreeMap<String, Deployment>,
}

/// One deployment.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Deployment {
    /// Values that the operator fixed.
    #[serde(default)]
    pub(crate) set: BTreeMap<String, String>,
    /// Values that a request gives.
    #[serde(default)]
    pub(crate) holes: BTreeMap<String, Hole>,
    pub(crate) steps: Vec<Step>,
    /// What must hold afterwards.
    #[serde(default)]
    pub(crate) health: Vec<Health>,
    /// What takes it back.
    #[serde(default)]
    pub(crate) rollback: Vec<Step>,
}

/// What may stand in a hole.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Hole {
    /// Letters and digits of ASCII, and what is listed beside them.
    Text {
        #[serde(default = "text_chars_max")]
        chars_max: usize,
        #[serde(default = "text_also")]
        also: String,
    },
    Integer {
        min: i64,
        max: i64,
    },
    Choice(Vec<String>),
}

const fn text_chars_max() -> usize {
    128
}

fn text_also() -> String {
    ".-_".to_string()
}

/// One write, and how to learn what became of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    pub(crate) id: String,
    pub(crate) title: String,
    #[serde(default = "risk")]
    pub(crate) risk: String,
    pub(crate) http: Option<HttpWrite>,
    pub(crate) command: Option<CommandRun>,
    pub(crate) found: Option<Found>,
    pub(crate) poll: Option<Poll>,
    pub(crate) verify: Option<Lookup>,
    pub(crate) check: Option<CommandCheck>,
}

fn risk() -> String {
    "high".to_string()
}

/// A request that writes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HttpWrite {
    pub(crate) endpoint: String,
    #[serde(default = "post")]
    pub(crate) method: String,
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) json: Option<Value>,
    pub(crate) form: Option<Vec<(String, String)>>,
}

fn post() -> String {
    "POST".to_string()
}

/// A command, with the values of its holes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CommandRun {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) arguments: Vec<(String, String)>,
    #[serde(default)]
    pub(crate) stdin: String,
}

/// A command that only reads, and what its exit codes say of a command that wrote.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CommandCheck {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) arguments: Vec<(String, String)>,
    /// It was done.
    #[serde(default = "zero")]
    pub(crate) done: Vec<i32>,
    /// It was not. That counts once nothing of the run can be under way any more.
    #[serde(default)]
    pub(crate) not_begun: Vec<i32>,
    /// How long after the deadline of a run no command of it can be under way any more, whatever became of its host.
    #[serde(default = "settle_s")]
    pub(crate) settle_s: u32,
}

fn zero() -> Vec<i32> {
    [0].to_vec()
}

/// Where the name stands that the other system gave to what it began.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Found {
    /// At a JSON pointer of the answer's body.
    Body(String),
    /// In the answer's `Location`, in place of `{id}`.
    Location(String),
    /// In the list of `verify`, beside the marker.
    Marker,
}

/// A list in which the marker is found.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lookup {
    pub(crate) endpoint: Option<String>,
    pub(crate) path: String,
    /// A JSON pointer to the items; the whole answer is one where it is empty and no list.
    #[serde(default)]
    pub(crate) items: String,
    /// What an item of ours says, by JSON pointer; `**` is any text anywhere in it.
    #[serde(rename = "where")]
    pub(crate) conditions: BTreeMap<String, Expected>,
    /// A JSON pointer to the name of what was begun.
    #[serde(default)]
    pub(crate) id: Option<String>,
    #[serde(default)]
    pub(crate) absent: Absent,
    /// How long after the deadline of a run nothing of it can begin any more.
    #[serde(default = "settle_s")]
    pub(crate) settle_s: u32,
    /// How often to look right after the trigger, where the list is late.
    #[serde(default = "lookup_times")]
    pub(crate) times_max: u32,
    #[serde(default = "every_ms")]
    pub(crate) every_ms: u32,
}

const fn settle_s() -> u32 {
    300
}

const fn lookup_times() -> u32 {
    20
}

const fn every_ms() -> u32 {
    5_000
}

/// What it means that the marker is not found.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Absent {
    /// Nothing.
    #[default]
    Unknown,
    /// That nothing began, as soon as nothing can begin any more: the list is complete and never late for long.
    NotBegun,
}

/// What a value is expected to be.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Expected {
    Text(String),
    Contains(Contains),
    Other(Value),
}

/// A text that must be part of another.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Contains {
    pub(crate) contains: String,
}

/// How to learn what state it is in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Poll {
    pub(crate) endpoint: Option<String>,
    pub(crate) path: String,
    /// JSON pointers; what stands there is joined by `/`.
    pub(crate) state: Vec<String>,
    /// What the words mean. A word may end in `*`.
    pub(crate) words: BTreeMap<String, Meaning>,
    /// What the answer says if it is about our run.
    #[serde(default)]
    pub(crate) ours: BTreeMap<String, Expected>,
    pub(crate) queued: Option<Queued>,
    #[serde(default = "poll_times")]
    pub(crate) times_max: u32,
    #[serde(default = "every_ms")]
    pub(crate) every_ms: u32,
}

const fn poll_times() -> u32 {
    240
}

/// A queue in which it waits under another name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Queued {
    pub(crate) path: String,
    /// A JSON pointer to its name once it left the queue.
    pub(crate) id: String,
    /// A JSON pointer to what is `true` where it was taken out of the queue.
    pub(crate) cancelled: Option<String>,
}

/// What a word means.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Meaning {
    Running,
    Succeeded,
    Failed,
}

/// What must hold after a success.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Health {
    pub(crate) endpoint: String,
    pub(crate) path: String,
    #[serde(default = "ok")]
    pub(crate) status: u16,
    #[serde(default, rename = "where")]
    pub(crate) conditions: BTreeMap<String, Expected>,
    #[serde(default = "health_times")]
    pub(crate) times_max: u32,
    #[serde(default = "every_ms")]
    pub(crate) every_ms: u32,
}

const fn ok() -> u16 {
    200
}

const fn health_times() -> u32 {
    12
}
