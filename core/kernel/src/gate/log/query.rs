//! Looking into the log: what is about what, and when it was.

use super::walk::Walk;
use crate::audit::{AuditCursor, AuditPage, AuditQuery, Leaf};
use crate::authz::{Action, Audit, Scope};
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::gate::txn::{Txn, lost_race};
use crate::id::RequestId;
use crate::identity::Caller;

impl Gate {
    /// The entries of the log that `query` asks for, one page of at most `limit` (and at most
    /// [`crate::limits::Limits::page_rows_max`]) of them. PLATFORM_ADMIN and AUDITOR may ask anything; whoever may
    /// read a request may ask about it.
    ///
    /// `cursor` is what the page before came with; without one it is the first page. What a page costs goes by what is
    /// on it, not by how long the log is: an index that is kept with the log leads to the entries, and each is
    /// read from the log itself.
    ///
    /// Fails with [`Code::Denied`] for everybody else, and with
    /// [`Code::NotFound`] for a request that they may not see; with
    /// [`Code::InvalidInput`] for a cursor of another query; and with
    /// [`Code::StoreDamaged`] where the index is not what the log says: see
    /// [`Self::rebuild_log_index`].
    ///
    /// ```
    /// use placet_core::audit::AuditQuery;
    /// use placet_core::error::Code;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let id = office.approved(&gate)?.header.id;
    /// let newest = AuditQuery::default().by(office.bo.user()).newest_first();
    /// let page = gate.query_audit(&office.root, &newest, None, 1)?;
    /// assert_eq!(page.entries[0].1.event, "request.approved");
    ///
    /// // Ana may ask about what she may read, and nothing more.
    /// assert!(gate.query_audit(&office.ana, &AuditQuery::default().about(id), None, 1).is_ok());
    /// let error = gate.query_audit(&office.ana, &newest, None, 1).unwrap_err();
    /// assert_eq!(error.code(), Code::Denied);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn query_audit(
        &self,
        caller: &Caller,
        query: &AuditQuery,
        cursor: Option<&AuditCursor>,
        limit: usize,
    ) -> Result<AuditPage, Error> {
        self.consult(|txn| {
            txn.may_query(caller, query)?;
            self.page_of_log(query, cursor, limit)
        })
    }

    /// The log entries about a request, with their indexes, for whoever may read the request.
    ///
    /// Fails with [`Code::NotFound`] as [`Self::view`] does.
    ///
    /// ```
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let id = office.approved(&gate)?.header.id;
    /// let (_, last) = gate.trail(&office.ana, id)?.pop().expect("there are entries");
    /// assert_eq!((last.event.as_str(), last.actor), ("request.approved", Some(office.bo.user())));
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn trail(&self, caller: &Caller, id: RequestId) -> Result<Vec<(u64, Leaf)>, Error> {
        self.consult(|txn| {
            txn.readable(caller, id)?;
            self.all_of_log(&AuditQuery::default().about(id))
        })
    }

    /// All that the log has of it, for whoever was found to be allowed it.
    pub(in crate::gate) fn all_of_log(
        &self,
        query: &AuditQuery,
    ) -> Result<Vec<(u64, Leaf)>, Error> {
        let (mut found, mut cursor) = (Vec::new(), None);
        loop {
            let page = self.page_of_log(query, cursor.as_ref(), usize::MAX)?;
            found.extend(page.entries);
            cursor = page.next;
            if cursor.is_none() {
                return Ok(found);
            }
        }
    }

    /// Log entries from `from` on, for PLATFORM_ADMIN and AUDITOR, at most one page.
    /// Indexes count from 0. Fails with [`Code::Denied`] for everybody else.
    ///
    /// ```
    /// use placet_core::error::Code;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let log = gate.audit(&office.root, 0)?;
    /// assert_eq!(log[0].1.event, "platform.bootstrapped");
    /// let next = log.last().map_or(0, |(index, _)| index + 1);
    /// assert!(gate.audit(&office.root, next)?.is_empty());
    /// assert_eq!(gate.audit(&office.ana, 0).unwrap_err().code(), Code::Denied);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn audit(&self, caller: &Caller, from: u64) -> Result<Vec<(u64, Leaf)>, Error> {
        self.consult(|txn| {
            let permit = txn.ask::<Audit>(caller.user(), Scope::Platform, "audit log")?;
            permit.spend_on(&Scope::Platform).map(drop)
        })?;
        let entries = self.parts.store.log_read(from, self.parts.limits.page_rows_max.max(1))?;
        (0_u64..)
            .map(|n| from.saturating_add(n))
            .zip(entries)
            .map(|(index, bytes)| Ok((index, Leaf::from_bytes(&bytes)?)))
            .collect()
    }

    /// One page, for whoever was found to be allowed it.
    fn page_of_log(
        &self,
        query: &AuditQuery,
        cursor: Option<&AuditCursor>,
        limit: usize,
    ) -> Result<AuditPage, Error> {
        let place = cursor.map(|cursor| cursor.place_in(query)).transpose()?;
        let index = self.caught_up_index()?;
        let making = index.making.clone();
        let end = self.parts.store.log_len()?;
        let room = limit.clamp(1, self.parts.limits.page_rows_max.max(1));
        let walked = Walk::new(self, query, index, end, room).and_then(|mut walk| {
            let next = if query.newest_first {
                walk.backward(place.unwrap_or(end).min(end))?
            } else {
                walk.forward(place.unwrap_or_default())?
            };
            Ok((walk.found, next))
        });
        let (entries, next) = walked.map_err(|error| self.damaged_or_gone(&making, error))?;
        let next = next.map(|at| AuditCursor::new(query, at)).transpose()?;
        Ok(AuditPage { entries, next })
    }

    /// Tells a damaged index from one that was made anew meanwhile.
    fn damaged_or_gone(&self, making: &str, error: Error) -> Error {
        let now = self.log_index();
        let is_gone = || now.is_ok_and(|now| now.is_none_or(|now| now.making != making));
        if error.code() == Code::StoreDamaged && is_gone() { lost_race() } else { error }
    }
}

impl Txn<'_> {
    /// Refuses whoever may not ask this of the log.
    fn may_query(&mut self, caller: &Caller, query: &AuditQuery) -> Result<(), Error> {
        let user = caller.user();
        if let Some(id) = query.request
            && !self.quietly(user, &Action::AUDIT, Scope::Platform)?.is_allowed()
        {
            return self.readable(caller, id).map(drop);
        }
        let permit = self.ask::<Audit>(user, Scope::Platform, "audit log")?;
        permit.spend_on(&Scope::Platform).map(drop)
    }
}
