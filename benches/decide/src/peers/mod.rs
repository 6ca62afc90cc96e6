//! Other engines, each in the best configuration that we know for it.

pub(crate) mod cedar;
pub(crate) mod casbin;
pub(crate) mod regorus;
