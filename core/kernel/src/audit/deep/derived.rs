//! What must fit together: records that no leaf names, made again from those that leaves do.

use core::cell::RefCell;
use std::collections::BTreeSet;

use super::ledger::{Mark, mark_of};
use super::report::DeepFault;
use crate::error::Error;
use crate::gate::{Due, Live, Turn, email_key};
use crate::id::{ProjectId, RequestId, UserId};
use crate::org::book::Unique;
use crate::org::{Project, Slug, User};
use crate::request::{Executing, Request, State};
use crate::store::erasable::without_texts;
use crate::store::records::{self, Record};
use crate::store::{Key, Store};

/// A record that is not as it must be.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) fault: DeepFault,
    pub(super) key: Key,
    pub(super) why: &'static str,
}

impl Wrong {
    pub(super) fn unfit(key: &Key, why: &'static str) -> Vec<Self> {
        vec![Self { fault: DeepFault::Unfit, key: key.clone(), why }]
    }

    pub(super) fn missing(key: Key, why: &'static str) -> Vec<Self> {
        vec![Self { fault: DeepFault::Missing, key, why }]
    }
}

pub(super) type Verdict = Result<Vec<Wrong>, Error>;

const UNREADABLE: &str = "it cannot be read";
const NOT_ITS_KEY: &str = "it stands under the key of another";

/// Reads other records, and remembers which: what was found holds as long as none of them was written meanwhile.
#[derive(Debug)]
pub(super) struct Look<'a> {
    pub(super) store: &'a dyn Store,
    looked: RefCell<BTreeSet<Mark>>,
}

impl<'a> Look<'a> {
    pub(super) fn at(store: &'a dyn Store) -> Self {
        Self { store, looked: RefCell::default() }
    }

    pub(super) fn looked(self) -> BTreeSet<Mark> {
        self.looked.into_inner()
    }

    /// The record at `path`. One that cannot be read counts as none here: it is found where it stands.
    pub(super) fn get<R: Record>(&self, path: &[&str]) -> Result<Option<R>, Error> {
        let key = records::key_of::<R>(path);
        self.looked.borrow_mut().insert(mark_of(&key));
        let stored = self.store.get(&key)?;
        Ok(stored.and_then(|stored| records::decode(&key, &stored.value).ok()))
    }
}

/// The record at `key`, where it can be read and stands under its own key.
pub(super) fn own<R: Record>(key: &Key, bytes: &[u8]) -> Result<R, Vec<Wrong>> {
    let record: R = records::decode(key, bytes).map_err(|_| Wrong::unfit(key, UNREADABLE))?;
    if records::key_for(&record) == *key { Ok(record) } else { Err(Wrong::unfit(key, NOT_ITS_KEY)) }
}

/// For records whose keys are all that they say.
#[expect(clippy::unnecessary_wraps, reason = "it is a judge like the others, and those read")]
pub(super) fn is_its_key<R: Record>(_: &Look<'_>, key: &Key, bytes: &[u8]) -> Verdict {
    Ok(own::<R>(key, bytes).err().unwrap_or_default())
}

/// A value that one holder has: its holder must say the same of itself.
pub(super) fn unique(look: &Look<'_>, key: &Key, bytes: &[u8]) -> Verdict {
    let row: Unique = match own(key, bytes) {
        Ok(row) => row,
        Err(wrong) => return Ok(wrong),
    };
    let holds = match row.what.as_str() {
        "users.email" => match row.holder.parse::<UserId>() {
            Ok(id) => look
                .get::<User>(&[&id.to_string()])?
                .is_some_and(|user| email_key(&user.email, id).value == row.value),
            Err(_) => false,
        },
        "projects.code" => match row.holder.parse::<ProjectId>() {
            Ok(id) => look
                .get::<Project>(&[&id.to_string()])?
                .is_some_and(|project| project.code.as_str() == row.value),
            Err(_) => false,
        },
        _ => false,
    };
    Ok(if holds { Vec::new() } else { Wrong::unfit(key, "its holder has no such value") })
}

/// A user keeps their e-mail address from being anybody else's.
pub(super) fn user(look: &Look<'_>, key: &Key, bytes: &[u8]) -> Verdict {
    match own::<User>(key, bytes) {
        // The address of somebody who was erased is free.
        Ok(_) if without_texts(bytes).is_ok_and(|texts| texts.is_none()) => Ok(Vec::new()),
        Ok(user) => held(look, &email_key(&user.email, user.id)),
        Err(wrong) => Ok(wrong),
    }
}

/// A project keeps its code from being another's.
pub(super) fn project(look: &Look<'_>, key: &Key, bytes: &[u8]) -> Verdict {
    let project: Project = match own(key, bytes) {
        Ok(project) => project,
        Err(wrong) => return Ok(wrong),
    };
    let (what, value) = ("projects.code".to_owned(), project.code.to_string());
    held(look, &Unique { what, value, holder: project.id.to_string() })
}

