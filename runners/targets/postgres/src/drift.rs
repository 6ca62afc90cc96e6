//! How the schema is made now.

use placet_core::digest::Digest;
use placet_target::SqlFailure;

use crate::work::Work;

impl Work {
    pub(crate) async fn schema_digest(&self, _objects: &[String]) -> Result<Digest, SqlFailure> {
        Ok(Digest::of(b""))
    }
}
