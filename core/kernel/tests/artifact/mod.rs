//! The workflow `artifact`: its roles, its rule for what agents make, and its life.

mod matrix;
mod roles;
mod auto_approval;
mod life;
mod by_rule;
mod complete;
mod handed_on;
