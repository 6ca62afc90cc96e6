//! Plans the closing of orders: `{"orders": [3, 5]}`. The same file is a part of this plugin, of a module for Extism
//! and of a program of its own, so that the bench `plugin` compares hosts and not guests.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde_json::Value;

/// What one step does.
pub(crate) struct Closing {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) body: String,
}

/// The steps of a payload. `None` where it is not one of ours.
pub(crate) fn plan(payload: &str) -> Option<Vec<Closing>> {
    let value: Value = serde_json::from_str(payload).ok()?;
    let orders = value.get("orders")?.as_array()?;
    let steps = (1..).zip(orders).map(|(number, order): (u32, &Value)| {
        let order = order.as_u64()?;
        Some(Closing {
            id: format!("s{number}"),
            title: format!("Close order {order}"),
            body: format!("UPDATE orders SET state = 'closed' WHERE id = {order}"),
        })
    });
    steps.collect()
}
