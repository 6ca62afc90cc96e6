//! Questions about a request that want an answer.

use clap::{Args, Subcommand};
use placet::error::Error;
use placet::id::RequestId;
use placet::request::{Thread, ThreadPlace};
use serde_json::{Value, json};

use super::look::who;
use crate::console::{Answer, json_of};
use crate::ground::Ground;
use crate::text::{Mood, Text};

/// Questions about a request that want an answer.
#[derive(Debug, Subcommand)]
pub(crate) enum ThreadCommand {
    /// Ask something.
    Open(Open),
    /// Answer.
    Reply(Reply),
    /// Say that it needs no more answers.
    Resolve(Which),
    /// Say that it wants an answer again.
    Reopen(Which),
    /// The questions, with their answers.
    List(List),
}

/// Ask something.
#[derive(Args, Debug)]
pub(crate) struct Open {
    /// The request.
    id: RequestId,
    /// What to ask.
    text: String,
    /// About this revision, counted from 1.
    #[arg(long, value_name = "NUMBER", conflicts_with = "step")]
    revision: Option<u32>,
    /// About this step of the plan, counted from 1.
    #[arg(long, value_name = "NUMBER")]
    step: Option<u32>,
}

/// Answer.
#[derive(Args, Debug)]
pub(crate) struct Reply {
    /// The request.
    id: RequestId,
    /// The thread's number.
    thread: u32,
    /// What to answer.
    text: String,
}

/// One thread.
#[derive(Args, Debug)]
pub(crate) struct Which {
    /// The request.
    id: RequestId,
    /// The thread's number.
    thread: u32,
}

/// The questions, with their answers.
#[derive(Args, Debug)]
pub(crate) struct List {
    /// The request.
    id: RequestId,
    /// Only those that are open.
    #[arg(long)]
    open: bool,
}

impl ThreadCommand {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let (gate, caller) = ground.open()?;
        match self {
            Self::Open(Open { id, text, revision, step }) => {
                let revision = revision.map(ThreadPlace::Revision);
                let place = step.map(ThreadPlace::Step).or(revision);
                let place = place.unwrap_or(ThreadPlace::Request);
                told(&gate.open_thread(&caller, id, place, &text)?)
            }
            Self::Reply(Reply { id, thread, text }) => {
                told(&gate.reply(&caller, id, thread, &text)?)
            }
            Self::Resolve(Which { id, thread }) => told(&gate.resolve_thread(&caller, id, thread)?),
            Self::Reopen(Which { id, thread }) => told(&gate.reopen_thread(&caller, id, thread)?),
            Self::List(List { id, open }) => {
                let (mut text, mut threads, mut after) = (Text::default(), Vec::new(), None);
                loop {
                    let page = gate.threads(&caller, id, after.as_ref())?;
                    for view in page.items {
                        if open && !view.thread.is_open() {
                            continue;
                        }
                        tell(&mut text, &view.thread, view.is_outdated);
                        let posts = gate.posts(&caller, id, view.thread.number)?;
                        for post in &posts {
                            let by = who(post.actor, post.by_agent);
                            text.field(&by, post.comment.as_deref().unwrap_or_default());
                        }
                        let (thread, posts) = (json_of(&view.thread)?, json_of(&posts)?);
                        let is_outdated = view.is_outdated;
                        threads.push(json!({
                            "thread": thread, "is_outdated": is_outdated, "posts": posts,
                        }));
                    }
                    after = page.next;
                    if after.is_none() {
                        break;
                    }
                }
                if threads.is_empty() {
                    text.line("no thread");
                }
                Ok(Answer::ok(text, json!({"threads": Value::Array(threads)})))
            }
        }
    }
}

fn told(thread: &Thread) -> Result<Answer, Error> {
    let mut text = Text::default();
    tell(&mut text, thread, false);
    Ok(Answer::ok(text, json!({"thread": json_of(thread)?})))
}

fn tell(text: &mut Text, thread: &Thread, is_outdated: bool) {
    let mood = if thread.is_open() { Mood::Odd } else { Mood::Good };
    let word = if thread.is_open() { "open" } else { "resolved" };
    let about = match thread.place {
        ThreadPlace::Revision(number) => format!(", on revision {number}"),
        ThreadPlace::Step(number) => {
            format!(", on step {number} of the plan of revision {}", thread.revision)
        }
        ThreadPlace::Request => String::new(),
    };
    let earlier = if is_outdated { ", which is not the present one" } else { "" };
    text.said(mood, word, format_args!("thread {}{about}{earlier}", thread.number));
}
