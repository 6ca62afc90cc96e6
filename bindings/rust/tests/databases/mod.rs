//! The databases that a change runs on, real ones: SQLite, PostgreSQL and MariaDB.

mod mariadb; // a server of our own
mod admin; // SQL beside the product, to prepare and to look
mod desk; // a gate in front of one of them
mod large; // a whole schema, there and back
mod hostile; // scripts that mean harm
mod random; // random scripts, taken all the way and back
mod kill_points; // the host dies at every labelled point of a run
