//! What a session relies on between its transactions: who it is, our tables, and the lock of its attempt. What runs
//! alone is in no transaction that could be undone, and what a transaction changed for the next one would not be seen.

use placet_core::runner::JobId;
use placet_target::SqlFailure;

use crate::fault::{Trouble, refused};
use crate::watch::{Depth, seen};
use crate::work::{Work, lock_key};

impl Work {
    /// Looks once how everything is, right after it was set up. A dry run commits nothing, and has no tables to rely on.
    pub(crate) async fn note_base(&mut self) -> Result<(), SqlFailure> {
        let watch = self.watch().await?;
        self.base = Some(watch.look(&self.link).await?);
        Ok(())
    }

    /// Makes sure that everything is as it was set up. Asked outside of a transaction: inside, the transaction has the
    /// lock too. `is_rewritten` says that our tables may have new files: VACUUM FULL of everything, for one.
    pub(crate) async fn check_base(&mut self, is_rewritten: bool) -> Result<(), SqlFailure> {
        let (Some(id), Some(base)) = (self.attempt(), self.base.clone()) else { return Ok(()) };
        let watch = self.watch().await?;
        // Somebody who says stop does not make the answer less needed.
        let row = self.link.bounded(watch.ask(&self.link, Depth::Everything)).await?;
        let found = seen(&row)?;
        if !found.is_based_on(&base, is_rewritten) {
            return Err(refused(
                "the session or the host's own tables are not as they were set up; look who changed them, and begin anew",
            ));
        }
        if !self.holds_lock(&id).await? {
            return Err(refused(
                "this session does not hold the lock of its attempt any more; another one may be at work",
            ));
        }
        self.base = Some(found);
        Ok(())
    }

    /// Whether the lock of the attempt is still this session's.
    async fn holds_lock(&self, id: &JobId) -> Result<bool, Trouble> {
        // The server shows the two halves of a key.
        let key = lock_key(id).cast_unsigned();
        let (high, low) = (key >> 32, key & u64::from(u32::MAX));
        let sql = format!(
            "SELECT 1 FROM pg_catalog.pg_locks l
            WHERE l.locktype OPERATOR(pg_catalog.=) 'advisory' AND l.granted
                AND l.mode OPERATOR(pg_catalog.=) 'ExclusiveLock'
                AND l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()
                AND l.classid OPERATOR(pg_catalog.=) '{high}'::pg_catalog.oid
                AND l.objid OPERATOR(pg_catalog.=) '{low}'::pg_catalog.oid
                AND l.objsubid OPERATOR(pg_catalog.=) 1"
        );
        Ok(!self.link.bounded(self.link.client.query_typed(&sql, &[])).await?.is_empty())
    }
}
