//! What would put back what an earlier attempt changed: told only where that attempt ran in the same place, at the
//! same target.

use placet_core::error::{Code, Error as CoreError};
use placet_target::{Attempt, SqlFailure};
use wasmtime::component::Resource;

use super::{Answer, ConnectionEntry};
use crate::bindings::sql::Error;
use crate::results::table_and_column;
use crate::state::{Phase, State};
use crate::texts::Texts;

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
        // What is more than the plugin may be handed is not even read.
        let most = (self.limits.kept_rows_max, self.bytes_left());
        let Some(reader) = &mut self.table.get_mut(connection)?.reader else {
            return self.refuse("the connection is closed");
        };
        let statements = match reader.inverse(&of, most) {
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
        if let Some(column) = self.unveiled(&statements) {
            return Ok(Err(self.fail(SqlFailure::Unavailable(veiled(&column)), None)));
        }
        if let Some(reach) = &mut self.reach {
            // A dry run may try them: they stand for the payload now.
            reach.texts = Texts::of_list(statements.clone());
            reach.inverse = Some(statements.clone());
        }
        Ok(Ok(statements))
    }

    /// A masked column whose values the statements may hold: everybody who reads the plan would see them.
    fn unveiled(&self, statements: &[String]) -> Option<String> {
        let reach = self.reach.as_ref()?;
        let mask = &reach.settings.mask;
        if mask.is_empty() {
            return None;
        }
        let mut texts = statements.iter().map(|statement| plain(statement));
        texts.find_map(|text| mask.iter().find(|column| may_show(&text, column)).cloned())
    }

    fn ran_here(&self, of: Attempt) -> Result<bool, CoreError> {
        let reach = self.reach()?;
        let ran = reach.line.ran_at(of)?;
        Ok(ran.is_some_and(|ran| ran == reach.place))
    }
}

/// Whether a statement may hold values of a masked column: those of its table name both.
fn may_show(text: &str, column: &str) -> bool {
    let (table, name) = table_and_column(column);
    text.contains(&plain(name)) && table.is_none_or(|table| text.contains(&plain(table)))
}

/// Without quotes and in lower case, so that a name is found however it is written.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, '"' | '`')).flat_map(char::to_lowercase).collect()
}

fn veiled(column: &str) -> CoreError {
    let message = format!(
        "putting it back would show values of `{column}`, which this environment masks, to all who read the plan"
    );
    CoreError::new(Code::Denied, message).with_help(
        "have somebody who may read these values put them back at the target, or change the settings of the environment",
    )
}
