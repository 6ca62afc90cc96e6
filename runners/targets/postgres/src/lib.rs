#![cfg_attr(docsrs, feature(doc_cfg))]
//! PostgreSQL databases as targets of the SQL runner.

mod target; // a database by its URL
mod points; // where a test may stop a run
mod tls; // what a host may ask of encryption
mod trust; // whom a connection trusts
mod verifier; // the check of a certificate for those who ask for less than all of it
mod url; // what a URL says about TLS
mod place; // where the database is
mod engine; // drives a connection for callers that block
mod link; // one connection
mod fault; // what PostgreSQL says, in our words
mod lexer; // the tokens of PostgreSQL's SQL
mod guard; // what a statement of somebody else's may be
mod forbidden; // names that no statement of theirs may hold
mod values; // values on their way to the server
mod cells; // values on their way back
mod decimal; // numbers of any length
mod calendar; // dates and times
mod rows; // what a query answers
mod origins; // where its columns come from
mod tables; // our own tables in the target
mod watch; // that a transaction is still the one that we know
mod base; // that a session is still the one that was set up
mod work; // what a session does
mod marks; // the rows that say what was done
mod side; // a look at the marks beside the session
mod alone; // statements that refuse a transaction
mod estimate; // how many rows a statement means
mod drift; // how the schema is made now
mod keep; // rows that can be put back
mod session; // the session that a host sees

pub use points::POINTS;
pub use target::PostgresTarget;
pub use tls::{Tls, TlsMode, TlsRoots};
