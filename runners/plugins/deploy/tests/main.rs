//! The deploy runner against models of the products that it starts deployments in.
mod faults; // every call fails each way once
mod mutations; // templates that nobody meant
mod products; // models of the products
mod stories; // what should happen
mod templates; // what their words say, and those that nobody can follow
