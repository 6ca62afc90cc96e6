//! What a statement calls without saying so: by an operator, a cast, a column that is a function of its row, or a view.

use placet_target::SqlFailure;

use crate::fault::{Trouble, refused, shifted};
use crate::guard::Statement;
use crate::work::Work;

/// Everything that the statement, and the views it asks, would call. For the server's own search path. It knows of what
/// is its own from the beginning that it changes nothing, and does not write that down.
const CALLED: &str = "WITH RECURSIVE reach (class, oid) AS (
        SELECT refclassid, refobjid FROM pg_depend
        WHERE classid = 'pg_proc'::regclass AND objid = 'pg_temp.placet_probe'::regproc
    UNION
        SELECT d.refclassid, d.refobjid
        FROM reach r JOIN pg_rewrite w ON r.class = 'pg_class'::regclass AND w.ev_class = r.oid
        JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid)
    SELECT min(f.oid::regprocedure::text)
    FROM reach r LEFT JOIN pg_operator o ON r.class = 'pg_operator'::regclass AND o.oid = r.oid
    JOIN pg_proc f ON f.provolatile = 'v' AND f.oid >= 16384
        AND f.oid = CASE WHEN r.class = 'pg_proc'::regclass THEN r.oid ELSE o.oprcode::oid END";

const BEFORE: &str = "SAVEPOINT placet_probe;
    CREATE FUNCTION pg_temp.placet_probe() RETURNS void LANGUAGE sql BEGIN ATOMIC ";

impl Work {
    /// Refuses a statement that calls somebody's function which may change something: such a change would not be kept.
    /// The review finds calls that stand there as such; only the server knows what an operator or `a.b` means. It is
    /// made to read the statement as the body of a function, which nobody calls, and asked what that depends on.
    /// Servers before 14 know no such bodies; there nobody looks.
    pub(super) async fn refuse_hidden_calls(
        &mut self,
        statement: &Statement<'_>,
    ) -> Result<(), SqlFailure> {
        let version = "SELECT pg_catalog.current_setting('server_version_num')";
        let version = self.link.text(version).await?.and_then(|text| text.parse().ok());
        if version.is_none_or(|version: u32| version < 140_000) {
            return Ok(());
        }
        let found = self.called(statement).await;
        let undo = "ROLLBACK TO SAVEPOINT placet_probe; RELEASE SAVEPOINT placet_probe";
        let undone = self.link.bounded(self.link.client.batch_execute(undo)).await;
        if let Err(trouble) = undone {
            return Err(self.spoil(trouble.into()));
        }
        match found {
            Ok(None) => Ok(()),
            Ok(Some(name)) => Err(refused(format!(
                "the statement calls {name} by an operator, a cast, a view or as if it were a column; what that changes \
                 could not be put back"
            ))),
            // What the statement itself would have said, for one.
            Err(trouble) => Err(shifted(trouble, BEFORE)),
        }
    }

    async fn called(&self, statement: &Statement<'_>) -> Result<Option<String>, Trouble> {
        let text = statement.text;
        let probe = format!("{BEFORE}{text}\n; END; SET LOCAL search_path = pg_catalog");
        self.link.watched(self.link.client.batch_execute(&probe)).await?;
        self.link.text(CALLED).await
    }
}
