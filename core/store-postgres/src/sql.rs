//! Every statement, with the name of the schema in it.

use placet_core::digest::{Digest, to_hex};

/// The statements for one schema.
#[derive(Debug)]
pub(crate) struct Sql {
    pub(crate) schema: String,
    /// The channel on which commits are told.
    pub(crate) channel: String,
    /// The number of the lock under which tables are made.
    pub(crate) migration_lock: i64,
    pub(crate) lock_head: String,
    pub(crate) versions: String,
    pub(crate) advance: String,
    pub(crate) advance_and_tell: String,
    pub(crate) put: String,
    pub(crate) remove: String,
    pub(crate) append: String,
    pub(crate) get: String,
    pub(crate) get_many: String,
    pub(crate) scan: String,
    pub(crate) scan_to_end: String,
    pub(crate) log_len: String,
    pub(crate) log_read: String,
    pub(crate) log_ends: String,
    pub(crate) enter: String,
    pub(crate) renew: String,
    pub(crate) last_group: String,
    pub(crate) forget: String,
}

/// Advances head and writer at once, and fails with a division by zero unless both stand where this node
/// left them. In the same transaction as the writes: what comes too late is rolled back, whoever sent
/// it and however late it arrives.
const ADVANCE: &str = "WITH writer AS (
    UPDATE {s}.writers SET last_opening = opening, last_group = $4, at = clock_timestamp()
    WHERE node = $1 AND opening = $2 AND epoch = $3 RETURNING 1
), moved AS (
    UPDATE {s}.head SET commits = $7, log_len = $8, sum = $9
    WHERE commits = $5 AND log_len = $6 RETURNING 1
)
SELECT 1 / (SELECT count(*) FROM writer), 1 / (SELECT count(*) FROM moved)";

impl Sql {
    pub(crate) fn new(schema: &str) -> Self {
        let with = |text: &str| text.replace("{s}", &format!("\"{schema}\""));
        let digest = Digest::of_parts(&[b"placet migration ", schema.as_bytes()]);
        let lock = digest.as_bytes().first_chunk::<8>().copied().unwrap_or_default();
        let name = Digest::of(schema.as_bytes());
        let short = name.as_bytes().first_chunk::<8>().copied().unwrap_or_default();
        let scan = "SELECT key, version, value, sum FROM {s}.records WHERE key >= $1";
        Self {
            schema: schema.to_owned(),
            channel: format!("placet_{}", to_hex(&short)),
            migration_lock: i64::from_be_bytes(lock),
            lock_head: with("SELECT format, commits, log_len, sum FROM {s}.head FOR UPDATE"),
            versions: with("SELECT key, version FROM {s}.records WHERE key = ANY($1)"),
            advance: with(ADVANCE),
            advance_and_tell: format!("{}, pg_notify($10, $11)", with(ADVANCE)),
            put: with(
                "INSERT INTO {s}.records (key, version, value, sum)
                SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bytea[], $4::bytea[])
                ON CONFLICT (key) DO UPDATE
                SET version = excluded.version, value = excluded.value, sum = excluded.sum",
            ),
            remove: with("DELETE FROM {s}.records WHERE key = ANY($1)"),
            append: with(
                "INSERT INTO {s}.log (index, entry, sum)
                SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::bytea[])",
            ),
            get_many: with("SELECT key, version, value, sum FROM {s}.records WHERE key = ANY($1)"),
            get: with("SELECT version, value, sum FROM {s}.records WHERE key = $1"),
            scan: format!("{} AND key < $2 ORDER BY key LIMIT $3", with(scan)),
            scan_to_end: format!("{} ORDER BY key LIMIT $2", with(scan)),
            log_len: with("SELECT commits, log_len, sum FROM {s}.head"),
            // Length and entries in one statement: both are of the same moment.
            log_read: with(
                "SELECT head.commits, head.log_len, head.sum, log.index, log.entry, log.sum
                FROM {s}.head LEFT JOIN {s}.log ON log.index >= $1 AND log.index < $2",
            ),
            log_ends: with(
                "SELECT commits, log_len, sum,
                (SELECT min(index) FROM {s}.log), (SELECT max(index) FROM {s}.log)
                FROM {s}.head",
            ),
            enter: with(
                "INSERT INTO {s}.writers (node, opening, epoch, at)
                VALUES ($1, $2, 1, clock_timestamp())
                ON CONFLICT (node) DO UPDATE
                SET opening = excluded.opening, epoch = writers.epoch + 1, at = excluded.at
                RETURNING epoch",
            ),
            // Where the row is gone, nobody else has the name either.
            renew: with(
                "INSERT INTO {s}.writers (node, opening, epoch, at)
                VALUES ($1, $2, 1, clock_timestamp())
                ON CONFLICT (node) DO UPDATE
                SET epoch = writers.epoch + 1, at = excluded.at
                WHERE writers.opening = excluded.opening
                RETURNING epoch",
            ),
            last_group: with(
                "SELECT last_group FROM {s}.writers WHERE node = $1 AND last_opening = $2",
            ),
            forget: with(
                "DELETE FROM {s}.writers
                WHERE node LIKE 'unnamed %' AND at < clock_timestamp() - interval '30 days'",
            ),
        }
    }
}
