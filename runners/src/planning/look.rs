//! A session of the host's own, which only reads.

use placet_core::digest::Digest;
use placet_core::error::{Code, Error};
use placet_target::{Access, Keepable, SqlFailure, SqlSession, Touch};

use crate::call::Trap;
use crate::line::check_lease;
use crate::state::Reach;

/// One look at the target. Before each question it is asked whether the plan is still wanted.
#[derive(Debug)]
pub(super) struct Look<'a> {
    reach: &'a Reach,
    session: Box<dyn SqlSession>,
}

impl<'a> Look<'a> {
    pub(super) fn at(reach: &'a Reach) -> Result<Self, Error> {
        go_on(reach)?;
        let target = reach.target.sql()?;
        let session = target.open(Access::ReadOnly, &reach.stop).map_err(error_of)?;
        Ok(Self { reach, session })
    }

    pub(super) fn digest(&mut self, objects: &[String]) -> Result<Option<Digest>, Error> {
        go_on(self.reach)?;
        self.session.schema_digest(objects).map_err(error_of)
    }

    pub(super) fn can_keep(&mut self, touch: &Touch) -> Result<Keepable, Error> {
        go_on(self.reach)?;
        match self.session.can_keep(touch) {
            // The table is not there yet, or is nothing of the kind.
            Err(SqlFailure::Database { message, .. } | SqlFailure::Refused(message)) => {
                Ok(Keepable::No(message))
            }
            told => told.map_err(error_of),
        }
    }

    /// None where the database does not say, or stumbled over the statement.
    pub(super) fn estimate(&mut self, statement: &str) -> Result<Option<u64>, Error> {
        go_on(self.reach)?;
        match self.session.estimate(statement) {
            // It rests on a step before it, or is no statement of which rows can be told.
            Err(SqlFailure::Database { .. } | SqlFailure::Refused(_) | SqlFailure::Limit(_)) => {
                Ok(None)
            }
            told => told.map_err(error_of),
        }
    }
}

fn go_on(reach: &Reach) -> Result<(), Error> {
    let asked = check_lease(&*reach.lease, reach.deadline, &reach.stop);
    match reach.stop.raised() {
        Some(reason) => Err(Trap::stopped(reason).into_error()),
        None => asked,
    }
}

fn error_of(failure: SqlFailure) -> Error {
    match failure {
        SqlFailure::Unavailable(error) => error,
        SqlFailure::Stopped(reason) => Trap::stopped(reason).into_error(),
        other @ (SqlFailure::Database { .. } | SqlFailure::Refused(_) | SqlFailure::Limit(_)) => {
            Error::new(Code::InvalidPayload, other.message())
                .with_help("correct the payload, or ask whoever looks after the target")
        }
    }
}
