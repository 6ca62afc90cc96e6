#![cfg_attr(docsrs, feature(doc_cfg))]
//! MySQL and MariaDB as targets of the SQL runner.

mod wire; // the protocol
mod guard; // what a statement may be
