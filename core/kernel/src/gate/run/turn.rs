//! Whose turn it is at a target: one run at a time, and whoever waits in the order in which they came.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error};
use crate::gate::txn::Txn;
use crate::id::{ProjectId, RequestId};
use crate::org::Slug;
use crate::request::Header;
use crate::store::records::Record;

/// Who changes a target now, and who asked to. A run that ended as unknown keeps its turn until somebody
/// knows: it may still be at work, and the next change would stand on ground that nobody has seen.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Turn {
    target: Slug,
    holder: Option<Holder>,
    waiting: Vec<Waiting>,
    // How often anybody had to wait here: numbers the asks.
    asks: u64,
}

#[derive(Debug, Deserialize, Serialize)]
struct Holder {
    request: RequestId,
    project: ProjectId,
    fence: u64,
}

/// A place in the queue. It is kept by asking again, so that one who went away holds up nobody.
#[derive(Debug, Deserialize, Serialize)]
struct Waiting {
    request: RequestId,
    // The number of its latest ask. As with the renewals of a lease: each gate measures by its own steady clock
    // for how long it stood still, and no instant is compared.
    asked: u64,
}

impl Record for Turn {
    const KIND: &'static str = "turn";

    fn path(&self) -> Vec<String> {
        vec![self.target.to_string()]
    }
}

/// The longest queue. Whoever comes later asks again later.
const WAITING_MAX: usize = 256;

impl Txn<'_> {
    /// Takes the turn at `target` for the run with `fence`. Where it is not its turn, keeps or takes a place in
    /// the queue, and returns the refusal that says so.
    pub(in crate::gate) fn take_turn(
        &mut self,
        target: &Slug,
        header: &Header,
        fence: u64,
    ) -> Result<Result<(), Error>, Error> {
        let found = self.get::<Turn>(&[target.as_str()])?;
        let (holder, waiting) = (None, Vec::new());
        let mut turn =
            found.unwrap_or_else(|| Turn { target: target.clone(), holder, waiting, asks: 0 });
        let (gate, id) = (self.gate, header.id);
        let (now_ms, kept_ms) = (gate.parts.clock.steady_ms(), gate.parts.limits.lease_ms);
        turn.waiting.retain(|one| {
            let place = (target.clone(), one.request);
            one.request == id || gate.places.still_ms(place, one.asked, now_ms, kept_ms) < kept_ms
        });
        let ahead = turn.waiting.iter().position(|one| one.request == id);
        let is_first = ahead.unwrap_or(turn.waiting.len()) == 0;
        let free = turn.holder.is_none() && is_first;
        if free {
            turn.waiting.retain(|one| one.request != id);
            turn.holder = Some(Holder { request: id, project: header.project_id, fence });
        } else {
            turn.asks = turn.asks.wrapping_add(1);
            let asked = turn.asks;
            if let Some(mine) = turn.waiting.iter_mut().find(|one| one.request == id) {
                mine.asked = asked;
            } else if turn.waiting.len() < WAITING_MAX {
                turn.waiting.push(Waiting { request: id, asked });
            }
        }
        let refusal = (!free).then(|| turn.refusal(header, kept_ms));
        self.put(&turn)?;
        Ok(refusal.map_or(Ok(()), Err))
    }

    /// Gives up the request's place in the queue, where it has one. Called wherever a request that was approved
    /// is not any more.
    pub(in crate::gate) fn leave_queue(
        &mut self,
        target: &Slug,
        id: RequestId,
    ) -> Result<(), Error> {
        match self.get::<Turn>(&[target.as_str()])? {
            Some(mut turn) if turn.waiting.iter().any(|one| one.request == id) => {
                turn.waiting.retain(|one| one.request != id);
                self.put(&turn)
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Gives the turn of the run with `fence` back.
    pub(in crate::gate) fn end_turn(
        &mut self,
        target: &Slug,
        id: RequestId,
        fence: u64,
    ) -> Result<(), Error> {
        match self.get::<Turn>(&[target.as_str()])? {
            Some(turn)
                if turn
                    .holder
                    .as_ref()
                    .is_some_and(|holder| holder.request == id && holder.fence == fence) =>
            {
                self.put(&Turn { holder: None, ..turn })
            }
            Some(_) | None => Ok(()),
        }
    }
}

impl Turn {
    pub(crate) const fn target(&self) -> &Slug {
        &self.target
    }

    /// Who changes the target now, in which project, and by which fence.
    pub(crate) fn holder(&self) -> Option<(RequestId, ProjectId, u64)> {
        self.holder.as_ref().map(|holder| (holder.request, holder.project, holder.fence))
    }

    /// Whether the queue is one that could have come about: nobody waits twice, and not too many.
    pub(crate) fn is_queue(&self) -> bool {
        let waiting: BTreeSet<_> = self.waiting.iter().map(|one| one.request).collect();
        waiting.len() == self.waiting.len() && waiting.len() <= WAITING_MAX
    }

    fn refusal(&self, header: &Header, kept_ms: u64) -> Error {
        let before = self.waiting.iter().take_while(|one| one.request != header.id).count();
        let ahead = before.saturating_add(usize::from(self.holder.is_some()));
        let error = Error::new(
            Code::TargetBusy,
            format!("it is not the turn of `{}` at `{}`: {ahead} ahead", header.id, self.target),
        )
        .with_help(format!(
            "ask again: the place is kept for {kept_ms} ms; a run that is unknown keeps its turn until it is verified"
        ))
        .with_detail("ahead", ahead);
        // Another project's requests are none of the caller's business.
        match &self.holder {
            Some(holder) if holder.project == header.project_id => {
                error.with_detail("holder", holder.request)
            }
            Some(_) | None => error,
        }
    }
}
