#![cfg_attr(docsrs, feature(doc_cfg))]
//! The store for several nodes: one PostgreSQL database, in a schema of its own.
//!
//! ```no_run
//! use placet_core::store::{Batch, Key, Store};
//! use placet_store_postgres::PostgresStore;
//!
//! let store = PostgresStore::open("postgres://placet:secret@db.internal/placet?sslmode=verify-full")?;
//! let key = Key::from_segments(&["colour"]);
//! store.commit(Batch::default().expect_absent(key.clone()).put(key.clone(), b"green".to_vec()))?;
//! assert_eq!(store.get(&key)?.map(|stored| stored.value), Some(b"green".to_vec()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Every node opens the same URL, and any node may do anything. The tables are made by the first one.
//!
//! # What it promises beyond the contract of [`Store`](placet_core::store::Store)
//!
//! - **Durable**: each session asks for `synchronous_commit = on` itself (and leaves `remote_apply` where it
//!   is set), and a server with `fsync` or `full_page_writes` off is refused. What is acknowledged is on the
//!   disk of the server that answered; whether a standby has it too is that server's configuration.
//! - **One order for all nodes**: a commit locks the one row of the table `head` first. Version numbers count
//!   commits, so that none comes back, and the log has no gap and no fork.
//! - **Group commit**: what waits while one transaction is under way shares the next one, two round trips for
//!   all of it. A conflict rejects its own batch alone, and later batches of a group see the earlier ones.
//! - **True answers**: each group leaves its number in the table `writers`, in its own transaction. When the
//!   line is cut between COMMIT and its reply, the store connects again, takes the lock, which the old
//!   transaction cannot hold any more by then, and reads whether the group is there. Only where the database
//!   stays away for the whole [`deadline_ms`](Options::deadline_ms) the error says that it is not known.
//! - **No late commit**: the transaction of a session that was given up (a node that was stopped, a network
//!   that held packets back) is rolled back however late it arrives: its epoch in `writers` is over. A node
//!   that stops in the middle of a transaction holds the others up for
//!   [`idle_in_transaction_timeout_ms`](Options::idle_in_transaction_timeout_ms) at most.
//! - **Damage has a name**: values, log entries and the head have checksums that are bound to their place.
//!   What was changed by hand is found when it is read; a log that lost its beginning or its end is found on
//!   opening. A record that was deleted by hand is not found here; see the crate `placet-store-sled`.
//! - **No guesses**: what cannot be read is an error, not an empty answer. Nothing is
//!   filled in for a head, a setting, the first reading of the clock or the outcome of a commit that the
//!   database does not tell.
//! - **Waiting**: [`wait_for_log`](placet_core::store::Store::wait_for_log) wakes when another node commits.
//! - **One clock**: [`PostgresStore::clock`] tells the database's time to all nodes.
//!
//! Keys have at most [`KEY_BYTES_MAX`] bytes, a batch at most [`BATCH_BYTES_MAX`].
//!
//! # Who may do what
//!
//! The role that opens the store first makes the schema and owns it. It needs `CREATE` on the database. In
//! production let the application use another role, which the owner admits once:
//!
//! ```sql
//! CREATE ROLE placet_app LOGIN PASSWORD '…';
//! SELECT placet.admit_application('placet_app'); -- appends to the log, cannot change or remove entries
//! SELECT placet.admit_reader('reporting');       -- reads the views below, and nothing else
//! ```
//!
//! Besides, a trigger refuses UPDATE, DELETE and TRUNCATE on the log for everybody, the owner included.
//! Only an owner or superuser who switches the trigger off first gets past it; the audit log's own proofs
//! are there to find that.
//!
//! # What was erased
//!
//! PostgreSQL leaves the old bytes of a row in its table until they are vacuumed, in the write-ahead log until its segments
//! are gone, and samples of them in its statistics. Whoever must be sure that an erased text is in no file of the
//! database, has it done by somebody who may:
//!
//! ```sql
//! VACUUM (FULL, ANALYZE) placet.records; -- written anew; nobody writes meanwhile
//! VACUUM FULL pg_catalog.pg_statistic;   -- samples that were taken before
//! CHECKPOINT;
//! SELECT pg_switch_wal();
//! CHECKPOINT;                            -- again, until pg_ls_waldir() shows no segment of before
//! ```
//!
//! A transaction that is older than the erasure, also a prepared one, and a replication slot or standby that hangs back
//! keep rows and segments: look for them first. With `wal_recycle = on`, the default, old segments are renamed and not
//! wiped: set it off, with a small `min_wal_size`, before the checkpoints. Archived segments, base backups, dumps and what
//! the file system keeps of removed files are to be treated by the rules of the house.
//!
//! # Tables to join
//!
//! The schema has these views over the records, for reports and for joins with a host's own tables: `users`,
//! `projects`, `project_environments`, `project_modules`, `teams`, `team_modules`, `team_members`,
//! `project_roles`, `project_permissions`, `project_role_permissions`, `user_project_roles`,
//! `approval_workflows` and `approval_history`. Ids are of the type `uuid`, as the ids' `to_uuid_string`
//! writes them; instants are `timestamptz`. `password_hash` is always NULL: passwords are not kept here.
//! `approval_workflows` has no rows yet, since nothing writes its records. A view reads all records of its
//! kind, so it is made for joins and reports, not for looking up one row in a hot path. They cannot be
//! written to: state changes only through the gate.
//!
//! # Encryption
//!
//! Say `sslmode=verify-full` in the URL, or the same as [`Tls`] in the options, whenever the server is on
//! another machine: then every connection (those that write, read and listen) is encrypted, and goes to the
//! server that the URL names and to no other.
//!
//! ```no_run
//! use placet_store_postgres::PostgresStore;
//!
//! let url = "postgres://placet:secret@db.internal/placet?sslmode=verify-full&sslrootcert=/etc/placet/root.pem";
//! let store = PostgresStore::open(url)?;
//! # Ok::<(), placet_core::store::StoreError>(())
//! ```
//!
//! | `sslmode` | encrypted | whose certificate is taken |
//! |---|---|---|
//! | `disable` | never | |
//! | `prefer`, where nothing is said | where the server offers it | anybody's; with `sslrootcert` as `verify-ca` |
//! | `require` | always | anybody's; with `sslrootcert` as `verify-ca` |
//! | `verify-ca` | always | any that `sslrootcert` signed |
//! | `verify-full`, where only `sslrootcert` is said | always | one for the host in the URL that `sslrootcert`, or else the system, trusts |
//!
//! `prefer` and `require` by themselves keep out who listens, and not who answers in the server's place.
//! `sslcert` and `sslkey` name the certificate of this node and its key, for servers that ask for one. The
//! words mean what libpq says, with these differences: none of them is looked for in a home folder or an
//! environment variable; where the server offers TLS and the handshake fails, `prefer` does not go on
//! without; a host must be a subject alternative name of the certificate; and a certificate that signs
//! itself must not be that of an authority (`CA:FALSE`). Encrypted keys, `allow` and lists of revoked
//! certificates are not known, and refused by name. With TLS a login by SCRAM is bound to the certificate
//! that the server showed, where both sides can; `channel_binding=require` insists on it.
//!
//! # What it relies on
//!
//! Tested with PostgreSQL 15; nothing newer than 13 is used. For an engine that speaks its protocol, this is
//! what must be there:
//!
//! - transactions at READ COMMITTED or stricter, where each statement sees what was committed before it began,
//!   and `SELECT … FOR UPDATE` that makes the others wait. Failures 40001 and 40P01 are repeated with growing
//!   pauses. An engine that can lose a row lock and still commit is stopped by the condition on `head` and
//!   `writers` that each commit carries, as long as it is serializable;
//! - `bytea` keys ordered by their bytes, `unnest` of several arrays, `INSERT … ON CONFLICT DO UPDATE`, UPDATE
//!   inside `WITH`, prepared statements and pipelining (no pooler that hands a connection over between
//!   transactions);
//! - for making the schema: DDL in a transaction, `pg_advisory_xact_lock`, plpgsql, triggers. Where these are
//!   missing, make the tables by hand from `schema.sql`;
//! - `LISTEN` and `NOTIFY`; without them set [`Options::notifies`] to false;
//! - the settings `statement_timeout`, `lock_timeout`, `idle_in_transaction_session_timeout`,
//!   `synchronous_commit`, `enable_seqscan`, `enable_bitmapscan`, `jit` and `plan_cache_mode`, which each
//!   session sets for itself;
//! - `gen_random_uuid()`, `clock_timestamp()`; for the views `jsonb_to_record` and an UTF8 database.
//!
//! # A witness in another database
//!
//! [`PostgresWitness`] remembers the latest heads of logs in a table of its own. A log that went back is found with
//! it, where it does not go back together with the log.
//!
//! # What it does not do
//!
//! It does not follow a failover by itself beyond what the URL says (several hosts with
//! `target_session_attrs=read-write`), and after a failover to a standby that lacks acknowledged commits these
//! are gone: use synchronous replication. The crate `tokio-postgres` below it writes parameters, which are
//! record contents, into the host's `log` at level `debug`.

mod tls; // what a host may ask of encryption
mod options; // what a host may choose
mod url; // what a URL says about encryption
mod verifier; // a server's certificate, for those who ask for less than all
mod trust; // whom a connection trusts
mod place; // where the database is, without its password
mod handshake; // why no TLS connection came about
mod fault; // PostgreSQL's failures in our words
mod record; // checksums, and damage that they show
mod sql; // every statement
mod schema; // making the tables
mod session; // one connection, set up and checked
mod group; // which batches of a group pass, and what they change together
mod columns; // a group as parameters of statements
mod commit; // one group, one transaction
mod writer; // the queue, lost replies, and who may write
mod reader; // the connections that read
mod heard; // how long the log is known to be, and who waits
mod listener; // what other nodes tell
mod clock; // the database's time
mod engine; // a thread with a runtime
mod store; // the driver itself
mod witness; // heads of logs, remembered in another database

pub use clock::DatabaseClock;
pub use options::Options;
pub use record::{BATCH_BYTES_MAX, KEY_BYTES_MAX};
pub use store::PostgresStore;
pub use tls::{Tls, TlsMode, TlsRoots};
pub use witness::PostgresWitness;
