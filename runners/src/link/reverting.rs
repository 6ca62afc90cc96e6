//! What would put back what an earlier attempt changed: told only where that attempt ran in the same place, at the
//! same target.

use placet_target::{Attempt, SqlFailure};
use wasmtime::component::Resource;

use super::{Answer, ConnectionEntry};
use crate::bindings::sql::Error;
use crate::state::{Phase, State, Texts};

impl State {
    pub(super) fn inverse_of(
        &mut self,
        connection: &Resource<ConnectionEntry>,
        request: &str,
        (revision, attempt): (u32, u32),
    ) -> Answer<Vec<String>> {
        if !matches!(self.phase, Phase::Plan { .. }) {
            return self.refuse("only a plan asks what would put an attempt back");
        }
        let named = request.parse().ok().map(|request| Attempt { request, revision, attempt });
        let asked = self.reach.as_ref().and_then(|reach| reach.asked.revert);
        let Some(of) = asked.filter(|asked| named == Some(*asked)) else {
            return self.refuse("the payload does not ask to put this attempt back");
        };
        if let Err(error) = self.may_touch() {
            return Ok(Err(error));
        }
        match self.ran_here(of) {
            Ok(true) => {}
            // One answer for an attempt of somebody else's and for one that never was.
            Ok(false) => return self.refuse("no attempt of that name ended here, at this target"),
            Err(error) => return Ok(Err(self.fail(SqlFailure::Unavailable(error), None))),
        }
        let rows_max = self.limits.kept_rows_max;
        let Some(reader) = &mut self.table.get_mut(connection)?.reader else {
            return self.refuse("the connection is closed");
        };
        let statements = match reader.inverse(&of, rows_max) {
            Ok(statements) => statements,
            Err(failure) => return Ok(Err(self.fail(failure, None))),
        };
        if statements.is_empty() {
            return Ok(Err(Error::Invalid(
                "nothing was kept of what this attempt changed".to_owned(),
            )));
        }
        let bytes = statements.iter().map(String::len).fold(0, usize::saturating_add);
        self.count_bytes(u64::try_from(bytes).unwrap_or(u64::MAX))?;
        if let Some(reach) = &mut self.reach {
            // A dry run may try them: they stand for the payload now.
            reach.texts = Texts::of_list(statements.clone());
            reach.inverse = Some(statements.clone());
        }
        Ok(Ok(statements))
    }

    fn ran_here(&self, of: Attempt) -> Result<bool, placet_core::error::Error> {
        let reach = self.reach()?;
        let ran = reach.line.ran_at(of)?;
        Ok(ran.is_some_and(|ran| ran == reach.place))
    }
}