fn held(look: &Look<'_>, due: &Unique) -> Verdict {
    let key = records::key_for(due);
    Ok(match look.get::<Unique>(&[&due.what, &due.value])? {
        Some(row) if row.holder == due.holder => Vec::new(),
        Some(_) => Wrong::unfit(&key, "it names another holder"),
        None => Wrong::missing(key, "a value that must be one holder's could be taken again"),
    })
}

/// The lease of a run is there as long as the run is.
pub(super) fn live(look: &Look<'_>, key: &Key, bytes: &[u8]) -> Verdict {
    let live: Live = match own(key, bytes) {
        Ok(live) => live,
        Err(wrong) => return Ok(wrong),
    };
    let runs = look.get::<Request>(&[&live.request.to_string()])?.is_some_and(|request| {
        let State::Executing(run) = request.state else { return false };
        is_lease_of(&live, &run)
    });
    Ok(if runs { Vec::new() } else { Wrong::unfit(key, "no run has this lease") })
}

fn is_lease_of(live: &Live, run: &Executing) -> bool {
    (live.run, live.fence, live.is_stopped) == (run.run, run.fence, run.cancel_requested)
}

/// Whoever changes a target now is in the middle of it, or nobody knows whether they are.
pub(super) fn turn(look: &Look<'_>, key: &Key, bytes: &[u8]) -> Verdict {
    let turn: Turn = match own(key, bytes) {
        Ok(turn) => turn,
        Err(wrong) => return Ok(wrong),
    };
    if !turn.is_queue() {
        return Ok(Wrong::unfit(key, "its queue is none that anybody could have made"));
    }
    let Some((id, project, fence)) = turn.holder() else { return Ok(Vec::new()) };
    let holds = look.get::<Request>(&[&id.to_string()])?.is_some_and(|request| {
        request.header.project_id == project
            && at_work(&request.state) == Some((turn.target(), fence))
    });
    Ok(if holds { Vec::new() } else { Wrong::unfit(key, "its holder runs nothing there") })
}

/// The target and the fence of a run that may be changing it.
const fn at_work(state: &State) -> Option<(&Slug, u64)> {
    match state {
        State::Executing(run) => Some((&run.target, run.fence)),
        State::Unknown(unknown) => Some((&unknown.ended.target, unknown.ended.fence)),
        State::Draft(_)
        | State::PendingApproval(_)
        | State::ChangesRequested(_)
        | State::Approved(_)
        | State::Rejected(_)
        | State::Cancelled(_)
        | State::Succeeded(_)
        | State::Failed(_) => None,
    }
}

/// A request that the gate will run says so itself.
pub(super) fn due(look: &Look<'_>, key: &Key, bytes: &[u8]) -> Verdict {
    let due: Due = match own(key, bytes) {
        Ok(due) => due,
        Err(wrong) => return Ok(wrong),
    };
    let is_due =
        look.get::<Request>(&[&due.request.to_string()])?.is_some_and(|request| request.is_due());
    Ok(if is_due {
        Vec::new()
    } else {
        Wrong::unfit(key, "its request waits for no run by the gate")
    })
}

/// A run has its lease and the turn at its target, and what the gate will run waits for it.
pub(super) fn request(look: &Look<'_>, key: &Key, bytes: &[u8]) -> Verdict {
    let request: Request = match own(key, bytes) {
        Ok(request) => request,
        Err(wrong) => return Ok(wrong),
    };
    let id: RequestId = request.header.id;
    let mut wrong = Vec::new();
    if request.is_due() && look.get::<Due>(&[&id.to_string()])?.is_none() {
        let row = records::key_of::<Due>(&[&id.to_string()]);
        wrong.extend(Wrong::missing(row, "a request is due, and the gate would never run it"));
    }
    if let State::Executing(run) = &request.state {
        let path = id.to_string();
        let lease = records::key_of::<Live>(&[&path]);
        wrong.extend(match look.get::<Live>(&[&path])? {
            Some(live) if is_lease_of(&live, run) => Vec::new(),
            Some(_) => Wrong::unfit(&lease, "it is not that of the run"),
            None => Wrong::missing(lease, "a run is under way, and nobody would declare it over"),
        });
    }
    if let Some((target, fence)) = at_work(&request.state) {
        let row = records::key_of::<Turn>(&[target.as_str()]);
        let due = Some((id, request.header.project_id, fence));
        wrong.extend(match look.get::<Turn>(&[target.as_str()])? {
            Some(turn) if turn.holder() == due => Vec::new(),
            Some(_) => Wrong::unfit(&row, "a run that may be at work there does not have the turn"),
            None => Wrong::missing(row, "a run that may be at work there does not have the turn"),
        });
    }
    Ok(wrong)
}
