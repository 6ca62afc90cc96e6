//! Rows that can be put back.

use placet_target::{Keepable, SqlFailure, StepMark, Touch};

use crate::fault::refused;
use crate::work::Work;

impl Work {
    pub(crate) async fn can_keep(&self, _touch: &Touch) -> Result<Keepable, SqlFailure> {
        Ok(Keepable::No(String::new()))
    }

    pub(crate) async fn execute_kept(
        &mut self,
        _sql: &str,
        (_touch, _mark): (&Touch, &StepMark),
        _rows_max: u64,
    ) -> Result<u64, SqlFailure> {
        Err(refused(""))
    }
}
